//! `tokenry credential`: how values come in and come out, and that they do so nowhere else.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::io::Write;
use support::{Fake, seen};

/// `c4n4ry-value`, and as base64.
const CANARY: &str = "c4n4ry-value";
const ENCODED: &str = "YzRuNHJ5LXZhbHVl";

fn mail() -> Value {
    json!({
        "id": "01900000-0000-7000-8000-00000000000d", "project": "default", "name": "mail", "type": "basic_auth",
        "fields": ["password", "username"], "data": {}, "redact_fields": [], "expires_at": null,
        "status": "active", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "last_used_at": null
    })
}

fn keys() -> Value {
    let mut keys = mail();
    keys["id"] = json!("01900000-0000-7000-8000-00000000000e");
    keys["project"] = json!("work");
    keys["name"] = json!("keys");
    keys["type"] = json!("default");
    keys["fields"] = json!(["open", "shut"]);
    keys["redact_fields"] = json!(["shut"]);
    keys
}

fn fake() -> Fake {
    Fake::new(|what| {
        let with = |mut credential: Value, data: Value| {
            credential["data"] = data;
            credential
        };
        match what {
            "POST /v1/credentials" => (201, mail()),
            "GET /v1/credentials" => (200, json!([mail(), keys()])),
            "GET /v1/credentials/mail?field=password" => (200, with(mail(), json!({"password": ENCODED}))),
            "GET /v1/credentials/mail?field=pasword" => (200, mail()),
            "GET /v1/credentials/work%2Fkeys?field=open" => (200, with(keys(), json!({"open": "/wD+"}))),
            "GET /v1/credentials/work%2Fkeys?field=shut" => (
                403,
                support::error(
                    "permission_denied",
                    "this field is redacted: it is never returned again",
                ),
            ),
            "PUT /v1/credentials/mail" => (200, mail()),
            "DELETE /v1/credentials/mail" => (200, json!({"success": true})),
            _ => support::not_found(what),
        }
    })
}

fn sent(fake: &Fake) -> Value {
    fake.seen().pop().unwrap().body
}

#[test]
fn a_secret_value_comes_by_standard_input_and_is_sent_as_base64() {
    let fake = fake();
    let run = fake
        .run_with(&["credential", "add", "mail", "--type", "raw"], b"c4n4ry-value\n")
        .ends(0);
    run.says("", "Added mail.\n");
    assert_eq!(
        sent(&fake),
        json!({"name": "mail", "type": "raw", "data": {"value": ENCODED}})
    );
    let arguments = [
        "credential",
        "add",
        "mail",
        "--type",
        "basic-auth",
        "--username",
        "ada",
        "--project",
        "p",
        "--expires-at",
        "2999-01-01T00:00:00Z",
        "--json",
    ];
    let run = fake.run_with(&arguments, CANARY.as_bytes()).ends(0);
    assert_eq!(run.json(), mail());
    let expected = json!({
        "name": "mail", "project": "p", "type": "basic_auth", "expires_at": "2999-01-01T00:00:00Z",
        "data": {"username": "YWRh", "password": ENCODED},
    });
    assert_eq!(sent(&fake), expected);
}

#[test]
fn several_fields_come_by_file_descriptors() {
    let fake = fake();
    let path = fake.home.path().join("value");
    std::fs::write(&path, CANARY).unwrap();
    // A shell is what hands on a descriptor.
    let script = format!(
        "exec {} credential add keys --type default --field open=- --field shut=fd:3 --redact shut 3< {}",
        support::tokenry().display(),
        path.display()
    );
    let mut command = support::command("/bin/sh".as_ref(), fake.home.path(), &["-c", &script]);
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"o").unwrap();
    support::Run::from(child.wait_with_output().unwrap()).ends(0);
    let expected = json!({
        "name": "keys", "type": "default", "data": {"open": "bw==", "shut": ENCODED}, "redact_fields": ["shut"],
    });
    assert_eq!(sent(&fake), expected);
}

/// security.md: no secret on a command line. Where one stands there anyway, it is not repeated.
#[test]
fn a_value_is_never_an_argument() {
    let fake = fake();
    let value = format!("password={CANARY}");
    for arguments in [
        &[
            "credential",
            "add",
            "mail",
            "--type",
            "basic-auth",
            "--username",
            "a",
            "--field",
            &value,
        ][..],
        &["credential", "edit", "mail", "--field", "password"],
    ] {
        let run = fake.run(arguments).ends(2);
        assert!(run.err.contains("never given as an argument"), "{}", run.err);
    }
    fake.run(&["credential", "add", "mail", "--type", "raw", "--value", CANARY])
        .ends(2);
    assert!(fake.seen().is_empty());
}

#[test]
fn what_cannot_be_read_is_an_error_and_nothing_is_sent() {
    let fake = fake();
    for (arguments, says) in [
        (&["credential", "add", "x", "--type", "raw"][..], "is empty"),
        (
            &["credential", "add", "x", "--type", "default"],
            "a field is required",
        ),
        (
            &[
                "credential",
                "add",
                "x",
                "--type",
                "default",
                "--field",
                "a=-",
                "--field",
                "b=-",
            ],
            "one value only",
        ),
        (
            &[
                "credential",
                "add",
                "x",
                "--type",
                "default",
                "--field",
                "a=fd:77",
            ],
            "cannot be read",
        ),
        (&["credential", "edit", "x"], "there is nothing to change"),
        (
            &["provider", "add", "--from", "{\"client_secret\":\"x\"}"],
            "expects a file name",
        ),
        (
            &["--app-token-file", "tokenry_app_c4n4ry", "list"],
            "expects a file name",
        ),
    ] {
        let run = fake.run(arguments).ends(10);
        assert!(run.err.to_lowercase().contains(says), "{}", run.err);
    }
    fake.run(&["credential", "add", "x", "--type", "basic-auth"])
        .ends(2);
    assert!(fake.seen().is_empty());
}

/// RFC 6749 appendix A.2. Nothing of the secret is repeated.
#[test]
fn a_secret_that_was_copied_with_more_than_itself_is_refused() {
    let fake = fake();
    let raw = &["credential", "add", "x", "--type", "raw"][..];
    let basic = &[
        "credential",
        "add",
        "x",
        "--type",
        "basic-auth",
        "--username",
        "a",
    ];
    let provider = &[
        "provider",
        "add",
        "--name",
        "x",
        "--client-id",
        "y",
        "--client-secret-stdin",
    ];
    for arguments in [raw, basic, provider] {
        for (input, says) in [
            ("\u{feff}c4n4ry", "byte order mark"),
            ("c4n4ry\nmore", "line end"),
            ("c4n4ry\n\n", "line end"),
            ("c4n4ry\tmore", "control character"),
            ("c4n4ry\0", "control character"),
        ] {
            let run = fake.run_with(arguments, input.as_bytes()).ends(10);
            assert!(run.err.contains(says) && !run.err.contains("c4n4ry"), "{run:?}");
        }
    }
    assert!(fake.seen().is_empty());
    let lines = b"-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----\n";
    let several = ["credential", "add", "x", "--type", "default", "--field", "key=-"];
    fake.run_with(&several, lines).ends(0);
}

#[test]
fn a_value_is_printed_alone_and_decoded() {
    let fake = fake();
    let run = fake
        .run(&["credential", "show", "mail", "--field", "password"])
        .ends(0);
    run.says("c4n4ry-value\n", "");
    let json = fake
        .run(&["credential", "show", "mail", "--field", "password", "--json"])
        .ends(0)
        .json();
    assert_eq!(json, json!({"data": {"password": ENCODED}}));
    let arguments = ["credential", "show", "work/keys", "--field", "open"];
    let child = support::command(&support::tokenry(), fake.home.path(), &arguments)
        .spawn()
        .unwrap();
    assert_eq!(
        child.wait_with_output().unwrap().stdout,
        [0xff, 0x00, 0xfe],
        "what is no text is not changed"
    );
}

#[test]
fn a_field_that_is_redacted_or_not_there_says_so() {
    let fake = fake();
    let redacted = fake
        .run(&["credential", "show", "work/keys", "--field", "shut"])
        .ends(12);
    assert!(
        redacted.err.contains("never returned again") && redacted.out.is_empty(),
        "{redacted:?}"
    );
    let missing = fake
        .run(&["credential", "show", "mail", "--field", "pasword"])
        .ends(15);
    assert!(
        missing.err.contains("password, username") && missing.out.is_empty(),
        "{missing:?}"
    );
}

#[test]
fn a_list_and_a_credential_are_shown_without_asking_for_values() {
    let fake = fake();
    let list = fake.run(&["credential", "list"]).ends(0);
    let expected = "\
NAME       TYPE        STATUS  FIELDS             EXPIRES  USED
mail       basic auth  active  password username  –        –
work/keys  default     active  open shut          –        –
";
    list.says(expected, "");
    let shown = fake.run(&["credential", "show", "work/keys"]).ends(0);
    assert!(shown.out.contains("redacted  shut\n"), "{}", shown.out);
    assert_eq!(
        fake.run(&["credential", "show", "mail", "--json"]).ends(0).json(),
        mail()
    );
    assert!(
        fake.seen()
            .iter()
            .all(|request| request.what == "GET /v1/credentials")
    );
    let slip = fake.run(&["credential", "show", "maill"]).ends(15);
    assert!(slip.err.contains("Did you mean `mail`?"), "{}", slip.err);
}

#[test]
fn edit_sends_what_is_given_and_nothing_else() {
    let fake = fake();
    let arguments = [
        "credential",
        "edit",
        "mail",
        "--name",
        "post",
        "--username",
        "bob",
        "--field",
        "password=-",
        "--remove-field",
        "old",
        "--redact",
        "x",
        "--expires-at",
        "never",
    ];
    fake.run_with(&arguments, CANARY.as_bytes())
        .ends(0)
        .says("", "Changed mail.\n");
    let expected = json!({
        "name": "post", "data": {"username": "Ym9i", "password": ENCODED, "old": null}, "redact_fields": ["x"],
        "expires_at": null,
    });
    assert_eq!(fake.seen(), [seen("PUT /v1/credentials/mail", expected)]);
    fake.run(&[
        "credential",
        "edit",
        "mail",
        "--expires-at",
        "2999-01-01T00:00:00Z",
    ])
    .ends(0);
    assert_eq!(sent(&fake), json!({"expires_at": "2999-01-01T00:00:00Z"}));
}

#[test]
fn remove_deletes_it() {
    let fake = fake();
    fake.run(&["credential", "remove", "mail"])
        .ends(0)
        .says("", "Removed mail.\n");
    assert_eq!(fake.seen(), [seen("DELETE /v1/credentials/mail", Value::Null)]);
    let slip = fake.run(&["credential", "remove", "maill"]).ends(15);
    assert!(slip.err.contains("Did you mean `mail`?"), "{}", slip.err);
}
