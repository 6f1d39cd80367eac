//! The log on standard error.

use std::io::stderr;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Logs warnings, errors, and a line with the id of each request that failed. `TOKENRY_LOG` sets the level, also for
/// each crate: `debug`, `warn,tokenry_engine=debug`.
pub(crate) fn start() {
    let wanted = std::env::var("TOKENRY_LOG")
        .ok()
        .and_then(|text| text.parse::<Targets>().ok());
    let usual = || {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("tokenry_api", LevelFilter::INFO)
    };
    let filter = wanted.unwrap_or_else(usual);
    let lines = fmt::layer().with_writer(stderr).with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
}
