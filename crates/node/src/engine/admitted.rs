//! What follows when an event enters a set: views, outbox, and whom to tell.

use std::collections::BTreeSet;

use tenet_apps::{
    chat::{
        edit,
        fold::{self, Change, Entry},
        unsend,
    },
    conversations,
};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    session::Admitted,
    standing::Standing,
    store::{LogStore, Position, StoreError},
};

use super::{Engine, Fault, erasure::message_of};
use crate::{
    input::{ConnId, Notice},
    storage::Storage,
};

/// Marks an event that this device wrote just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ours;

/// What is done once for all that an input brings: each of many operations may ask for it.
#[derive(Default)]
pub(super) struct Afterwards {
    /// On which connections to say anew which sessions are shared.
    pub(super) meet: BTreeSet<ConnId>,
    /// While events are taken in together: in which sessions something changed for who is in.
    rosters: Option<BTreeSet<SessionId>>,
}

/// Whom and what events are about that count otherwise than before.
#[derive(Default)]
struct Concerned {
    forked: BTreeSet<DeviceId>,
    messages: BTreeSet<EventId>,
    /// Of what counts no more.
    void: BTreeSet<EventId>,
}

impl<S: Storage> Engine<S> {
    /// Folds an event that was just taken in, and all whose standing changed by it.
    pub(crate) fn admitted(
        &mut self,
        now: u64,
        session: SessionId,
        event: &Event,
        admitted: Admitted,
        ours: Option<Ours>,
    ) -> Result<(), Fault> {
        self.must_last();
        self.index_soon(now);
        self.typed(session, event);
        self.note_body(now, event, admitted.standing.counts())?;
        self.give_awaited(event)?;
        if !event.is_expired(now) && !self.is_withheld(event) {
            self.fold(
                session,
                event,
                admitted.position,
                admitted.standing.counts(),
            )?;
        }
        self.refold(session, &admitted.changes)?;
        if !admitted.standing.counts() {
            self.erase_in_vain(event)?;
        }
        self.fold_conversation(session, event, &admitted)?;
        if ours.is_some() {
            self.has_looked(now, session);
            self.queue(session, event, admitted.position)?;
        } else if self.author_of(event) == Some(self.own.identity())
            && (admitted.standing.counts() || !self.bygone.contains(session))
        {
            self.queue_sisters(session, event, admitted.position)?;
        } else if self.bygone.is_told(session) {
            self.note_built_on(now, event)?;
        }
        if let Some(recent) = self.recent.get_mut(&session) {
            recent.events.push((admitted.position, event.clone()));
        }
        self.note_admitted(now, event, ours);
        self.connections.mark(session);
        if admitted.forked {
            // SYNC-8: who has the other history says so only when both compare.
            self.compare_anew(now, session);
        }
        if admitted.roster_changed {
            // With each step: whoever is out, in and out again in one go was shown what came between.
            self.settle_floor(now, session)?;
        }
        match &mut self.afterwards.rosters {
            Some(together) if admitted.roster_changed => {
                together.insert(session);
            }
            _ if admitted.roster_changed => self.roster_changed(now, session)?,
            _ => {}
        }
        if ours.is_none() && self.author_of(event) == Some(self.own.identity()) {
            self.on_own_words(now, event.author().device)?;
        }
        if !admitted.standing.counts() || !admitted.changes.is_empty() {
            self.say_again(now, session)?;
        }
        Ok(())
    }

    pub(super) fn fold(
        &mut self,
        session: SessionId,
        event: &Event,
        position: Position,
        counts: bool,
    ) -> Result<(), StoreError> {
        if !self.is_shown(session, event) {
            return Ok(());
        }
        let identity = self
            .sessions
            .get(&session)
            .and_then(|session| session.roster().identity(event.author()));
        let Some(identity) = identity else {
            return Ok(());
        };
        let entry = Entry {
            event,
            position,
            identity,
            counts,
        };
        let changes = fold::fold(&mut self.store, &entry)?;
        self.tell(&changes);
        self.note_files(&entry, &changes)
    }

    /// CHAT-1301: what is done to sessions of many is shown, and to others not.
    fn is_shown(&self, session: SessionId, event: &Event) -> bool {
        let many = || {
            let session = self.sessions.get(&session);
            session.is_some_and(|session| !session.roster().kind.is_closed())
        };
        !event.header().kind.is_roster() || many()
    }

    /// What I changed about a conversation: only the session among my own devices may say so.
    fn fold_conversation(
        &mut self,
        session: SessionId,
        event: &Event,
        admitted: &Admitted,
    ) -> Result<(), StoreError> {
        let is_change = event.header().kind.as_str() == conversations::KIND;
        if !(is_change || admitted.roster_changed || admitted.forked) {
            return Ok(());
        }
        let own = self.own_sessions();
        if !own.contains(&session) {
            return Ok(());
        }
        if !admitted.changes.is_empty() {
            conversations::refold(&mut self.store, &own)?;
        }
        let counts = admitted.standing.counts();
        if let Some(session) = conversations::fold(&mut self.store, event, counts)? {
            self.notify(Notice::Conversation { session });
        }
        Ok(())
    }

    /// A message with files is to be shown, or one was taken back or stands again.
    fn note_files(&mut self, entry: &Entry<'_>, changes: &[Change]) -> Result<(), StoreError> {
        let kind = entry.event.header().kind.as_str();
        if kind == unsend::KIND && entry.counts {
            self.note_erased_edits(entry.event, entry.identity)?;
        }
        // An edit may come after its message was taken back.
        let settles = [unsend::KIND, edit::KIND].contains(&kind);
        for change in changes {
            match *change {
                Change::Added {
                    message,
                    files: true,
                    ..
                } => self.settle_message(message)?,
                Change::Changed { message, .. } if settles => self.settle_message(message)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Events that came earlier count now, or no more.
    fn refold(&mut self, session: SessionId, changes: &[(EventId, Standing)]) -> Result<(), Fault> {
        let mut concerned = Concerned::default();
        for (id, _) in changes {
            self.refold_one(session, *id, &mut concerned)?;
        }
        for message in concerned.void {
            self.erase_all_in_vain(session, message)?;
        }
        // Each once, however much there is of it.
        for device in concerned.forked {
            self.notify(Notice::Forked { session, device });
        }
        for target in concerned.messages {
            let changes = fold::rebuild(&mut self.store, session, target)?;
            self.index_again(&changes)?;
            self.tell(&changes);
            if !changes.is_empty() {
                self.settle_message(target)?;
            }
        }
        Ok(())
    }

    fn refold_one(
        &mut self,
        session: SessionId,
        id: EventId,
        concerned: &mut Concerned,
    ) -> Result<(), Fault> {
        let Some(stored) = LogStore::event(&self.store, id)? else {
            return Ok(());
        };
        let author = stored.event.author();
        let state = self.sessions.get(&session);
        // Also of a chain whose beginning turned out to be void: what it said is to go again.
        let identity = state.and_then(|session| session.whose(author));
        let forked = state.is_some_and(|session| session.forked_devices().contains(&author.device));
        if forked {
            concerned.forked.insert(author.device);
        }
        // What was shown and taken back before it was not for us any more has its place still.
        let withheld = self.is_withheld(&stored.event);
        let unseen = withheld && self.store.message(id)?.is_none();
        if stored.event.is_expired(self.clock) || unseen {
            return Ok(());
        }
        if stored.event.is_bare() {
            let asks = stored.standing.counts() && self.asks_for(&stored.event);
            self.set_lacking(session, id, asks)?;
        }
        if !stored.standing.counts() {
            concerned.void.extend(message_of(&stored.event));
        }
        let Some(identity) = identity.filter(|_| self.is_shown(session, &stored.event)) else {
            return Ok(());
        };
        let entry = Entry {
            event: &stored.event,
            position: stored.position,
            identity,
            counts: stored.standing.counts(),
        };
        let (changes, target) = fold::restand(&mut self.store, &entry)?;
        concerned.messages.extend(target);
        self.index_again(&changes)?;
        self.tell(&changes);
        Ok(self.note_files(&entry, &changes)?)
    }

    pub(super) fn tell(&mut self, changes: &[Change]) {
        for change in changes {
            self.notify(match *change {
                Change::Added {
                    session, message, ..
                } => Notice::Message {
                    session,
                    id: message,
                },
                Change::Told { session, message } => Notice::Told {
                    session,
                    id: message,
                },
                Change::Changed { session, message } => Notice::Changed {
                    session,
                    id: message,
                },
                Change::Removed { session, message } => Notice::Gone {
                    session,
                    id: message,
                },
            });
        }
    }

    /// Of what is taken in together it is looked once at the end what came of all that for who is in: in a session of
    /// thousands that takes longer than the rest.
    pub(super) fn together(
        &mut self,
        now: u64,
        take: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.afterwards.rosters = Some(BTreeSet::new());
        let taken = take(self);
        let changed = self.afterwards.rosters.take().unwrap_or_default();
        // What is undone changed nothing; what comes before a connection is closed stays.
        if matches!(taken, Ok(()) | Err(Fault::Close(_))) {
            for session in changed {
                self.roster_changed(now, session)?;
            }
        }
        taken
    }

    /// Devices came or went.
    fn roster_changed(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        self.named.clear();
        self.settle_guests(session)?;
        let before = (self.devices.clone(), self.revoked.clone());
        let outside = self.outside.remove(&session).unwrap_or_default();
        self.index_revoked();
        if self.index_bygone(session)? {
            self.compare_anew(now, session);
            self.ask_sisters(now, session)?;
        }
        self.index_outside(session)?;
        self.note_seen(now, session)?;
        // How many are in decides to whom what is said is owed.
        self.index_crowd(session);
        self.settle_outbox(now, session)?;
        self.owe_endings(session, &outside)?;
        self.restrict_shares(now, session)?;
        self.index_devices()?;
        self.tell_devices(&before.0, &before.1)?;
        self.note_departure(session)?;
        if let Some(group) = self.group(session) {
            self.notify(Notice::Group(group));
        }
        self.want_the_changed(now, session)?;
        let ready = self.connections.0.iter();
        let ready = ready.filter_map(|(conn, one)| Some((*conn, one.ready()?)));
        let company = ready.filter(|(_, it)| self.is_company(it.identity, it.device));
        let conns: Vec<ConnId> = company.map(|(conn, _)| conn).collect();
        self.afterwards.meet.extend(conns);
        self.take_place(now, session)?;
        self.have_come_in(session)?;
        self.plan_handing_in(now);
        Ok(())
    }

    /// Says our digest of a session anew on every connection that shares it.
    pub(super) fn compare_anew(&mut self, now: u64, session: SessionId) {
        let shares = |conn: &ConnId| self.tag_of(*conn, session).is_some();
        let conns: Vec<ConnId> = self.connections.0.keys().copied().filter(shares).collect();
        for conn in conns {
            self.resume_at(conn, session, now);
        }
    }
}
