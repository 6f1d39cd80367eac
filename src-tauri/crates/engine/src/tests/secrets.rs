//! No secret shows in an error, a view, an event, a change or a log line.

use crate::tests::common::{Browser, NAME, World, answer_of, paste, token, ui};
use crate::{ConnectOptions, Engine};
use serde_json::json;
use std::{
    fmt::{self, Debug, Write},
    sync::Mutex,
    time::Duration,
};
use tokenry_core::Secret;
use tokenry_testkit::{Behaviour, Client, ClientAuth, Endpoint, Fault, Kind};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Everything that any crate logs, at every level.
static LOG: Mutex<String> = Mutex::new(String::new());

struct Collector;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

fn keep(record: impl FnOnce(&mut Line)) {
    let mut line = Line(String::new());
    record(&mut line);
    LOG.lock().unwrap().push_str(&line.0);
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        keep(|line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        keep(|line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        keep(|line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What was shown, and what must not be in it.
#[derive(Default)]
struct Seen {
    shown: String,
    canaries: Vec<String>,
}

impl Seen {
    fn show(&mut self, what: &impl Debug) {
        let _ = writeln!(self.shown, "{what:?}\n{what:#?}");
    }

    fn show_result<T: Debug, E: Debug + fmt::Display>(&mut self, what: Result<T, E>) -> Option<T> {
        match what {
            Ok(value) => {
                self.show(&value);
                Some(value)
            }
            Err(error) => {
                let _ = writeln!(self.shown, "{error}");
                self.show(&error);
                None
            }
        }
    }

    fn must_not_show(&mut self, canary: &str) {
        assert!(
            canary.len() >= 16,
            "too short to be told from other text: {canary}"
        );
        self.canaries.push(canary.to_owned());
    }

    fn check(&self) {
        let log = LOG.lock().unwrap();
        assert!(
            log.contains("hyper") || log.contains("message="),
            "the collector works"
        );
        assert!(self.canaries.len() >= 12);
        for canary in &self.canaries {
            assert!(
                !self.shown.contains(canary.as_str()),
                "a view or an error shows {canary}"
            );
            assert!(!log.contains(canary.as_str()), "a log line shows {canary}");
        }
    }
}

const SECRET: &str = "canary-client-secret-51c9";

async fn world() -> (World, Engine) {
    let world = World::new(Behaviour {
        clients: vec![Client::confidential("tokenry", SECRET, ClientAuth::Post)],
        ..Behaviour::rotating(tokenry_testkit::Rotation::None)
    });
    let engine = world.start().await;
    let mut new = world.provider(NAME);
    new = new.with("client_secret", json!(SECRET));
    engine.add_provider(&ui(), new).await.unwrap();
    (world, engine)
}

/// What only the flow and the provider may know.
fn collect(world: &World, seen: &mut Seen) {
    for request in world.server.log() {
        for name in [
            "code",
            "code_verifier",
            "refresh_token",
            "client_secret",
            "state",
            "token",
        ] {
            if let Some(value) = request.parameter(name) {
                seen.must_not_show(value);
            }
        }
        if let Some(bearer) = request.header("authorization") {
            seen.must_not_show(bearer.trim_start_matches("Bearer "));
        }
    }
}

#[tokio::test]
async fn no_secret_shows_in_an_error_a_view_an_event_a_change_or_a_log_line() {
    let _ = tracing::subscriber::set_global_default(Collector);
    let (world, engine) = world().await;
    let mut changes = engine.changes();
    let mut seen = Seen::default();
    seen.show(&engine.providers(&ui()).await.unwrap());

    // Each kind of flow, good and bad.
    let looped = engine
        .connect(&ui(), NAME, ConnectOptions::default())
        .await
        .unwrap();
    let begin = looped.browser_url.path().rsplit('/').next().unwrap().to_owned();
    seen.must_not_show(&begin);
    seen.must_not_show(looped.state.expose());
    seen.show(&looped);
    seen.show(&engine.flow(&ui(), looped.flow, Duration::ZERO).await.unwrap());
    let mut browser = Browser::default();
    let answer = browser.sign_in(&looped).await;
    let page = browser.get(&answer).await;
    assert_eq!(page.status, 303);
    seen.show_result(engine.callback(&ui(), &answer).await);
    let flow = world.flow(&engine).await;
    seen.must_not_show(flow.state.expose());
    seen.show(&flow);
    seen.show(&engine.flow(&ui(), flow.flow, Duration::ZERO).await.unwrap());
    let answer = answer_of(&flow);
    for bad in [
        format!("{answer}&code=again"),
        answer.replace("/cb/", "/other/"),
        answer.replace("iss=", "iss=x"),
        format!("{answer}&x=%00"),
    ] {
        assert!(seen.show_result(engine.callback(&ui(), &bad).await).is_none());
    }
    world.server.queue(Fault::TruncatedJson);
    assert!(seen.show_result(engine.callback(&ui(), &answer).await).is_none());

    // Each way a refresh can go.
    for fault in [
        Fault::TruncatedJson,
        Fault::DuplicateKey,
        Fault::CutAnswer,
        Fault::TokenType("rt-looks-like-a-secret".to_owned()),
        Fault::Error500AfterRotating,
        Fault::CaptivePortalHtml200,
        Fault::LoseAnswer,
        Fault::InvalidClient,
    ] {
        world.server.queue(fault);
        seen.show_result(engine.refresh(&ui(), NAME).await);
    }
    let got = token(&engine, 0).await;
    let got = seen.show_result(got).unwrap();
    seen.must_not_show(got.access_token.expose());
    seen.show(&engine.connections(&ui()).await.unwrap());
    seen.show(&engine.status());

    // Locked, unlocked, wrongly and rightly.
    engine.lock(&ui()).await.unwrap();
    seen.show_result(token(&engine, 0).await);
    let passphrase = "canary passphrase 7741";
    seen.must_not_show(passphrase);
    let wrong = Some(Secret::new(passphrase.to_owned()));
    assert!(
        seen.show_result(engine.unlock(&ui(), wrong, false).await)
            .is_none()
    );
    engine.unlock(&ui(), None, false).await.unwrap();

    world.server.queue_at(Endpoint::Revocation, Fault::InvalidClient);
    seen.show_result(engine.disconnect(&ui(), NAME).await);
    engine
        .connect(&ui(), NAME, paste(ConnectOptions::default()))
        .await
        .unwrap();
    seen.show(&engine.events(&ui(), None, 500).await.unwrap());
    while let Ok(change) = changes.try_recv() {
        seen.show(&change);
    }
    collect(&world, &mut seen);
    assert!(world.server.count(Kind::Refresh) >= 8);
    seen.check();
}
