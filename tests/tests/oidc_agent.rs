//! The clients of oidc-agent get their tokens from Tokenry: Debian's `oidc-token` and its library, as they are.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, sandbox_provider, sandbox_service, token};
use tokenry_e2e::process::{Finished, Running, TIMEOUT, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::sandbox::{CONFIDENTIAL, Sandbox};
use tokenry_e2e::socket::ask;

struct Stage {
    sandbox: Sandbox,
    profile: Profile,
    engine: Option<Running>,
}

impl Stage {
    /// An engine with the connection `iam`, and no socket for oidc-agent's clients.
    fn new() -> Self {
        let (sandbox, profile) = (Sandbox::start(), Profile::headless());
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        let mut provider = sandbox_provider(&sandbox, "iam");
        provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
        add(&profile, &provider).success();
        connect_at_sandbox(&profile, &sandbox, &["iam"], "ada").success();
        let engine = Some(engine);
        Self {
            sandbox,
            profile,
            engine,
        }
    }

    /// The same with the socket.
    fn open() -> Self {
        let mut stage = Self::new();
        stage.open_socket();
        stage
    }

    fn open_socket(&mut self) {
        let told = self.profile.tokenry(&["oidc-agent"]).success().stdout;
        let path = told
            .strip_prefix("OIDC_SOCK='")
            .and_then(|told| told.split('\'').next());
        let path = PathBuf::from(path.unwrap_or_else(|| panic!("{told}")));
        assert_eq!(
            told,
            format!("OIDC_SOCK='{}'; export OIDC_SOCK;\n", path.display())
        );
        assert_eq!(path, self.socket());
        self.profile.set("OIDC_SOCK", path);
    }

    fn socket(&self) -> PathBuf {
        self.profile.home().join("oidc-agent.sock")
    }

    fn oidc_token(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new("oidc-token");
        command.env_clear().envs(self.profile.env()).args(arguments);
        Running::start(command).wait()
    }

    /// Calls a function of oidc-agent's library.
    fn library(&self, code: &str) -> Finished {
        let mut python = Command::new("python3");
        let begin = "import ctypes, sys\nlibrary = ctypes.CDLL('liboidc-agent.so.4')\n";
        python
            .env_clear()
            .envs(self.profile.env())
            .args(["-B", "-c", &format!("{begin}{code}")]);
        Running::start(python).wait()
    }

    /// Sends a message as a client without encryption does.
    fn plain(&self, message: &str) -> Value {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.write_all(message.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer:?}"))
    }

    fn request(&self, request: Value) -> Value {
        self.plain(&request.to_string())
    }

    fn logged(&self, kind: &str) -> Vec<Value> {
        let events = self.profile.tokenry(&["--json", "events"]).success().json();
        let events = events["events"]
            .as_array()
            .or_else(|| events.as_array())
            .unwrap()
            .clone();
        events.into_iter().filter(|event| event["kind"] == kind).collect()
    }
}

#[test]
fn oidc_token_gets_a_token_by_name_and_by_issuer_and_is_shown_as_its_requester() {
    let stage = Stage::open();
    let expected = token(&stage.profile, "iam");
    let by_name = stage.oidc_token(&["iam"]).success().stdout;
    assert_eq!(by_name.trim_end(), expected);
    let issuer = stage.sandbox.issuer().to_string();
    let by_issuer = stage.oidc_token(&[&issuer]).success().stdout;
    assert_eq!(by_issuer.trim_end(), expected);
    let told = stage.oidc_token(&["-i", "-e", "iam"]).success().stdout;
    assert!(told.contains(issuer.trim_end_matches('/')), "{told}");
    let handed = stage.logged("token_handed_out");
    let program = handed[0]["program"].as_str().unwrap();
    assert!(program.ends_with("/oidc-token"), "{handed:?}");
}

#[test]
fn oidc_token_forces_a_new_token_and_narrows_one() {
    let stage = Stage::open();
    let first = token(&stage.profile, "iam");
    let forced = stage.oidc_token(&["--force-new", "iam"]).success().stdout;
    assert_ne!(forced.trim_end(), first);
    assert_eq!(forced.trim_end(), token(&stage.profile, "iam"));
    let narrowed = stage.oidc_token(&["--scope", "openid", "iam"]).success().stdout;
    assert!(!narrowed.trim().is_empty() && narrowed.trim_end() != forced.trim_end());
    let answer =
        stage.request(json!({"request": "access_token", "account": "iam", "min_valid_period": "-1"}));
    assert_ne!(answer["access_token"], forced.trim_end());
}

#[test]
fn the_library_of_oidc_agent_gets_a_token_by_name_and_by_issuer() {
    let stage = Stage::open();
    let code = "library.getAccessToken.restype = ctypes.c_char_p\n\
                print(library.getAccessToken(b'iam', 60, None, b'test', None).decode())\n\
                library.getAccessTokenForIssuer.restype = ctypes.c_char_p\n\
                print(library.getAccessTokenForIssuer(ISSUER, 60, None, b'test', None).decode())\n\
                print(library.getAccessToken(b'other', 60, None, b'test', None))";
    let code = code.replace("ISSUER", &format!("b'{}'", stage.sandbox.issuer()));
    let told = stage.library(&code).success().stdout;
    let lines: Vec<_> = told.lines().collect();
    let token = token(&stage.profile, "iam");
    assert_eq!(lines, [token.as_str(), &token, "None"]);
}

#[test]
fn a_client_without_encryption_gets_the_same_and_what_is_not_for_tokens_fails() {
    let stage = Stage::open();
    let answer = stage.request(json!({"request": "access_token", "account": "iam", "application_hint": "x"}));
    assert_eq!(answer["status"], "success");
    assert_eq!(answer["access_token"], token(&stage.profile, "iam"));
    assert_eq!(answer["issuer"], stage.sandbox.issuer());
    assert!(answer["expires_at"].as_i64().unwrap() > 1_600_000_000, "{answer}");
    let answer = stage.request(json!({"request": "id_token", "account": "iam"}));
    assert_eq!(
        answer["id_token"].as_str().unwrap().split('.').count(),
        3,
        "{answer}"
    );
    assert_eq!(
        stage.request(json!({"request": "check"})),
        json!({"status": "success"})
    );
    assert_eq!(
        stage.request(json!({"request": "loaded_accounts"})),
        json!({"status": "success", "info": ["iam"]})
    );
    for (request, names) in [
        (json!({"request": "add", "config": {}}), "tokenry connect"),
        (
            json!({"request": "remove", "account": "iam"}),
            "tokenry disconnect",
        ),
        (json!({"request": "lock", "password": "x"}), "tokenry lock"),
        (json!({"request": "access_token"}), "account or an issuer"),
        (json!({"request": "access_token", "account": "other"}), "other"),
        (
            json!({"request": "access_token", "issuer": "https://other.example"}),
            "tokenry connect",
        ),
        (json!({"request": 1}), "Bad Request"),
    ] {
        let answer = stage.request(request);
        assert_eq!(answer["status"], "failure");
        assert!(answer.to_string().contains(names), "{answer}");
    }
    assert_eq!(
        stage.profile.tokenry(&["list"]).success().code,
        0,
        "nothing was removed"
    );
    let several = sandbox_service(&stage.sandbox, "other");
    let mut several = several.as_object().unwrap().clone();
    several.insert("issuer".to_owned(), stage.sandbox.issuer().into());
    add(&stage.profile, &several.into()).success();
    stage.profile.tokenry(&["connect", "other"]).success();
    let answer = stage.request(json!({"request": "access_token", "issuer": stage.sandbox.issuer()}));
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("iam") && error.contains("other"), "{answer}");
}

#[test]
fn without_consent_a_client_gets_nothing_and_learns_why_at_once() {
    let mut stage = Stage::new();
    drop(stage.engine.take());
    let arguments = [
        "--vault",
        "passphrase",
        "--passphrase-fd",
        "0",
        "--approve",
        "never",
    ];
    stage.engine = Some(stage.profile.serve_with(&arguments, &format!("{PASSPHRASE}\n")));
    stage.open_socket();
    let refused = stage.oidc_token(&["iam"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stdout.is_empty() && !refused.stderr.is_empty(),
        "{refused:?}"
    );
    let handed = stage.logged("token_handed_out");
    assert_eq!(handed[0]["outcome"], "refused", "{handed:?}");
}

#[test]
fn the_socket_is_there_only_on_request_private_and_gone_after_stop() {
    let mut stage = Stage::new();
    assert!(!stage.socket().exists(), "no socket without a request");
    stage.open_socket();
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&stage.socket()), 0o600);
    assert_eq!(mode(stage.socket().parent().unwrap()), 0o700);
    // A program may have removed it: the next request binds it again.
    std::fs::remove_file(stage.socket()).unwrap();
    stage.open_socket();
    stage.oidc_token(&["iam"]).success();
    let told = stage.profile.tokenry(&["oidc-agent", "--stop"]).success().stdout;
    assert_eq!(told, "unset OIDC_SOCK;\n");
    assert!(!stage.socket().exists());
    stage
        .profile
        .tokenry(&["oidc-agent", "--stop", "--shell", "fish"])
        .success();
    stage.open_socket();
    drop(stage.engine.take().map(tokenry_e2e::accounts::stop));
    assert!(!stage.socket().exists(), "it ends with the engine");
}

#[test]
fn a_program_cannot_keep_the_socket_open_across_restarts() {
    let stage = Stage::new();
    let (status, answer) = ask(
        &stage.profile,
        "PUT",
        "/v1/settings",
        &json!({"oidc_agent": true}),
    );
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("permission_denied"))
    );
    assert!(!stage.socket().exists());
}

#[test]
fn messages_that_are_too_long_cut_off_or_garbled_disturb_no_other_client() {
    let stage = Stage::open();
    let long = format!("{{\"request\":\"{}\"}}", "x".repeat(20_000));
    let send = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(stage.socket()).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        // The engine may have closed it already.
        let _ = stream
            .write_all(bytes)
            .and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    };
    for bytes in [
        long.as_bytes(),
        b"",
        b"\0\xff\xfe",
        b"{\"request\":\"access_token\"",
        b"POST /v1/connections/iam/token HTTP/1.1\r\n\r\n",
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=3:x:y",
    ] {
        let answer = send(bytes);
        assert!(answer.is_empty() || answer.contains("failure"), "{answer}");
        assert!(!answer.contains("access_token\":"), "{answer}");
    }
    // After the exchange of keys the rest has to open.
    let mut stream = UnixStream::connect(stage.socket()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
        .write_all(b"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .unwrap();
    let mut key = [0; 44];
    stream.read_exact(&mut key).unwrap();
    let sealed = format!("2:{}:{}", "A".repeat(32), "A".repeat(24));
    stream.write_all(sealed.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("does not open"), "{answer}");
    // A client that says nothing holds up no other one.
    let silent: Vec<_> = (0..20)
        .map(|_| UnixStream::connect(stage.socket()).unwrap())
        .collect();
    stage.oidc_token(&["iam"]).success();
    drop(silent);
    // In pieces it is the same message.
    let mut stream = UnixStream::connect(stage.socket()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    for piece in ["{\"request\":", "\"check\"", "}"] {
        stream.write_all(piece.as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "{\"status\":\"success\"}");
}

#[test]
fn a_client_that_hangs_up_takes_its_permission_request_with_it() {
    let mut stage = Stage::new();
    drop(stage.engine.take());
    let arguments = [
        "--vault",
        "passphrase",
        "--passphrase-fd",
        "0",
        "--approve",
        "ask",
    ];
    stage.engine = Some(stage.profile.serve_with(&arguments, &format!("{PASSPHRASE}\n")));
    stage.open_socket();
    let mut stream = UnixStream::connect(stage.socket()).unwrap();
    stream
        .write_all(br#"{"request":"access_token","account":"iam"}"#)
        .unwrap();
    let prompts = || ask(&stage.profile, "GET", "/v1/prompts", &Value::Null).1;
    wait_for("a permission request", || {
        (prompts().as_array()?.len() == 1).then_some(())
    });
    drop(stream);
    wait_for("its end", || prompts().as_array()?.is_empty().then_some(()));
}
