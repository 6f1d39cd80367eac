//! Tokens for an app with a grant, for one client and for many.

use crate::bare::Bare;
use crate::http::{Kept, request};
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label, text, token_request_of};
use serde_json::json;
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::thread::scope;
use std::time::{Duration, Instant};
use tokenry_testkit::http::Response;

const ROUNDS: usize = 20;
/// How many requests of a client are timed as one.
const REQUESTS: usize = 500;
const CLIENTS: [usize; 2] = [1, 8];
/// The size of a store after years of use.
const CONNECTIONS: usize = 100_000;
const EVENTS: usize = 1_000_000;
const MAX_CLIENTS: usize = 8;

/// An app and what it was granted, with policy and activity log, beside a bare route that answers a constant.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..11);
    let ask = granted(&stage);
    let bare = Bare::start();
    let size = stage.open().ask(&ask).body.len();
    let ask_constant = request("POST", &format!("/constant/{size}"), None);
    let mut rows = Vec::new();
    for clients in CLIENTS {
        let (mut ours, mut other) = (Sample::default(), Sample::default());
        let mut engines: Vec<_> = (0..clients).map(|_| stage.open()).collect();
        let mut routes: Vec<_> = (0..clients).map(|_| Kept::unix(&bare.socket())).collect();
        for _ in 0..ROUNDS {
            ours.push(each(&mut engines, &ask));
            other.push(each(&mut routes, &ask_constant));
        }
        let what = format!("a granted token with policy and log, {}", people(clients));
        let note = format!(
            "{:.0} and {:.0} a second",
            1e3 / ours.median(),
            1e3 / other.median()
        );
        rows.push(Row::ratio(&what, &ours, ("a constant of the same size", &other), 2.0).note(&note));
    }
    rows
}

/// The slowest of a hundred, with a store that holds very much.
pub(crate) fn measure_full() -> Vec<Row> {
    let stage = Stage::filled(CONNECTIONS);
    let ask = granted(&stage);
    let mut engines: Vec<_> = (0..MAX_CLIENTS).map(|_| stage.open()).collect();
    // Each hand-out is a line of the log.
    for _ in 0..EVENTS / (REQUESTS * MAX_CLIENTS) {
        each(&mut engines, &ask);
    }
    CLIENTS
        .map(|clients| {
            let times = one_by_one(&mut engines[..clients], &ask);
            let what = format!(
                "a granted token, 100,000 connections and a million events, {}: 99 of 100",
                people(clients)
            );
            Row::slowest(&what, &times, 0.99, 5.0)
        })
        .into()
}

fn people(clients: usize) -> String {
    match clients {
        1 => "1 client".to_owned(),
        many => format!("{many} clients"),
    }
}

/// Registers an app that may have the token of one connection, and gives its request for that.
fn granted(stage: &Stage) -> Vec<u8> {
    let connection = format!("{MACHINE}/{}", label(5));
    let mut engine = stage.open();
    let mut send = |path: &str, body| engine.ask(&request("POST", path, Some(&body))).expect_json();
    let app = send("/v1/apps", json!({"name": "script"}));
    send(
        "/v1/grants",
        json!({"app": "script", "scopes": ["tokens:read"], "connections": [connection]}),
    );
    let ask = token_request_of(&connection, Some(text(&app, "token")));
    stage.open().ask(&ask).expect_json();
    ask
}

/// All clients ask so many times at once. Gives the time for one request of all of them together.
fn each(clients: &mut [Kept<UnixStream>], ask: &[u8]) -> Duration {
    let count = u32::try_from(clients.len() * REQUESTS).unwrap();
    let start = Barrier::new(clients.len() + 1);
    let all = scope(|scope| {
        for client in &mut *clients {
            scope.spawn(|| {
                start.wait();
                for _ in 0..REQUESTS {
                    served(&client.ask(ask));
                }
            });
        }
        start.wait();
        Instant::now()
    });
    all.elapsed() / count
}

/// All clients ask at once, and each of their requests is timed.
fn one_by_one(clients: &mut [Kept<UnixStream>], ask: &[u8]) -> Sample {
    let times: Vec<Duration> = scope(|scope| {
        let running: Vec<_> = clients
            .iter_mut()
            .map(|client| {
                scope.spawn(|| {
                    let timed = |_| {
                        let began = Instant::now();
                        served(&client.ask(ask));
                        began.elapsed()
                    };
                    (0..ROUNDS * REQUESTS).map(timed).collect::<Vec<_>>()
                })
            })
            .collect();
        running
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    times.into_iter().collect()
}

fn served(reply: &Response) {
    assert_eq!(reply.status, 200, "{}", reply.body);
}
