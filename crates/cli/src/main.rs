//! The `tenet` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tenet_cli::run()
}
