//! Who is writing at this moment (NODE-401 to NODE-403): said to those who are there, kept by nobody.
//!
//! ```text
//! a person types ── not said just now ──▶ Frame::Typing ──▶ shown ──▶ a message, an end, or LIFE_MS: not any more
//! ```

use std::collections::BTreeMap;

use tenet_apps::{chat::text, settings::Settings};
use tenet_identity::keys::IdentityId;
use tenet_log::{event::Event, ids::SessionId, store::StoreError, sync::Tag};

use super::Engine;
use crate::{
    frame::Frame,
    input::{ConnId, Notice},
    storage::Storage,
};

/// How long somebody who has said that they type is believed to, in milliseconds.
///
/// More than two repetitions, so that one that comes late does no harm.
const LIFE_MS: u64 = 8_000;

/// How long what was said is not said again, in milliseconds.
const REPEAT_MS: u64 = 3_000;

/// How soon after a beginning that was shown another one is, in milliseconds: whoever says yes and no
/// in turns costs a notice a second.
const PAUSE_MS: u64 = 1_000;

/// Who types where.
#[derive(Default)]
pub(crate) struct Typing {
    /// The setting: whether anything of it is said and shown.
    on: bool,
    /// When this person said last that they type.
    said: BTreeMap<SessionId, u64>,
    /// What others say; at most one for each member of each session.
    heard: BTreeMap<(SessionId, IdentityId), Heard>,
}

/// What somebody says.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// When a notice last said that they type.
    since: u64,
    /// When they said it last; `None` once it has ended.
    last: Option<u64>,
}

impl Heard {
    /// Until when it is to be remembered.
    fn until(&self) -> u64 {
        let shown = self.last.map(|last| last.saturating_add(LIFE_MS));
        shown.unwrap_or(self.since.saturating_add(PAUSE_MS))
    }
}

impl Typing {
    /// How many others are remembered.
    pub(super) fn len(&self) -> usize {
        self.heard.len()
    }

    /// When somebody types no more.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.heard.values().map(Heard::until).min()
    }

    /// Somebody says that they type; whether that is news.
    fn begin(&mut self, now: u64, key: (SessionId, IdentityId)) -> bool {
        match self.heard.get_mut(&key) {
            Some(Heard {
                last: Some(last), ..
            }) => {
                *last = now;
                false
            }
            Some(ended) if now < ended.until() => false,
            _ => {
                let last = Some(now);
                self.heard.insert(key, Heard { since: now, last });
                true
            }
        }
    }

    /// Somebody types no more; whether that is news. That they did is remembered for [`PAUSE_MS`].
    fn end(&mut self, key: (SessionId, IdentityId)) -> bool {
        let heard = self.heard.get_mut(&key);
        heard.is_some_and(|heard| heard.last.take().is_some())
    }

    /// Forgets what has had its time; gives who types no more by that.
    fn expire(&mut self, now: u64) -> Vec<(SessionId, IdentityId)> {
        let (due, kept) = std::mem::take(&mut self.heard)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, heard)| heard.until() <= now);
        self.heard = kept;
        self.said.retain(|_, at| now < at.saturating_add(LIFE_MS));
        let due = due.into_iter().filter(|(_, heard)| heard.last.is_some());
        due.map(|(key, _)| key).collect()
    }
}

impl<S: Storage> Engine<S> {
    /// Whether typing is said and shown: at the start, and when that may have changed.
    pub(crate) fn load_typing(&mut self) -> Result<(), StoreError> {
        self.heed_typing(&self.store.settings()?);
        Ok(())
    }

    /// As these settings have it; once it is off, nobody is shown any more.
    pub(crate) fn heed_typing(&mut self, settings: &Settings) {
        self.typing.on = settings.typing;
        if !self.typing.on {
            self.typing.said.clear();
            self.typing_ends(|_, _| true);
        }
    }

    /// Tells whoever is there that this person types, or no more (NODE-401).
    ///
    /// Gives whether somebody is there, and the setting lets them know.
    pub(crate) fn say_typing(&mut self, now: u64, session: SessionId, on: bool) -> bool {
        let there = match self.typing.on && !self.has_left(session) {
            true => self.others_at(session),
            false => Vec::new(),
        };
        let told = !there.is_empty();
        let before = self.typing.said.get(&session).copied();
        // A clock that was set back is no reason to be silent.
        let lately =
            |span: u64| before.is_some_and(|at| at <= now && now < at.saturating_add(span));
        let news = match on {
            true => !lately(REPEAT_MS),
            false => lately(LIFE_MS),
        };
        if told && news {
            for (conn, ours) in there {
                self.send(conn, &Frame::Typing(ours, on));
            }
        }
        match on {
            true if told && news => drop(self.typing.said.insert(session, now)),
            false => drop(self.typing.said.remove(&session)),
            true => {}
        }
        told
    }

    /// Connections with devices of others in a session, and our tag for it on each.
    fn others_at(&self, session: SessionId) -> Vec<(ConnId, Tag)> {
        let mut there = Vec::new();
        for (conn, connection) in &self.connections.0 {
            let Some(ready) = connection.ready() else {
                continue;
            };
            if ready.identity == self.own.identity()
                || !self.may_hear(ready.identity, ready.device, session)
            {
                continue;
            }
            let mut shares = ready.shares.values();
            let share = shares.find(|share| share.session == session);
            there.extend(share.map(|share| (*conn, share.ours)));
        }
        there
    }

    /// The other end says that its person types, or no more (NODE-402).
    pub(super) fn on_typing(&mut self, now: u64, conn: ConnId, tag: Tag, on: bool) {
        let Some(session) = self.share(conn, tag).map(|share| share.session) else {
            return;
        };
        let ready = self.connections.0.get(&conn).and_then(|it| it.ready());
        let Some((identity, device)) = ready.map(|ready| (ready.identity, ready.device)) else {
            return;
        };
        let other = identity != self.own.identity();
        if !(self.typing.on && other && self.may_hear(identity, device, session))
            || self.has_left(session)
        {
            return;
        }
        let key = (session, identity);
        let news = match on {
            true => self.typing.begin(now, key),
            false => self.typing.end(key),
        };
        if news {
            self.tell_typing(key, on);
        }
    }

    /// A message ends the typing that led to it.
    pub(super) fn typed(&mut self, session: SessionId, event: &Event) {
        let quiet = self.typing.said.is_empty() && self.typing.heard.is_empty();
        if quiet || event.header().kind.as_str() != text::KIND {
            return;
        }
        match self.author_of(event) {
            Some(identity) if identity == self.own.identity() => {
                self.typing.said.remove(&session);
            }
            Some(identity) if self.typing.end((session, identity)) => {
                self.tell_typing((session, identity), false);
            }
            _ => {}
        }
    }

    /// Nobody types who is not there.
    pub(super) fn typing_gone(&mut self, identity: IdentityId) {
        let mut ready = self.connections.0.values().filter_map(|it| it.ready());
        if !ready.any(|ready| ready.identity == identity) {
            self.typing_ends(|_, who| who == identity);
        }
    }

    /// Whoever has said nothing for a while types no more.
    pub(super) fn typing_due(&mut self, now: u64) {
        for key in self.typing.expire(now) {
            self.tell_typing(key, false);
        }
    }

    /// A clock that was set back would make everybody type for hours.
    pub(super) fn forget_typing(&mut self) {
        self.typing.said.clear();
        self.typing_ends(|_, _| true);
        self.typing.heard.clear();
    }

    fn typing_ends(&mut self, which: impl Fn(SessionId, IdentityId) -> bool) {
        let keys = self.typing.heard.keys().copied();
        let ended: Vec<_> = keys
            .filter(|(session, who)| which(*session, *who))
            .collect();
        for key in ended {
            if self.typing.end(key) {
                self.tell_typing(key, false);
            }
        }
    }

    fn tell_typing(&mut self, (session, identity): (SessionId, IdentityId), typing: bool) {
        self.notify(Notice::Typing {
            session,
            identity,
            typing,
        });
    }
}
