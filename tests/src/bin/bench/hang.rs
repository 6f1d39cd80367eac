//! A token while another provider does not respond.

use crate::http::request;
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label, token_request};
use std::thread::scope;
use std::time::Duration;
use tokenry_testkit::{Behaviour, Fault, Server};

const ROUNDS: usize = 20;
const REQUESTS: usize = 250;
const WAITING: usize = 8;

/// One connection's token while 8 callers wait for another provider, which says nothing; beside the same when idle.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    let other = Server::start(Behaviour::default());
    stage.add_provider(&other, "slow");
    stage.sign_in("slow");
    connect_machines(stage.open(), 1..11);
    let ask = token_request(&format!("{MACHINE}/{}", label(5)));
    let mut engine = stage.open();
    engine.ask(&ask).expect_json();
    let (mut hanging, mut idle) = (Sample::default(), Sample::default());
    let mut block = |sample: &mut Sample| {
        for _ in 0..REQUESTS {
            assert_eq!(sample.time(|| engine.ask(&ask)).status, 200);
        }
    };
    for round in 0..ROUNDS {
        block(&mut idle);
        other.queue(Fault::Gate);
        scope(|scope| {
            for _ in 0..WAITING {
                let mut waiting = stage.open();
                scope.spawn(move || {
                    let refresh = request("POST", "/v1/connections/slow/refresh", None);
                    waiting.ask(&refresh).expect_json()
                });
            }
            let timeout = Duration::from_secs(10);
            assert!(other.wait_until(timeout, |log| {
                log.iter()
                    .filter(|request| request.fault == Some(Fault::Gate))
                    .count()
                    > round
            }));
            block(&mut hanging);
            other.release();
        });
    }
    vec![Row::ratio(
        "another connection's token while one provider hangs",
        &hanging,
        ("idle", &idle),
        1.5,
    )]
}
