//! The crate against servers on this machine that answer well, badly, by halves and not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authority;
mod ca_files;
mod canary;
mod device;
mod discovery;
mod failures;
mod host;
mod id_tokens;
mod kept;
mod mastodon;
mod par;
mod pasted;
mod proofs;
mod proxies;
mod redirect_errors;
mod redirects;
mod registration;
mod requests;
mod revocations;
mod server;
mod settings;
mod signed_id_tokens;
mod successes;
mod tls;
mod userinfos;
