use std::io::stderr;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Warnings and errors go to standard error. `TOKENRY_LOG` asks for more, by level or by crate:
/// `debug`, `warn,tokenry_engine=debug`.
pub(crate) fn start() {
    let wanted = std::env::var("TOKENRY_LOG")
        .ok()
        .and_then(|text| text.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let lines = fmt::layer().with_writer(stderr).with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
}
