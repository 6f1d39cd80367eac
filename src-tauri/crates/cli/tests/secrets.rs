//! Secrets: how they come in, and that they come out nowhere.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use support::objects::*;
use support::{Fake, Run, error, seen};

const CANARY: &str = "c4n4ry-of-a-secret";

/// A program at a terminal.
struct Terminal {
    master: File,
    child: Child,
}

impl Terminal {
    fn new(fake: &Fake, arguments: &[&str]) -> Self {
        Self::typed_ahead(fake, arguments, "")
    }

    /// One whose keyboard was used before the program started.
    fn typed_ahead(fake: &Fake, arguments: &[&str], text: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let mut options = File::options();
        options
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32);
        let slave = options
            .open(std::ffi::OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let mut master = File::from(master);
        master.write_all(text.as_bytes()).unwrap();
        let mut command = support::command(&support::installed(), fake.home.path(), arguments);
        let child = command.stdin(slave).spawn().unwrap();
        Self { master, child }
    }

    /// Waits for the prompt, then types.
    fn answer(&mut self, prompt: &str, line: &str) {
        let mut text = Vec::new();
        while !text.ends_with(prompt.as_bytes()) {
            let mut byte = [0];
            assert_eq!(
                self.child.stderr.as_mut().unwrap().read(&mut byte).unwrap(),
                1,
                "{text:?}"
            );
            text.push(byte[0]);
        }
        self.master.write_all(line.as_bytes()).unwrap();
    }

    /// How it ended, and what the terminal showed of what was typed.
    fn end(mut self) -> (Run, String) {
        let run = Run::from(self.child.wait_with_output().unwrap());
        let mut shown = Vec::new();
        // The end of a terminal is an error.
        let _ = self.master.read_to_end(&mut shown);
        (run, String::from_utf8_lossy(&shown).into_owned())
    }
}

fn locked(slots: &'static [&'static str]) -> Fake {
    Fake::new(move |what| match what {
        "GET /v1/status" => (200, status("locked", slots)),
        _ => (200, json!({"success": true})),
    })
}

fn last(fake: &Fake) -> Value {
    fake.seen().pop().unwrap().body
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal_and_not_shown() {
    let fake = locked(&["passphrase"]);
    let mut terminal = Terminal::new(&fake, &["unlock"]);
    terminal.answer("Passphrase: ", &format!("{CANARY}\n"));
    let (run, shown) = terminal.end();
    assert_eq!(run.ends(0).err, "\nThe vault is unlocked.\n");
    assert!(!shown.contains("c4n4ry"), "{shown:?}");
    assert_eq!(last(&fake), json!({"create": false, "passphrase": CANARY}));
}

/// SECURITY.md: a question is allowed by a user who has read it.
#[test]
fn a_line_that_was_typed_before_the_question_does_not_answer_it() {
    let answered = AtomicBool::new(false);
    let fake = Fake::new(move |what| match what {
        "GET /v1/prompts" if answered.load(Ordering::SeqCst) => (200, json!([])),
        "GET /v1/prompts" => (200, json!([question()])),
        _ => {
            answered.store(true, Ordering::SeqCst);
            (200, json!({"success": true}))
        }
    });
    let mut terminal = Terminal::typed_ahead(&fake, &["approve"], "s\n");
    // A typo decides nothing: the question is put again.
    terminal.answer("or [D]eny: ", "x\n");
    terminal.answer("or [D]eny: ", "d\n");
    terminal.answer("Approval code: ", "ABCD-EFGH\n");
    terminal.end().0.ends(0);
    let sent = fake.seen().into_iter().find(|seen| !seen.body.is_null());
    assert_eq!(sent.unwrap().body["decision"], "deny");
}

fn question() -> Value {
    json!({
        "id": "01a223b0-538f-7cb9-b796-07b4c2b221b2",
        "operation": "token",
        "connection": "github",
        "app_proved": false,
        "requested_scopes": [],
        "token_scopes": [],
        "notes": [],
        "changes": [],
        "api_scopes": [],
        "choices": [],
        "credential_choices": [],
        "for_session": true,
        "needs_passphrase": false,
        "asked_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-01-01T00:01:00Z",
        "waiting": 0,
        "is_shown": true,
        "ahead": 0,
        "disconnects": 0,
        "disconnecting": [],
    })
}

#[test]
fn a_new_passphrase_is_typed_twice_and_a_slip_makes_no_vault() {
    for (second, code) in [(CANARY, 0), ("other", 10)] {
        let fake = Fake::new(|what| match what {
            "GET /v1/status" => (200, status("absent", &[])),
            _ => (200, json!({"success": true})),
        });
        let mut terminal = Terminal::new(&fake, &["unlock", "--passphrase-fd", "0"]);
        terminal.answer("New passphrase: ", &format!("{CANARY}\n"));
        terminal.answer("Repeat passphrase: ", &format!("{second}\n"));
        let (run, shown) = terminal.end();
        let run = run.ends(code);
        assert!(
            !shown.contains("c4n4ry") && !run.err.contains("c4n4ry"),
            "{shown:?} {run:?}"
        );
        assert_eq!(fake.seen().len(), if code == 0 { 2 } else { 1 });
    }
}

#[test]
fn the_keyring_is_asked_first_and_a_passphrase_only_where_one_opens_the_vault() {
    let refuses = |slots: &'static [&'static str]| {
        Fake::new(move |what| match what {
            "GET /v1/status" => (200, status("locked", slots)),
            _ => (
                503,
                error("oauth_unavailable", "the OS keyring is locked; unlock it first"),
            ),
        })
    };
    let alone = refuses(&["keyring"]);
    alone.run_with(&["unlock"], CANARY.as_bytes()).ends(25);
    assert_eq!(last(&alone), json!({"create": false}));
    let both = refuses(&["keyring", "passphrase"]);
    both.run_with(&["unlock"], CANARY.as_bytes()).ends(25);
    let bodies: Vec<Value> = both.seen().into_iter().skip(1).map(|seen| seen.body).collect();
    assert_eq!(
        bodies,
        [
            json!({"create": false}),
            json!({"create": false, "passphrase": CANARY})
        ]
    );
}

#[test]
fn a_passphrase_comes_by_file_descriptor() {
    let fake = locked(&["passphrase"]);
    let file = fake.home.path().join("passphrase");
    std::fs::write(&file, format!("{CANARY}\r\nsecond line\n")).unwrap();
    // A shell opens descriptor 7 for it.
    let script = "exec 7<\"$1\"; exec \"$2\" unlock --passphrase-fd 7";
    let mut shell = support::command("/bin/sh".as_ref(), fake.home.path(), &["-c", script, "sh"]);
    let run = Run::from(shell.arg(&file).arg(support::installed()).output().unwrap());
    run.ends(0).says("", "The vault is unlocked.\n");
    assert_eq!(last(&fake)["passphrase"], CANARY);
    let run = fake.run(&["unlock", "--passphrase-fd", "77"]).ends(10);
    assert!(run.err.contains("file descriptor 77"), "{run:?}");
}

#[test]
fn an_open_vault_needs_no_passphrase() {
    let fake = Fake::only("GET /v1/status", 200, status("unlocked", &["passphrase"]));
    fake.run(&["unlock"]).ends(0).says("", "The vault is unlocked.\n");
    fake.run(&["unlock", "--json"])
        .ends(0)
        .says("{\"success\":true}\n", "");
}

#[test]
fn a_client_secret_comes_by_standard_input_or_unseen_at_the_terminal() {
    let fake = Fake::new(|_| (200, provider()));
    let arguments = [
        "provider",
        "add",
        "--name",
        "x",
        "--client-id",
        "y",
        "--client-secret-stdin",
    ];
    fake.run_with(&arguments, format!("{CANARY}\n").as_bytes())
        .ends(0);
    assert_eq!(
        last(&fake),
        json!({"name": "x", "client_id": "y", "client_secret": CANARY})
    );
    let mut terminal = Terminal::new(&fake, &["provider", "edit", "x", "--client-secret-stdin"]);
    terminal.answer("Client secret: ", &format!("{CANARY}\n"));
    let (run, shown) = terminal.end();
    assert!(
        run.ends(0).err.ends_with("Changed github.\n") && !shown.contains("c4n4ry"),
        "{shown:?}"
    );
    assert_eq!(last(&fake), json!({"client_secret": CANARY}));
}

#[test]
fn standard_input_is_not_asked_to_be_two_things() {
    let fake = Fake::new(|_| (200, provider()));
    let run = fake
        .run_with(
            &["provider", "add", "--from", "-", "--client-secret-stdin"],
            b"{}",
        )
        .ends(10);
    assert!(run.err.contains("both"), "{run:?}");
    assert_eq!(fake.seen(), []);
}

#[test]
fn an_address_is_pasted_until_it_is_right() {
    let fake = Fake::new(|what| match what {
        "GET /v1/oauth-providers/github" => (200, provider()),
        "GET /v1/connections" => (200, json!([])),
        "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
        _ if what.ends_with("/authorize") => (200, started("paste")),
        _ => (200, connection()),
    });
    let mut terminal = Terminal::new(
        &fake,
        &["connect", "github", "--redirect", "paste", "--no-browser"],
    );
    terminal.answer("Paste the URL: ", "\n");
    terminal.answer(
        "Paste the URL: ",
        "  http://127.0.0.1:1/cb/github?code=c&state=s \n",
    );
    let (run, _) = terminal.end();
    let run = run.ends(0);
    assert_eq!(run.out, "http://127.0.0.1:4711/begin/x\n");
    assert!(
        run.err.ends_with("Connected github as alice@example.com.\n"),
        "{run:?}"
    );
    let url = "http://127.0.0.1:1/cb/github?code=c&state=s";
    assert!(
        fake.seen()
            .contains(&seen("POST /v1/callback", json!({ "url": url })))
    );
}

/// As a terminal or a mail program broke it. Whether its last line ends with the paste makes no difference.
#[test]
fn an_address_of_several_lines_is_pasted_as_one() {
    for paste in [
        "http://127.0.0.1:1/cb/github\n?code=c\n&state=s\n",
        "http://127.0.0.1:1/cb/github\r?code=c&st\nate=s\n",
    ] {
        for arguments in [
            &["connect", "github", "--redirect", "paste", "--no-browser"][..],
            &["callback"],
        ] {
            let fake = Fake::new(|what| match what {
                "GET /v1/oauth-providers/github" => (200, provider()),
                "GET /v1/connections" => (200, json!([])),
                "POST /v1/callback" => (200, json!({"success": true, "connection_id": CONNECTION})),
                _ if what.ends_with("/authorize") => (200, started("paste")),
                _ => (200, connection()),
            });
            let mut terminal = Terminal::new(&fake, arguments);
            terminal.answer(": ", paste);
            let (run, _) = terminal.end();
            run.ends(0);
            let handed_in = fake
                .seen()
                .into_iter()
                .find(|seen| seen.what == "POST /v1/callback")
                .unwrap();
            let url = handed_in.body["url"].as_str().unwrap();
            let joined: String = url.split_whitespace().collect();
            assert_eq!(joined, "http://127.0.0.1:1/cb/github?code=c&state=s", "{paste:?}");
        }
    }
}

/// security.md, How it is shown: no argument takes a secret, and none that was given comes back in words.
#[test]
fn there_is_no_argument_for_a_secret_and_no_error_repeats_one() {
    let fake = Fake::new(|_| (422, error("validation_error", "It is wrong.")));
    let file = fake.home.path().join("p.json");
    std::fs::write(&file, format!("{{\"client_secret\": \"{CANARY}\"")).unwrap();
    let canary = format!("{CANARY}\n");
    for (arguments, code) in [
        (vec!["unlock", "--passphrase", "x"], 2),
        (
            vec![
                "provider",
                "add",
                "--name",
                "x",
                "--client-id",
                "y",
                "--client-secret",
                "x",
            ],
            2,
        ),
        (vec!["provider", "add", "--from", file.to_str().unwrap()], 10),
        (
            vec![
                "provider",
                "add",
                "--name",
                "x",
                "--client-id",
                "y",
                "--client-secret-stdin",
            ],
            10,
        ),
        (vec!["provider", "add", "--from", "-"], 10),
        (vec!["callback"], 10),
    ] {
        let run = fake.run_with(&arguments, canary.as_bytes()).ends(code);
        assert!(!run.err.contains("c4n4ry") && run.out.is_empty(), "{run:?}");
    }
    // Too long, and no text at all.
    let long = CANARY.repeat(10_000);
    let run = fake.run_with(&["callback"], long.as_bytes()).ends(19);
    assert!(!run.err.contains("c4n4ry"), "{run:?}");
    let run = fake.run_with(&["callback"], b"c4n4ry\xff").ends(10);
    assert!(!run.err.contains("c4n4ry"), "{run:?}");
}

/// An answer that is not as agreed may hold a token: nothing of it is repeated.
#[test]
fn a_token_in_a_broken_answer_is_not_shown() {
    for body in [
        format!("{{\"access_token\": \"{CANARY}\"}}"),
        format!("{{\"access_token\": [\"{CANARY}\"], \"token_type\": \"Bearer\"}}"),
        format!("\"{CANARY}\""),
        format!("{{\"access_token\": \"{CANARY}"),
    ] {
        let fake = Fake::raw(move |_| support::response(200, &body));
        for arguments in [&["token", "x"][..], &["token", "x", "--json"]] {
            let run = fake.run(arguments).ends(22);
            assert!(run.out.is_empty() && !run.err.contains("c4n4ry"), "{run:?}");
        }
    }
}

/// A file with an app's token, with this mode.
fn token_file(fake: &Fake, text: &str, mode: u32) -> String {
    let path = fake.home.path().join("app.token");
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(mode);
    options.open(&path).unwrap().write_all(text.as_bytes()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_command_calls_as_the_app_whose_token_is_in_a_file_that_is_named_either_way() {
    let fake = Fake::only("POST /v1/connections/github/token", 200, token());
    let file = token_file(&fake, &format!("{CANARY}\n"), 0o600);
    let option = ["--app-token-file", &file, "token", "github"];
    fake.run(&option).ends(0).says("gho_abc\n", "");
    let mut command = support::command(&support::tokenry(), fake.home.path(), &["token", "github"]);
    let by_variable = command.env("TOKENRY_APP_TOKEN_FILE", &file).output().unwrap();
    Run::from(by_variable).ends(0).says("gho_abc\n", "");
    fake.run(&["token", "github"]).ends(0);
    let tokens: Vec<_> = fake.seen().into_iter().map(|seen| seen.app_token).collect();
    assert_eq!(tokens, [Some(CANARY.to_owned()), Some(CANARY.to_owned()), None]);
}

#[test]
fn an_app_token_that_cannot_be_used_is_not_sent_and_not_shown() {
    let fake = Fake::only("POST /v1/connections/github/token", 200, token());
    let open = |text: &str, mode| token_file(&fake, text, mode);
    let cases: [(&dyn Fn() -> String, &str); 5] = [
        (&|| open(CANARY, 0o644), "chmod 600"),
        (&|| open("", 0o600), "is empty"),
        (
            &|| open(&format!("{CANARY}\r\nHost: evil"), 0o600),
            "it is not a token",
        ),
        (
            &|| fake.home.path().to_str().unwrap().to_owned(),
            "is a directory",
        ),
        (&|| "/nowhere/app.token".to_owned(), "`tokenry app add NAME`"),
    ];
    for (file, says) in cases {
        let run = fake
            .run(&["--app-token-file", &file(), "token", "github"])
            .ends(10);
        assert!(
            run.out.is_empty() && run.err.to_lowercase().contains(&says.to_lowercase()),
            "{run:?}"
        );
        assert!(!run.err.contains(CANARY), "{run:?}");
    }
    assert!(fake.seen().is_empty());
}
