//! Connections: who is at the other end, and how far the two are.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::{
    card::DeviceCard,
    hello::{Binding, Role},
    keys::{DeviceId, EndpointId, IdentityId},
    meeting::{invite::InviteId, knock::Knocker},
};
use tenet_log::{
    ids::{EventId, SessionId},
    sync::{self, Direction, Tag},
};

use crate::{
    engine::{Bringing, Host},
    input::ConnId,
};

/// The knock that we wait for an answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Knocked {
    pub(crate) link: InviteId,
    /// Only to see what group it leads into.
    pub(crate) looks: bool,
    /// The group was shown, and the session follows: no further answer is to come.
    pub(crate) shown: bool,
    /// The session that the answer founded.
    pub(crate) session: Option<SessionId>,
}

/// Who comes into a session of ours by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) session: SessionId,
    /// The event that opened the link.
    pub(crate) opening: EventId,
}

/// One connection.
pub(crate) struct Connection {
    pub(crate) peer: EndpointId,
    pub(crate) role: Role,
    pub(crate) exporter: [u8; 32],
    pub(crate) stage: Stage,
    /// Whether we have shown our device.
    pub(crate) greeted: bool,
    pub(crate) knocked: Option<Knocked>,
    /// The links with which we were told here to wait, and when to knock with each again (Unix milliseconds).
    pub(crate) waits: BTreeMap<InviteId, u64>,
    /// Who knocked here with which link and was answered; what it committed to is still closed.
    pub(crate) answered: Option<(InviteId, Box<Knocker>)>,
    /// The tags that the other end named last: among them may be those of sessions that we only
    /// come to know later.
    pub(crate) named: BTreeSet<Tag>,
    /// Digests of sessions with these tags that were said before we shared them.
    pub(crate) early: BTreeMap<Tag, [u8; 32]>,
    /// Sessions that we brought here.
    pub(crate) offered: BTreeSet<SessionId>,
    /// Sessions that the other end brought and in which we have no place yet.
    pub(crate) brought: BTreeSet<SessionId>,
    /// Sessions that we left ourselves and that the other end, who knows that, brought again (NODE-110).
    pub(crate) returns: BTreeSet<SessionId>,
    /// Sessions that the other end named and in which it is nobody by what is held here (NODE-38).
    pub(crate) claimed: BTreeSet<SessionId>,
    /// Who comes into a session of ours by a link here.
    pub(crate) guest: Option<Guest>,
    /// The session of ours of which somebody here is told once they are in.
    pub(crate) expects: Option<SessionId>,
    /// Into which session we come by a link here.
    pub(crate) host: Option<Host>,
    /// Who asked here to come into a session of ours, and when by their clock.
    pub(crate) asks: Option<(SessionId, u64)>,
    /// Connections in whose place this one stands once it is in use at both ends.
    pub(crate) supersedes: Vec<ConnId>,
}

/// How far the two ends are. Knocks, in both directions, go on beside it.
pub(crate) enum Stage {
    /// Nothing was heard from the other end.
    Silent,
    /// The other end has shown a device, which may knock or answer a knock, and nothing else.
    Shown {
        /// Its card.
        card: DeviceCard,
    },
    /// Both know each other.
    Ready(Ready),
}

/// A connection with a device that we know.
pub(crate) struct Ready {
    pub(crate) identity: IdentityId,
    pub(crate) device: DeviceId,
    /// Sessions that both named, by the tag that the other end uses.
    pub(crate) shares: BTreeMap<Tag, Share>,
    /// Whether one of them may have something to send: of hundreds of connections few are looked at after a batch.
    pub(crate) stirred: bool,
}

impl Ready {
    /// A share that may have something to send after this.
    pub(crate) fn share_mut(&mut self, tag: Tag) -> Option<&mut Share> {
        self.stirred = true;
        self.shares.get_mut(&tag)
    }

    /// Whether all of a session is spoken of here.
    pub(crate) fn shares_all(&self, session: SessionId) -> bool {
        let mut shares = self.shares.values();
        shares.any(|share| share.session == session && share.peer.hears_all())
    }

    /// Those of a session, which may have something to send after this.
    pub(crate) fn shares_of(&mut self, session: SessionId) -> impl Iterator<Item = &mut Share> {
        let Self {
            shares, stirred, ..
        } = self;
        let shares = shares.values_mut();
        shares
            .filter(move |share| share.session == session)
            .inspect(|_| *stirred = true)
    }
}

/// One session on one connection.
pub(crate) struct Share {
    pub(crate) session: SessionId,
    /// The tag that we use.
    pub(crate) ours: Tag,
    pub(crate) peer: sync::Peer,
    /// Whether there may be something to send.
    pub(crate) dirty: bool,
    /// What is to be brought, if it is a device of mine.
    pub(crate) bringing: Bringing,
    /// How many digests of ours the other end has not answered with its own.
    pub(crate) unanswered: u32,
}

impl Connection {
    /// What a hello on this connection is bound to, said by `speaker`.
    pub(crate) fn binding(&self, ours: EndpointId, speaker: Role) -> Binding {
        let (dialler, dialled) = match self.role {
            Role::Dialler => (ours, self.peer),
            Role::Dialled => (self.peer, ours),
        };
        Binding {
            exporter: self.exporter,
            role: speaker,
            dialler,
            dialled,
        }
    }

    pub(crate) fn other_role(&self) -> Role {
        match self.role {
            Role::Dialler => Role::Dialled,
            Role::Dialled => Role::Dialler,
        }
    }

    /// The tags of a session on this connection: ours and the other end's.
    pub(crate) fn tags(&self, secret: &[u8; 32]) -> (Tag, Tag) {
        let from_dialler = sync::tag(secret, &self.exporter, Direction::FromDialler);
        let from_dialled = sync::tag(secret, &self.exporter, Direction::FromDialled);
        match self.role {
            Role::Dialler => (from_dialler, from_dialled),
            Role::Dialled => (from_dialled, from_dialler),
        }
    }

    /// A connection of which nothing is known but where it leads.
    pub(crate) fn new(peer: EndpointId, role: Role, exporter: [u8; 32]) -> Self {
        Self {
            peer,
            role,
            exporter,
            stage: Stage::Silent,
            greeted: false,
            knocked: None,
            waits: BTreeMap::new(),
            answered: None,
            named: BTreeSet::new(),
            early: BTreeMap::new(),
            offered: BTreeSet::new(),
            returns: BTreeSet::new(),
            brought: BTreeSet::new(),
            claimed: BTreeSet::new(),
            guest: None,
            expects: None,
            host: None,
            asks: None,
            supersedes: Vec::new(),
        }
    }

    /// The device that the other end has shown, and whose it is.
    pub(crate) fn shown(&self) -> Option<(IdentityId, DeviceId)> {
        match &self.stage {
            Stage::Silent => None,
            Stage::Shown { card } => Some((card.identity(), card.device())),
            Stage::Ready(ready) => Some((ready.identity, ready.device)),
        }
    }

    /// Whether the other end comes into a session by a link.
    pub(crate) fn has_guest_in(&self, session: SessionId) -> bool {
        self.guest.is_some_and(|guest| guest.session == session)
    }

    /// Whether a knock is under way, in whichever direction.
    pub(crate) fn in_knock(&self) -> bool {
        self.knocked.is_some() || self.answered.is_some()
    }

    pub(crate) fn ready(&self) -> Option<&Ready> {
        match &self.stage {
            Stage::Ready(ready) => Some(ready),
            _ => None,
        }
    }

    pub(crate) fn ready_mut(&mut self) -> Option<&mut Ready> {
        match &mut self.stage {
            Stage::Ready(ready) => Some(ready),
            _ => None,
        }
    }
}

/// All connections.
#[derive(Default)]
pub(crate) struct Connections(pub(crate) BTreeMap<ConnId, Connection>);

impl Connections {
    /// The connections with a device, the oldest first: more than one only until it has decided
    /// which of them stays, or one that nobody holds at its end has timed out.
    pub(crate) fn of_device(&self, device: DeviceId) -> Vec<ConnId> {
        self.0
            .iter()
            .filter(|(_, connection)| {
                connection
                    .ready()
                    .is_some_and(|ready| ready.device == device)
            })
            .map(|(conn, _)| *conn)
            .collect()
    }

    /// All connections with an endpoint.
    pub(crate) fn with_endpoint(&self, peer: EndpointId) -> Vec<ConnId> {
        let with = self
            .0
            .iter()
            .filter(|(_, connection)| connection.peer == peer);
        with.map(|(conn, _)| *conn).collect()
    }

    /// Notes that a session has grown: every connection that shares it may have to send.
    pub(crate) fn mark(&mut self, session: SessionId) {
        for connection in self.0.values_mut() {
            if let Some(ready) = connection.ready_mut() {
                ready
                    .shares_of(session)
                    .for_each(|share| share.dirty = true);
            }
        }
    }
}
