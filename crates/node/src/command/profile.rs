//! What a person says of themselves.

use super::{CommandError, Reply};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    pub(super) fn change_profile(
        &mut self,
        now: u64,
        name: Option<String>,
        status: Option<String>,
        picture: Option<Option<Vec<u8>>>,
    ) -> Result<Reply, CommandError> {
        let mut profile = self.profile();
        if let Some(name) = name {
            profile.name = name.trim().to_owned();
        }
        if let Some(status) = status {
            profile.status = status.trim().to_owned();
        }
        if let Some(picture) = picture {
            profile.picture = picture;
        }
        profile
            .check()
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        if profile != self.profile() {
            self.must_last();
            self.set_profile(now, profile)?;
        }
        Ok(Reply::Done)
    }
}
