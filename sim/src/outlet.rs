//! What leaves a node after a commit, and where it goes.

use tenet_node::{
    command::{CommandError, Reply},
    input::{Input, Notice, Output, Ticket},
};

use super::{
    act::Act,
    machine::{Happening, World},
};

impl World {
    pub(super) fn carry_out(&mut self, node: usize, output: Output) {
        self.note(node, &output);
        match output {
            Output::Reply { ticket, result } => self.answered(node, ticket, result),
            Output::Send { conn, frame } => {
                let delay = self.draw_delay();
                if let Some((node, conn, at)) = self.network.carry(conn, self.now, delay) {
                    let input = Input::Frame { conn, bytes: frame };
                    self.happens_at(at, Happening::Arrives { node, conn, input });
                }
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
                    self.model.written_again(*old, *new);
                }
                self.nodes[node].notices.push(notice);
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

    fn answered(&mut self, node: usize, ticket: Ticket, result: Result<Reply, CommandError>) {
        let act = self.nodes[node]
            .asked
            .remove(&ticket)
            .expect("an answer to what was asked");
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
