//! Consent to what a program gets through a helper: that program is the requester, and it never hangs.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_testkit, stop, testkit_provider};
use tokenry_e2e::process::{Running, program, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Server};

const ADDRESS: &str = "http://127.0.0.1:9";

/// What `git credential fill` reads.
const REQUEST: &str = "protocol=http\nhost=127.0.0.1:9\n\n";

struct Stage {
    _server: Server,
    profile: Profile,
    _engine: Running,
    /// What answers a request.
    code: String,
}

impl Stage {
    /// An engine without a window that asks for consent, and a connection whose token git gets.
    fn new() -> Self {
        let (server, profile) = (Server::start(Behaviour::default()), Profile::headless());
        let all = profile.serve_with_passphrase(PASSPHRASE);
        let provider = testkit_provider(&server, "forge", &json!({"kind": "strict"}));
        add(&profile, &provider).success();
        connect_at_testkit(&profile, &["forge"]).success();
        profile
            .tokenry(&["bind", ADDRESS, "--connection", "forge"])
            .success();
        stop(all);
        let vault = ["--vault", "passphrase", "--passphrase-fd", "0"];
        let engine = profile.serve_with(
            &[&vault[..], &["--approve", "ask"]].concat(),
            &format!("{PASSPHRASE}\n"),
        );
        let code = wait_for("the approval code", || {
            let said = engine.stderr();
            let (_, code) = said.split_once("the approval code is ")?;
            Some(code.split_once('\n')?.0.to_owned())
        });
        Self {
            _server: server,
            profile,
            _engine: engine,
            code,
        }
    }

    /// A shell without a terminal that runs git, which gets its credentials from Tokenry.
    fn shell(&self, script: &str, wait: Option<&str>) -> Running {
        let helper = format!("!'{}' git-credential", program("tokenry").display());
        let mut setsid = Command::new("setsid");
        setsid
            .env_clear()
            .envs(self.profile.env())
            .envs(wait.map(|seconds| ("TOKENRY_WAIT", seconds)))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "credential.helper")
            .env("GIT_CONFIG_VALUE_0", helper)
            .env("REQUEST", REQUEST)
            .args(["--wait", "sh", "-uc", script])
            .current_dir(self.profile.scratch());
        Running::start(setsid)
    }

    fn requests(&self) -> Vec<Value> {
        let shown = self.profile.tokenry(&["approve", "--json"]).success().json();
        serde_json::from_value(shown).unwrap()
    }

    fn request(&self) -> Value {
        wait_for("a request", || self.requests().pop())
    }

    fn answer(&self, request: &Value, decision: &str) {
        let id = request["id"].as_str().unwrap();
        let arguments = ["approve", id, "--decision", decision, "--code-fd", "0"];
        self.profile
            .tokenry_with(&arguments, &format!("{}\n", self.code))
            .success();
    }
}

const FILL: &str = "printf %s \"$REQUEST\" | git credential fill";

#[test]
fn git_is_the_requester_and_allowing_it_for_the_session_covers_its_next_call() {
    let stage = Stage::new();
    let git = stage.shell(&format!("{FILL}; {FILL}"), Some("60"));
    let request = stage.request();
    let name = request["program"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(name, "git", "{request}");
    assert_eq!(request["helper"], "git-credential");
    assert!(
        request["arguments"].as_str().unwrap().contains("credential fill"),
        "{request}"
    );
    stage.answer(&request, "session");
    let filled = git.wait().success().stdout;
    assert_eq!(filled.matches("password=").count(), 2, "{filled}");

    // What git was allowed is not allowed to another program, nor in another session.
    let other = stage.shell(&format!("'{}' token forge", program("tokenry").display()), None);
    let request = stage.request();
    assert_eq!(request["helper"], Value::Null, "{request}");
    stage.answer(&request, "deny");
    assert_ne!(other.wait().code, 0);
    let log = stage.profile.tokenry(&["audit", "--json"]).success().json();
    let programs = log["entries"].as_array().unwrap();
    let git = programs.iter().find(|entry| {
        entry["program"]
            .as_str()
            .is_some_and(|path| path.ends_with("/git"))
    });
    assert_eq!(git.unwrap()["handed_out"], 2, "{log}");
}

#[test]
fn without_a_window_and_a_terminal_git_is_refused_and_told_what_to_do() {
    let stage = Stage::new();
    let refused = stage.shell(FILL, None).wait();
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("`tokenry approve --wait`"), "{refused:?}");
    assert!(stage.requests().is_empty());
    let wrong = stage.shell(FILL, Some("soon")).wait();
    assert!(wrong.stderr.contains("TOKENRY_WAIT must be"), "{wrong:?}");
    // A wait that ends without an answer is no denial: the next request is asked again.
    let waited = stage.shell(FILL, Some("1")).wait();
    assert!(waited.stderr.contains("`tokenry approve --wait`"), "{waited:?}");
    let git = stage.shell(FILL, Some("60"));
    stage.answer(&stage.request(), "once");
    git.wait().success();
}

#[test]
fn a_terminal_that_waits_for_requests_is_shown_those_of_helpers() {
    let stage = Stage::new();
    let approve = stage.profile.tokenry_running(&["approve", "--wait"]);
    wait_for("the terminal", || {
        approve.stderr().contains("Waiting for permission").then_some(())
    });
    // The first may be refused: the terminal has not looked yet.
    let (git, request) = wait_for("a request", || {
        let mut git = stage.shell(FILL, None);
        wait_for("a request or an end", || match stage.requests().pop() {
            None if git.try_wait().is_some() => Some(None),
            found => found.map(Some),
        })
        .map(|request| (git, request))
    });
    stage.answer(&request, "deny");
    assert_ne!(git.wait().code, 0);
}
