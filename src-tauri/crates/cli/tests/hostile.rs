//! A program that listens on the socket may send anything.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use support::objects::*;
use support::{Fake, run};

#[test]
fn what_is_no_answer_is_a_clear_error_and_no_output() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>sign in to the wireless network</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n[]",
        b"HTTP/1.1 502 Bad\r\n\r\n<html>",
        b"HTTP/1.1 500 Bad\r\n\r\n{\"error\": {\"code\": \"from_the_future\", \"message\": \"x\", \"request_id\": \"\"}}",
        b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n",
        b"\0\0\0\0",
    ] {
        let fake = Fake::raw(|_| answer.to_vec());
        let run = fake.run(&["list"]).ends(22);
        assert!(run.out.is_empty(), "{run:?}");
        assert!(run.err.contains("the engine") && run.err.starts_with("error: ") && run.err.contains("\n  next: "), "{run:?}");
    }
}

#[test]
fn chunks_are_as_good_as_a_length() {
    let fake = Fake::raw(|_| {
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n".to_vec()
    });
    fake.run(&["list", "--json"]).ends(0).says("[]\n", "");
}

#[test]
fn an_early_refusal_counts_though_the_question_was_not_heard_out() {
    let fake = Fake::raw(|_| {
        b"HTTP/1.1 413 Too Large\r\n\r\n{\"error\": {\"code\": \"payload_too_large\", \"message\": \"m\", \"request_id\": \"\"}}"
            .to_vec()
    });
    fake.run_with(&["callback"], &[b'x'; 60_000]).ends(19);
}

/// security.md, Outbound: everything a provider says is text.
#[test]
fn no_text_of_the_engine_moves_the_cursor() {
    let mut object = connection();
    object["name"] = "a\u{1b}[2Jb\nc".into();
    object["account"]["email"] = "\u{202e}moc.live".into();
    let list = json!([object.clone()]);
    let fake = Fake::new(move |what| match what {
        "GET /v1/connections" => (200, list.clone()),
        "GET /v1/connections/bad" => (409, support::error("conflict", "\u{1b}]0;x\u{7}\r\nok")),
        _ => (200, object.clone()),
    });
    for arguments in [
        &["list"][..],
        &["status", "x"],
        &["refresh", "x"],
        &["status", "bad"],
    ] {
        let run = fake.run(arguments);
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(
            !run.out.contains(harmful) && !run.err.contains(harmful),
            "{run:?}"
        );
    }
    assert_eq!(fake.run(&["list"]).out.lines().count(), 2);
}

/// security.md, "Local interfaces": the socket is in a folder that only its user can write to.
#[test]
fn a_folder_that_others_can_write_to_is_refused_before_anything_is_sent() {
    let fake = Fake::new(|_| (200, token()));
    std::fs::set_permissions(fake.home.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let run = fake.run(&["token", "github"]).ends(12);
    assert!(run.out.is_empty() && run.err.contains("chmod 700"), "{run:?}");
    assert_eq!(fake.seen(), []);
}

#[test]
fn a_file_in_the_place_of_the_socket_is_no_engine() {
    let home = support::home();
    std::fs::write(home.path().join("engine.sock"), "").unwrap();
    let run = run(home.path(), &["status"], b"").ends(3);
    assert!(run.err.contains("engine.sock"), "{run:?}");
}

#[test]
fn without_a_reader_of_standard_output_no_error_is_printed() {
    let fake = Fake::new(|_| (200, json!([connection()])));
    let mut command = support::command(&support::tokenry(), fake.home.path(), &["list"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    // It may have written before the pipe was closed.
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_full_disk_is_an_error() {
    let fake = Fake::new(|_| (200, token()));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = support::command(&support::tokenry(), fake.home.path(), &["token", "github"]);
    let run = support::Run::from(command.stdout(full).output().unwrap()).ends(22);
    assert!(run.err.contains("tandard output"), "{run:?}");
}
