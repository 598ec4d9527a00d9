//! At the end of a batch: each connection is told what came and sent what it lacks.

use std::collections::BTreeMap;

use tenet_log::{
    clock::Hlc,
    ids::SessionId,
    store::StoreError,
    sync::{Message, Recent},
};

use super::{
    Engine,
    bringing::{Window, in_turn, may_send},
};
use crate::{frame::Frame, input::ConnId, storage::Storage};

/// What a device hears of a session by sync.
struct Hears {
    /// From when on what was said is for it, if not all is.
    floor: Option<Hlc>,
    /// Whether what comes new is passed on to it (NODE-1701).
    news: bool,
}

impl<S: Storage> Engine<S> {
    /// Acknowledges what came and sends what is lacking, session by session.
    pub(super) fn flush(&mut self, now: u64) -> Result<(), StoreError> {
        if std::mem::take(&mut self.knock_again) {
            self.knock_where_ready(now)?;
        }
        self.want_lacking()?;
        self.spread_registers();
        let mut frames = Vec::new();
        let welcome = self.welcome()?;
        let own = self.brought_first();
        self.bring_at = None;
        let (store, sessions, recent) = (&self.store, &self.sessions, &mut self.recent);
        for (conn, connection) in &mut self.connections.0 {
            let Some(ready) = connection.ready_mut().filter(|ready| ready.stirred) else {
                continue;
            };
            let mut window = Window::default();
            for tag in in_turn(ready, &own) {
                let Some(share) = ready.shares.get_mut(&tag) else {
                    continue;
                };
                if !share.dirty {
                    window.take(share, false, now);
                    continue;
                }
                share.dirty = false;
                if !sessions.contains_key(&share.session) {
                    continue;
                }
                let mut messages: Vec<Message> = share.peer.acknowledgement().into_iter().collect();
                let waits = window.holds_back(share);
                let hears = welcome.get(&(*conn, share.session)).filter(|_| !waits);
                let Some(hears) = hears else {
                    // Who has left hears that we know, and nothing more.
                    share.dirty = waits;
                    let messages = messages.into_iter();
                    frames.extend(messages.map(|said| (*conn, Frame::Sync(share.ours, said))));
                    continue;
                };
                share.peer.withhold_below(hears.floor);
                share.peer.pass_on(hears.news);
                let at_hand = recent.get(&share.session);
                messages.extend(share.peer.pump_recent(store, at_hand, now)?);
                if at_hand.is_none() {
                    recent.insert(share.session, Recent::begin(store, share.session)?);
                }
                let messages = messages.into_iter();
                frames.extend(messages.map(|said| (*conn, Frame::Sync(share.ours, said))));
                let all = share.bringing.is_behind() && share.peer.is_caught_up(store)?;
                window.take(share, all, now);
                if let Some(at) = share.peer.left_out() {
                    let due = self.resume.entry((*conn, share.session)).or_insert(at);
                    *due = (*due).min(at);
                }
            }
            ready.stirred = ready.shares.values().any(may_send);
            self.bring_at = self.bring_at.into_iter().chain(window.again(now)).min();
        }
        for (conn, frame) in frames {
            self.send(conn, &frame);
        }
        self.say_haves();
        Ok(())
    }

    /// Of the shares that may have something to send those whose devices may hear it, and what of it.
    fn welcome(&self) -> Result<BTreeMap<(ConnId, SessionId), Hears>, StoreError> {
        let mut welcome = BTreeMap::new();
        for (conn, connection) in &self.connections.0 {
            let Some(ready) = connection.ready().filter(|ready| ready.stirred) else {
                continue;
            };
            let dirty = ready.shares.values().filter(|share| share.dirty);
            let heard = dirty.filter(|share| {
                connection.has_guest_in(share.session)
                    || self.may_hear(ready.identity, ready.device, share.session)
                    || self.is_outside(ready.identity, ready.device, share.session)
            });
            for share in heard {
                let session = share.session;
                let hears = Hears {
                    floor: self.floor_at(connection, session)?,
                    news: self.passes_on(session, ready.device),
                };
                welcome.insert((*conn, session), hears);
            }
        }
        Ok(welcome)
    }
}
