//! Building our programs and the UI.

use crate::sh::{self, Result};
use crate::{npm, repo};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// What every check, build and test of the whole workspace is done with: the steps at which a test can stop the
/// engine, the UI embedded in the shell, and a web engine that a test can drive.
pub(crate) const TEST_FEATURES: &str =
    "tokenry-serve/fault-injection,tokenry-desktop/custom-protocol,tokenry-desktop/automation";

/// Who will use the desktop app that is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// A person.
    Person,
    /// A WebDriver; a build for a person takes no orders from one.
    Test,
}

/// Cargo's two profiles that we build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// Its folder below the target folder.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }

    fn switch(self) -> &'static str {
        match self {
            Self::Dev => "",
            Self::Release => "--release",
        }
    }
}

/// Builds `ui/dist`, unless it is newer than all that it is made from.
///
/// # Errors
/// When Vite fails.
pub(crate) fn ui() -> Result {
    let folder = repo::root().join("ui");
    let built = modified(&folder.join("dist/index.html"));
    if built.is_some_and(|built| newest_source(&folder) < built) {
        println!("ui/dist is up to date");
        return Ok(());
    }
    npm::script("ui", "build")
}

/// When the last of the UI's sources was changed: everything in `ui` but what is generated or installed.
fn newest_source(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let times = entries
        .filter(|e| !matches!(e.file_name().to_str(), Some("node_modules" | "dist")))
        .map(|entry| {
            let path = entry.path();
            let own = modified(&path).unwrap_or(SystemTime::UNIX_EPOCH);
            if path.is_dir() {
                own.max(newest_source(&path))
            } else {
                own
            }
        });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|meta| meta.modified()).ok()
}

/// Builds the command line program, linked statically where the platform allows: starting a process is most of
/// what a token costs, and half of that is the dynamic linker's.
///
/// Only the last step, linking this one program, is asked to be static. As a flag for all of cargo it would break
/// the procedural macros and the shell. It is also asked to stay at one address, since moving itself would be a
/// twentieth of its run time (ARCHITECTURE.md, "Reasons").
///
/// # Errors
/// When it does not build.
pub(crate) fn tokenry(profile: Profile) -> Result {
    linked_statically("tokenry-cli", "tokenry", profile)
}

fn linked_statically(package: &str, program: &str, profile: Profile) -> Result {
    let link = if cfg!(all(target_os = "linux", target_env = "gnu")) {
        "-- -C target-feature=+crt-static -C relocation-model=static"
    } else {
        ""
    };
    sh::run(&mut sh::cargo(&format!(
        "rustc --locked -p {package} --bin {program} {} {link}",
        profile.switch()
    )))
}

/// Builds the programs that the benchmarks compare with: the smallest client, linked as `tokenry` is, a bare route, and
/// another reader of the keyring.
///
/// # Errors
/// When they do not build.
pub(crate) fn measured_against() -> Result {
    linked_statically("tokenry-e2e", "smallest_client", Profile::Release)?;
    sh::run(&mut sh::cargo(
        "build --locked --release -p tokenry-store -p tokenry-vault --example bare_route --example keyring_read",
    ))
}

/// Builds the desktop app as it is shipped, and the empty window it is compared with.
///
/// # Errors
/// When they do not build.
pub(crate) fn windows() -> Result {
    ui()?;
    sh::run(&mut sh::cargo(
        "build --locked --release -p tokenry-desktop --features tokenry-desktop/custom-protocol --bin tokenry-desktop \
         --example empty_window",
    ))
}

/// Builds the engine without a window, and the local proxies.
///
/// # Errors
/// When they do not build.
pub(crate) fn serve(profile: Profile) -> Result {
    sh::run(&mut sh::cargo(&format!(
        "build --locked -p tokenry-serve -p tokenry-bridge {}",
        profile.switch()
    )))
}

/// Builds the engine without a window, the local proxies, and the desktop app with the UI in it.
///
/// # Errors
/// When they do not build.
pub(crate) fn desktop(profile: Profile, driver: Driver) -> Result {
    let features = match driver {
        Driver::Person => "tokenry-desktop/custom-protocol",
        Driver::Test => "tokenry-desktop/custom-protocol,tokenry-desktop/automation",
    };
    sh::run(&mut sh::cargo(&format!(
        "build --locked -p tokenry-serve -p tokenry-bridge -p tokenry-desktop --features {features} {}",
        profile.switch()
    )))
}

/// Builds everything that the tests are and drive, in one go, so that no dependency is built twice with different
/// features.
///
/// # Errors
/// When it does not build.
pub(crate) fn everything_for_tests() -> Result {
    sh::run(&mut sh::cargo(&format!(
        "build --locked --workspace --all-targets --features {TEST_FEATURES}"
    )))
}
