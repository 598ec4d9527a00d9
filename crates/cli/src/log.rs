//! The log, on stderr or in a file: what the program does, never what people say, their names or keys (`HOME-11`).

mod rotating;

use std::io::{self, IsTerminal};

use rotating::Rotating;
use tenet_rpc::api::Error;
use tracing_subscriber::EnvFilter;

use crate::args::{Global, LogFormat};
use crate::failure::Outcome;

/// Our own crates; the others speak only of errors until much is asked for.
const OURS: &[&str] = &[
    "tenet_cli",
    "tenet_net",
    "tenet_node",
    "tenet_rpc",
    "tenet_store",
];

/// Starts logging: as much as `-v` says, else `TENET_LOG` (in the form of `RUST_LOG`), else the home's configuration.
///
/// # Errors
/// The log file cannot be written.
pub(crate) fn start(global: &Global, level: Option<&str>) -> Outcome {
    let filter = chosen(global.verbose, level);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    // A second start in one process (a test's) keeps the first log.
    let format = global.log_format.unwrap_or(LogFormat::Text);
    let _ = match (&global.log_file, format) {
        (Some(path), format) => {
            let file = Rotating::open(path).map_err(|error| {
                Error::failure(format!("cannot write the log {}: {error}", path.display()))
            })?;
            let subscriber = subscriber.with_writer(file).with_ansi(false);
            match format {
                LogFormat::Text => subscriber.try_init(),
                LogFormat::Json => subscriber.json().try_init(),
            }
        }
        (None, format) => {
            // NO_COLOR: any value but the empty one (no-color.org).
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let subscriber = subscriber
                .with_writer(io::stderr)
                .with_ansi(io::stderr().is_terminal() && !plain);
            match format {
                LogFormat::Text => subscriber.try_init(),
                LogFormat::Json => subscriber.json().try_init(),
            }
        }
    };
    Ok(())
}

/// What the environment says about the log, if it can be followed.
pub(crate) fn from_environment() -> Option<EnvFilter> {
    EnvFilter::try_from_env("TENET_LOG").ok()
}

/// What a level of the configuration means: a word for our own crates, or anything that `RUST_LOG` takes.
pub(crate) fn directives(level: &str) -> Option<EnvFilter> {
    match level {
        "warn" => Some(filter(0)),
        "info" => Some(filter(1)),
        "debug" => Some(filter(2)),
        "trace" => Some(filter(3)),
        other => EnvFilter::try_new(other).ok(),
    }
}

fn chosen(verbose: u8, level: Option<&str>) -> EnvFilter {
    match verbose {
        0 => from_environment()
            .or_else(|| directives(level?))
            .unwrap_or_else(|| filter(0)),
        verbose => filter(verbose),
    }
}

fn filter(verbose: u8) -> EnvFilter {
    let (ours, others) = match verbose {
        0 => ("warn", "off"),
        1 => ("info", "error"),
        2 => ("debug", "warn"),
        _ => ("trace", "info"),
    };
    let ours = OURS.iter().map(|name| format!("{name}={ours}"));
    EnvFilter::new(
        std::iter::once(others.to_owned())
            .chain(ours)
            .collect::<Vec<_>>()
            .join(","),
    )
}
