//! The OAuth 2 protocol: one file per grant or RFC. It builds requests, sends them, and judges answers.
//!
//! What must never be true of this crate: that it stores anything; that it follows a redirect; that it sends a request
//! a second time, except with a nonce that the server demands (`use_dpop_nonce`, RFC 9449 §8); that a secret goes to an
//! address other than the one in the provider or the flow; that something other than a well-formed `invalid_grant` is
//! reported as one; that a secret shows in an error or in `Debug`.
//!
//! Of the packages of the engine, it alone names `reqwest`. Requests are built by the `oauth2` crate; answers are judged here,
//! because servers in the wild answer in more ways than that crate reads, and because its parse error shows the body.
#![deny(missing_docs)]

mod account;
mod answer;
pub mod authorization_code;
mod authorize_address;
pub mod basic;
pub mod ca_file;
pub mod captures;
mod client_assertion;
mod client_auth;
pub mod client_credentials;
mod clients;
mod coding;
pub mod device;
pub mod discovery;
pub mod dpop;
mod error;
pub mod exchange_step;
mod expiry;
mod failure;
pub mod form;
mod http;
mod id_token;
pub mod introspection;
pub mod issuer;
mod jose;
mod json;
mod jwks;
mod outbound;
pub mod par;
mod paths;
pub mod pkce;
pub mod probe;
mod proxy;
mod random;
pub mod redirect;
pub mod refresh;
mod refresh_expiry;
pub mod registration;
mod request;
mod response;
pub mod revocation;
mod send;
mod servers;
mod signed_claims;
pub mod token_exchange;
pub mod userinfo;
mod words;

pub use answer::{Answer, Complaint};
pub use error::Error;
pub use failure::{Failure, Refusal};
pub use http::Http;
pub use jose::SigningKey;
pub use outbound::Network;
pub use proxy::Proxies;
pub use random::fresh;
pub use refresh_expiry::Lifetime;
pub use signed_claims::{Expected, IdToken, checked as checked_id_token, id_token_end};
