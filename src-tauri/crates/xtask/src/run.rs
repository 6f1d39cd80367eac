//! The app on a development profile, or, where no window can be shown, a walk through it.

use crate::programs::{self, Driver, Profile};
use crate::registration::{self, Outcome};
use crate::repo;
use crate::sandbox::Sandbox;
use crate::setup::{self, For};
use crate::sh::{self, Result};
use crate::stage::Stages;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

/// How often it is tried to add the Sandbox while the vault is shut.
const AGAIN: Duration = Duration::from_secs(3);

/// What is wanted of the command `run`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// With a local authorization server beside the app.
    pub(crate) sandbox: bool,
    /// Build first, instead of taking what was built last.
    pub(crate) build: bool,
    /// Another profile than the one for development.
    pub(crate) profile: Option<PathBuf>,
}

/// The command `run`. Ctrl-C reaches the app and the Sandbox as it reaches us.
///
/// # Errors
/// When something does not build, or a step of the walkthrough fails.
pub(crate) fn run(options: &Options) -> Result {
    let window = repo::has_display();
    let plain = options.sandbox && options.build && options.profile.is_none();
    if !window && !plain {
        return Err(
            "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so the app cannot be shown. \
                    Without options the same command walks through the app under a virtual display."
                .into(),
        );
    }
    let mut stages = Stages::default();
    if !options.build || build(window, &mut stages).is_ok() {
        // Whatever fails is in the summary.
        let _ = if window {
            stages.run("run: Tokenry", || open(options))
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

fn open(options: &Options) -> Result {
    let profile = profile(options)?;
    let sandbox = options.sandbox.then(Sandbox::start).transpose()?;
    let provider = sandbox.as_ref().map(Sandbox::provider).transpose()?;
    let registered = match &provider {
        Some(provider) => registration::unasked(&profile, provider)?,
        None => Outcome::Done,
    };

    let mut app = sh::command(repo::program(Profile::Dev.folder(), "tokenry-desktop"), [""; 0])
        .env(repo::HOME, &profile)
        .spawn()
        .map_err(|e| format!("the app could not be started: {e}."))?;
    println!("profile: {}", profile.display());
    println!(
        "in another terminal: {}={} {}",
        repo::HOME,
        profile.display(),
        registration::program().display()
    );
    println!("Ctrl-C ends everything.");
    if let Some(provider) = &provider {
        follow(registered, &mut app, &profile, provider)?;
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

/// The profile's folder, made for this user alone. Without the Sandbox it is another one, where there never was any.
fn profile(options: &Options) -> Result<PathBuf> {
    let folder = match &options.profile {
        Some(chosen) => std::path::absolute(chosen)
            .map_err(|e| format!("--profile {} is no folder: {e}.", chosen.display()))?,
        None if options.sandbox => repo::target().join("dev-profile"),
        None => repo::target().join("empty-profile"),
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

/// Where the vault did not open without a question, the window asks it, and then whether the Sandbox may be added:
/// tries until the vault is open, and asks once.
fn follow(mut registered: Outcome, app: &mut Child, profile: &Path, provider: &Value) -> Result {
    if matches!(registered, Outcome::NotYet) {
        println!("the Sandbox will appear when the vault is open and you have allowed it.");
    }
    loop {
        match registered {
            Outcome::Done => return Ok(()),
            Outcome::Denied => {
                println!("the Sandbox was not allowed; start this again to be asked again.");
                return Ok(());
            }
            Outcome::Failed(words) => {
                println!("the Sandbox could not be added:\n{words}");
                return Ok(());
            }
            Outcome::NotYet => {}
        }
        let ended = app
            .try_wait()
            .map_err(|e| format!("the app cannot be waited for: {e}."))?;
        if ended.is_some() {
            return Ok(());
        }
        std::thread::sleep(AGAIN);
        registered = registration::asked(profile, provider)?;
    }
}
