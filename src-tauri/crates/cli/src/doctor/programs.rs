//! The programs of the installation and those that it needs: their versions, the browser, the window.

use super::Env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokenry_contract::{CheckedItem, profile};

pub(super) const DEEP_LINK: &str = "deep_link";
const SERVE: &str = "tokenry-serve";
const DESKTOP: &str = "tokenry-desktop";
const OPENER: &str = "xdg-open";
const WEBKIT: &str = "libwebkit2gtk-4.1.so.0";

pub(super) fn check(env: Env<'_>) -> Vec<CheckedItem> {
    let here = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let search: Vec<PathBuf> = env("PATH").iter().flat_map(std::env::split_paths).collect();
    let mut items = vec![serve(here.as_deref())];
    items.extend(installations(here.as_deref(), &search));
    items.push(browser(env, &search));
    items.push(window(env, here.as_deref()));
    items
}

/// The engine's program beside this one, and its version.
fn serve(here: Option<&Path>) -> CheckedItem {
    const NAME: &str = "programs";
    let next = "Install both programs from one release, in one folder.";
    let Some(program) = here
        .map(|here| here.with_file_name(SERVE))
        .filter(|path| path.is_file())
    else {
        return CheckedItem::problem(
            NAME,
            format!("{SERVE} is not in the folder of this program."),
            next,
        );
    };
    let asked = Command::new(&program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let ours = env!("CARGO_PKG_VERSION");
    match asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) {
        Ok(said) if said == format!("{SERVE} {ours}") => {
            CheckedItem::ok(NAME, format!("tokenry and {SERVE} have version {ours}."))
        }
        Ok(said) => CheckedItem::problem(
            NAME,
            format!("tokenry has version {ours}, and beside it is “{said}”."),
            next,
        ),
        Err(error) => CheckedItem::problem(
            NAME,
            format!("{} cannot be started: {error}.", program.display()),
            next,
        ),
    }
}

/// Another `tokenry` in `PATH`: a shell may run that one.
fn installations(here: Option<&Path>, search: &[PathBuf]) -> Option<CheckedItem> {
    let found = search
        .iter()
        .filter_map(|folder| folder.join("tokenry").canonicalize().ok());
    let other = found
        .filter(|path| path.is_file())
        .find(|path| Some(path.as_path()) != here)?;
    Some(CheckedItem::warning(
        "second_installation",
        format!("There is another tokenry: {}.", other.display()),
        "Remove one of them, or take its folder out of PATH.",
    ))
}

/// Who opens links with our scheme, by the name of its desktop file.
pub(super) fn deep_link() -> CheckedItem {
    let query = format!("x-scheme-handler/{}", profile::APP_ID);
    let asked = Command::new("xdg-mime")
        .args(["query", "default", &query])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let next = "Start the desktop app once, or `tokenry serve --deep-links`, or use the loopback redirect.";
    match asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) {
        Err(_) => CheckedItem::not_checked(DEEP_LINK, "xdg-mime is not installed."),
        Ok(handler) if handler.is_empty() => {
            CheckedItem::warning(DEEP_LINK, "No program opens links with our scheme.", next)
        }
        Ok(handler) if handler.contains("tokenry") => {
            CheckedItem::ok(DEEP_LINK, format!("Links with our scheme open {handler}."))
        }
        Ok(handler) => CheckedItem::warning(
            DEEP_LINK,
            format!("Links with our scheme open another program: {handler}."),
            next,
        ),
    }
}

fn browser(env: Env<'_>, search: &[PathBuf]) -> CheckedItem {
    const NAME: &str = "browser";
    if !search.iter().any(|folder| folder.join(OPENER).is_file()) {
        return CheckedItem::warning(
            NAME,
            format!("{OPENER} is not installed, so Tokenry cannot open a browser."),
            "Install xdg-utils, or connect with `tokenry connect NAME --no-browser`.",
        );
    }
    match display(env) {
        Some(_) => CheckedItem::ok(NAME, format!("{OPENER} opens the browser.")),
        None => CheckedItem::warning(
            NAME,
            "There is no display, so no browser can be opened here.",
            "Connect with `tokenry connect NAME --device` where the provider offers that, else with `--redirect paste`.",
        ),
    }
}

/// The desktop app, where it is installed.
fn window(env: Env<'_>, here: Option<&Path>) -> CheckedItem {
    const NAME: &str = "window";
    if !here.is_some_and(|here| here.with_file_name(DESKTOP).is_file()) {
        return CheckedItem::not_checked(NAME, "The desktop app is not installed beside this program.");
    }
    if !has_webkit() {
        let next = "Install WebKitGTK: libwebkit2gtk-4.1-0 in Debian and Ubuntu, webkit2gtk4.1 in Fedora.";
        return CheckedItem::problem(NAME, format!("{WEBKIT} is not installed."), next);
    }
    match display(env) {
        Some(display) => CheckedItem::ok(NAME, format!("WebKitGTK is installed, and {display} is set.")),
        None => CheckedItem::not_checked(
            NAME,
            "There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.",
        ),
    }
}

fn display(env: Env<'_>) -> Option<&'static str> {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .find(|name| env(name).is_some())
}

/// Where libraries are, in the distributions that the desktop app runs on.
fn has_webkit() -> bool {
    let folders = ["/usr/lib", "/usr/lib64", "/lib64", "/usr/local/lib"].map(PathBuf::from);
    let multiarch = PathBuf::from(format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    folders
        .into_iter()
        .chain([multiarch])
        .any(|folder| folder.join(WEBKIT).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_contract::CheckResult;

    #[test]
    fn another_installation_and_a_missing_opener_are_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().canonicalize().unwrap();
        let ours = folder.join("tokenry");
        std::fs::write(&ours, "").unwrap();
        let search = std::slice::from_ref(&folder);
        assert_eq!(installations(Some(&ours), search), None);
        let other = installations(Some(Path::new("/elsewhere/tokenry")), search).unwrap();
        assert!(other.text.contains(&ours.display().to_string()), "{other:?}");
        let none: Env<'_> = &|_| None;
        let some: Env<'_> = &|name| (name == "DISPLAY").then(|| ":0".into());
        assert_eq!(browser(some, search).result, CheckResult::Warning);
        std::fs::write(folder.join(OPENER), "").unwrap();
        assert_eq!(browser(none, search).result, CheckResult::Warning);
        assert_eq!(browser(some, search).result, CheckResult::Ok);
        assert_eq!(serve(Some(&ours)).result, CheckResult::Problem);
        assert_eq!(window(some, Some(&ours)).result, CheckResult::NotChecked);
    }
}
