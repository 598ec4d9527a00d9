//! Frames as they come: what each means at each stage of a connection.

use super::{Engine, Fault};
use crate::{
    connection::Stage,
    frame::Frame,
    input::ConnId,
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    pub(super) fn on_frame(&mut self, now: u64, conn: ConnId, bytes: &[u8]) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            // Frames of a connection that we ended are still under way.
            return Ok(());
        };
        let ready = matches!(connection.stage, Stage::Ready(_));
        let knocking = matches!(connection.stage, Stage::Knocking { .. } | Stage::Answered { .. });
        let frame = Frame::decode(bytes).map_err(|error| Fault::Peer(error.to_string()))?;
        match frame {
            Frame::Hello(bytes) => self.on_hello(now, conn, &bytes),
            Frame::Knock(bytes) => self.on_knock_message(now, conn, &bytes),
            Frame::Meet(tags) if ready => self.on_meet(conn, &tags),
            Frame::Sync(tag, message) if ready => self.on_sync(now, conn, tag, message),
            // Who knocks again may be known already at the other side, which then goes ahead.
            Frame::Meet(_) | Frame::Sync(..) if knocking => Ok(()),
            Frame::Meet(_) | Frame::Sync(..) => {
                Err(Fault::Peer("it spoke of sessions before it said who it is".into()))
            }
        }
    }
}
