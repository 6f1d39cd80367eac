//! Engine start and lists, with few connections and with many.

use crate::http::request;
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, label, token_request};
use std::time::Duration;
use tokenry_e2e::process::Running;

const FEW: usize = 10;
const MANY: usize = 10_000;
const STARTS: usize = 15;
const LISTS: usize = 40;

/// Engine start and lists, with few connections and with many.
pub(crate) fn measure() -> Vec<Row> {
    let mut few = filled(FEW);
    let mut many = filled(MANY);
    let list = list(&many);
    let asked = (few.provider.log().len(), many.provider.log().len());
    let (mut with_few, mut with_many, mut keyring) = Default::default();
    for _ in 0..STARTS {
        start(&mut few, &mut with_few);
        start(&mut many, &mut with_many);
        ask_keyring(&few, &mut keyring);
    }
    let few_asked = few.provider.log().len() - asked.0;
    let many_asked = many.provider.log().len() - asked.1;
    let row = |count, sample, aim, asked| {
        let what = format!("engine start to first token, {count} connections, beyond the keyring");
        Row::beyond(&what, sample, &[("one answer of the keyring", &keyring)], aim)
            .note(&format!("requests to the provider: {asked} (aim: 0)"))
    };
    vec![
        row("10", &with_few, 10.0, few_asked),
        row("10,000", &with_many, 100.0, many_asked),
        Row::time("a list of 10,000 connections", &list, 50.0),
    ]
}

/// How long a keyring takes that a program of its own asks for the same.
fn ask_keyring(stage: &Stage, sample: &mut Sample) {
    let asked = Running::start(stage.profile.command("examples/keyring_read", &["1"])).wait();
    let nanoseconds = asked.success().stdout.trim().parse().unwrap();
    sample.push(Duration::from_nanos(nanoseconds));
}

fn filled(count: usize) -> Stage {
    let stage = Stage::build();
    stage.fill(count);
    stage
}

fn start(stage: &mut Stage, sample: &mut Sample) {
    let ask = token_request(&format!("{MACHINE}/{}", label(5)));
    stage.stop();
    let answer = sample.time(|| {
        stage.start();
        stage.open().ask(&ask)
    });
    answer.expect_json();
}

fn list(stage: &Stage) -> Sample {
    let ask = request("GET", "/v1/connections", None);
    let mut engine = stage.open();
    let mut sample = Sample::default();
    for _ in 0..LISTS {
        let reply = sample.time(|| engine.ask(&ask));
        assert_eq!(reply.expect_json().as_array().map(Vec::len), Some(MANY));
    }
    sample
}
