//! The newcomer's end: knocking with a link into a group, taking what is brought, and coming in.

use tenet_apps::contacts::Knocking;
use tenet_identity::{
    keys::EndpointId,
    meeting::{
        group,
        knock::{Asker, GroupBond, GroupKnock, Message, Plea, Preview},
        link::{Link, MAX_ADDRESSES},
    },
};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::{Joining, Op},
    store::StoreError,
    sync::HeadEntry,
};

use crate::{
    connection::{Knocked, Stage},
    engine::{Engine, Fault, Place, bringing},
    input::{CloseReason, ConnId},
    storage::Storage,
};

/// Who brings us a session into which we come by a link.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Which session.
    pub(crate) session: SessionId,
    /// What they held when they said so: once that is here we join.
    goal: Option<Vec<HeadEntry>>,
}

impl<S: Storage> Engine<S> {
    /// GKNOCK-1: knocks with a link into a group.
    pub(in crate::engine) fn say_group_knock(&mut self, conn: ConnId, link: &Link, asker: Asker) {
        let Some((connection, into)) = self.connections.0.get(&conn).zip(link.ext().group.as_ref())
        else {
            return;
        };
        let bond = GroupBond {
            exporter: connection.exporter,
            opening: into.opening,
        };
        match GroupKnock::new(&bond, &group::key(&link.ext().secret), &asker) {
            Ok(knock) => self.say_in_knock(conn, &Message::Group(knock)),
            // The own name and remark were checked.
            Err(error) => tracing::error!(%error, "a link into a group cannot be knocked with"),
        }
    }

    /// What we say of ourselves to who holds a group.
    pub(in crate::engine) fn asker(&self, knocking: &Knocking) -> Asker {
        let consent = knocking
            .link
            .ext()
            .group
            .as_ref()
            .is_some_and(|it| it.consent);
        let addresses = self.own_addresses.iter().copied();
        Asker {
            card: self.own.card.clone(),
            name: self.profile().name,
            asked: knocking.started,
            // Where nobody decides nobody is told anything.
            plea: match consent {
                true => Plea {
                    remark: knocking.remark.clone(),
                    addresses: addresses.take(MAX_ADDRESSES).collect(),
                },
                false => Plea::default(),
            },
            looks: false,
        }
    }

    /// GKNOCK-2: a member's device says what group it is, and perhaps that the session follows.
    pub(in crate::engine) fn on_preview(
        &mut self,
        now: u64,
        conn: ConnId,
        preview: Preview,
    ) -> Result<(), Fault> {
        let knocked = self.connections.0.get(&conn).and_then(|it| it.knocked);
        let Some(knocked) = knocked else {
            return Err(Fault::Peer("it shows a group where nobody knocked".into()));
        };
        if self.has_looked_at(conn, knocked, &preview) {
            return Ok(());
        }
        let knocking = self.store.knocking(knocked.link)?;
        let Some(knocking) = knocking.filter(Knocking::is_open) else {
            return self.knocked_for_nothing(conn);
        };
        let Some(into) = knocking.link.ext().group.clone() else {
            return Err(Fault::Peer(
                "it shows a group where a person was knocked at".into(),
            ));
        };
        if !preview.follows {
            return Ok(());
        }
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            let shown = true;
            connection.knocked = Some(Knocked { shown, ..knocked });
        }
        self.come_by(now, conn, SessionId::from(into.session))
    }

    /// The link was taken by another connection, or is not to be taken any more.
    fn knocked_for_nothing(&mut self, conn: ConnId) -> Result<(), Fault> {
        self.stop_knocking(conn);
        let connection = self.connections.0.get(&conn);
        match connection.is_some_and(|it| it.ready().is_some()) {
            true => Ok(()),
            false => Err(Fault::Close(CloseReason::NotWelcome)),
        }
    }

    /// NODE-1402: the session follows.
    fn come_by(&mut self, now: u64, conn: ConnId, session: SessionId) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        let shown = connection.shown().map(|(identity, _)| identity);
        if shown.is_some_and(|identity| self.blocked.contains(&identity)) {
            return Err(Fault::Close(CloseReason::NotWelcome));
        }
        let goal = None;
        connection.host = Some(Host { session, goal });
        let card = match &connection.stage {
            Stage::Shown { card } => Some(card.clone()),
            Stage::Ready(_) => None,
            Stage::Silent => {
                return Err(Fault::Peer("it let us in before it said who it is".into()));
            }
        };
        self.stand_anew(session)?;
        match card {
            Some(card) => self.become_ready(now, conn, &card),
            None => self.say_meet(conn),
        }
    }

    /// Whether this device is in a session of many.
    pub(crate) fn is_in(&self, session: SessionId) -> bool {
        self.place(session) == Place::In
    }

    /// Whether a session that somebody brings is one into which we have a link.
    pub(in crate::engine) fn has_link_into(&self, session: SessionId) -> Result<bool, StoreError> {
        Ok(!self.entrances(session)?.is_empty())
    }

    /// How we stand in a session is another than before: who is known by it, and who is out.
    pub(in crate::engine) fn stand_anew(&mut self, session: SessionId) -> Result<(), StoreError> {
        if !self.sessions.contains_key(&session) {
            return Ok(());
        }
        self.index_bygone(session)?;
        self.index_outside(session)?;
        self.index_devices()
    }

    /// The connection with who let us come in is gone.
    pub(in crate::engine) fn on_host_gone(&mut self, host: Option<Host>) {
        let Some(host) = host else {
            return;
        };
        if let Err(error) = self.stand_anew(host.session) {
            tracing::warn!(%error, "it is not known who is out of a session");
        }
    }

    /// What they hold: all of it is to be here before we join, or our joining would rest on less than they know.
    pub(in crate::engine) fn note_goal(
        &mut self,
        conn: ConnId,
        session: SessionId,
        heads: &[HeadEntry],
    ) {
        let connection = self.connections.0.get_mut(&conn);
        let host = connection.and_then(|it| it.host.as_mut());
        if let Some(host) = host.filter(|host| host.session == session) {
            host.goal = Some(heads.to_vec());
        }
    }

    /// NODE-1403: comes in once all is here that who lets us in held.
    pub(in crate::engine) fn arrive(&mut self, now: u64, conn: ConnId) -> Result<(), Fault> {
        let host = self
            .connections
            .0
            .get(&conn)
            .and_then(|it| it.host.as_ref());
        let Some((session, goal)) = host.and_then(|it| Some((it.session, it.goal.as_ref()?)))
        else {
            return Ok(());
        };
        let state = self.sessions.get(&session);
        match state.is_some_and(|state| !bringing::is_behind(state, goal)) {
            true => self.come_in(now, session),
            false => Ok(()),
        }
    }

    /// ROS-504: joins by a link, if what is here lets that count.
    fn come_in(&mut self, now: u64, session: SessionId) -> Result<(), Fault> {
        if self.place(session) != Place::Coming || self.is_set_back() {
            return Ok(());
        }
        self.set_told_bygone(session, false)?;
        if self.is_member(session, self.own.identity()) {
            return self.take_place(now, session);
        }
        let links = self.entrances(session)?;
        let by = links
            .iter()
            .find_map(|one| self.joining(now, session, &one.link).transpose());
        match by.transpose()? {
            Some(joining) => self.join_by(now, session, &Op::JoinLink(joining)),
            None => Ok(()),
        }
    }

    fn joining(
        &self,
        now: u64,
        session: SessionId,
        link: &Link,
    ) -> Result<Option<Joining>, StoreError> {
        let state = self.sessions.get(&session).zip(link.ext().group.as_ref());
        let Some((state, group)) = state else {
            return Ok(None);
        };
        let opened_by = EventId::from(group.opening);
        let Some((opening, open)) = state.opening(&self.store, opened_by)? else {
            return Ok(None);
        };
        let roster = state.roster();
        let ended = opening.until.is_some_and(|until| now >= until.millis());
        let revoked = roster.revoked.contains(&self.own.device());
        let shut_out = roster.dissolved || state.is_shut_out(&self.store, self.own.identity())?;
        if !open || opening.asks() || ended || revoked || shut_out {
            return Ok(None);
        }
        let key = group::key(&link.ext().secret);
        let card = self.own.card.clone();
        Ok(Some(Joining::by(&key, opened_by, card)))
    }

    /// The endpoints to which a link that is taken leads are dialled no more, unless there is still reason to.
    pub(in crate::engine) fn forget_places(
        &mut self,
        now: u64,
        knocking: &Knocking,
    ) -> Result<(), StoreError> {
        let places: Vec<EndpointId> = knocking.link.places().map(|(place, _)| place).collect();
        for place in places {
            self.forget_unwanted(now, place)?;
        }
        Ok(())
    }

    /// A link was refused, for good or for now: nobody lets us in here.
    pub(in crate::engine) fn is_turned_away(&mut self, conn: ConnId) -> Result<(), Fault> {
        let connection = self.connections.0.get_mut(&conn);
        match connection.and_then(|it| it.host.take()) {
            Some(host) => Ok(self.stand_anew(host.session)?),
            None => Ok(()),
        }
    }
}
