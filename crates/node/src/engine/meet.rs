//! Finding the sessions that two connected devices share.

use rand_core::Rng;
use tenet_log::{
    ids::SessionId,
    sync::{Message, Peer, Tag},
};

use super::{Bringing, Engine, Fault, Place};
use crate::{
    connection::{Connection, Share},
    frame::{Frame, MAX_TAGS},
    input::ConnId,
    storage::Storage,
};

/// NODE-12: tags are said in multiples of this many, filled up with random ones, so that their number does
/// not tell how many sessions two people share.
const PADDING: usize = 16;

impl<S: Storage> Engine<S> {
    /// Says which sessions we believe to share.
    pub(super) fn say_meet(&mut self, conn: ConnId) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        if connection.ready().is_none() {
            return Ok(());
        }
        let secrets = self.secrets_with(connection);
        let mut tags: Vec<Tag> = secrets
            .iter()
            .map(|(_, secret)| connection.tags(secret).0)
            .collect();
        tags.truncate(MAX_TAGS);
        while !tags.len().is_multiple_of(PADDING) || tags.is_empty() {
            let mut random = [0; 16];
            self.rng.fill_bytes(&mut random);
            tags.push(Tag(random));
        }
        // The order of tags that nobody else can compute tells nothing; sorting hides ours.
        tags.sort();
        self.send(conn, &Frame::Meet(tags));
        self.begin_shares(conn)?;
        Ok(self.bring(conn)?)
    }

    /// Says so where an input changed rosters.
    pub(super) fn say_meets(&mut self) -> Result<(), Fault> {
        while let Some(conn) = self.afterwards.meet.pop_first() {
            self.say_meet(conn)?;
        }
        Ok(())
    }

    /// The other end says which sessions it believes to share.
    pub(super) fn on_meet(&mut self, now: u64, conn: ConnId, tags: &[Tag]) -> Result<(), Fault> {
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.named = tags.iter().copied().collect();
            let named = &connection.named;
            connection.early.retain(|tag, _| named.contains(tag));
        }
        self.wait_no_more(conn);
        self.note_claims(conn)?;
        self.begin_shares(conn)?;
        self.supersede(now, conn);
        Ok(self.bring(conn)?)
    }

    /// Begins to synchronise every session that both have named by now.
    fn begin_shares(&mut self, conn: ConnId) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let Some(ready) = connection.ready() else {
            return Ok(());
        };
        let mut begun = Vec::new();
        for (session, secret) in self.secrets_with(connection) {
            let (ours, theirs) = connection.tags(&secret);
            if !connection.named.contains(&theirs) || ready.shares.contains_key(&theirs) {
                continue;
            }
            let Some(state) = self.sessions.get(&session) else {
                continue;
            };
            let part = self.part_at(connection, session)?;
            let (peer, message) = Peer::open_to(state, &self.store, part)?;
            begun.push((
                theirs,
                Share {
                    session,
                    ours,
                    peer,
                    dirty: false,
                    bringing: Bringing::default(),
                    unanswered: 1,
                },
                message,
            ));
        }
        for (theirs, share, message) in begun {
            self.begin_share(conn, theirs, share, message)?;
        }
        Ok(())
    }

    fn begin_share(
        &mut self,
        conn: ConnId,
        theirs: Tag,
        share: Share,
        message: Message,
    ) -> Result<(), Fault> {
        let (session, frame) = (share.session, Frame::Sync(share.ours, message));
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return Ok(());
        };
        let early = connection.early.remove(&theirs);
        let Some(ready) = connection.ready_mut() else {
            return Ok(());
        };
        ready.shares.insert(theirs, share);
        let device = ready.device;
        self.speaks_of(session, device);
        self.knock_again = true;
        self.send(conn, &frame);
        self.want_again(conn, theirs)?;
        match early {
            Some(digest) => self.on_digest(self.clock, conn, theirs, session, digest),
            None => Ok(()),
        }
    }

    /// Sessions to be spoken of on a connection, with their secrets: those that the device at its other end
    /// has a place in, those that it brought, and those that it named itself (NODE-38).
    pub(super) fn secrets_with(&self, connection: &Connection) -> Vec<(SessionId, [u8; 32])> {
        let Some(ready) = connection.ready() else {
            return Vec::new();
        };
        let mut sessions = self.sessions_of_device(ready.identity, ready.device);
        let brought = connection.brought.iter();
        sessions.extend(brought.filter(|session| self.place(**session) == Place::Coming));
        sessions.extend(connection.returns.iter());
        let claimed = connection.claimed.iter();
        sessions.extend(claimed.filter(|session| self.place(**session) == Place::In));
        sessions.extend(connection.guest.map(|guest| guest.session));
        sessions.extend(connection.host.as_ref().map(|host| host.session));
        sessions
            .into_iter()
            .filter_map(|id| Some((id, self.sessions.get(&id)?.roster().secret)))
            .collect()
    }
}
