//! How a command ends that did not do what was asked.

use std::io;
use std::process::ExitCode;

use tenet_rpc::api::{self, Kind};
use tenet_rpc::client::{CallError, ConnectError};

use crate::home;
use crate::output::shown;

/// Why a command ends early, or ends well and yet not with 0.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// Something to say on stderr; its kind is the exit code (`CLI-2`).
    Error(api::Error),
    /// Everything is said already; exit 1.
    Said,
    /// Nobody reads stdout any more: no failure of ours.
    Pipe,
}

/// What a command comes to.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Says what there is to say, and with which code the program ends.
pub(crate) fn end(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::Pipe) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::Error(error)) => {
            crate::output::note(&format!("tenet: {}", shown(&error.message)));
            ExitCode::from(error.kind.exit_code())
        }
    }
}

impl Failure {
    /// A mistake in what was typed.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Error(api::Error::usage(message))
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        Self::Error(error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Error(error.into())
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::Error(error.into())
    }
}

impl From<home::Error> for Failure {
    fn from(error: home::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        Self::Error(api::Error::failure(format!(
            "the system gives no random bytes: {error}"
        )))
    }
}

/// Of stdin and stdout; everything else has errors of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Error(api::Error::new(Kind::Failure, error.to_string())),
        }
    }
}
