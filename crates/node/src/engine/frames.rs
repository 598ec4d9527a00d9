//! Frames as they come: what each means at each stage of a connection.

use super::{Engine, Fault};
use crate::{connection::Stage, frame::Frame, input::ConnId, storage::Storage};

impl<S: Storage> Engine<S> {
    pub(super) fn on_frame(&mut self, now: u64, conn: ConnId, bytes: &[u8]) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            // Frames of a connection that we ended are still under way.
            return Ok(());
        };
        let frame = Frame::decode(bytes).map_err(|error| Fault::Peer(error.to_string()))?;
        match (frame, &connection.stage) {
            (Frame::Hello(bytes), _) => self.on_hello(now, conn, &bytes),
            (Frame::Knock(bytes), _) => self.on_knock_message(now, conn, &bytes),
            (Frame::Link(bytes), Stage::Silent) => self.on_link_message(now, conn, &bytes),
            (Frame::Link(_), _) => Err(Fault::Peer(
                "it asked for a card after it had shown one".into(),
            )),
            (Frame::Meet(tags), Stage::Ready(_)) => self.on_meet(now, conn, &tags),
            (Frame::Meet(tags), Stage::Shown { card }) if connection.in_knock() => {
                // NODE-11: whom we knock at knows us already. If we know it too we go ahead, and the knock
                // goes on beside; else what it named waits until we do.
                if connection.knocked.is_some() && self.knows(card) {
                    let card = card.clone();
                    self.become_ready(now, conn, &card)?;
                }
                self.on_meet(now, conn, &tags)
            }
            (Frame::Sync(tag, message), Stage::Ready(_)) => self.on_sync(now, conn, tag, message),
            (Frame::Typing(tag, on), Stage::Ready(_)) => {
                self.on_typing(now, conn, tag, on);
                Ok(())
            }
            (Frame::Bring(brought, over), Stage::Ready(_)) => {
                self.on_bring(now, conn, &brought, over)
            }
            (Frame::Spread(tag, message), Stage::Ready(_)) => {
                self.on_spread(now, conn, tag, message)
            }
            (Frame::Meet(_), _) => Err(too_soon()),
            _ if connection.in_knock() => Ok(()),
            _ => Err(too_soon()),
        }
    }
}

fn too_soon() -> Fault {
    Fault::Peer("it spoke of sessions before it said who it is".into())
}
