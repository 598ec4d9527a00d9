//! Processes that end and start, and disks that are set back.

use std::mem;

use rand_core::Rng;
use tenet_node::{Engine, input::Input};

use crate::{
    act::Act,
    machine::{Answer, GRAIN, Happening, World},
    node::State,
};

impl World {
    /// Ends a process now, what is not committed is lost; it starts again a little later.
    pub fn kill(&mut self, node: usize) {
        self.switch_off(node);
        self.nodes[node].is_off = false;
        let delay = self.draw_end();
        self.happens_in(delay, Happening::Starts { node });
    }

    /// Ends a process now, and what is not committed is lost.
    pub fn switch_off(&mut self, node: usize) {
        let State::Running(engine) = mem::replace(&mut self.nodes[node].state, State::Between)
        else {
            panic!("only a running process can end");
        };
        let disk = engine
            .into_store()
            .expect("what was not committed can be given up");
        self.nodes[node].state = State::Dead(Box::new(disk));
        self.nodes[node].life += 1;
        self.nodes[node].is_off = true;
        self.rearm(node);
        for (conn, end) in self.network.ends_of(node) {
            self.network.cut(conn, self.now);
            self.network.hush(end.other);
            let at = self.now.max(end.clear_at) + self.draw_end();
            let conn = end.other;
            let node = self.network.node_of(conn);
            self.happens_at(
                at,
                Happening::Arrives {
                    node,
                    conn,
                    input: Input::Closed { conn },
                },
            );
        }
    }

    /// Ends a device for good, whether it runs or not.
    pub fn put_away(&mut self, node: usize) {
        self.nodes[node].lost = true;
        if self.nodes[node].engine().is_some() {
            self.switch_off(node);
        }
    }

    /// Says of an act that is numbered that nobody will answer it; `false` of any other.
    pub(super) fn unanswered(&mut self, node: usize, act: &Act) -> bool {
        let Act::Numbered { number, .. } = *act else {
            return false;
        };
        let result = None;
        self.answers.push_back(Answer {
            node,
            number,
            result,
        });
        true
    }

    /// Starts a process that was switched off.
    pub fn switch_on(&mut self, node: usize) {
        self.nodes[node].is_off = false;
        self.happens_in(0, Happening::Starts { node });
    }

    /// A node is met elsewhere from now on; its connections stand.
    pub fn move_on(&mut self, node: usize) {
        let this = &mut self.nodes[node];
        this.address.set_port(this.address.port() + 1);
        let (life, addresses) = (this.life, vec![this.address]);
        let input = Input::AddressesChanged { addresses };
        self.happens_in(0, Happening::Told { node, life, input });
    }

    /// Ends a process; it starts again with the state of its store that was kept.
    pub fn set_back(&mut self, node: usize) {
        self.kill(node);
        if let Some(former) = self.nodes[node].former.take() {
            self.nodes[node].state = State::Dead(former);
        }
    }

    /// Whether a process is planned to end, or is not running.
    pub fn is_whole(&self) -> bool {
        self.kills.is_empty() && self.nodes.iter().all(|node| node.engine().is_some())
    }

    /// How long it takes to notice the end of a process, or to start one: from at once to seconds.
    pub(super) fn draw_end(&mut self) -> u64 {
        let scale = [50, 400, 3_000][usize::try_from(self.draw(3)).unwrap()];
        self.draw(scale / GRAIN) * GRAIN
    }

    pub(super) fn start(&mut self, node: usize) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let now = self.clock(node);
        let this = &mut self.nodes[node];
        let State::Dead(disk) = mem::replace(&mut this.state, State::Between) else {
            panic!("a running process cannot start");
        };
        // Whoever starts it again has made room.
        disk.fail(None);
        let engine = Engine::open(*disk, this.own(), seed, now).expect("the engine opens");
        if this.life == 0 {
            this.written_at_start = engine.store().writes();
        }
        this.state = State::Running(Box::new(engine));
        self.rearm(node);
        // It may have another key than before.
        self.by_endpoint.insert(self.nodes[node].endpoint(), node);
        let this = &mut self.nodes[node];
        for (_, act) in mem::take(&mut this.asked) {
            if self.unanswered(node, &act) {
                continue;
            }
            if act.is_repeated() {
                self.ask(node, act);
            } else {
                self.model.look(node, &act, &self.nodes);
            }
        }
    }
}
