//! A refresh.

use crate::bare::Bare;
use crate::http::{Kept, form, request};
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{PERSON, Stage};
use std::time::Duration;

const RUNS: usize = 200;

/// A refresh with a token that is replaced, less the same provider asked directly and less two bare commits.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    stage.sign_in(PERSON);
    let bare = Bare::start();
    let endpoint = stage.provider.token_endpoint();
    let mut engine = stage.open();
    let mut provider = Kept::tcp(&endpoint);
    let mut route = Kept::unix(&bare.socket());
    let ask_engine = request("POST", &format!("/v1/connections/{PERSON}/refresh"), None);
    let ask_provider = form(
        &endpoint,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "tokenry-confidential"),
            ("client_secret", "testkit-secret"),
        ],
    );
    let ask_commits = request("POST", "/two-commits", None);
    let (mut ours, mut direct, mut commits) = (Sample::default(), Sample::default(), Sample::default());
    for run in 0..RUNS + 10 {
        if run == 10 {
            (ours, direct, commits) = (Sample::default(), Sample::default(), Sample::default());
        }
        ours.time(|| engine.ask(&ask_engine)).expect_json();
        direct.time(|| provider.ask(&ask_provider)).expect_json();
        let answer = route.ask(&ask_commits).expect_json();
        commits.push(Duration::from_nanos(answer["nanoseconds"].as_u64().unwrap()));
    }
    let asked = stage.provider.refreshes();
    let row = Row::beyond(
        "a refresh, beyond the provider's own time and the two commits",
        &ours,
        &[
            ("provider asked directly", &direct),
            ("two bare commits", &commits),
        ],
        3.0,
    );
    vec![row.note(&format!("{asked} requests for {} refreshes", RUNS + 10))]
}
