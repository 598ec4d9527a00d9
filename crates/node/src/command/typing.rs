//! Letting others see that something is being written.

use super::{CommandError, Reply};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    pub(super) fn type_to(&mut self, now: u64, who: &str, on: bool) -> Result<Reply, CommandError> {
        let session = self.session_of(who)?;
        let told = self.say_typing(now, session, on);
        Ok(Reply::Typing { session, told })
    }
}
