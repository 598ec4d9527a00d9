//! Finding out what each side lacks.

use std::collections::VecDeque;

use super::{
    HeadEntry, Message, Peer, RangeEntry, RegisterEntry, Within,
    holdings::Holdings,
    summary::{self, Claim, Summary},
};
use crate::{
    session::Session,
    store::{LogStore, Position, StoreError},
};

/// Up to how many chains and registers are named at once. So many heads are what a new connection sends before it
/// hears anything (ten packets, RFC 6928); with more one round trip of digests costs less.
pub(super) const AT_ONCE: usize = 128;

/// How often one comparison may begin anew without anything having come of it (SYNC-9). A guess: an honest
/// device needs one; the bound is against those that ask for ever.
const MAX_RESTARTS: u8 = 8;

impl Peer {
    /// The other side's digest: the same as ours was, or a reason to say what we hold (SYNC-2).
    ///
    /// Both sides compare the two digests that were said, so both find the same, whatever came
    /// meanwhile. A second digest says nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on_digest<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        theirs: [u8; 32],
    ) -> Result<Option<Message>, StoreError> {
        let Some(opened) = self.opened.take() else {
            return Ok(None);
        };
        if opened.summary.digest() != theirs {
            let summary = self.said.insert(opened.summary);
            // Who may hear nothing first asks for all by holding nothing.
            return match self.part.hears_first() || summary.len() > self.at_once {
                true => Ok(Some(Message::Ranges(summary.ranges()))),
                false => self.tell_frontier(session, store, None),
            };
        }
        if self.cursor.is_none() {
            self.agreed = opened.summary.heads().collect();
            self.theirs = Holdings::ours(&self.agreed, session.forks());
            self.cursor = Some(opened.position);
            self.compared = opened.position;
        }
        Ok(None)
    }

    /// What they hold durably, where the digests just heard were equal: what we held when we said ours, whatever
    /// has come since. Once.
    pub fn agreed(&mut self) -> Vec<HeadEntry> {
        std::mem::take(&mut self.agreed)
    }

    /// The digests of which the other side's is made: says what we hold where they are others than ours were
    /// (SYNC-1701).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on_ranges<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        theirs: &[RangeEntry],
    ) -> Result<Option<Message>, StoreError> {
        let Some(summary) = self.said.as_ref().filter(|_| !self.told) else {
            return Ok(None);
        };
        let within = summary.differing(theirs);
        self.tell_frontier(session, store, Some(within))
    }

    /// Says what we hold, once, and once more for every gap.
    fn tell_frontier<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        within: Option<Within>,
    ) -> Result<Option<Message>, StoreError> {
        if self.part.hears_first() || std::mem::replace(&mut self.told, true) {
            return Ok(None);
        }
        let summary = self.part.summed_up(session, store)?;
        Ok(Some(summary::frontier(session, &summary, within)))
    }

    /// Something that they sent builds on what we lack: says again what we hold (SYNC-6).
    ///
    /// `None` until they have answered, and when that was said too often without use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on_gap<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
    ) -> Result<Option<Message>, StoreError> {
        if self.gap || self.gaps >= MAX_RESTARTS {
            return Ok(None);
        }
        self.gap = true;
        self.gaps += 1;
        self.told = false;
        self.tell_frontier(session, store, None)
    }

    /// All that they say to hold: what they named of some ranges, and what was held here of the others when the
    /// digests were said.
    pub fn claim(
        &self,
        heads: Vec<HeadEntry>,
        versions: Vec<RegisterEntry>,
        within: Option<&Within>,
    ) -> Claim {
        let claim = Claim { heads, versions };
        match (within, &self.said) {
            (Some(within), Some(said)) => said.completed(claim, within),
            _ => claim,
        }
    }

    /// What they hold: from here on we know what they lack.
    ///
    /// Gives our frontier, if they do not have it yet; then [`Self::pump`] gives what they lack.
    /// Where we had begun already they met a gap: an empty [`Message::Have`] tells them that what
    /// follows begins anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn on_frontier<S: LogStore>(
        &mut self,
        session: &Session,
        store: &S,
        claim: &Claim,
    ) -> Result<Vec<Message>, StoreError> {
        self.part.note(&claim.heads);
        let within = self.differing(claim);
        let frontier = self.tell_frontier(session, store, within)?;
        let mut messages: Vec<Message> = frontier.into_iter().collect();
        if self.cursor.is_some() {
            if self.restarts >= MAX_RESTARTS {
                return Ok(messages);
            }
            self.restarts += 1;
            messages.push(Message::Have(Vec::new()));
        }
        self.window.clear();
        let (theirs, first) = Holdings::claimed(session, store, &claim.heads, self.part.out())?;
        self.theirs = theirs;
        self.compared = store.last_position(self.session)?;
        self.cursor = Some(first.map_or(self.compared, |first| Position(first.0 - 1)));
        self.registers = match self.part.is_whole() {
            false => VecDeque::new(),
            true => summary::lacking(session, store, &claim.versions)?,
        };
        Ok(messages)
    }

    /// They named all at once, and we hold too much for that: of which ranges they are told.
    fn differing(&mut self, claim: &Claim) -> Option<Within> {
        let said = self.said.take().filter(|_| !self.told)?;
        let many = said.len() > self.at_once;
        many.then(|| said.differing(&Summary::of_claim(claim).ranges()))
    }
}
