//! Bringing a device of mine what it lacks: the sessions where most happened lately first, and how far it is.
//!
//! ```text
//! frontiers ── what either lacks ──▶ newest session first, as much as one window holds ──▶ acknowledged ──▶ the next
//! ```
//!
//! What is said meanwhile goes beside it at once. Within a session events come in the order of their causes, so
//! oldest first: none can be taken before what it builds on.

use std::collections::BTreeMap;

use tenet_identity::keys::DeviceId;
use tenet_log::{
    clock::Hlc,
    ids::{Author, SessionId},
    session::Session,
    sync::{HeadEntry, Tag, WINDOW_BYTES, WINDOW_EVENTS},
};

use super::Engine;
use crate::{
    connection::{Ready, Share},
    input::{ConnId, Notice},
    storage::Storage,
};

/// After how long without an acknowledgement a session does not hold back others, in milliseconds.
///
/// A guess: longer than a line of 512 KiB takes at 100 KB/s; a session whose other end waits for something does
/// not hold back the rest for long.
const STALLED_MS: u64 = 10_000;

/// How many events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// That came, or were acknowledged.
    pub done: u64,
    /// That were lacking when both compared.
    pub total: u64,
}

/// One session on a connection between two devices of mine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bringing {
    coming: Progress,
    going: Progress,
    /// Whether they have not all yet of what they lacked.
    behind: bool,
    /// When something was last said in the session.
    active: Hlc,
    /// When they last acknowledged something, or were compared with, in Unix milliseconds.
    moved: u64,
}

impl Progress {
    fn of(total: u64) -> Self {
        Self { done: 0, total }
    }

    /// What it is to whoever saw how far it was before: comparing anew is no beginning.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        if before.done >= before.total {
            return self;
        }
        let lacking = self.total.saturating_sub(self.done);
        let total = before.total.max(lacking);
        Self {
            done: total.saturating_sub(lacking),
            total,
        }
    }

    /// So many more; whether that is worth telling.
    fn add(&mut self, more: u64) -> bool {
        let before = *self;
        self.done = self.done.saturating_add(more).min(self.total);
        *self != before
    }
}

impl Bringing {
    /// Whether they have not all yet of what they lacked.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Both have said what they hold.
    fn compared(session: &Session, heads: &[HeadEntry], now: u64) -> Self {
        let theirs = chains(heads.iter().map(|head| (head.author, head.seq)));
        let ours = chains(
            session
                .frontier()
                .heads()
                .map(|head| (head.author, head.seq)),
        );
        let going = lacking(&ours, &theirs);
        Self {
            coming: Progress::of(lacking(&theirs, &ours)),
            going: Progress::of(going),
            behind: going > 0,
            active: last_said(session),
            moved: now,
        }
    }
}

/// When something was last said in a session, by whoever; that a device came in says nothing.
fn last_said(session: &Session) -> Hlc {
    let heads = session.frontier().heads();
    let said = heads.map(|head| match head.seq {
        0 => Hlc::from_millis(0),
        _ => head.time,
    });
    said.max().unwrap_or_default()
}

/// How many events each chain has.
fn chains(heads: impl Iterator<Item = (Author, u64)>) -> BTreeMap<Author, u64> {
    let mut chains = BTreeMap::new();
    for (author, seq) in heads {
        let events: &mut u64 = chains.entry(author).or_default();
        *events = seq.saturating_add(1).max(*events);
    }
    chains
}

/// How many events of some chains others lack.
fn lacking(these: &BTreeMap<Author, u64>, those: &BTreeMap<Author, u64>) -> u64 {
    let of = |author| those.get(author).copied().unwrap_or_default();
    let missing = these
        .iter()
        .map(|(author, events)| events.saturating_sub(of(author)));
    missing.fold(0, u64::saturating_add)
}

/// Whether something of these chains is not here.
pub(super) fn is_behind(session: &Session, heads: &[HeadEntry]) -> bool {
    let theirs = chains(heads.iter().map(|head| (head.author, head.seq)));
    let ours = session.frontier().heads();
    let ours = chains(ours.map(|head| (head.author, head.seq)));
    lacking(&theirs, &ours) > 0
}

impl<S: Storage> Engine<S> {
    /// The other end says what it holds; between devices of mine it is noted how much is to be brought.
    pub(super) fn note_compared(&mut self, now: u64, conn: ConnId, tag: Tag, heads: &[HeadEntry]) {
        let Some(session) = self.shared_with_mine(conn, tag) else {
            return;
        };
        let Some(state) = self.sessions.get(&session) else {
            return;
        };
        let mut bringing = Bringing::compared(state, heads, now);
        let Some(share) = self.share(conn, tag) else {
            return;
        };
        bringing.coming = bringing.coming.after(share.bringing.coming);
        bringing.going = bringing.going.after(share.bringing.going);
        let (coming, going) = (bringing.coming, bringing.going);
        share.bringing = bringing;
        self.tell_bringing(conn, session, true, coming);
        self.tell_bringing(conn, session, false, going);
    }

    /// Events of theirs are here, whether they were already or not.
    pub(super) fn note_brought(&mut self, conn: ConnId, tag: Tag, events: u64) {
        let Some(session) = self.shared_with_mine(conn, tag) else {
            return;
        };
        let Some(share) = self.share(conn, tag) else {
            return;
        };
        if share.bringing.coming.add(events) {
            let coming = share.bringing.coming;
            self.tell_bringing(conn, session, true, coming);
        }
    }

    /// They have acknowledged events of ours.
    pub(super) fn note_arrived(&mut self, now: u64, conn: ConnId, tag: Tag, events: u64) {
        let Some(session) = self.shared_with_mine(conn, tag) else {
            return;
        };
        let Some(share) = self.share(conn, tag).filter(|_| events > 0) else {
            return;
        };
        share.bringing.moved = now;
        if share.bringing.going.add(events) {
            let going = share.bringing.going;
            self.tell_bringing(conn, session, false, going);
        }
    }

    /// The sessions among my devices, if one of those is behind somewhere.
    pub(super) fn brought_first(&self) -> Vec<SessionId> {
        let ready = self.connections.0.values().filter_map(|one| one.ready());
        let mut stirred = ready.filter(|ready| ready.stirred);
        match stirred.any(|ready| ready.shares.values().any(|share| share.bringing.behind)) {
            true => self.own_sessions(),
            false => Vec::new(),
        }
    }

    /// When something was last said in a session.
    pub(super) fn last_active(&self, session: SessionId) -> Hlc {
        self.sessions
            .get(&session)
            .map(last_said)
            .unwrap_or_default()
    }

    fn shared_with_mine(&self, conn: ConnId, tag: Tag) -> Option<SessionId> {
        let ready = self.connections.0.get(&conn)?.ready()?;
        let mine = ready.identity == self.own.identity();
        let share = ready.shares.get(&tag).filter(|_| mine)?;
        Some(share.session)
    }

    fn tell_bringing(
        &mut self,
        conn: ConnId,
        session: SessionId,
        coming: bool,
        progress: Progress,
    ) {
        let device: Option<DeviceId> = self.device_on(conn);
        if let Some(device) = device {
            self.notify(Notice::Bringing {
                device,
                session,
                coming,
                progress,
            });
        }
    }
}

/// Whether a share is to be looked at when a batch ends.
pub(super) fn may_send(share: &Share) -> bool {
    share.dirty || share.bringing.behind
}

/// The shares of a connection that may have something to send, in the order in which they do: first those that
/// are not behind. Where some are, all of them, for what is under way of others.
pub(super) fn in_turn(ready: &Ready, own: &[SessionId]) -> Vec<Tag> {
    let shares = ready.shares.iter();
    let mut tags: Vec<_> = shares.filter(|(_, it)| may_send(it)).collect();
    if !tags.iter().any(|(_, share)| share.bringing.behind) {
        return tags.into_iter().map(|(tag, _)| *tag).collect();
    }
    tags.sort_by_key(|(_, share)| {
        let bringing = &share.bringing;
        let first = !bringing.behind || own.contains(&share.session);
        (!first, std::cmp::Reverse(bringing.active))
    });
    tags.into_iter().map(|(tag, _)| *tag).collect()
}

/// What may be under way on a connection to devices that lack much, all sessions together.
#[derive(Default)]
pub(super) struct Window {
    events: usize,
    bytes: usize,
    held_back: bool,
}

impl Window {
    /// Whether a session has to wait for others that come before it.
    pub(super) fn holds_back(&mut self, share: &Share) -> bool {
        let full = self.events >= WINDOW_EVENTS || self.bytes >= WINDOW_BYTES;
        let waits = full && share.bringing.behind;
        self.held_back |= waits;
        waits
    }

    /// A session has put under way what it can; `all` of what the other end lacked is there.
    pub(super) fn take(&mut self, share: &mut Share, all: bool, now: u64) {
        let bringing = &mut share.bringing;
        bringing.behind &= !all;
        let stalled = now.saturating_sub(bringing.moved) >= STALLED_MS;
        if bringing.behind && !stalled {
            let (events, bytes) = match share.peer.is_compared() {
                true => share.peer.under_way(),
                // It is compared anew, and goes on in a moment.
                false => (WINDOW_EVENTS, WINDOW_BYTES),
            };
            self.events += events;
            self.bytes += bytes;
        }
    }

    /// When to look again, in Unix milliseconds, if something waits.
    pub(super) fn again(&self, now: u64) -> Option<u64> {
        self.held_back.then(|| now.saturating_add(STALLED_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NODE-902
    #[test]
    fn comparing_anew_goes_on_where_it_was() {
        let of = |done, total| Progress { done, total };
        assert_eq!(of(0, 7).after(of(0, 0)), of(0, 7));
        assert_eq!(of(0, 138).after(of(123, 261)), of(123, 261));
        assert_eq!(of(0, 140).after(of(123, 261)), of(121, 261));
        assert_eq!(of(0, 300).after(of(123, 261)), of(0, 300));
        assert_eq!(of(0, 5).after(of(261, 261)), of(0, 5));
    }
}
