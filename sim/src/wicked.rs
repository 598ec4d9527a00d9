//! Nodes that do not keep to the protocol: a real engine whose frames are tampered with on their way out.

use std::collections::BTreeMap;

use tenet_log::{
    event::{Event, Unverified},
    sync::{EncodedEvent, HeadEntry, Message},
};
use tenet_node::{frame::Frame, input::ConnId};

use crate::machine::World;

/// How many copies of a frame are a flood.
const FLOOD: usize = 40;

/// What wicked nodes sent last on each connection.
#[derive(Default)]
pub(crate) struct Sent(BTreeMap<ConnId, Vec<u8>>);

impl World {
    /// What a wicked node sends in the place of a frame.
    pub(crate) fn tampered(&mut self, node: usize, conn: ConnId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let before = self.sent.0.insert(conn, frame.clone());
        let told = Frame::decode(&frame).ok();
        match (self.draw(24), told, before) {
            // What it said before, once more.
            (0, _, Some(before)) => vec![frame, before],
            (1, ..) => vec![frame; FLOOD],
            (2, ..) => vec![self.damaged(frame)],
            (3, ..) => Vec::new(),
            (4 | 5, Some(Frame::Sync(tag, Message::Have(heads))), _) => {
                vec![Frame::Sync(tag, Message::Have(exaggerated(heads))).encode()]
            }
            (4 | 5, Some(Frame::Sync(tag, Message::Frontier(heads, registers, within))), _) => {
                let told = Message::Frontier(exaggerated(heads), registers, within);
                vec![Frame::Sync(tag, told).encode()]
            }
            (_, Some(Frame::Sync(tag, Message::Events(events))), _) if conn.0 % 4 < 2 => {
                let events = events.iter().map(|event| self.other(node, event));
                vec![Frame::Sync(tag, Message::Events(events.collect())).encode()]
            }
            _ => vec![frame],
        }
    }

    fn damaged(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let at = usize::try_from(self.draw(frame.len() as u64)).unwrap();
        frame[at] ^= 1;
        frame
    }

    /// A second history: half of those it speaks to hear another version of what it wrote itself.
    fn other(&self, node: usize, encoded: &EncodedEvent) -> EncodedEvent {
        let own = self.nodes[node].own();
        let event = Unverified::decode(encoded).and_then(Unverified::verify);
        let event = event.expect("what an engine sends is an event");
        let header = event.header();
        if header.device != own.device() || header.kind.is_roster() {
            return encoded.clone();
        }
        let mut header = header.clone();
        header.time = header.time.next(0);
        let event = Event::sign(&own.key, header, event.body().cloned());
        EncodedEvent::from(event.to_wire())
    }
}

/// It holds more than it does.
fn exaggerated(mut heads: Vec<HeadEntry>) -> Vec<HeadEntry> {
    for head in &mut heads {
        head.seq += 1;
    }
    heads
}
