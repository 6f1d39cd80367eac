//! The operations and their doors, from outside: a real engine, a provider on loopback, real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod apps;
mod callers;
mod connections;
mod credentials;
mod document;
mod engine;
mod errors;
mod flows;
mod furnished;
mod hostile;
mod loopback;
mod loopback_hostile;
mod narrowing;
mod oauth;
mod oauth_flow;
mod other_user;
mod providers;
mod reading;
mod reference;
mod socket;
mod socket_file;
mod socket_kept;
mod support;
mod versori;
mod window;
