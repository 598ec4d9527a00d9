//! Carrying out what the engine says: frames to the network, notices to whoever listens.

use std::sync::Arc;

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::{
    did,
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};
use tenet_log::ids::{BlobId, EventId, SessionId};
use tenet_node::{
    input::{ConnId, Notice, Output},
    query,
};
use tenet_rpc::{api, server::answer};
use tenet_store::Store;

use super::{conversations, devices, engine, pipes, present, shared::Shared, transfer};

/// How many of the last messages are looked at when a read position moves.
const READ_BACK: usize = 200;

/// See the module.
pub(super) struct Outlet(pub(super) Arc<Shared>);

impl engine::Outlet for Outlet {
    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Notice(notice) => return self.notice(notice),
            Output::Discard { blob } => return transfer::discard(&self.0, blob),
            _ => {}
        }
        // Without a network nobody is dialled, and nobody is there to be answered.
        let Some(network) = &self.0.network else {
            return;
        };
        match output {
            Output::Send { conn, frame } => network.send(conn, frame),
            Output::Authenticated { conn } => network.authenticated(conn),
            Output::Close { conn, reason } => network.close(conn, reason),
            Output::Dial { peer, addresses } => network.dial(peer, addresses),
            Output::Fetch { conn, blob, size } => transfer::fetch(&self.0, conn, blob, size),
            Output::StopFetch { blob } => self.0.transfers.stop(blob),
            Output::Answer { ask, blob, spans } => transfer::serve(&self.0, ask, blob, &spans),
            Output::Pipe { ask, device, pipe } => pipes::asked(&self.0, ask, device, &pipe),
            Output::Refuse { ask } => transfer::refuse(&self.0, ask),
            Output::Reply { .. } | Output::Notice(_) | Output::Discard { .. } => {}
        }
    }
}

impl Outlet {
    fn notice(&self, notice: Notice) {
        self.0.waiters.note_activity();
        match notice {
            Notice::Message { session: _, id } => {
                self.0.live.message(id);
                self.publish_message(id, true);
            }
            Notice::Changed { session: _, id } => {
                self.publish_message(id, false);
            }
            Notice::Gone { session, id } => {
                self.0.feed.publish(&api::Event::Gone {
                    id: id.to_string(),
                    session: session.to_string(),
                });
            }
            Notice::Told { session: _, id } => self.publish_message(id, true),
            Notice::Named { session } => self.0.groups.forget_names(session),
            Notice::SessionEntered { session } => self.publish_conversation(session),
            Notice::OwnSessions { sessions } => self.0.own.set_sessions(sessions),
            Notice::Group(group) => {
                let session = group.session;
                self.0.groups.put(group);
                self.publish_conversation(session);
            }
            Notice::File { blob } => self.file(blob),
            Notice::Conversation { session } => self.publish_conversation(session),
            notice @ Notice::Typing { .. } => self.typing(&notice),
            Notice::Progress { session, ids } => self.delivered(session, &ids),
            Notice::WrittenAgain { session, old, new } => {
                self.0.waiters.moved(old, new);
                self.0.feed.publish(&api::Event::WrittenAgain {
                    id: old.to_string(),
                    new: new.to_string(),
                    session: session.to_string(),
                });
            }
            Notice::ReadPosition { session } => self.read(session),
            Notice::Profile { name } => self.0.own.rename(name),
            Notice::Knocked {
                invite,
                identity,
                refused,
            } => {
                self.knocked(invite, identity, refused);
            }
            Notice::Connection {
                identity,
                device,
                conn,
            } => {
                self.connection(identity, device, conn);
            }
            Notice::Misbehaved { device, what } => self.misbehaved(device, what),
            Notice::TooMuch { identity, .. } => self.too_much(identity),
            other => self.about_people(other),
        }
    }

    fn about_people(&self, notice: Notice) {
        match notice {
            Notice::Requested { invite, identity } => self.knocked(invite, identity, None),
            Notice::Request { invite, identity } => self.request(invite, identity),
            Notice::Asks { session, identity } => self.asks(session, identity),
            Notice::Looked {
                invite,
                session,
                found,
            } => self.looked(invite, session, found),
            Notice::InviteUsed { invite, identity } => self.invite_used(invite, identity),
            Notice::LinkReused { invite, identity } => self.link_reused(invite, identity),
            notice @ (Notice::ContactAdded { .. }
            | Notice::ContactProfile { .. }
            | Notice::ContactRenamed { .. }
            | Notice::ContactVerified { .. }
            | Notice::ContactBlocked { .. }
            | Notice::ContactUnblocked { .. }
            | Notice::ContactRemoved { .. }
            | Notice::ContactLeft { .. }) => self.contact(&notice),
            notice @ (Notice::DeviceAsks { .. }
            | Notice::DeviceAdded { .. }
            | Notice::DeviceSuspended { .. }
            | Notice::DeviceRevoked { .. }) => self.device(notice),
            notice @ Notice::Bringing { .. } => self.bringing(&notice),
            other => self.publish_plain(other),
        }
    }

    fn too_much(&self, identity: IdentityId) {
        let mine = identity == self.0.own.identity;
        self.about(Some(identity), move |who| {
            let message = match mine {
                true => "a device of yours that is out of a conversation sends more there than is kept \
                         before you have looked: nothing more of it is taken until you write or read there"
                    .to_owned(),
                false => format!(
                    "{who} sends more than is kept before you have looked: nothing more of them is \
                     taken until you write to them or read what they wrote"
                ),
            };
            warning("too_much", message)
        });
    }

    fn misbehaved(&self, device: Option<DeviceId>, what: String) {
        tracing::warn!(%what, "a peer broke the protocol");
        let online = self.0.live.online();
        let identity = device.and_then(|device| Some(online.get(&device)?.identity));
        self.about(identity, move |who| {
            let whose = match (identity, device) {
                (None, None) => "a stranger".to_owned(),
                (None, Some(device)) => format!("the device {device}"),
                (Some(_), _) => format!("a device of {who}"),
            };
            warning(
                "misbehaved_peer",
                format!("{whose} broke the protocol: {what}"),
            )
        });
    }

    /// Publishes something about a person, by the name that they have here.
    fn about(
        &self,
        identity: Option<IdentityId>,
        event: impl FnOnce(String) -> api::Event + Send + 'static,
    ) {
        if !self.0.reader.has_room() {
            return self.0.feed.skip();
        }
        self.with_store(move |shared, store| {
            let contacts = store.contacts().unwrap_or_default();
            let who = identity.map(|identity| present::name_of(identity, &shared.own, &contacts));
            shared.feed.publish(&event(who.unwrap_or_default()));
        });
    }

    fn typing(&self, notice: &Notice) {
        let Notice::Typing {
            session,
            identity,
            typing,
        } = *notice
        else {
            return;
        };
        self.0.live.typing(session, identity, typing);
        if !self.0.feed.is_watched() {
            return self.0.feed.skip();
        }
        self.about(Some(identity), move |name| {
            api::Event::Typing(api::Typist {
                session: session.to_string(),
                did: did::encode(&identity),
                name,
                typing,
            })
        });
    }

    fn file(&self, blob: BlobId) {
        self.0.transfers.note_change();
        let hash = blob.to_string();
        self.0.feed.publish(&api::Event::File { hash });
    }

    fn delivered(&self, session: SessionId, ids: &[EventId]) {
        self.0.live.delivered(ids);
        self.0.waiters.reached(ids, api::State::Delivered);
        self.publish_states(session, ids, api::State::Delivered);
    }

    fn publish_states(&self, session: SessionId, ids: &[EventId], state: api::State) {
        if !self.0.feed.is_watched() {
            return self.0.feed.skip();
        }
        for id in ids {
            self.0.feed.publish(&api::Event::State {
                id: id.to_string(),
                session: session.to_string(),
                state,
                reason: None,
            });
        }
    }

    fn read(&self, session: SessionId) {
        if !self.0.feed.is_watched() && !self.0.waiters.wait_for_reading(session) {
            return self.0.feed.skip();
        }
        self.with_store(move |shared, store| {
            let read = query::read_by_others(store, shared.own.identity, session, READ_BACK);
            let ids = read.unwrap_or_default();
            shared.waiters.reached(&ids, api::State::Read);
            Self(Arc::clone(shared)).publish_states(session, &ids, api::State::Read);
        });
    }

    fn publish_message(&self, id: EventId, new: bool) {
        if !self.0.feed.is_watched() || !self.0.reader.has_room() {
            return self.0.feed.skip();
        }
        self.with_store(move |shared, store| {
            let contacts = store.contacts().unwrap_or_default();
            if let Ok(Some(shown)) = query::message(store, shared.own.identity, id) {
                let mut message = present::message(&shown, shared, store, &contacts);
                message.notify =
                    new.then(|| conversations::notify(shared, store, &message, &contacts));
                let message = Box::new(message);
                shared.feed.publish(&match new {
                    true => api::Event::Message(message),
                    false => api::Event::Changed(message),
                });
            }
        });
    }

    fn publish_conversation(&self, session: SessionId) {
        if !self.0.feed.is_watched() {
            return self.0.feed.skip();
        }
        self.with_store(move |shared, store| {
            if let Ok(conversation) = conversations::of_session(shared, store, session) {
                let conversation = Box::new(conversation);
                shared.feed.publish(&api::Event::Conversation(conversation));
            }
        });
    }

    fn device(&self, notice: Notice) {
        let news = devices::news(self.0.own.identity, notice);
        if let Some(news) = news {
            self.0.feed.publish(&api::Event::Device(Box::new(news)));
        }
    }

    fn bringing(&self, notice: &Notice) {
        let Notice::Bringing {
            device,
            session,
            coming,
            progress,
        } = *notice
        else {
            return;
        };
        let brought = self.0.live.bringing(device, session, coming, progress);
        let all = brought.all();
        if all.total > 0 {
            self.0.feed.publish(&api::Event::Bringing {
                device: device.to_string(),
                session: session.to_string(),
                coming,
                done: all.done,
                total: all.total,
            });
        }
    }

    fn contact(&self, notice: &Notice) {
        use api::ContactChange as Change;
        let (identity, change) = match *notice {
            Notice::ContactAdded { identity } => (identity, Change::Added),
            Notice::ContactProfile { identity } => (identity, Change::Profile),
            Notice::ContactRenamed { identity } => (identity, Change::Renamed),
            Notice::ContactVerified { identity } => (identity, Change::Verified),
            Notice::ContactBlocked { identity } => (identity, Change::Blocked),
            Notice::ContactUnblocked { identity } => (identity, Change::Unblocked),
            Notice::ContactRemoved { identity } => (identity, Change::Removed),
            Notice::ContactLeft { identity } => (identity, Change::Left),
            _ => return,
        };
        self.publish_contact(identity, change);
    }

    fn publish_contact(&self, identity: IdentityId, change: api::ContactChange) {
        self.with_store(move |shared, store| {
            let known = store.contact(identity).ok().flatten();
            let known = known.or_else(|| store.former(identity).ok().flatten());
            if let Some(contact) = known {
                let contact = present::contact(&contact, shared.presence(identity));
                let contact = Box::new(contact);
                shared
                    .feed
                    .publish(&api::Event::Contact { change, contact });
            }
        });
    }

    fn knocked(&self, invite: InviteId, identity: IdentityId, refused: Option<String>) {
        self.with_store(move |shared, store| {
            let contact = store.contact(identity).ok().flatten();
            let Ok(Some(knocking)) = store.knocking(invite) else {
                return;
            };
            let accepted = present::accepted(&knocking, contact.as_ref());
            shared.feed.publish(&api::Event::Accept {
                did: accepted.did.clone(),
                name: accepted.name.clone(),
                state: accepted.state,
                reason: refused.clone(),
            });
            for waiter in shared.waiters.take_link(invite) {
                let result = match &refused {
                    Some(why) => Err(api::Error::refused(why.clone())),
                    None => Ok(accepted.clone()),
                };
                waiter.answerer.answer(answer(result));
            }
        });
    }

    fn request(&self, invite: InviteId, identity: IdentityId) {
        self.with_store(move |shared, store| {
            if let Ok(Some(request)) = store.request(invite, identity) {
                let request = Box::new(present::request(&request));
                shared.feed.publish(&api::Event::Request(request));
            }
        });
    }

    fn invite_used(&self, invite: InviteId, identity: IdentityId) {
        self.with_store(move |shared, store| {
            let contacts = store.contacts().unwrap_or_default();
            shared.feed.publish(&api::Event::InviteUsed {
                id: invite.to_string(),
                did: did::encode(&identity),
                name: present::name_of(identity, &shared.own, &contacts),
            });
        });
    }

    fn link_reused(&self, invite: Option<InviteId>, identity: Option<IdentityId>) {
        let message = match invite {
            Some(_) => {
                "a one-time link of yours that was used already was tried again by somebody else: \
                 it may have been intercepted; compare the emoji with who came by it"
            }
            None => {
                "this one-time link was used already, perhaps by somebody who intercepted it; tell \
                 the person who gave it to you"
            }
        };
        self.0.feed.publish(&api::Event::LinkReused {
            id: invite.map(|id| id.to_string()),
            did: identity.as_ref().map(did::encode),
            message: message.to_owned(),
        });
    }

    fn connection(&self, identity: IdentityId, device: DeviceId, conn: Option<ConnId>) {
        let before = self.0.live.is_online(identity);
        let path = conn.and_then(|conn| self.0.network.as_ref()?.paths().remove(&conn));
        let endpoint = path.as_ref().map(|path| path.peer);
        self.0.live.connection(identity, device, conn, endpoint);
        self.0.pipes.stir();
        self.0
            .feed
            .publish(&api::Event::Connection(api::Connection {
                device: device.to_string(),
                did: did::encode(&identity),
                path: if conn.is_some() {
                    api::Path::Direct
                } else {
                    api::Path::None
                },
                addr: path
                    .and_then(|path| path.remote)
                    .map(|addr| addr.to_string()),
            }));
        if before != self.0.live.is_online(identity) {
            self.publish_contact(identity, api::ContactChange::Presence);
        }
    }

    fn publish_plain(&self, notice: Notice) {
        let event = match notice {
            Notice::TooEarly {
                device,
                theirs,
                ours,
            } => api::Event::TooEarly {
                device: device.to_string(),
                theirs,
                ours,
            },
            Notice::Forked { device, .. } => warning(
                "forked_device",
                format!(
                    "the device {device} has written two histories; what nobody built upon does \
                     not count. It was restored from an old copy, or somebody has its keys"
                ),
            ),
            Notice::SetBack => {
                self.0.set_back.send_replace(!self.0.own.linked);
                warning("set_back", set_back(self.0.own.linked))
            }
            Notice::DiskFull => warning(
                "disk_full",
                "the disk is full: nothing more is taken until there is room; nothing was lost"
                    .into(),
            ),
            Notice::QuotaReached { quota } => warning(
                "quota_reached",
                format!(
                    "the quota of {quota} bytes for files leaves no room for one that came: it waits \
                     for a yes; raise it with tenet settings quota, or make room with tenet files \
                     remove"
                ),
            ),
            _ => return,
        };
        self.0.feed.publish(&event);
    }

    fn with_store(&self, job: impl FnOnce(&Arc<Shared>, &Store) + Send + 'static) {
        let shared = Arc::clone(&self.0);
        self.0.reader.read(move |store| job(&shared, store));
    }
}

fn warning(name: &str, message: String) -> api::Event {
    api::Event::Warning {
        name: name.to_owned(),
        message,
    }
}

/// What a person is told whose device finds that it was restored from an old copy.
fn set_back(linked: bool) -> String {
    let goes_on = match linked {
        false => "it goes on under another key, and what contradicts is said again",
        true => {
            "it writes nothing more; let it in anew: tenet device link on another of your devices, then \
             tenet device join here, in a new home"
        }
    };
    format!(
        "this device was set back to an earlier state and is shown what it wrote since: {goes_on}"
    )
}
