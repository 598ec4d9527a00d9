//! The knocker: taking a link, on a connection that was dialled for it or on one that stands.

use std::net::SocketAddr;

use tenet_apps::contacts::{
    Knocking,
    contact::{Share, Verification},
    knocking::State,
};
use tenet_identity::{
    card::DeviceCard,
    keys::EndpointId,
    meeting::{
        invite::InviteId,
        knock::{self, Answer, Answerer, Bond, Knock, Knocker, Message, Open, Plea},
        link::{Link, MAX_ADDRESSES},
    },
};
use tenet_log::{
    event::Event,
    ids::SessionId,
    roster::{Op, SessionKind},
    session::Session,
    store::{LogStore, StoreError},
};

use super::{open_fault, own_fault, peer_fault, verified};
use crate::{
    connection::{Knocked, Stage},
    engine::{
        Engine, Fault, Ours, Place,
        entrance::{is_into_group, leads_to},
    },
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    /// The link that we want to take at this endpoint; of several the last that has not been heard
    /// of, before those about which a person there is asked already.
    pub(in crate::engine) fn knocking_at(
        &self,
        now: u64,
        peer: EndpointId,
    ) -> Result<Option<InviteId>, StoreError> {
        let mut looked_at = self.looked_at(now);
        if let Some(link) = looked_at.find(|link| link.places().any(|(at, _)| at == peer)) {
            return Ok(Some(link.invite().id()));
        }
        let mut links = self.open_knockings(now)?;
        links.retain(|knocking| {
            // NODE-37: at the door of one's own nobody knocks.
            let own = knocking.link.ext().identity == self.own.identity();
            leads_to(knocking, peer) && (!own || is_into_group(knocking))
        });
        let unheard = |knocking: &Knocking| knocking.state == State::Pending;
        let first = links
            .iter()
            .max_by_key(|knocking| (unheard(knocking), knocking.started));
        Ok(first.map(Knocking::id))
    }

    /// Links that are still to be taken, and those that were taken but whose makers have not said
    /// yet where they are met: with what the link says about that.
    pub(in crate::engine) fn links_to_reach(
        &self,
        now: u64,
    ) -> Result<Vec<(EndpointId, Vec<SocketAddr>)>, StoreError> {
        let mut links = self.open_knockings(now)?;
        for knocking in self.store.knockings()? {
            let ext = knocking.link.ext();
            if let State::Connected { session } = knocking.state
                && self.has_led_to(&knocking, session)?
                && self.endpoints_in(session)?.is_empty()
                && !self.was_met_at(session, ext.endpoint)?
            {
                links.push(knocking);
            }
        }
        let links = links.iter().map(|knocking| &knocking.link);
        let places = links.chain(self.looked_at(now)).flat_map(Link::places);
        let places = places.filter(|(place, _)| *place != self.own.endpoint);
        Ok(places.map(|(place, at)| (place, at.to_vec())).collect())
    }

    /// Links that were neither answered to the end nor refused. An expired one is tried no more,
    /// unless it was answered already and only the last word was lost, or a person is asked.
    fn open_knockings(&self, now: u64) -> Result<Vec<Knocking>, StoreError> {
        let mut links = self.store.knockings()?;
        links.retain(Knocking::is_open);
        let mut open = Vec::new();
        for knocking in links {
            let into_group = is_into_group(&knocking);
            let contact = self.store.contact(knocking.link.ext().identity)?;
            let answered = !into_group && contact.is_some();
            let asked = knocking.state == State::Requested;
            if self.blocked.contains(&knocking.link.ext().identity) {
                continue;
            }
            // A link of one's own device proves nothing that the card does not; who is among the others needs none.
            let own = !into_group && knocking.link.ext().identity == self.own.identity();
            if (own && self.is_alone())
                || (answered && !own)
                || asked
                || !knocking.link.expired_at(now)
            {
                open.push(knocking);
            }
        }
        Ok(open)
    }

    /// Whether this device is in no session of its own with another of its person's.
    fn is_alone(&self) -> bool {
        let own = self.own_sessions().into_iter();
        let own = own.filter(|session| self.place(*session) == Place::In);
        let mut own = own.filter_map(|session| self.sessions.get(&session));
        own.all(|session| session.roster().active().count() < 2)
    }

    /// NODE-102: whoever's link we are taking comes to us: we show ourselves and knock, even where we
    /// know them already, for they may not know us. Says whether it is so.
    pub(in crate::engine) fn knock_back(
        &mut self,
        now: u64,
        conn: ConnId,
        card: &DeviceCard,
    ) -> Result<bool, Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(false);
        };
        let Some(invite) = self.knocking_at(now, connection.peer)? else {
            return Ok(false);
        };
        let knocking = self.store.knocking(invite)?;
        // A group is held by whoever is at that endpoint.
        let fits = knocking
            .is_none_or(|it| is_into_group(&it) || it.link.ext().identity == card.identity());
        if !fits || self.blocked.contains(&card.identity()) {
            return Ok(false);
        }
        self.say_hello(conn)?;
        self.knock(conn, invite)?;
        Ok(true)
    }

    /// Knocks with a link, or looks where it leads.
    pub(in crate::engine) fn knock(
        &mut self,
        conn: ConnId,
        link: InviteId,
    ) -> Result<(), StoreError> {
        let looked_at = self.looked_at_by(link).cloned();
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.knocked = Some(Knocked {
                link,
                looks: looked_at.is_some(),
                shown: false,
                session: None,
            });
        }
        match looked_at {
            Some(link) => self.say_look(self.clock, conn, &link),
            None => self.say_knock(conn, link)?,
        }
        Ok(())
    }

    fn say_knock(&mut self, conn: ConnId, invite: InviteId) -> Result<(), StoreError> {
        let Some(knocking) = self.store.knocking(invite)? else {
            return Ok(());
        };
        if is_into_group(&knocking) {
            let asker = self.asker(&knocking);
            self.say_group_knock(conn, &knocking.link, asker);
            return Ok(());
        }
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let bond = bond_of_knocker(&knocking, &connection.exporter);
        match Knock::new(&bond, invite, &self.knocker(&knocking)) {
            Ok(knock) => self.say_in_knock(conn, &Message::Knock(knock)),
            // A link of one's own is never taken and the own name was checked: not the other
            // side's fault in any case.
            Err(error) => tracing::error!(%error, "a link cannot be knocked with"),
        }
        Ok(())
    }

    fn knocker(&self, knocking: &Knocking) -> Knocker {
        Knocker {
            card: self.own.card.clone(),
            name: self.profile().name,
            commitment: knock::commitment(&knocking.nonce, self.own.device()),
            plea: self.plea(knocking),
        }
    }

    /// By a link to one person nobody is asked, so nothing is said to anybody.
    fn plea(&self, knocking: &Knocking) -> Plea {
        if !knocking.link.ext().reusable {
            return Plea::default();
        }
        let addresses = self.own_addresses.iter().copied();
        Plea {
            remark: knocking.remark.clone(),
            addresses: addresses.take(MAX_ADDRESSES).collect(),
        }
    }

    pub(super) fn on_answer(
        &mut self,
        now: u64,
        conn: ConnId,
        answer: Answer,
    ) -> Result<(), Fault> {
        let connection = self.connections.0.get(&conn);
        let knocked = connection.and_then(|connection| connection.knocked.zip(connection.shown()));
        let Some((knocked, (identity, device))) = knocked else {
            return Err(Fault::Peer("it answered where nobody knocked".into()));
        };
        let knocking = self.store.knocking(knocked.link)?;
        let Some(knocking) = knocking.filter(|it| !is_into_group(it)) else {
            return Err(Fault::Close(CloseReason::NotWelcome));
        };
        let exporter = self.exporter(conn);
        let bond = bond_of_knocker(&knocking, &exporter);
        let answerer = answer
            .check(&bond, &self.knocker(&knocking))
            .map_err(peer_fault)?;
        if (answerer.card.identity(), answerer.card.device()) != (identity, device) {
            return Err(Fault::Peer(
                "it answered with another card than it showed".into(),
            ));
        }
        let founding = verified(&answerer.founding)?;
        let theirs = founding.header().time;
        if theirs.is_too_early(now) {
            // What we would write into that session would be from everybody else's future too.
            self.notify(Notice::TooEarly {
                device,
                theirs: theirs.millis(),
                ours: now,
            });
            return Err(Fault::Close(CloseReason::NotWelcome));
        }
        let join = self.join(now, &answerer, &founding)?;
        let session = join.session();
        let verification = Verification {
            mine: Share {
                device: self.own.device(),
                nonce: knocking.nonce,
            },
            theirs: Share {
                device,
                nonce: answerer.nonce,
            },
            session,
        };
        let wished = knocking.name.as_deref();
        self.met(now, identity, wished, &answerer.name, verification)?;
        let open = Open::new(knocking.nonce, join.to_wire()).map_err(own_fault)?;
        self.say_in_knock(conn, &Message::Open(open));
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            let session = Some(session);
            connection.knocked = Some(Knocked { session, ..knocked });
        }
        Ok(())
    }

    /// Enters the session that the answer founds; gives our joining event, the same one if the
    /// answer comes again.
    fn join(&mut self, now: u64, answerer: &Answerer, founding: &Event) -> Result<Event, Fault> {
        let id = founding.session();
        if !self.sessions.contains_key(&id) {
            let (session, admitted) =
                Session::open(&mut self.store, founding).map_err(open_fault)?;
            self.check_direct(&session, answerer)?;
            self.sessions.insert(id, session);
            self.admitted(now, id, founding, admitted, None)?;
        }
        if let Some(join) = self.own_join(id)? {
            return Ok(join);
        }
        let op = Op::Join(self.own.card.clone());
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(Fault::Close(CloseReason::Trouble));
        };
        let (join, admitted) = session.operate(&mut self.store, &self.own.key, &op, now)?;
        self.admitted(now, id, &join, admitted, Some(Ours))?;
        self.publish_endpoint(now, id)?;
        self.publish_profile(now, id)?;
        Ok(join)
    }

    /// The session must be one of exactly the two, founded by the device that answered.
    fn check_direct(&self, session: &Session, answerer: &Answerer) -> Result<(), Fault> {
        let roster = session.roster();
        let both = roster.members.contains_key(&self.own.identity())
            && roster.members.contains_key(&answerer.card.identity());
        let founder = roster.author(answerer.card.device()).is_some();
        if roster.kind == SessionKind::Direct && both && founder {
            return Ok(());
        }
        Err(Fault::Peer(
            "it founded another session than one of the two of us".into(),
        ))
    }

    fn own_join(&self, id: SessionId) -> Result<Option<Event>, StoreError> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(None);
        };
        // The first: a chain that was begun later (LOG-14) is no business of a knock.
        let chains = session.roster().chains.keys();
        let mut first: Option<Event> = None;
        for author in chains.filter(|author| author.device == self.own.device()) {
            let stored = LogStore::event(&self.store, author.added_by)?;
            let joined = stored.map(|stored| stored.event).into_iter();
            first = first.into_iter().chain(joined).min_by_key(Event::order);
        }
        Ok(first)
    }

    pub(super) fn on_done(&mut self, now: u64, conn: ConnId) -> Result<(), Fault> {
        let connection = self.connections.0.get(&conn);
        let knocked = connection.and_then(|connection| connection.knocked.zip(connection.shown()));
        let knocked =
            knocked.and_then(|(it, (identity, _))| Some((it.link, it.session?, identity)));
        let Some((invite, session, identity)) = knocked else {
            return Err(Fault::Peer(
                "it ended a knock that it never answered".into(),
            ));
        };
        if let Some(mut knocking) = self.store.knocking(invite)?
            && knocking.is_open()
        {
            knocking.state = State::Connected { session };
            self.store.put_knocking(&knocking)?;
            self.notify(Notice::Knocked {
                invite,
                identity,
                refused: None,
            });
        }
        self.stop_knocking(conn);
        match self
            .connections
            .0
            .get(&conn)
            .map(|connection| &connection.stage)
        {
            Some(Stage::Shown { card }) => {
                let card = card.clone();
                self.become_ready(now, conn, &card)
            }
            _ => Ok(()),
        }
    }

    /// NODE-37: a link of another device of our own has led there once both share a session of their own.
    fn met_own(&mut self, conns: &[ConnId], mut knocking: Knocking) -> Result<(), StoreError> {
        let own = self.own_sessions();
        let mut shares = conns.iter().filter_map(|conn| {
            let ready = self.connections.0.get(conn)?.ready()?;
            let mut shares = ready.shares.values();
            shares.find(|share| own.contains(&share.session))
        });
        let Some(session) = shares.next().map(|share| share.session) else {
            return Ok(());
        };
        if self.place(session) == Place::In {
            knocking.state = State::Connected { session };
            self.store.put_knocking(&knocking)?;
            self.notify(Notice::Knocked {
                invite: knocking.id(),
                identity: self.own.identity(),
                refused: None,
            });
        }
        Ok(())
    }

    /// Knocks with links that are still to be taken where a connection stands already: perhaps
    /// the other side made it, so it was not dialled to knock.
    pub(in crate::engine) fn knock_where_ready(&mut self, now: u64) -> Result<(), StoreError> {
        let looked_at = self.looked_at(now).cloned();
        let looked_at: Vec<Link> = looked_at.collect();
        let own = self.own.identity();
        let mut links = Vec::new();
        for knocking in self.open_knockings(now)? {
            if !is_into_group(&knocking) && knocking.link.ext().identity == own {
                let conns = self.connections.with_endpoint(knocking.link.ext().endpoint);
                self.met_own(&conns, knocking)?;
                continue;
            }
            links.push(knocking.link);
        }
        for link in looked_at.iter().chain(&links) {
            let invite = link.invite().id();
            let places = link.places();
            let conns = places.flat_map(|(place, _)| self.connections.with_endpoint(place));
            for conn in conns.collect::<Vec<_>>() {
                let Some(connection) = self.connections.0.get(&conn) else {
                    continue;
                };
                let busy = connection.knocked.is_some() || connection.waits.contains_key(&invite);
                if connection.ready().is_none() || busy {
                    continue;
                }
                self.knock(conn, invite)?;
            }
        }
        Ok(())
    }
}

fn bond_of_knocker<'a>(knocking: &'a Knocking, exporter: &[u8; 32]) -> Bond<'a> {
    let ext = knocking.link.ext();
    Bond {
        exporter: *exporter,
        secret: &ext.secret,
        inviter: ext.identity,
        endpoint: ext.endpoint,
    }
}
