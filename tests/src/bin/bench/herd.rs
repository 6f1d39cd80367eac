//! Many callers at the moment when a token has expired.

use crate::http::{Kept, request};
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{PERSON, Stage, text};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use tokenry_testkit::Fault;

const ROUNDS: usize = 5;
const CALLERS: usize = 64;
/// How long the provider takes, in milliseconds.
const SLOW: u64 = 200;
/// How long its tokens live, in seconds. So short that only callers cause a refresh.
const LIFE: u64 = 2;

/// 64 callers at once, when the token has just expired.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    stage.provider.set(|behaviour| behaviour.token_life = LIFE);
    stage.sign_in(PERSON);
    let usual = round("64 callers of an expired token, all served", &stage, &json!({}));
    let more = json!({"min_valid_seconds": 3600});
    let what = "the same, when they ask for more validity than is granted";
    vec![usual, round(what, &stage, &more)]
}

fn round(what: &str, stage: &Stage, body: &Value) -> Row {
    let (mut all, mut most) = (Sample::default(), 0);
    for _ in 0..ROUNDS {
        sleep(Duration::from_secs(LIFE) + Duration::from_millis(100));
        stage.provider.queue(Fault::SlowAnswer(SLOW));
        let before = stage.provider.refreshes();
        let times = herd(stage, body);
        most = most.max(stage.provider.refreshes() - before);
        all.push(times);
    }
    let note = format!("the provider takes {SLOW} ms; requests to it: {most} (aim: 1); errors: 0");
    Row::time(what, &all, SLOW as f64 + 100.0).note(&note)
}

/// How long until the last one is served.
fn herd(stage: &Stage, body: &Value) -> Duration {
    let ask = request("POST", &format!("/v1/connections/{PERSON}/token"), Some(body));
    let start = Barrier::new(CALLERS);
    let one = &|mut engine: Kept<UnixStream>| {
        start.wait();
        let began = Instant::now();
        let answer = engine.ask(&ask).expect_json();
        (began, Instant::now(), text(&answer, "access_token").to_owned())
    };
    let engines: Vec<_> = (0..CALLERS).map(|_| stage.open()).collect();
    let served: Vec<_> = scope(|scope| {
        let callers: Vec<_> = engines
            .into_iter()
            .map(|engine| scope.spawn(move || one(engine)))
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let tokens: HashSet<_> = served.iter().map(|(_, _, token)| token).collect();
    assert_eq!(tokens.len(), 1, "all get the same token");
    let first = served.iter().map(|(began, ..)| *began).min().unwrap();
    let last = served.iter().map(|(_, ended, _)| *ended).max().unwrap();
    last - first
}
