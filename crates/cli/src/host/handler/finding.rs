//! Requests about something that has to be found first, by its id or a beginning of it.

use std::sync::Arc;

use tenet_log::ids::EventId;
use tenet_node::command::{Command, TransferChange};
use tenet_rpc::{api, server::Pending};
use tenet_store::Store;
use tokio::sync::oneshot;

use super::{
    super::{
        naming::{self, Name},
        shared::CLOSING,
        transfer,
    },
    NodeHandler,
};

impl NodeHandler {
    /// A request about a message: done at once where the message is named in full, else by the
    /// reader, once the id with this beginning is found. The reader sees all that was answered.
    pub(in crate::host) fn naming(
        &self,
        name: &str,
        request: impl FnOnce(&Self, EventId) -> Pending + Send + 'static,
    ) -> Pending {
        match naming::read(name) {
            Ok(Name::Whole(id)) => request(self, id),
            Ok(Name::Beginning(beginning)) => {
                self.once_found(move |store| beginning.find(store), request)
            }
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// A change of contents, which are named by a message or by themselves.
    pub(super) fn transfer(&self, name: &str, change: TransferChange) -> Pending {
        match transfer::Contents::read(name) {
            Ok(contents) => self.once_found(
                move |store| contents.find(store),
                move |this, of| this.done(Command::Transfer { of, change }),
            ),
            Err(error) => Pending::ready(Err(error)),
        }
    }

    /// A request about something that the reader finds first.
    fn once_found<T: 'static>(
        &self,
        find: impl FnOnce(&Store) -> Result<T, api::Error> + Send + 'static,
        request: impl FnOnce(&Self, T) -> Pending + Send + 'static,
    ) -> Pending {
        let (asked, asking) = oneshot::channel();
        let this = Self(Arc::clone(&self.0));
        self.0.reader.read(move |store| {
            let pending = match find(store) {
                Ok(found) => request(&this, found),
                Err(error) => Pending::ready(Err(error)),
            };
            // Whoever asked may be gone: what was asked is done all the same.
            let _ = asked.send(pending);
        });
        Pending::future(async {
            match asking.await {
                Ok(pending) => pending.await,
                Err(_) => Err(api::Error::failure(CLOSING)),
            }
        })
    }
}
