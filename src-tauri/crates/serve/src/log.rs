use std::io::stderr;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Warnings and errors go to standard error, and a line for each request that ended with an error, with its id.
/// `TOKENRY_LOG` asks for more or less, by level or by crate: `debug`, `warn,tokenry_engine=debug`.
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
