//! `kill -9` at every step of a refresh: nothing that was acknowledged is lost, no token that was replaced is sent to
//! a server that ends the grant for it, and the status says how it is (SECURITY.md, "Refresh").
//!
//! The engine has to be built with the feature `fault-injection`.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tokenry_e2e::accounts::{self, PASSPHRASE, add, connect_at_testkit, stop, token};
use tokenry_e2e::process::{Running, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_testkit::{Behaviour, Rotation, Server};

/// The steps of the engine, in their order.
const STEPS: [&str; 5] = [
    "BeforeJournal",
    "Journalled",
    "Answered",
    "Committing",
    "Committed",
];

/// What `kill -9` leaves as an exit code.
const KILLED: i32 = 128 + 9;

/// What was acknowledged before the crash.
struct Before {
    token: String,
    refreshed_at: Value,
}

impl Before {
    /// Whether this connection was refreshed since.
    fn is_past(&self, connection: &Value) -> bool {
        connection["last_refreshed_at"] != self.refreshed_at
    }
}

struct Stage {
    profile: Profile,
    server: Server,
    engine: Option<Running>,
}

impl Stage {
    fn new(rotation: Rotation, told: &Value) -> Self {
        let (profile, server) = (Profile::headless(), Server::start(Behaviour::rotating(rotation)));
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        add(&profile, &accounts::testkit_provider(&server, "kit", told)).success();
        Self {
            profile,
            server,
            engine: Some(engine),
        }
    }

    fn restart(&mut self, fault: &str) {
        if let Some(engine) = self.engine.take() {
            assert_eq!(stop(engine).code, 0);
        }
        self.profile.set("TOKENRY_FAULT", fault);
        self.engine = Some(self.profile.serve_with_passphrase(PASSPHRASE));
    }

    /// Connects an account under this step's name and has the engine killed at this step of its refresh.
    fn die_at(&mut self, step: &str) -> Before {
        connect_at_testkit(&self.profile, &["kit", "--label", step]).success();
        let before = Before {
            token: token(&self.profile, step),
            refreshed_at: self.status(step)["last_refreshed_at"].clone(),
        };
        self.server.clear_log();
        self.restart(step);
        let asked = self.profile.tokenry(&["refresh", step]);
        assert_ne!(
            asked.code, 0,
            "acknowledged before it was kept, or an engine without fault-injection: {asked:?}"
        );
        let end = self.engine.take().unwrap().wait();
        assert_eq!(
            end.code, KILLED,
            "is the engine built with fault-injection? {end:?}"
        );
        self.restart("");
        before
    }

    fn status(&self, step: &str) -> Value {
        accounts::connection(&self.profile, step)
    }

    /// Waits until the engine has looked at what the crash left.
    fn settled(&self, step: &str, is_settled: impl Fn(&Value) -> bool) -> Value {
        wait_for(step, || Some(self.status(step)).filter(&is_settled))
    }

    /// The grant is whole: what is handed out is good, and the next refresh gives something new.
    fn is_whole(&self, step: &str) {
        let now = token(&self.profile, step);
        assert!(self.server.accepts(&now), "{step}");
        self.profile.tokenry(&["refresh", step]).success();
        let next = token(&self.profile, step);
        assert!(next != now && self.server.accepts(&next), "{step}");
        assert_eq!(self.status(step)["status"], "active", "{step}");
        assert!(self.server.family_alive(), "{step}");
    }
}

/// How many refresh requests the server had seen when the engine died.
fn seen_at_death(step: &str) -> usize {
    usize::from(matches!(step, "Answered" | "Committing" | "Committed"))
}

/// Whether the crash left a request whose answer is not on disk.
fn leaves_an_open_end(step: &str) -> bool {
    matches!(step, "Journalled" | "Answered" | "Committing")
}

#[test]
fn where_tokens_are_not_rotated_the_request_is_repeated() {
    let mut stage = Stage::new(Rotation::None, &json!({"kind": "none"}));
    for step in STEPS {
        let before = stage.die_at(step);
        let repeated = usize::from(leaves_an_open_end(step));
        stage.settled(step, |_| {
            stage.server.refreshes() == seen_at_death(step) + repeated
        });
        let after = stage.settled(step, |now| now["status"] == "active");
        assert_eq!(after["reason"], Value::Null, "{step}");
        let kept = step == "Committed" || repeated == 1;
        stage.settled(step, |now| before.is_past(now) == kept);
        assert_eq!(token(&stage.profile, step) != before.token, kept, "{step}");
        stage.is_whole(step);
    }
}

#[test]
fn within_its_grace_a_replaced_token_is_sent_once_more() {
    let mut stage = Stage::new(Rotation::Grace(600), &json!({"kind": "grace", "seconds": 600}));
    for step in STEPS {
        let before = stage.die_at(step);
        let repeated = usize::from(leaves_an_open_end(step));
        let kept = step == "Committed" || repeated == 1;
        stage.settled(step, |now| {
            now["status"] == "active" && before.is_past(now) == kept
        });
        assert_eq!(stage.server.refreshes(), seen_at_death(step) + repeated, "{step}");
        assert_eq!(token(&stage.profile, step) != before.token, kept, "{step}");
        stage.is_whole(step);
        let answer_lost = matches!(step, "Answered" | "Committing");
        assert_eq!(
            stage.server.replays_of_replaced_tokens(),
            usize::from(answer_lost),
            "{step}"
        );
    }
}

/// SECURITY.md, "Refresh": where a used token must not come back, a lost answer ends it, and the token at hand is
/// used up.
#[test]
fn where_a_replaced_token_ends_the_grant_it_is_never_sent_and_the_person_is_told() {
    let mut stage = Stage::new(Rotation::Strict, &json!({"kind": "strict"}));
    for step in STEPS {
        let before = stage.die_at(step);
        if leaves_an_open_end(step) {
            let told = stage.settled(step, |now| now["status"] == "needs_reauth");
            assert_eq!(told["reason"], "lost_response", "{step}");
            assert_eq!(stage.server.refreshes(), seen_at_death(step), "{step}");
            assert_eq!(
                token(&stage.profile, step),
                before.token,
                "what lives is used up: {step}"
            );
            assert!(
                stage.server.accepts(&before.token) && stage.server.family_alive(),
                "{step}"
            );
            let person = stage.profile.tokenry(&["status", step]).success().stdout;
            assert!(person.contains("needs reauth (lost response)"), "{person}");
            // And the way back is one sign-in.
            connect_at_testkit(&stage.profile, &[&format!("kit/{step}")]).success();
        } else {
            let kept = step == "Committed";
            let after = stage.status(step);
            assert_eq!(
                (&after["status"], before.is_past(&after)),
                (&json!("active"), kept),
                "{step}"
            );
            assert_eq!(stage.server.refreshes(), seen_at_death(step), "{step}");
            assert_eq!(token(&stage.profile, step) != before.token, kept, "{step}");
        }
        stage.is_whole(step);
        assert_eq!(stage.server.replays_of_replaced_tokens(), 0, "{step}");
    }
}

#[test]
fn an_engine_that_dies_again_and_again_loses_nothing_that_it_acknowledged() {
    let mut stage = Stage::new(Rotation::Grace(600), &json!({"kind": "grace", "seconds": 600}));
    connect_at_testkit(&stage.profile, &["kit"]).success();
    for step in ["Answered", "Committing", "Answered", "Journalled"] {
        let before = token(&stage.profile, "kit");
        stage.restart(step);
        assert_ne!(stage.profile.tokenry(&["refresh", "kit"]).code, 0);
        assert_eq!(stage.engine.take().unwrap().wait().code, KILLED);
        // It takes the crash up where it was, and dies of it once more.
        stage.profile.set("TOKENRY_FAULT", step);
        let arguments = ["--vault", "passphrase", "--passphrase-fd", "0"];
        let mut again = Running::start(stage.profile.command("tokenry-serve", &arguments));
        again.write(&format!("{PASSPHRASE}\n"));
        assert_eq!(again.wait().code, KILLED, "{step}");
        stage.restart("");
        wait_for(step, || (token(&stage.profile, "kit") != before).then_some(()));
        stage.is_whole("kit");
    }
    let providers = stage
        .profile
        .tokenry(&["provider", "list", "--json"])
        .success()
        .json();
    assert_eq!(providers.as_array().unwrap().len(), 1);
}
