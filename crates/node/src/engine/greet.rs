//! Showing devices: the dialler first; the dialled side answers only whom it knows.

use std::collections::BTreeMap;

use tenet_identity::{
    card::DeviceCard,
    hello::{Hello, Role, UnverifiedHello, negotiate},
    keys::{DeviceId, IdentityId},
};

use super::{Engine, Fault};
use crate::{
    connection::{Ready, Stage},
    frame::{Frame, VERSION},
    input::{CloseReason, ConnId, Output},
    storage::Storage,
};
use tenet_delivery::redial;

impl<S: Storage> Engine<S> {
    pub(super) fn say_hello(&mut self, conn: ConnId) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        connection.greeted = true;
        let binding = connection.binding(self.own.endpoint, connection.role);
        let hello = Hello::new(&self.own.key, &self.own.card, &[VERSION], &binding);
        self.send(conn, &Frame::Hello(hello.to_bytes().into()));
        Ok(())
    }

    pub(super) fn on_hello(&mut self, now: u64, conn: ConnId, bytes: &[u8]) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        if !matches!(connection.stage, Stage::Silent) {
            return Err(Fault::Peer("it showed its device twice".into()));
        }
        let (role, knocks, peer) = (
            connection.role,
            connection.knocked.is_some(),
            connection.peer,
        );
        let binding = connection.binding(self.own.endpoint, connection.other_role());
        let hello = UnverifiedHello::from_bytes(bytes)
            .and_then(|hello| hello.verify(&binding, now))
            .map_err(|error| Fault::Peer(error.to_string()))?;
        if negotiate(&[VERSION], hello.versions()).is_none() {
            return Err(Fault::Close(CloseReason::Version));
        }
        let card = hello.card().clone();
        if card.device() == self.own.device() {
            return Err(Fault::Close(CloseReason::NotWelcome));
        }
        let known = self.knows(&card);
        match role {
            Role::Dialled => {
                self.set_stage(conn, Stage::Shown { card: card.clone() });
                if !self.knock_back(now, conn, &card)? && known {
                    self.say_hello(conn)?;
                    self.become_ready(now, conn, &card)?;
                }
            }
            // It knows us only once it says so, even where we know it: see `on_frame`.
            Role::Dialler if knocks => self.set_stage(conn, Stage::Shown { card }),
            Role::Dialler if known => self.become_ready(now, conn, &card)?,
            Role::Dialler if self.expects(&card, peer)? => {
                self.set_stage(conn, Stage::Shown { card });
            }
            Role::Dialler => return Err(Fault::Close(CloseReason::NotWelcome)),
        }
        Ok(())
    }

    /// Whether the card's device is in some session of ours, or its identity is (NODE-35), and we want
    /// to hear them (NODE-103).
    pub(super) fn knows(&self, card: &DeviceCard) -> bool {
        self.is_company(card.identity(), card.device()) && !self.blocked.contains(&card.identity())
    }

    /// NODE-35: whether a device of this identity has a place in some session of ours or could join one by
    /// itself, and is not shut out. A device of our own identity always does.
    pub(super) fn is_company(&self, identity: IdentityId, device: DeviceId) -> bool {
        if self.is_shut_out(identity, device) {
            return false;
        }
        let known = self.devices.get(&device);
        identity == self.own.identity()
            || self.members.contains_key(&identity)
            || known.is_some_and(|known| known.identity == Some(identity))
            || self.sessions_outside(device).next().is_some()
            || self.sessions_gone(identity, device).next().is_some()
            || self.is_visiting(device)
    }

    pub(super) fn set_stage(&mut self, conn: ConnId, stage: Stage) {
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.stage = stage;
        }
    }

    /// Both know each other: one connection stays, and the sessions are compared.
    pub(super) fn become_ready(
        &mut self,
        now: u64,
        conn: ConnId,
        card: &DeviceCard,
    ) -> Result<(), Fault> {
        self.knock_again = true;
        let (identity, device) = (card.identity(), card.device());
        let (keep, superseded) = self.which_stay(conn, device);
        if !keep {
            for conn in superseded.into_iter().chain([conn]) {
                self.close(now, conn, CloseReason::Duplicate);
            }
            return Ok(());
        }
        let ready = Ready {
            identity,
            device,
            shares: BTreeMap::new(),
            stirred: false,
        };
        self.set_stage(conn, Stage::Ready(ready));
        self.fetching.stir();
        self.output(Output::Authenticated { conn });
        if let Some(connection) = self.connections.0.get(&conn) {
            let peer = connection.peer;
            self.redial
                .handle(redial::Input::Connected(peer), now, &mut self.rng);
        }
        self.tell_connection(identity, device);
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.supersedes = superseded;
        }
        self.say_meet(conn)?;
        self.tell_status_to(now, identity)?;
        self.supersede(now, conn);
        Ok(())
    }

    /// Closes the connections in whose place this one stands, once the other end has named its
    /// sessions here: from then on it is in use at both, and neither seems gone to the other.
    pub(super) fn supersede(&mut self, now: u64, conn: ConnId) {
        let connection = self.connections.0.get_mut(&conn);
        let Some(connection) = connection.filter(|connection| !connection.named.is_empty()) else {
            return;
        };
        for superseded in std::mem::take(&mut connection.supersedes) {
            self.close(now, superseded, CloseReason::Duplicate);
        }
    }

    /// NODE-5: of several connections between the same devices one stays: the last of those that one side
    /// dialled, and of two that both dialled the one that the smaller device dialled.
    ///
    /// It is the larger device that gives up the other one. The smaller must not: to it, a dial of
    /// the larger that crosses its own looks like one of a larger that was restarted and knows
    /// nothing of the connection that still seems to stand here.
    ///
    /// Gives whether the new one stays, and which former ones do not.
    fn which_stay(&self, conn: ConnId, device: DeviceId) -> (bool, Vec<ConnId>) {
        let Some(role) = self
            .connections
            .0
            .get(&conn)
            .map(|connection| connection.role)
        else {
            return (false, Vec::new());
        };
        let smaller_is_ours = self.own.device() < device;
        let (mut keep, mut superseded) = (true, Vec::new());
        for other in self.connections.of_device(device) {
            let same = self
                .connections
                .0
                .get(&other)
                .is_some_and(|other| other.role == role);
            let new_is_smallers = (role == Role::Dialler) == smaller_is_ours;
            if same || new_is_smallers {
                superseded.push(other);
            } else if !smaller_is_ours {
                keep = false;
            }
        }
        (keep, superseded)
    }
}
