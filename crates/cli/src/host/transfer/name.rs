//! What a person means by an id: a message's files, or one content by its hash.

use tenet_delivery::fetch::Fetches;
use tenet_log::ids::BlobId;
use tenet_node::command;
use tenet_rpc::api;
use tenet_store::Store;

use super::super::{
    naming::{self, Name},
    shared::failed,
};

/// Contents by the id of a message or a hash, or by a beginning of either (`CLI-10`).
pub(in super::super) struct Contents(Name);

impl Contents {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A usage error, where it can be neither.
    pub(in super::super) fn read(text: &str) -> Result<Self, api::Error> {
        naming::read(text).map(Self)
    }

    /// What it names.
    ///
    /// # Errors
    /// Not found, or a usage error where several begin so.
    pub(in super::super) fn find(&self, store: &Store) -> Result<command::Contents, api::Error> {
        let (first, last) = self.0.range();
        let (first, last) = (
            BlobId::from(*first.as_bytes()),
            BlobId::from(*last.as_bytes()),
        );
        let found = store.fetches_between(first, last, 2).map_err(failed)?;
        match (found.as_slice(), self.0.find(store)) {
            ([], message) => Ok(command::Contents::Message(message?)),
            ([blob], Err(error)) if error.kind == api::Kind::NotFound => {
                Ok(command::Contents::One(*blob))
            }
            // A whole hash is never looked up as a message's id.
            ([blob], Ok(_)) if matches!(self.0, Name::Whole(_)) => {
                Ok(command::Contents::One(*blob))
            }
            _ => Err(api::Error::usage(
                "several messages or files begin so; give more of the id",
            )),
        }
    }
}
