//! Planted secrets, and the search for them everywhere they must not be: on the disk, in the most talkative log, in
//! what the system shows of our processes, and in every output but that of `tokenry token` (SECURITY.md, "Secrets").
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tokenry_e2e::accounts::{self, Background, add, connecting, stop};
use tokenry_e2e::browser::Browser;
use tokenry_e2e::canary::Canary;
use tokenry_e2e::process::Finished;
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Client, ClientAuth, Fault, Kind, Server};

const PASSPHRASE: &str = "passphrase-canary-\u{e9}1 with words";
const WRONG: &str = "wrong-passphrase-canary-2";
const SECRET: &str = "client-secret-canary/+3\"&=%";
const OLD_SECRET: &str = "client-secret-canary-of-before-4";

/// A profile with the most talkative log, a misbehaving server, and everything the programs ever said.
struct Stage {
    profile: Profile,
    server: Server,
    said: RefCell<Vec<(String, String)>>,
    access_tokens: RefCell<Vec<String>>,
}

impl Stage {
    fn new() -> Self {
        let mut profile = Profile::headless();
        profile.set("TOKENRY_LOG", "trace");
        profile.set("TOKENRY_APPROVE", "all");
        let server = Server::start(Behaviour::default());
        server.set(|behaviour| {
            behaviour
                .clients
                .push(Client::confidential("canary", SECRET, ClientAuth::Basic))
        });
        Self {
            profile,
            server,
            said: RefCell::default(),
            access_tokens: RefCell::default(),
        }
    }

    fn provider(&self) -> Value {
        let mut provider = accounts::testkit_provider(&self.server, "kit", &json!({"kind": "strict"}));
        provider["client_id"] = "canary".into();
        provider["client_secret"] = OLD_SECRET.into();
        provider["token_endpoint_auth_method"] = "client_secret_basic".into();
        provider
    }

    fn heard(&self, what: &str, finished: &Finished) {
        let mut said = self.said.borrow_mut();
        said.push((format!("standard output of {what}"), finished.stdout.clone()));
        said.push((format!("standard error of {what}"), finished.stderr.clone()));
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> i32 {
        let finished = self.profile.tokenry_with(arguments, stdin);
        self.heard(&format!("{arguments:?}"), &finished);
        finished.code
    }

    /// The one command whose standard output is a secret.
    fn token(&self, arguments: &[&str]) {
        let mut finished = self
            .profile
            .tokenry(&[&["token", "kit"], arguments].concat())
            .success();
        let text = std::mem::take(&mut finished.stdout);
        let token = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|answer| Some(answer["access_token"].as_str()?.to_owned()))
            .unwrap_or_else(|| text.trim_end().to_owned());
        self.heard("token", &finished);
        self.access_tokens.borrow_mut().push(token);
    }

    /// Connects by pasting the address, and looks at the processes while they wait.
    fn connect(&self, engine: u32, arguments: &[&str]) {
        let (connect, address) = connecting(&self.profile, arguments);
        for canary in self.canaries() {
            canary.absent_from_process(connect.id());
            canary.absent_from_process(engine);
        }
        let landing = Browser::new().open(&address);
        self.said.borrow_mut().push((
            "the page the browser ends at".to_owned(),
            landing.page().1.to_owned(),
        ));
        self.heard("connect", &connect.wait());
    }

    /// Everything that is secret, as far as it is known by now: what we planted, and what the server gave and got.
    fn canaries(&self) -> Vec<Canary> {
        let mut canaries = vec![
            Canary::new("the passphrase", PASSPHRASE),
            Canary::new("a wrong passphrase", WRONG),
            Canary::new("the client secret", SECRET),
            Canary::new("the former client secret", OLD_SECRET),
        ];
        let tokens = self.access_tokens.borrow();
        canaries.extend(tokens.iter().map(|token| Canary::new("an access token", token)));
        let log = self.server.log();
        for (kind, parameter) in [
            (Kind::Code, "code"),
            (Kind::Code, "code_verifier"),
            (Kind::Refresh, "refresh_token"),
            (Kind::Revoke, "token"),
        ] {
            let sent = log.iter().filter(|request| request.kind == kind);
            // A token that is refused is sent again.
            let values: BTreeSet<&str> = sent.filter_map(|request| request.parameter(parameter)).collect();
            canaries.extend(values.into_iter().map(|value| Canary::new(parameter, value)));
        }
        canaries
    }
}

/// A copy of the folder as it is now: afterwards more secrets of that moment are known.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn no_secret_is_anywhere_but_sealed_and_in_the_output_of_token() {
    let stage = Stage::new();
    // A first engine in the background, whose log is a file.
    assert_eq!(stage.run(&["unlock", "--passphrase-fd", "0"], PASSPHRASE), 0);
    let engine = Background::of(&stage.profile);
    stage.heard("add", &add(&stage.profile, &stage.provider()));
    assert_eq!(
        stage.run(&["provider", "edit", "kit", "--client-secret-stdin"], SECRET),
        0
    );
    stage.connect(engine.id(), &["kit"]);
    stage.token(&[]);
    assert_eq!(stage.run(&["refresh", "kit"], ""), 0);
    stage.token(&["--json"]);
    // Failures say most.
    for fault in [
        Fault::TruncatedJson,
        Fault::DuplicateKey,
        Fault::InvalidClient,
        Fault::LoseAnswer,
    ] {
        stage.server.set(|behaviour| behaviour.token_fault = Some(fault));
        assert_ne!(stage.run(&["refresh", "kit"], ""), 0);
        assert_eq!(stage.run(&["status", "kit"], ""), 0);
    }
    stage.server.set(|behaviour| behaviour.token_fault = None);
    stage.connect(engine.id(), &["kit"]);
    stage.token(&[]);
    for arguments in [
        &["list", "--json"][..],
        &["status", "kit", "--json"],
        &["status", "--json"],
        &["provider", "show", "kit"],
        &["provider", "list", "--json"],
        &["events"],
        &["events", "--json"],
    ] {
        assert_eq!(stage.run(arguments, ""), 0, "{arguments:?}");
    }
    assert_eq!(stage.run(&["lock"], ""), 0);
    assert_eq!(stage.run(&["unlock", "--passphrase-fd", "0"], WRONG), 20);
    engine.stop();

    // A second one in the foreground, whose log is its standard error.
    let engine = stage.profile.serve_with_passphrase(PASSPHRASE);
    stage.token(&[]);
    assert_eq!(stage.run(&["refresh", "kit"], ""), 0);
    stage.token(&[]);
    let living = stage.profile.scratch().join("living");
    copy(stage.profile.home(), &living);
    for canary in stage.canaries() {
        canary.absent_from_process(engine.id());
    }
    // The newest refresh token shows itself to the server when it is revoked.
    assert_eq!(stage.run(&["disconnect", "kit"], ""), 0);
    let ended = stop(engine);
    assert!(
        ended.stderr.contains("TRACE"),
        "the log has the most detailed level"
    );
    stage.heard("tokenry-serve", &ended);

    let log = fs::read_to_string(stage.profile.home().join("engine.log")).unwrap();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "the log says more than usual"
    );
    let canaries = stage.canaries();
    for name in [
        "the client secret",
        "an access token",
        "code",
        "code_verifier",
        "refresh_token",
        "token",
    ] {
        assert!(
            canaries.iter().any(|canary| canary.name() == name),
            "no {name} was there to be found"
        );
    }
    for canary in &canaries {
        for (place, text) in stage.said.borrow().iter() {
            canary.absent_from(place, text.as_bytes());
        }
        for folder in [stage.profile.home(), &living] {
            assert!(
                canary.absent_below(folder) >= 4,
                "{} holds a profile",
                folder.display()
            );
        }
    }
}
