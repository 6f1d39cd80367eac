//! The app on a development profile, or, where no window can be shown, a walk through it.

use crate::programs::{self, Driver, Profile};
use crate::repo;
use crate::sandbox::{PROVIDER, Sandbox};
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// The profile's variable; the whole profile is below it, socket included.
const HOME: &str = "TOKENRY_HOME";

/// The exit code of `tokenry` for `consent_denied`.
const DENIED: i32 = 13;

/// The command `run`. Ctrl-C reaches the app and the Sandbox as it reaches us.
///
/// # Errors
/// When something does not build, or a step of the walkthrough fails.
pub(crate) fn run(with_sandbox: bool, build_first: bool) -> Result {
    let window = repo::has_display();
    if !window && !with_sandbox {
        return Err("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so the empty app cannot be \
                    shown. Without `--no-sandbox` the same command walks through the app under a virtual display."
            .into());
    }
    let mut stages = Stages::default();
    if !build_first || build(window, &mut stages).is_ok() {
        // Whatever fails is in the summary.
        let _ = if window {
            stages.run("run: Tokenry", || open(with_sandbox))
        } else {
            stages.run("walkthrough", walkthrough)
        };
    }
    stages.finish()
}

fn build(window: bool, stages: &mut Stages) -> Result {
    setup::ensure(if window { For::Running } else { For::Testing }, stages)?;
    let driver = if window { Driver::Person } else { Driver::Test };
    stages.run("build: UI", programs::ui)?;
    stages.run("build: app and engine", || {
        programs::desktop(Profile::Dev, driver)
    })?;
    stages.run("build: tokenry", || programs::tokenry(Profile::Dev))
}

fn walkthrough() -> Result {
    println!(
        "no display: walking through the app under a virtual one; the pictures go to target/walkthrough/"
    );
    sh::run(&mut sh::cargo(
        "run --quiet --locked -p tokenry-e2e --bin walkthrough",
    ))
}

fn open(with_sandbox: bool) -> Result {
    let profile = profile()?;
    let sandbox = if with_sandbox {
        Some(Sandbox::start()?)
    } else {
        None
    };
    let wanted = sandbox
        .as_ref()
        .map(|sandbox| write_provider(&profile, sandbox))
        .transpose()?;
    let registered = wanted
        .as_deref()
        .is_none_or(|file| register(&profile, file).is_ok());

    let mut app = sh::command(repo::program(Profile::Dev.folder(), "tokenry-desktop"), [""; 0])
        .env(HOME, &profile)
        .spawn()
        .map_err(|e| format!("the app could not be started: {e}."))?;
    println!("profile: {}", profile.display());
    println!(
        "in another terminal: TOKENRY_HOME={} {}",
        profile.display(),
        tokenry().display()
    );
    println!("Ctrl-C ends everything.");
    if let (false, Some(file)) = (registered, &wanted) {
        register_later(&mut app, &profile, file)?;
    }
    let status = app
        .wait()
        .map_err(|e| format!("the app cannot be waited for: {e}."))?;
    drop(sandbox);
    if status.success() {
        Ok(())
    } else {
        Err(format!("the app ended with {status}."))
    }
}

/// The profile's folder, made for this user alone: one that was chosen, or the one for development.
fn profile() -> Result<PathBuf> {
    let chosen = std::env::var_os(HOME).filter(|home| !home.is_empty());
    let folder = match chosen {
        Some(home) => std::path::absolute(&home).map_err(|e| format!("{HOME} names no folder: {e}."))?,
        None => repo::target().join("dev-profile"),
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
        .create(&folder)
        .map_err(|e| format!("{} cannot be made: {e}.", folder.display()))?;
    Ok(folder)
}

fn write_provider(profile: &Path, sandbox: &Sandbox) -> Result<PathBuf> {
    // Beside the profile and not in it: what is in there is the engine's.
    let file = profile.with_extension("sandbox.json");
    let text = format!("{:#}\n", sandbox.provider()?);
    fs::write(&file, text).map_err(|e| format!("{} cannot be written: {e}.", file.display()))?;
    Ok(file)
}

fn tokenry() -> PathBuf {
    repo::program(Profile::Dev.folder(), "tokenry")
}

/// Adds the Sandbox to the profile, or points the one that is there at today's port.
///
/// # Errors
/// The exit code of `tokenry`, where it has one.
fn register(profile: &Path, file: &Path) -> std::result::Result<(), Option<i32>> {
    let verb = if tokenry_quietly(profile, &["provider", "show", PROVIDER]).is_ok() {
        ["provider", "edit", PROVIDER, "--from"].as_slice()
    } else {
        &["provider", "add", "--from"]
    };
    tokenry_quietly(profile, &[verb, &[&*file.to_string_lossy()]].concat())
}

fn tokenry_quietly(profile: &Path, args: &[&str]) -> std::result::Result<(), Option<i32>> {
    let status = sh::command(tokenry(), args)
        .env(HOME, profile)
        // An engine that this starts is one for a moment: the app takes its place, and asks its person.
        .env("TOKENRY_APPROVE", "all")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.code()),
        Err(_) => Err(None),
    }
}

/// The vault could not be opened without a question; the window asks it, and then whether the Sandbox may be added.
/// Tries until the vault is open, and asks once.
fn register_later(app: &mut Child, profile: &Path, file: &Path) -> Result {
    println!("the Sandbox will appear when the vault is open and you have allowed it.");
    while app
        .try_wait()
        .map_err(|e| format!("the app cannot be waited for: {e}."))?
        .is_none()
    {
        match register(profile, file) {
            Ok(()) => break,
            Err(Some(DENIED)) => {
                println!("the Sandbox was not allowed; its file is {}.", file.display());
                break;
            }
            Err(_) => std::thread::sleep(Duration::from_secs(3)),
        }
    }
    Ok(())
}
