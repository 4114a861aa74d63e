//! The log: to standard error, lines for people or JSON objects.
//!
//! What happens inside the libraries is told by them only from [`LogLevel::Info`] on: below that,
//! they would quote what passes through a tunnel.

use std::io::{self, IsTerminal};

use tracing::Metadata;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{LogFormat, LogLevel};

/// Starts the log.
pub fn start(format: LogFormat, level: LogLevel) {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => Box::new(lines.with_ansi(io::stderr().is_terminal()).with_target(false)),
        LogFormat::Json => Box::new(lines.json().flatten_event(true)),
    };
    let filter = LevelFilter::from(level).and(filter_fn(is_told));
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// Whether something may be in the log at all.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let own = metadata.target().split("::").next() == Some(env!("CARGO_PKG_NAME"));
    own || *metadata.level() <= tracing::Level::INFO
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
