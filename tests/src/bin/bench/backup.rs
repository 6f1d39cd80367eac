//! A backup of many connections, and its restore into an empty profile. With recipients, so that no passphrase costs anything.

use crate::http::{Kept, request};
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{Stage, text};
use serde_json::{Value, json};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use tokenry_e2e::accounts::stop;
use tokenry_e2e::profile::Profile;

const MANY: usize = 10_000;
const BACKUPS: usize = 5;
const RESTORES: usize = 3;
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A key pair for this measurement alone.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// A backup of 10,000 connections, and its restore into an empty profile.
pub(crate) fn measure() -> Vec<Row> {
    let mut stage = Stage::filled(MANY);
    let file = stage.profile.scratch().join("backup.age");
    let mut backup = Sample::default();
    {
        let mut engine = stage.open();
        for _ in 0..BACKUPS {
            backup.time(|| back_up(&mut engine, &file));
        }
    }
    stage.stop();
    let (mut read, mut apply) = (Sample::default(), Sample::default());
    for _ in 0..RESTORES {
        let profile = Profile::headless();
        let running = profile.serve_with_passphrase("a passphrase for the measurement");
        let mut engine = Kept::unix(&profile.home().join("engine.sock"));
        let body = json!({"file": file, "identity": IDENTITY});
        let preview = read.time(|| job(&mut engine, "/v1/restores", &body))["preview"].take();
        let path = format!("/v1/restores/{}/apply", text(&preview, "id"));
        let restored = apply.time(|| job(&mut engine, &path, &json!({"replace": []})));
        assert_eq!(
            restored["restored"]["added"],
            MANY + 2,
            "{}",
            restored["restored"]
        );
        drop(engine);
        stop(running);
    }
    vec![
        Row::time(
            "a backup of 10,000 connections, written and checked",
            &backup,
            3000.0,
        ),
        Row::time("a backup of 10,000 connections, read and compared", &read, 1500.0),
        Row::time("10,000 connections, restored in one transaction", &apply, 1500.0),
    ]
}

fn back_up(engine: &mut Kept<UnixStream>, file: &Path) {
    let body = json!({"file": file, "recipients": [RECIPIENT], "with_refresh_tokens": true, "replace": true});
    let made = job(engine, "/v1/backups", &body);
    assert_eq!(made["backup"]["counts"]["connections"], MANY, "{made}");
}

/// Begins a job and waits for its end.
fn job(engine: &mut Kept<UnixStream>, path: &str, body: &Value) -> Value {
    let begun = engine.ask(&request("POST", path, Some(body)));
    assert_eq!(begun.status, 202, "{}", begun.body);
    let mut job: Value = serde_json::from_str(&begun.body).unwrap();
    let look = request("GET", &format!("/v1/jobs/{}", text(&job, "id")), None);
    while job["state"] == "running" {
        std::thread::sleep(POLL_INTERVAL);
        job = engine.ask(&look).expect_json();
    }
    assert_eq!(job["state"], "done", "{job}");
    job
}
