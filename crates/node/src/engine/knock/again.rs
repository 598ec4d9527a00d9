//! Knocking on a connection that stands anyway: one link after the other, each once until there may be another answer.

use tenet_identity::{keys::EndpointId, meeting::invite::InviteId};

use crate::{
    engine::{Engine, Fault},
    input::ConnId,
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    /// A knock came to its end on a connection that stands: the next one may begin there.
    pub(in crate::engine) fn stop_knocking(&mut self, conn: ConnId) {
        self.knock_again = true;
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.knocked = None;
        }
    }

    /// A knock was answered, but not for good: with this link nobody knocks there before the other end names its sessions
    /// anew (NODE-102).
    pub(in crate::engine) fn wait_there(&mut self, conn: ConnId, invite: InviteId) {
        let connection = self.connections.0.get_mut(&conn);
        let Some(connection) = connection.filter(|it| it.ready().is_some()) else {
            return;
        };
        connection.waits.insert(invite);
        self.stop_knocking(conn);
    }

    /// The other end names its sessions: where it had us wait there may be another answer.
    pub(in crate::engine) fn wait_no_more(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            self.knock_again |= !connection.waits.is_empty();
            connection.waits.clear();
        }
    }

    /// A person takes a link, or looks at it: whoever had us wait is asked at once.
    pub(crate) fn knock_at_once(&mut self, invite: InviteId) {
        self.knock_again = true;
        for connection in self.connections.0.values_mut() {
            connection.waits.remove(&invite);
        }
    }

    /// NODE-102: something was decided about who knocked where a connection stands: they knock there again once they hear
    /// of it.
    pub(crate) fn have_knock_again(&mut self, endpoint: EndpointId) {
        let conns = self.connections.with_endpoint(endpoint);
        self.afterwards.meet.extend(conns);
    }

    /// A refusal where nobody knocks. On a connection that stands it belongs to a knock that was answered otherwise in the
    /// meantime.
    pub(super) fn refused_for_nothing(&self, conn: ConnId) -> Result<(), Fault> {
        let connection = self.connections.0.get(&conn);
        match connection.is_some_and(|it| it.ready().is_some()) {
            true => Ok(()),
            false => Err(Fault::Peer("it refused where nobody knocked".into())),
        }
    }
}
