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

/// Starts logging; `TENET_LOG` (in the form of `RUST_LOG`) overrides `-v`.
///
/// # Errors
/// The log file cannot be written.
pub(crate) fn start(global: &Global) -> Outcome {
    let filter = EnvFilter::try_from_env("TENET_LOG").unwrap_or_else(|_| filter(global.verbose));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    // A second start in one process (a test's) keeps the first log.
    let _ = match (&global.log_file, global.log_format) {
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
