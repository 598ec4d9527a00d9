//! Settings.

use tenet_apps::settings::Settings;

use super::{CommandError, Reply};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    pub(super) fn settings(&self) -> Result<Settings, CommandError> {
        Ok(self.store.settings()?)
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<Reply, CommandError> {
        let mut settings = self.settings()?;
        settings
            .set(name, value)
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        self.store.put_settings(&settings)?;
        self.tell_setting(&settings, name)?;
        self.heed_typing(&settings);
        self.must_last();
        Ok(Reply::Set)
    }
}
