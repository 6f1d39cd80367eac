//! The engine in this process, against a provider that misbehaves on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod apps;
mod common;
mod consent;
mod credential_callers;
mod credential_expiry;
mod credentials;
mod disconnect;
mod flows;
mod hostile_answers;
mod initialise;
mod keyring;
mod narrowing;
mod narrowing_refused;
mod providers;
mod refresh_answers;
mod refresh_end;
mod refresh_failures;
mod refresh_lost;
mod restart;
mod scheduler;
mod secrets;
mod single_flight;
mod start;
mod tampering;
