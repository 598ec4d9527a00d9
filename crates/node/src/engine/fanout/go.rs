//! What a plan has this device send: to whom a connection stands with at once, to others when one does.

use rand_core::Rng;
use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_delivery::{
    fanout::{
        message::{MAX_HAD, Message},
        presence::{TOLD, Word},
        shape::SMALL,
        spread::{Input, Output},
    },
    redial,
};
use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::{LogStore, StoreError},
    sync::Tag,
};

use super::{Engine, Fault};
use crate::{frame::Frame, input::ConnId, storage::Storage};

/// A connection on which a session is spoken of with a device.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) conn: ConnId,
    pub(super) identity: IdentityId,
    pub(super) device: DeviceId,
    /// Our tag there.
    pub(super) tag: Tag,
}

impl<S: Storage> Engine<S> {
    /// Sends what is to be sent about an event.
    pub(super) fn carry(
        &mut self,
        now: u64,
        session: SessionId,
        event: EventId,
        outputs: Vec<Output>,
    ) -> Result<(), Fault> {
        // Read once, however many get it.
        let mut at_hand = None;
        for output in outputs {
            let crowd = self.fanout.crowds.get(&session);
            let Some(device) = crowd.and_then(|crowd| crowd.device(output.to())) else {
                continue;
            };
            match self.way_to(session, device) {
                Some(way) => {
                    self.keep_for_the_turn(session, way);
                    self.hand_over(way, session, event, output, &mut at_hand)?;
                }
                None => self.reach_out(now, session, device, (event, output))?,
            }
        }
        Ok(())
    }

    /// The connection on which all of a session is spoken of with a device.
    pub(super) fn way_to(&self, session: SessionId, device: DeviceId) -> Option<Way> {
        let conn = self.met.get(&device)?;
        let ready = self.connections.0.get(conn)?.ready()?;
        let mut shares = ready.shares.values();
        let share = shares.find(|share| share.session == session && share.peer.hears_all())?;
        Some(Way {
            conn: *conn,
            identity: ready.identity,
            device,
            tag: share.ours,
        })
    }

    /// NODE-1707: whom a plan names it names again in this hour.
    fn keep_for_the_turn(&mut self, session: SessionId, way: Way) {
        let connection = self.connections.0.get(&way.conn);
        let crowd = self.fanout.crowds.get_mut(&session);
        if let Some((connection, crowd)) = connection.zip(crowd) {
            crowd.neighbours.called(connection.peer, way.device);
        }
    }

    fn hand_over(
        &mut self,
        way: Way,
        session: SessionId,
        event: EventId,
        output: Output,
        at_hand: &mut Option<Event>,
    ) -> Result<(), StoreError> {
        let message = match output {
            Output::Have(_) => {
                let haves = self.fanout.haves.entry((way.conn, way.tag));
                haves.or_default().push(event);
                return Ok(());
            }
            Output::Give(_, task) => {
                if at_hand.is_none() {
                    *at_hand = LogStore::event(&self.store, event)?.map(|stored| stored.event);
                }
                let Some(event) = at_hand.as_ref() else {
                    return Ok(());
                };
                Message::Give(self.wire_for(way, session, event)?.into(), task)
            }
            Output::Offer(_, task) => Message::Offer(event, task),
            Output::Want(_) => Message::Want(event),
            Output::Report(_, report) => Message::Report(event, report),
        };
        self.send(way.conn, &Frame::Spread(way.tag, message));
        Ok(())
    }

    /// SYNC-801: an event as it may be told to a device.
    pub(super) fn wire_for(
        &self,
        way: Way,
        session: SessionId,
        event: &Event,
    ) -> Result<Vec<u8>, StoreError> {
        let floor = self.floor_of(session, way.identity, way.device)?;
        Ok(match floor.is_some_and(|floor| event.is_below(floor)) {
            true => event.bare().to_wire(),
            false => event.to_wire(),
        })
    }

    /// Dials whom a plan names; what there is for them waits until they are met (NODE-1707).
    fn reach_out(
        &mut self,
        now: u64,
        session: SessionId,
        device: DeviceId,
        parcel: (EventId, Output),
    ) -> Result<(), Fault> {
        let (event, output) = parcel;
        if matches!(output, Output::Have(_)) {
            return Ok(());
        }
        let point = output.to();
        let met = match self.is_heard(session, device) {
            true => self.met_at(session, device)?,
            false => None,
        };
        let crowd = self.fanout.crowds.get_mut(&session);
        let Some((endpoint, crowd)) = met.zip(crowd) else {
            self.fanout
                .spread(session, event, Input::Unreachable(point));
            return Ok(());
        };
        if crowd.keep(device, event, output) {
            crowd.neighbours.called(endpoint.id, device);
        }
        self.addresses
            .entry(endpoint.id)
            .or_insert(endpoint.addresses);
        for input in [
            redial::Input::Want(endpoint.id),
            redial::Input::News(endpoint.id),
        ] {
            self.redial.handle(input, now, &mut self.rng);
        }
        Ok(())
    }

    /// Where a device said in a session that it is met.
    pub(super) fn met_at(
        &self,
        session: SessionId,
        device: DeviceId,
    ) -> Result<Option<Endpoint>, StoreError> {
        let said = self.store.register(session, device, endpoint::KEY)?;
        Ok(said.and_then(|said| Endpoint::decode(said.value()).ok()))
    }

    /// Says what is durable with this commit.
    pub(in crate::engine) fn say_haves(&mut self) {
        for ((conn, tag), events) in std::mem::take(&mut self.fanout.haves) {
            if !self.connections.0.contains_key(&conn) {
                continue;
            }
            for some in events.chunks(MAX_HAD) {
                self.send(conn, &Frame::Spread(tag, Message::Have(some.to_vec())));
            }
        }
    }

    /// FAN-15: some of those whom we are connected with hear who is online.
    pub(super) fn tell_who_is_here(&mut self, now: u64, session: SessionId) {
        let crowd = self.fanout.crowds.get_mut(&session);
        let due = crowd.filter(|crowd| crowd.len() > SMALL && crowd.tell_at <= now);
        let Some(crowd) = due else {
            return;
        };
        let words = crowd.words(now);
        crowd.told(now);
        let met: Vec<DeviceId> = self.met.keys().copied().collect();
        let ways = met
            .into_iter()
            .filter_map(|device| self.way_to(session, device));
        let mut ways: Vec<Way> = ways
            .filter(|way| !self.passes_on(session, way.device))
            .collect();
        for _ in 0..TOLD.min(ways.len()) {
            let at = self.rng.next_u64() % ways.len() as u64;
            let way = ways.swap_remove(at as usize);
            self.tell_words(way, &words);
        }
    }

    /// FAN-15: who has just been met hears who is online: it may have come this moment.
    pub(super) fn tell_the_met(&mut self, now: u64, session: SessionId, device: DeviceId) {
        let way = self.way_to(session, device);
        let crowd = self.fanout.crowds.get_mut(&session);
        let sparse = crowd.filter(|crowd| crowd.len() > SMALL && crowd.point(device).is_some());
        if let Some((crowd, way)) = sparse.zip(way) {
            let words = crowd.words(now);
            self.tell_words(way, &words);
        }
    }

    fn tell_words(&mut self, way: Way, words: &[Word]) {
        for word in words {
            let message = Message::Present(word.clone());
            self.send(way.conn, &Frame::Spread(way.tag, message));
        }
    }
}
