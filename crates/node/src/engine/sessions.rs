//! Sessions in memory, and which devices are in them.

use std::collections::BTreeMap;

use tenet_log::{
    event::Event,
    ids::SessionId,
    roster::SessionKind,
    session::{AppendError, Receipt, Session},
    store::StoreError,
};

use super::{Acquaintance, Engine};
use crate::storage::Storage;

impl<S: Storage> Engine<S> {
    /// Reads all sessions anew: at the start, and after something was undone.
    pub(super) fn load_sessions(&mut self) -> Result<(), StoreError> {
        self.recent.clear();
        self.named.clear();
        let mut sessions = BTreeMap::new();
        for id in self.store.sessions()? {
            if let Some(session) = Session::load(&self.store, id)? {
                sessions.insert(id, session);
            }
        }
        self.sessions = sessions;
        self.load_blocked()?;
        self.load_profile()?;
        self.load_typing()?;
        self.index_devices()?;
        self.load_fetches()?;
        self.load_erasures()?;
        self.load_index()
    }

    /// Works out anew which devices are in which session; a session that we left counts for
    /// those who are still owed something, that we left above all (NODE-104).
    pub(super) fn index_devices(&mut self) -> Result<(), StoreError> {
        let mut devices: BTreeMap<_, Acquaintance> = BTreeMap::new();
        for (id, session) in &self.sessions {
            let left = session.roster().author(self.own.device()).is_none();
            for (author, membership) in session.roster().active() {
                let device = author.device;
                if device == self.own.device() || (left && !self.is_owed(device)?) {
                    continue;
                }
                let acquaintance = devices.entry(device).or_default();
                acquaintance.identity = Some(membership.identity);
                acquaintance.sessions.push(*id);
            }
        }
        self.devices = devices;
        self.strangers = true;
        self.fetching.stir();
        Ok(())
    }

    pub(super) fn session(&self, id: SessionId) -> Result<Option<&Session>, StoreError> {
        Ok(self.sessions.get(&id))
    }

    /// Offers an event to its session; `None` where there is no such session here.
    pub(super) fn receive(
        &mut self,
        now: u64,
        id: SessionId,
        event: &Event,
    ) -> Result<Option<Receipt>, StoreError> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(None);
        };
        session.receive(&mut self.store, event, now).map(Some)
    }

    /// Every identity has a session among its own devices, founded when it is first needed.
    pub(super) fn ensure_own_session(&mut self, now: u64) -> Result<(), StoreError> {
        if self.own_session().is_some() {
            return Ok(());
        }
        self.store.begin()?;
        let founded = Session::found(
            &mut self.store,
            &self.own.key,
            &self.own.card,
            SessionKind::Own,
            &[],
            now,
            &mut self.rng,
        );
        match founded {
            Ok((session, _)) => {
                self.store.commit(tenet_log::store::Durability::Power)?;
                self.sessions.insert(session.id(), session);
                Ok(())
            }
            Err(error) => {
                self.store.abandon()?;
                Err(match error {
                    AppendError::Store(error) => error,
                    // The card is another device's, say: without this session nothing goes on.
                    error => StoreError::Medium(Box::new(error)),
                })
            }
        }
    }

    /// The session among our own devices.
    pub fn own_session(&self) -> Option<SessionId> {
        self.sessions
            .iter()
            .find(|(_, session)| session.roster().kind == SessionKind::Own)
            .map(|(id, _)| *id)
    }
}
