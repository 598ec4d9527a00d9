//! Knocking on a connection that stands anyway: one link after the other, each once until there may be another answer.

use tenet_delivery::redial::LONGEST_WAIT_MS;
use tenet_identity::{keys::EndpointId, meeting::invite::InviteId};

use crate::{engine::Engine, input::ConnId, storage::Storage};

impl<S: Storage> Engine<S> {
    /// A knock came to its end on a connection that stands: the next one may begin there.
    pub(in crate::engine) fn stop_knocking(&mut self, conn: ConnId) {
        self.knock_again = true;
        if let Some(connection) = self.connections.0.get_mut(&conn) {
            connection.knocked = None;
        }
    }

    /// A knock was answered, but not for good: with this link nobody knocks there before there may be another answer
    /// (NODE-102).
    pub(in crate::engine) fn wait_there(&mut self, conn: ConnId, invite: InviteId) {
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return;
        };
        let until = self.clock.saturating_add(LONGEST_WAIT_MS);
        connection.waits.insert(invite, until);
        // Else it stays until the two know each other, by whatever the other end knocks with.
        if connection.ready().is_some() {
            self.stop_knocking(conn);
        }
    }

    /// The other end names its sessions: where it had us wait there may be another answer.
    pub(in crate::engine) fn wait_no_more(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.0.get_mut(&conn) else {
            return;
        };
        let waits = std::mem::take(&mut connection.waits);
        connection.knocked = connection
            .knocked
            .filter(|it| !waits.contains_key(&it.link));
        self.knock_again |= !waits.is_empty();
    }

    /// A person takes a link, or looks at it: whoever had us wait is asked at once.
    pub(crate) fn knock_at_once(&mut self, invite: InviteId) {
        self.knock_again = true;
        for connection in self.connections.0.values_mut() {
            connection.waits.remove(&invite);
        }
    }

    /// When to knock again somewhere.
    pub(in crate::engine) fn knock_again_at(&self) -> Option<u64> {
        let connections = self.connections.0.values();
        connections.flat_map(|it| it.waits.values()).min().copied()
    }

    /// What had us wait may have passed without a word: there was no room, or a clock was wrong.
    pub(in crate::engine) fn knock_due(&mut self, now: u64) {
        for connection in self.connections.0.values_mut() {
            let before = connection.waits.len();
            connection
                .waits
                .retain(|_, at| now < *at && *at <= now.saturating_add(LONGEST_WAIT_MS));
            self.knock_again |= connection.waits.len() < before;
        }
    }

    /// NODE-102: something was decided about who knocked where a connection stands: they knock there again once they hear
    /// of it.
    pub(crate) fn have_knock_again(&mut self, endpoint: EndpointId) {
        let conns = self.connections.with_endpoint(endpoint);
        self.afterwards.meet.extend(conns);
    }
}
