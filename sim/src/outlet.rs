//! What leaves a node after a commit, and where it goes.

use tenet_delivery::fanout::message::Message as Spread;
use tenet_log::{event::Unverified, sync::Message};
use tenet_node::{
    command::{CommandError, Reply},
    frame::Frame,
    input::{ConnId, Input, Notice, Output, Ticket},
};

use crate::{
    act::Act,
    machine::{Answer, Carried, Happening, World},
};

impl World {
    pub(super) fn carry_out(&mut self, node: usize, output: Output) {
        self.note(node, &output);
        self.trace_output(node, &output);
        match output {
            Output::Reply { ticket, result } => self.answered(node, ticket, result),
            Output::Send { conn, frame } if self.rogues.contains(&node) => {
                for frame in self.tampered(node, conn, frame) {
                    self.send(node, conn, frame);
                }
            }
            Output::Send { conn, frame } => {
                self.send(node, conn, frame);
            }
            Output::Close { conn, .. } => {
                let delay = self.draw_delay();
                if let Some((node, conn, at)) = self.network.carry(conn, self.now, delay) {
                    let input = Input::Closed { conn };
                    self.happens_at(at, Happening::Arrives { node, conn, input });
                }
                self.network.hush(conn);
            }
            Output::Dial { peer, addresses } => {
                let delay = self.draw_delay();
                let life = self.nodes[node].life;
                self.happens_in(
                    delay,
                    Happening::Dialled {
                        node,
                        life,
                        peer,
                        addresses,
                    },
                );
            }
            Output::Notice(notice) => {
                if let Notice::WrittenAgain { old, new, .. } = &notice {
                    self.written_again.push_back((*old, *new));
                    self.model.written_again(*old, *new);
                }
                if notice == Notice::SetBack {
                    self.noticed.push_back(node);
                }
                if self.keeps_notices || is_bad(&notice) {
                    self.nodes[node].notices.push(notice);
                }
            }
            Output::Authenticated { conn } => {
                self.known.insert(conn);
            }
            output @ (Output::Fetch { .. }
            | Output::StopFetch { .. }
            | Output::Discard { .. }
            | Output::Answer { .. }
            | Output::Pipe { .. }
            | Output::Refuse { .. }) => self.move_content(node, output),
        }
    }

    fn send(&mut self, from: usize, conn: ConnId, frame: Vec<u8>) {
        let Some(delay) = self.travel(from, frame.len()) else {
            return self.end(conn);
        };
        let Some((node, conn, at)) = self.network.carry(conn, self.now, delay) else {
            return;
        };
        if self.watches {
            self.watch(from, node, at, &frame);
        }
        let input = Input::Frame { conn, bytes: frame };
        self.happens_at(at, Happening::Arrives { node, conn, input });
    }

    /// Notes which events a frame carries.
    fn watch(&mut self, from: usize, to: usize, came: u64, frame: &[u8]) {
        let events = match Frame::decode(frame) {
            Ok(Frame::Sync(_, Message::Events(events))) => events,
            Ok(Frame::Spread(_, Spread::Give(event, _))) => vec![event],
            _ => return,
        };
        let decoded = events
            .iter()
            .filter_map(|event| Unverified::decode(event).ok());
        let events = decoded.map(|event| event.id()).collect();
        let sent = self.now;
        self.trail.push(Carried {
            sent,
            came,
            from,
            to,
            events,
        });
    }

    fn answered(&mut self, node: usize, ticket: Ticket, result: Result<Reply, CommandError>) {
        let act = self.nodes[node]
            .asked
            .remove(&ticket)
            .expect("an answer to what was asked");
        if let Act::Numbered { number, .. } = act {
            let result = Some(result);
            self.answers.push_back(Answer {
                node,
                number,
                result,
            });
            return;
        }
        match result {
            Ok(reply) => {
                let given = (&act, &reply);
                if let (
                    Act::Invite { to: with } | Act::Do { with, .. } | Act::Try { with, .. },
                    Reply::Invited { link, .. },
                ) = given
                {
                    let link = link.clone();
                    self.ask(
                        *with,
                        match act {
                            Act::Try { .. } => Act::Knock { link },
                            _ => Act::Accept { link },
                        },
                    );
                }
                if let (Act::Many(_), Reply::Conversation { session }) = given {
                    self.founded = Some(*session);
                }
                if let (Act::Many(_), Reply::LinkInto { link, .. }) = given {
                    self.linked = Some((**link).clone());
                }
                self.model.done(node, &act, &reply, &self.nodes);
                if matches!(act, Act::Forward { .. } | Act::Introduce { .. }) {
                    self.model.look(node, &act, &self.nodes);
                }
            }
            // A person who is told that it was not stored asks again.
            Err(CommandError::NotStored(_)) => self.ask(node, act),
            Err(_) if act.may_fail() => {}
            Err(CommandError::Refused(why)) if why.contains("quota") => {
                self.model.refused(&act);
            }
            Err(CommandError::NotFound(_) | CommandError::Refused(_))
                if self.model.came_too_late(&act) => {}
            Err(error) => self.refused.push((act, error)),
        }
    }

    /// Goes into the trace: who says how much of what kind, and every byte of a frame.
    fn note(&mut self, node: usize, output: &Output) {
        let mut mix = |byte: u64| {
            self.trace = (self.trace ^ byte)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(7);
        };
        mix(self.now);
        mix(node as u64);
        match output {
            Output::Send { conn, frame } => {
                mix(conn.0);
                frame.iter().for_each(|byte| mix(u64::from(*byte)));
            }
            Output::Close { conn, .. } => mix(conn.0 | 1 << 60),
            Output::Notice(Notice::Message { .. }) => mix(1 << 61),
            _ => mix(1 << 62),
        }
    }
}

/// Whether it tells of something that does not happen among honest nodes with right clocks and room on
/// their disks.
pub(crate) fn is_bad(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::Misbehaved { .. }
            | Notice::Forked { .. }
            | Notice::LinkReused { .. }
            | Notice::DiskFull
            | Notice::TooMuch { .. }
            | Notice::TooEarly { .. }
    )
}
