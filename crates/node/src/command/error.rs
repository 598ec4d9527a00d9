//! Why something could not be done.

use tenet_log::{session::AppendError, store::StoreError};

use crate::engine::Fault;

/// Why something could not be done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such thing or person.
    #[error("{0}")]
    NotFound(String),
    /// It was asked for in a way that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// It is not allowed.
    #[error("{0}")]
    Refused(String),
    /// It could not be stored.
    #[error("not stored: {0}")]
    NotStored(String),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::NotStored(error.to_string())
    }
}

impl From<AppendError> for CommandError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Store(error) => error.into(),
            AppendError::NotOnRoster | AppendError::Refused | AppendError::Forked => {
                Self::Refused(error.to_string())
            }
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<Fault> for CommandError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error.into(),
            fault => Self::Refused(fault.to_string()),
        }
    }
}
