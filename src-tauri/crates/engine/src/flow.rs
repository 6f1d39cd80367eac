//! A sign-in, from the first request to the stored tokens.

pub(crate) mod create_connection;
pub(crate) mod exchange;
pub(crate) mod initialise;
mod loopback;
pub(crate) mod open_flows;
pub(crate) mod owner;
pub(crate) mod scheme_handler;
pub(crate) mod start;
pub(crate) mod start_by_name;
