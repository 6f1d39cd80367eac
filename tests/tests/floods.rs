//! security.md, "Local interfaces": connections, streams and waiting are bounded, so that no program shuts the others
//! out.
#![allow(clippy::unwrap_used)]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tokenry_e2e::accounts::{PASSPHRASE, add, testkit_provider};
use tokenry_e2e::process::wait_for;
use tokenry_e2e::profile::Profile;
use tokenry_e2e::socket::{ask, connect};
use tokenry_testkit::{Behaviour, Server};

/// A command that does not wait for others takes a fraction of this.
const SOON: Duration = Duration::from_secs(8);

/// A connection on which these bytes were sent, and that stays open. What does not fit into it is given up.
fn say(profile: &Profile, request: &str) -> UnixStream {
    let mut stream = connect(profile).stream;
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let _ = stream.write_all(request.as_bytes());
    stream
}

/// Whether the engine has closed this connection. Nothing is read from it.
fn is_closed(connection: &UnixStream) -> bool {
    let mut asked = [PollFd::new(connection, PollFlags::RDHUP)];
    poll(&mut asked, Some(&Timespec::default())).unwrap();
    asked[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Another program of the same user does all of its work, and so does the user.
#[track_caller]
fn others_are_served(profile: &Profile, during: &str) {
    for command in [
        &["status"][..],
        &["list"],
        &["provider", "list"],
        &["events"],
        &["lock"],
        &["status"],
        &["unlock", "--passphrase-fd", "0"],
        &["list"],
    ] {
        let began = Instant::now();
        let done = profile.tokenry_with(command, &format!("{PASSPHRASE}\n"));
        assert_eq!(done.code, 0, "{during}: {command:?} {done:?}");
        assert!(
            began.elapsed() < SOON,
            "{during}: {command:?} {:?}",
            began.elapsed()
        );
    }
}

struct Stage {
    profile: Profile,
    flow: String,
    _server: Server,
    _engine: tokenry_e2e::process::Running,
}

fn stage() -> Stage {
    let server = Server::start(Behaviour::default());
    let profile = Profile::headless();
    let engine = profile.serve_with_passphrase(PASSPHRASE);
    add(
        &profile,
        &testkit_provider(&server, "sandbox", &json!({"kind": "strict"})),
    )
    .success();
    let path = "/v1/oauth-providers/sandbox/authorize";
    let (status, started) = ask(&profile, "POST", path, &json!({"redirect": "paste"}));
    assert_eq!(status, 200, "{started}");
    Stage {
        flow: started["flow_id"].as_str().unwrap().to_owned(),
        profile,
        _server: server,
        _engine: engine,
    }
}

#[test]
fn streams_of_one_program_do_not_block_others() {
    let stage = stage();
    let streams: Vec<_> = (0..200)
        .map(|_| say(&stage.profile, &get("/v1/events/stream")))
        .collect();
    others_are_served(&stage.profile, "200 streams");
    drop(streams);
}

#[test]
fn half_sent_requests_of_one_program_do_not_block_others() {
    let stage = stage();
    let half = "GET /v1/status HTTP/1.1\r\nHost: lo";
    let held: Vec<_> = (0..300).map(|_| say(&stage.profile, half)).collect();
    others_are_served(&stage.profile, "300 half-sent requests");
    drop(held);
}

#[test]
fn waiting_requests_of_one_program_do_not_block_others_and_it_learns_why() {
    let stage = stage();
    let wait = get(&format!("/v1/flows/{}?wait_seconds=60", stage.flow));
    let held: Vec<_> = (0..150).map(|_| say(&stage.profile, &wait)).collect();
    others_are_served(&stage.profile, "150 waiting requests");
    // The very program that holds them is refused in words, and still reaches what must always be reached.
    let began = Instant::now();
    let (status, refused) = ask(&stage.profile, "GET", "/v1/connections", &Value::Null);
    assert_eq!(status, 503, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(&format!("process {}", std::process::id())) && message.contains("connections"),
        "{message}"
    );
    assert_eq!(refused["error"]["details"]["retry_after_seconds"], 1);
    for (method, path, expected) in [
        ("GET", "/v1/status", 200),
        ("GET", "/v1/prompts", 200),
        ("POST", "/v1/callback", 422),
        ("POST", "/v1/lock", 200),
    ] {
        let (status, answer) = ask(&stage.profile, method, path, &json!({"url": "x"}));
        assert_eq!(status, expected, "{path} {answer}");
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    drop(held);
}

#[test]
fn a_program_that_never_reads_does_not_block_others_and_is_disconnected() {
    let stage = stage();
    let much = get("/openapi.json").repeat(50);
    let mut held: Vec<_> = (0..80).map(|_| say(&stage.profile, &much)).collect();
    others_are_served(&stage.profile, "80 programs that never read");
    let mut first = held.remove(0);
    wait_for("the engine to close the connection", || {
        is_closed(&first).then_some(())
    });
    let mut all = Vec::new();
    // What fitted into the socket, and then nothing.
    let _ = first.read_to_end(&mut all);
    assert!(
        all.len() < 2 << 20,
        "{} bytes were kept for a program that does not read",
        all.len()
    );
}
