//! A sign-in, from the first request to the stored tokens.

mod create_connection;
mod device;
mod exchange;
pub(crate) mod initialise;
mod loopback;
pub(crate) mod open_flows;
mod owner;
pub(crate) mod scheme_handler;
pub(crate) mod start;
mod start_by_name;
