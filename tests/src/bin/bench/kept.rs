//! Tokens on one kept connection.

use crate::bare::Bare;
use crate::http::{Kept, request};
use crate::proc::busy;
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label, token_request};

const ROUNDS: usize = 100;
const REQUESTS: usize = 100;

/// One kept connection, token at hand, beside a bare route that does the least that has to be done.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..11);
    let bare = Bare::start();
    let (mut engine, mut route) = (stage.open(), Kept::unix(&bare.socket()));
    let ask_engine = token_request(&format!("{MACHINE}/{}", label(5)));
    let ask_route = request("POST", "/token", None);
    engine.ask(&ask_engine).expect_json();
    route.ask(&ask_route).expect_json();
    let (mut ours, mut other) = (Sample::default(), Sample::default());
    let (begun, other_begun) = (busy(stage.engine_id()), busy(bare.id()));
    for _ in 0..ROUNDS {
        for _ in 0..REQUESTS {
            assert_eq!(ours.time(|| engine.ask(&ask_engine)).status, 200);
        }
        for _ in 0..REQUESTS {
            assert_eq!(other.time(|| route.ask(&ask_route)).status, 200);
        }
    }
    let requests = (ROUNDS * REQUESTS) as f64;
    let busy_ours = (busy(stage.engine_id()) - begun) / requests;
    let busy_other = (busy(bare.id()) - other_begun) / requests;
    let row = Row::ratio(
        "one kept connection, token at hand, opened for every request",
        &ours,
        ("bare axum route", &other),
        1.25,
    );
    // Hardly disturbed by what else the machine does.
    vec![row.note(&format!(
        "their threads were busy for {busy_ours:.4} and {busy_other:.4} of it"
    ))]
}
