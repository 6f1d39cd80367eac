//! Only the engine of this profile gets a passphrase, and no other program that listens at its socket.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

mod support;

use serde_json::json;
use std::io::Write;
use support::objects::status;
use support::{Fake, Run};

const CANARY: &str = "c4n4ry-of-a-passphrase";

fn listening() -> Fake {
    Fake::new(|what| match what {
        "GET /v1/status" => (200, status("locked", &["passphrase"])),
        _ => (200, json!({"success": true})),
    })
}

fn got_nothing(fake: &Fake) {
    let seen = fake.seen();
    assert!(seen.iter().all(|seen| seen.what == "GET /v1/status"), "{seen:?}");
}

/// security.md, "Local interfaces": both sides check the other. A program that ended the engine and listens in its place
/// is no engine.
#[test]
fn a_program_that_does_not_hold_the_lock_of_the_profile_gets_no_passphrase() {
    let mut fake = listening();
    fake.let_go_of_the_lock();
    let run = fake.run_with(&["unlock", "--passphrase-fd", "0"], CANARY.as_bytes());
    assert_ne!(run.code, 0);
    for said in ["is not the engine", "tokenry.lock", "kill ", "was not sent"] {
        assert!(run.err.contains(said), "{run:?}");
    }
    got_nothing(&fake);
}

/// The same: the holder of the lock must run a program that is installed next to `tokenry`.
#[test]
fn a_program_that_is_not_installed_beside_this_one_gets_no_passphrase() {
    let fake = listening();
    let arguments = ["unlock", "--passphrase-fd", "0"];
    let mut child = support::command(&support::tokenry(), fake.home.path(), &arguments)
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(CANARY.as_bytes());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_ne!(run.code, 0);
    for said in ["installed next to this one", "kill ", "was not sent"] {
        assert!(run.err.contains(said), "{run:?}");
    }
    got_nothing(&fake);
}
