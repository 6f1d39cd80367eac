//! The environment variables that decide where Tokenry is and how it reaches providers. Their values may hold
//! passwords, so only paths are shown.

use super::Env;
use std::path::Path;
use tokenry_contract::CheckedItem;

const PROXIES: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];

pub(super) fn check(env: Env<'_>) -> Vec<CheckedItem> {
    let proxy = PROXIES.into_iter().find(|name| env(name).is_some()).map(|name| {
        let text = format!("{name} is set: requests to providers go through a proxy.");
        CheckedItem::ok("proxy", text)
    });
    let home = env("TOKENRY_HOME").map(|home| {
        let home = Path::new(&home);
        match home.is_absolute() {
            true => CheckedItem::ok("tokenry_home", format!("The profile is at {}.", home.display())),
            false => CheckedItem::warning(
                "tokenry_home",
                "TOKENRY_HOME is a relative path, so each folder has a profile of its own.",
                "Set it to a whole path.",
            ),
        }
    });
    let certificates = [("SSL_CERT_FILE", false), ("SSL_CERT_DIR", true)];
    let certificates = certificates.into_iter().filter_map(|(name, is_folder)| {
        let path = env(name)?;
        Some(certificates_at(name, Path::new(&path), is_folder))
    });
    certificates.chain(proxy).chain(home).collect()
}

fn certificates_at(name: &str, path: &Path, is_folder: bool) -> CheckedItem {
    let shown = path.display();
    let is_there = match is_folder {
        true => std::fs::read_dir(path).is_ok(),
        false => {
            std::fs::File::open(path).is_ok_and(|file| file.metadata().is_ok_and(|found| found.is_file()))
        }
    };
    match is_there {
        true => CheckedItem::ok(
            "certificates",
            format!("{name} is set: only the CAs of {shown} are trusted."),
        ),
        false => CheckedItem::problem(
            "certificates",
            format!("{name} is {shown}, which cannot be read. No provider can be reached."),
            format!("Correct {name}, or unset it."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_contract::CheckResult;

    #[test]
    fn a_variable_that_breaks_something_is_told_without_a_password() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("ca.pem");
        let with = |name: &'static str, value: std::ffi::OsString| {
            let env = move |asked: &str| (asked == name).then(|| value.clone());
            check(&env)
        };
        let item = &with("SSL_CERT_FILE", file.clone().into())[0];
        assert_eq!(item.result, CheckResult::Problem, "{item:?}");
        std::fs::write(&file, "").unwrap();
        assert_eq!(
            with("SSL_CERT_FILE", file.clone().into())[0].result,
            CheckResult::Ok
        );
        assert_eq!(with("SSL_CERT_DIR", file.into())[0].result, CheckResult::Problem);
        assert_eq!(
            with("TOKENRY_HOME", "here".into())[0].result,
            CheckResult::Warning
        );
        let item = &with("https_proxy", "http://ada:c4n4ry@proxy.example:3128".into())[0];
        assert!(
            item.text.contains("https_proxy") && !item.text.contains("c4n4ry"),
            "{item:?}"
        );
        assert_eq!(check(&|_| None), []);
    }
}
