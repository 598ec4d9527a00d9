//! The log on stderr: what the program does, never what people say, their names or keys (`HOME-11`).

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::args::{Global, LogFormat};

/// Our own crates; the others speak only of errors until much is asked for.
const OURS: &[&str] = &[
    "tenet_cli",
    "tenet_net",
    "tenet_node",
    "tenet_rpc",
    "tenet_store",
];

/// Starts logging; `TENET_LOG` (in the form of `RUST_LOG`) overrides `-v`.
pub(crate) fn start(global: &Global) {
    let filter = EnvFilter::try_from_env("TENET_LOG").unwrap_or_else(|_| filter(global.verbose));
    // NO_COLOR: any value but the empty one (no-color.org).
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !plain);
    // A second start in one process (a test's) keeps the first log.
    let _ = match global.log_format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
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
