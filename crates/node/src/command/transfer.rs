//! Contents of files: fetching them, stopping, making room.

use tenet_delivery::fetch::{Fetch, FetchState};

use super::{CommandError, Contents, Reply, TransferChange};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    /// Changes how contents stand; what stands so already is let be.
    pub(super) fn change_transfer(
        &mut self,
        of: Contents,
        change: TransferChange,
    ) -> Result<Reply, CommandError> {
        let fetches = self.contents(of)?;
        if change == TransferChange::Resume {
            let new = fetches.iter().filter(|fetch| !fetch.state.reserves());
            self.check_room(new.map(|fetch| fetch.size))?;
        }
        for fetch in fetches {
            self.change_fetch(&fetch, change)?;
        }
        self.must_last();
        Ok(Reply::Done)
    }

    fn change_fetch(&mut self, fetch: &Fetch, change: TransferChange) -> Result<(), CommandError> {
        use FetchState::{Offered, Paused, Wanted, Whole};
        let state = match (change, fetch.state) {
            (TransferChange::Resume, Offered | Paused) => Wanted,
            (TransferChange::Pause, Wanted) => Paused,
            (TransferChange::Cancel, Wanted | Paused) | (TransferChange::Remove, Whole) => {
                return Ok(self.drop_content(fetch.blob)?);
            }
            _ => return Ok(()),
        };
        Ok(self.put_fetch(&Fetch { state, ..*fetch })?)
    }

    /// How the contents that a person named stand.
    fn contents(&self, of: Contents) -> Result<Vec<Fetch>, CommandError> {
        match of {
            Contents::Message(id) => {
                self.message(id)?;
                Ok(self.fetches_of(id)?)
            }
            Contents::One(blob) => {
                let fetch = self.store.fetch(blob)?;
                let none = || CommandError::NotFound(format!("no message has the file {blob}"));
                Ok(vec![fetch.ok_or_else(none)?])
            }
        }
    }

    /// SET-3: refuses what a person asks for where the quota has no room for it.
    pub(super) fn check_room(&self, sizes: impl Iterator<Item = u64>) -> Result<(), CommandError> {
        let bytes = sizes.fold(0_u64, u64::saturating_add);
        if bytes == 0 || self.has_room(bytes, self.settings()?.quota) {
            return Ok(());
        }
        Err(CommandError::Refused(
            "the quota for files has no room for it; raise it with `tenet settings quota`, or make \
             room with `tenet files remove`"
                .into(),
        ))
    }
}
