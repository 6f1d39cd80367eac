//! What other programs of the same user see of our processes: not their memory; and that everything works all the same.
//! Of root's own processes the system does not say whether they hide, and root is let in everywhere: as root, these
//! tests start themselves anew as another user.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::{self, PASSPHRASE, stop, token};
use tokenry_e2e::desktop::Desktop;
use tokenry_e2e::memory;
use tokenry_e2e::process::{self, Running, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::socket::ask;
use tokenry_testkit::{Behaviour, Server};

const OTHER_USER: u32 = 65_534;

/// Whether this is an ordinary user; else the test of this name was run by one, and has succeeded.
fn is_ordinary_user(test: &str) -> bool {
    if !memory::is_root() {
        return true;
    }
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let mut again = Command::new(reachable_copy(home.path()));
    again
        .args(["--exact", test, "--nocapture"])
        .env("HOME", home.path())
        .env("TMPDIR", home.path());
    again.uid(OTHER_USER).gid(OTHER_USER).current_dir(home.path());
    let ended = again.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        ended.status.success(),
        "{}\n{}",
        said(&ended.stdout),
        said(&ended.stderr)
    );
    assert!(
        said(&ended.stdout).contains("1 passed"),
        "{}",
        said(&ended.stdout)
    );
    false
}

/// This test, where another user can start it: the build folder may be in a folder of root's alone.
fn reachable_copy(home: &Path) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let is_open = |folder: &Path| folder.metadata().unwrap().mode() & 0o001 != 0;
    if own.ancestors().skip(1).all(is_open) {
        return own;
    }
    let copies = home.join("programs/deps");
    std::fs::create_dir_all(&copies).unwrap();
    for program in ["tokenry", "tokenry-serve", "tokenry-desktop"] {
        std::fs::copy(process::program(program), home.join("programs").join(program)).unwrap();
    }
    let copy = copies.join("test");
    std::fs::copy(own, &copy).unwrap();
    copy
}

/// Neither what is in its memory nor where it is can be read.
#[track_caller]
fn is_closed(pid: u32) {
    for part in ["mem", "maps", "environ"] {
        let path = format!("/proc/{pid}/{part}");
        assert_eq!(
            std::fs::metadata(&path).unwrap().uid(),
            0,
            "{path} belongs to its user"
        );
        let read = File::open(&path).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()));
        assert_eq!(
            read.unwrap_err().kind(),
            ErrorKind::PermissionDenied,
            "{path} can be read"
        );
    }
}

fn provider() -> Value {
    json!({
        "name": "github", "client_id": "abc", "client_secret": "a secret of some length",
        "authorization_endpoint": "https://example.com/authorize", "token_endpoint": "https://example.com/token",
    })
}

/// The program that the log names for the newest line of this kind.
fn logged(profile: &Profile, kind: &str) -> Value {
    wait_for(kind, || {
        let (_, page) = ask(profile, "GET", "/v1/events?limit=50", &Value::Null);
        let events = page["events"].as_array().unwrap();
        let found = events.iter().find(|event| event["kind"] == kind);
        found.map(|event| event["program"].clone())
    })
}

/// security.md, "Keys": not dumpable; "Local interfaces": who is calling. A command that has read a secret hides
/// itself, and the engine names it nevertheless.
#[test]
fn the_engine_is_closed_to_its_own_user_and_names_a_command_that_has_read_a_secret() {
    if !is_ordinary_user("the_engine_is_closed_to_its_own_user_and_names_a_command_that_has_read_a_secret") {
        return;
    }
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    is_closed(engine.id());
    accounts::add(&profile, &provider()).success();
    let program = logged(&profile, "provider_added");
    assert!(program.as_str().unwrap().ends_with("/tokenry"), "{program}");
    profile.tokenry(&["lock"]).success();
    profile
        .tokenry_with(&["unlock", "--passphrase-fd", "0"], PASSPHRASE)
        .success();
    let program = logged(&profile, "unlocked");
    assert!(program.as_str().unwrap().ends_with("/tokenry"), "{program}");
    stop(engine);
}

/// security.md, "Keys": not dumpable. What might break by that: the web engine and its processes, the keyring, the
/// browser, the clipboard, the names of callers.
#[tokio::test]
async fn the_desktop_app_is_closed_to_its_own_user_and_everything_in_it_works() {
    if !is_ordinary_user("the_desktop_app_is_closed_to_its_own_user_and_everything_in_it_works") {
        return;
    }
    let (desktop, server) = (Desktop::trusting(), Server::start(Behaviour::default()));
    let screen = desktop.open_window(&[]).await;
    desktop.connect(&screen, &server, "planted").await;
    let pid = accounts::engine(&desktop.profile)["pid"].as_u64().unwrap();
    is_closed(u32::try_from(pid).unwrap());
    token(&desktop.profile, "planted");
    let program = logged(&desktop.profile, "token_handed_out");
    assert!(program.as_str().unwrap().ends_with("/tokenry"), "{program}");
    screen.click("copy-token").await;
    screen.hears("clipboard").await;
    screen.click("lock").await;
    screen.click("unlock-keyring").await;
    screen.see("connection-planted").await;
    // A second start tells the first one.
    let second = Running::start(desktop.profile.command("tokenry-desktop", &[]));
    assert_eq!(second.wait().code, 0);
    screen.close().await;
}
