//! The engine in this process, against a provider that misbehaves on demand, by its public functions.
//!
//! They stand inside the crate because the tests beside the code share their support: a package of its own for that
//! would name the engine as a library and could not be used by the engine built for its tests.

mod accounts;
mod apps;
mod audit;
mod auto_lock;
mod backup;
mod client_auth;
mod clocks;
pub(crate) mod common;
mod consent;
mod credential_callers;
mod credential_expiry;
mod credentials;
mod cut_off;
mod device_flows;
mod disconnect;
mod floods;
mod flows;
mod hostile_answers;
mod id_tokens;
mod initialise;
mod keyring;
mod lifetimes;
mod links;
mod loopback_refusals;
mod narrowing;
mod narrowing_harm;
mod narrowing_refused;
mod older_copies;
mod opener;
mod presets;
mod providers;
mod quirks;
mod refresh_answers;
mod refresh_end;
mod refresh_failures;
mod refresh_kept;
mod refresh_lost;
mod refresh_refused;
mod rejected;
mod resources;
mod restart;
mod revocation;
mod salvage;
mod scheduler;
mod secrets;
mod single_flight;
mod slots;
mod start;
mod tampering;
mod unlock_requests;
mod vault_check;
mod vault_damage;
mod vault_lost;
mod while_locked;
