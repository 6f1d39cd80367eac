//! The packages of Debian and Ubuntu that building and testing need.

use crate::sh::{self, Result};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// What the desktop shell is built with. The tray's library is loaded at run time and comes with its `-dev`.
pub(crate) const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "file",
    "libwebkit2gtk-4.1-dev",
    "librsvg2-dev",
    "libayatana-appindicator3-dev",
];

/// What the tests and the walkthrough drive the app with: a display, a session bus, a keyring, a browser.
pub(crate) const TESTS: &[&str] = &[
    "git",
    "curl",
    "xvfb",
    "xauth",
    "dbus",
    "dbus-x11",
    "webkit2gtk-driver",
    "xdotool",
    "x11-utils",
    "xdg-utils",
    "desktop-file-utils",
    "gnome-keyring",
    "libsecret-tools",
    "age",
    "chromium",
    "sway",
    "python3",
    "python3-dbusmock",
    "python3-venv",
    "oidc-agent-cli",
    "docker-registry",
    "skopeo",
    "kubernetes-client",
    "aerc",
    "dovecot-imapd",
    "dovecot-submissiond",
    "isync",
    "libsasl2-modules-kdexoauth2",
    "msmtp",
    "neomutt",
    "openssh-client",
    "openssh-server",
];

/// Ubuntu's `chromium` is another packaging system's; any of these is as good.
const BROWSERS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Packages that a program from elsewhere stands in for: Ubuntu has no package of kubectl.
const STAND_INS: &[(&str, &[&str])] = &[("chromium", BROWSERS), ("kubernetes-client", &["kubectl"])];

/// Installs those of `packages` that are missing, with one question at most (sudo's own).
///
/// # Errors
/// On a system without dpkg, or without the rights to install: names what is needed.
pub(crate) fn ensure(packages: &[&str]) -> Result {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    if sh::find("dpkg-query").is_none() || sh::find("apt-get").is_none() {
        return elsewhere(packages);
    }
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    println!(
        "installing {} packages of the system: {}",
        missing.len(),
        missing.join(" ")
    );
    install(&missing)
}

fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut query = sh::command(
        "dpkg-query",
        ["--show", "--showformat=${Package} ${db:Status-Status}\n"],
    );
    let output = query
        .args(packages)
        .output()
        .map_err(|e| format!("dpkg-query could not be started: {e}."))?;
    let installed = installed(&String::from_utf8_lossy(&output.stdout));
    let has_stand_in = |name: &str| {
        let programs = STAND_INS.iter().filter(|(package, _)| *package == name);
        programs
            .flat_map(|(_, programs)| *programs)
            .any(|program| sh::find(program).is_some())
    };
    let is_missing = |name: &&str| !(installed.contains(*name) || has_stand_in(name));
    Ok(packages.iter().copied().filter(is_missing).collect())
}

/// The names that dpkg-query calls installed, out of lines `name status`.
fn installed(lines: &str) -> HashSet<String> {
    lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, status)| *status == "installed")
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn install(packages: &[&str]) -> Result {
    // One shell, so that sudo prompts once. A third-party index that cannot be read must not stop us.
    let script = format!(
        "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends \
         -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 {}",
        packages.join(" ")
    );
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    let mut command = if is_root() {
        sh::command("sh", ["-c", &script])
    } else if sh::find("sudo").is_some() {
        println!("(sudo may ask for your password)");
        sh::command("sudo", ["sh", "-c", &script])
    } else {
        return Err(format!(
            "packages are missing, and there is no sudo. As root, run: {by_hand}"
        ));
    };
    sh::run(&mut command).map_err(|_| format!("apt-get could not install everything. By hand: {by_hand}"))
}

fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// On another Linux the packages have other names: we look for what they bring.
fn elsewhere(packages: &[&str]) -> Result {
    let libraries = ["webkit2gtk-4.1", "librsvg-2.0", "ayatana-appindicator3-0.1"];
    let programs: &[&str] = if packages.contains(&"xvfb") {
        &[
            "cc",
            "pkg-config",
            "git",
            "Xvfb",
            "dbus-run-session",
            "WebKitWebDriver",
            "xdotool",
            "xdg-open",
            "desktop-file-install",
            "gnome-keyring-daemon",
            "secret-tool",
            "age",
            "sway",
            "python3",
            "oidc-token",
            "docker-registry",
            "skopeo",
            "kubectl",
            "aerc",
            "dovecot",
            "mbsync",
            "msmtp",
            "neomutt",
            "ssh",
        ]
    } else {
        &["cc", "pkg-config"]
    };
    let mut lacking: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|name| sh::find(name).is_none())
        .collect();
    if !lacking.contains(&"pkg-config") {
        let absent = |name: &&str| {
            !sh::command("pkg-config", ["--exists", *name])
                .status()
                .is_ok_and(|status| status.success())
        };
        lacking.extend(libraries.iter().copied().filter(absent));
    }
    if lacking.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this system ({}) has no apt-get, so nothing was installed. Missing: {}. \
         Install what brings them (on Debian the packages are: {}) and run this again.",
        system_name(),
        lacking.join(", "),
        packages.join(" ")
    ))
}

fn system_name() -> String {
    let release = fs::read_to_string(Path::new("/etc/os-release")).unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(
        || "an unknown Linux".to_owned(),
        |name| name.trim_matches('"').to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_removed_but_not_purged_is_missing() {
        let found =
            installed("git installed\nxvfb config-files\nlibfoo:amd64 installed\nfile not-installed\n");
        assert!(found.contains("git"));
        assert!(!found.contains("xvfb"));
        assert!(!found.contains("file"));
    }

    #[test]
    fn no_package_stands_in_both_lists() {
        assert!(BUILD.iter().all(|name| !TESTS.contains(name)));
    }
}
