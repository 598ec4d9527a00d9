//! The loop: what happens next, one node's batch, its commit, and the end of its process.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    net::SocketAddr,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_identity::{hello::Role, keys::EndpointId};
use tenet_log::ids::SessionId;
use tenet_node::{
    Engine,
    command::CommandError,
    input::{ConnId, Input, Ticket},
};

use super::{
    act::Act,
    files::{self, Contents},
    model::Model,
    network::Network,
    node::{Node, State},
};

/// When the stories begin, in Unix milliseconds: in July 2024.
pub const BEGINNING: u64 = 1_720_000_000_000;

/// The longest wait of a redial is five minutes; a few in a row may be unlucky.
const HALF_AN_HOUR: u64 = 30 * 60 * 1000;

/// The longest that anything takes on the virtual network, in milliseconds.
const LONGEST_DELAY: u64 = 60;

/// How long a connection may stand before both ends know each other (`NET-10`), in milliseconds.
const STRANGER_TIME: u64 = 10_000;

/// All delays are multiples of this, so that several inputs often fall into one batch.
const GRAIN: u64 = 5;

/// The end of a process that is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Whose process.
    pub node: usize,
    /// In which of its batches, counted from 0.
    pub batch: u64,
    /// When exactly.
    pub moment: Moment,
}

/// Where around a commit a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The inputs are handled, nothing is committed.
    Before,
    /// All is committed; so many outputs have left.
    After(usize),
}

/// Something that happens at a point of virtual time.
pub(super) enum Happening {
    /// A node is told something, if it still lives the life that it is meant for.
    Told {
        node: usize,
        life: u32,
        input: Input,
    },
    /// A frame or the end of a connection arrives.
    Arrives {
        node: usize,
        conn: ConnId,
        input: Input,
    },
    /// A person asks for something, in whatever life.
    Asked { node: usize, act: Act },
    /// A dial reaches where it goes.
    Dialled {
        node: usize,
        life: u32,
        peer: EndpointId,
        addresses: Vec<SocketAddr>,
    },
    /// A process starts.
    Starts { node: usize },
    /// An end of a connection has had its time to become known.
    Estranged { conn: ConnId },
}

/// Several nodes, what is between them, and what their persons expect to see.
pub struct World {
    /// The true time, in Unix milliseconds.
    pub now: u64,
    /// Draws everything that is not determined otherwise.
    pub rng: ChaCha20Rng,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What must be seen in the end.
    pub model: Model,
    /// Ends of processes that are still to come.
    pub kills: Vec<Kill>,
    /// Command errors that were no fault of the store.
    pub refused: Vec<(Act, CommandError)>,
    /// How long, in virtual milliseconds, it may take to come to rest.
    pub patience: u64,
    /// A hash over all outputs so far: two runs of one seed have the same.
    pub trace: u64,
    /// The session of many that was founded last.
    pub(super) founded: Option<SessionId>,
    /// Whether a connection ends whose two ends do not come to know each other, as the real network has it.
    pub estranges: bool,
    /// Ends that have become known.
    pub(super) known: BTreeSet<ConnId>,
    pub(super) network: Network,
    pub(super) contents: Contents,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
}

impl World {
    /// Nodes that start at once; of each how far its clock is ahead, in milliseconds.
    pub fn new(seed: u64, ahead: &[u64]) -> Self {
        let nodes = ahead.iter().enumerate();
        let nodes = nodes
            .map(|(number, ahead)| Node::new(number, *ahead, BEGINNING))
            .collect();
        Self::of(seed, nodes)
    }

    /// These nodes, which start at once.
    pub fn of(seed: u64, nodes: Vec<Node>) -> Self {
        let mut world = Self {
            now: BEGINNING,
            rng: ChaCha20Rng::seed_from_u64(seed),
            nodes,
            model: Model::default(),
            kills: Vec::new(),
            refused: Vec::new(),
            patience: HALF_AN_HOUR,
            trace: 0,
            founded: None,
            estranges: false,
            known: BTreeSet::new(),
            network: Network::default(),
            contents: Contents::default(),
            queue: BTreeMap::new(),
            serial: 0,
        };
        for node in 0..world.nodes.len() {
            world.happens_in(0, Happening::Starts { node });
        }
        world
    }

    /// A person asks for something, a moment from now and after what the same person asked before.
    pub fn ask(&mut self, node: usize, act: Act) {
        let at = (self.now + self.draw_delay()).max(self.nodes[node].busy_until);
        self.nodes[node].busy_until = at;
        self.happens_at(at, Happening::Asked { node, act });
    }

    /// A random number below `end`.
    pub fn draw(&mut self, end: u64) -> u64 {
        self.rng.next_u64() % end.max(1)
    }

    /// Ends a random connection, at both ends about now; what is under way is lost from some
    /// moment on.
    pub fn cut_one(&mut self) {
        let open = self.network.open();
        if open.is_empty() {
            return;
        }
        let at = usize::try_from(self.draw(open.len() as u64)).unwrap();
        self.end(open[at].0);
    }

    /// Ends a connection, at both ends about now.
    fn end(&mut self, conn: ConnId) {
        for conn in self.network.both_ends(conn) {
            let at = self.now + self.draw_delay();
            self.network.cut(conn, at);
            let node = self.node_of(conn);
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

    /// Lets the next thing happen; `false` when nothing will ever happen again by itself.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next() else {
            return false;
        };
        self.now = self.now.max(next);
        let mut batches: BTreeMap<usize, Vec<Input>> = BTreeMap::new();
        while let Some(entry) = self
            .queue
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let happening = entry.remove();
            if let Some((node, input)) = self.happen(happening) {
                batches.entry(node).or_default().push(input);
            }
        }
        for node in 0..self.nodes.len() {
            if self.deadline(node).is_some_and(|at| at <= self.now) {
                batches.entry(node).or_default().push(Input::Tick);
            }
        }
        for (node, inputs) in batches {
            self.batch(node, inputs);
        }
        true
    }

    /// Lets the next thing happen if that is not later than `until`; else it is then.
    pub fn step_until(&mut self, until: u64) -> bool {
        let due = self.next().is_some_and(|next| next <= until);
        if due {
            self.step()
        } else {
            self.now = self.now.max(until);
            false
        }
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let due = (0..self.nodes.len())
            .filter_map(|node| self.deadline(node))
            .min();
        [queued, due].into_iter().flatten().min()
    }

    /// Ends a process now, what is not committed is lost; it starts again a little later.
    pub fn kill(&mut self, node: usize) {
        let State::Running(engine) = mem::replace(&mut self.nodes[node].state, State::Between)
        else {
            panic!("only a running process can end");
        };
        let disk = engine
            .into_store()
            .expect("what was not committed can be given up");
        self.nodes[node].state = State::Dead(Box::new(disk));
        self.nodes[node].life += 1;
        for (conn, end) in self.network.ends_of(node) {
            self.network.cut(conn, self.now);
            self.network.hush(end.other);
            let at = self.now.max(end.clear_at) + self.draw_end();
            let conn = end.other;
            let node = self.node_of(conn);
            self.happens_at(
                at,
                Happening::Arrives {
                    node,
                    conn,
                    input: Input::Closed { conn },
                },
            );
        }
        let delay = self.draw_end();
        self.happens_in(delay, Happening::Starts { node });
    }

    /// Whether a process is planned to end, or is not running.
    pub fn is_whole(&self) -> bool {
        self.kills.is_empty() && self.nodes.iter().all(|node| node.engine().is_some())
    }

    pub(super) fn happens_in(&mut self, delay: u64, happening: Happening) {
        self.happens_at(self.now + delay, happening);
    }

    pub(super) fn happens_at(&mut self, at: u64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((at, self.serial), happening);
    }

    pub(super) fn draw_delay(&mut self) -> u64 {
        (1 + self.draw(LONGEST_DELAY / GRAIN)) * GRAIN
    }

    /// How long it takes to notice the end of a process, or to start one: from at once to seconds.
    fn draw_end(&mut self) -> u64 {
        let scale = [50, 400, 3_000][usize::try_from(self.draw(3)).unwrap()];
        self.draw(scale / GRAIN) * GRAIN
    }

    fn node_of(&self, conn: ConnId) -> usize {
        self.network.node_of(conn)
    }

    /// A node's clock.
    pub fn clock(&self, node: usize) -> u64 {
        self.now + self.nodes[node].ahead
    }

    /// When a node wants to be called, by the true time.
    fn deadline(&self, node: usize) -> Option<u64> {
        let node = &self.nodes[node];
        let at = node.engine()?.deadline()?;
        Some(at.saturating_sub(node.ahead).max(self.now))
    }

    /// Turns what happens into what a running node is told.
    fn happen(&mut self, happening: Happening) -> Option<(usize, Input)> {
        match happening {
            Happening::Told { node, life, input } => {
                (self.nodes[node].life == life).then_some((node, input))
            }
            Happening::Arrives { node, conn, input } => {
                let closed = matches!(input, Input::Closed { .. });
                let arrives = closed || self.network.arrives(conn, self.now);
                let heard = arrives && self.nodes[node].engine().is_some();
                if heard {
                    self.land(node, &input);
                }
                heard.then_some((node, input))
            }
            Happening::Asked { node, act } => {
                if self.nodes[node].engine().is_none() {
                    self.ask(node, act);
                    return None;
                }
                self.serial += 1;
                let ticket = Ticket(self.serial);
                if let Act::Send { text, .. } = &act {
                    self.seal(node, &files::files(text));
                }
                let command = act.command(|node| self.nodes[node].did());
                self.nodes[node].asked.insert(ticket, act);
                Some((node, Input::Command { ticket, command }))
            }
            Happening::Dialled {
                node,
                life,
                peer,
                addresses,
            } => {
                self.dialled(node, life, peer, &addresses);
                None
            }
            Happening::Estranged { conn } => {
                if !self.known.contains(&conn) {
                    self.end(conn);
                }
                None
            }
            Happening::Starts { node } if self.nodes[node].lost => None,
            Happening::Starts { node } => {
                self.start(node);
                Some((
                    node,
                    Input::AddressesChanged {
                        addresses: vec![self.nodes[node].address],
                    },
                ))
            }
        }
    }

    fn start(&mut self, node: usize) {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let now = self.clock(node);
        let this = &mut self.nodes[node];
        let State::Dead(disk) = mem::replace(&mut this.state, State::Between) else {
            panic!("a running process cannot start");
        };
        let engine = Engine::open(*disk, this.own(), seed, now).expect("the engine opens");
        if this.life == 0 {
            this.written_at_start = engine.store().writes();
        }
        this.state = State::Running(Box::new(engine));
        for (_, act) in mem::take(&mut this.asked) {
            if act.is_repeated() {
                self.ask(node, act);
            } else {
                self.model.look(node, &act, &self.nodes);
            }
        }
    }

    /// A dial reaches who listens at one of the addresses and has the right key.
    fn dialled(&mut self, node: usize, life: u32, peer: EndpointId, addresses: &[SocketAddr]) {
        let there = self.nodes.iter().position(|node| {
            let right = node.endpoint() == peer && addresses.contains(&node.address);
            right && node.engine().is_some()
        });
        let alive = self.nodes[node].life == life;
        let Some(there) = there.filter(|_| alive) else {
            let delay = self.draw_delay();
            self.happens_in(
                delay,
                Happening::Told {
                    node,
                    life,
                    input: Input::DialFailed { peer },
                },
            );
            return;
        };
        let mut exporter = [0; 32];
        self.rng.fill_bytes(&mut exporter);
        let (one, other) = self.network.connect(node, there, self.now);
        for (conn, node, role, peer) in [
            (one, node, Role::Dialler, peer),
            (other, there, Role::Dialled, self.nodes[node].endpoint()),
        ] {
            let input = Input::Connected {
                conn,
                peer,
                role,
                exporter,
            };
            self.happens_in(0, Happening::Arrives { node, conn, input });
            if self.estranges {
                self.happens_in(STRANGER_TIME, Happening::Estranged { conn });
            }
        }
    }

    /// One batch of a node, its commit, and what leaves then.
    fn batch(&mut self, node: usize, inputs: Vec<Input>) {
        let now = self.clock(node);
        let this = &mut self.nodes[node];
        let batch = this.batches;
        this.batches += 1;
        let Some(engine) = this.engine_mut() else {
            return;
        };
        for input in inputs {
            // A batch that is lost altogether is answered for by `commit`.
            let _ = engine.handle(now, input);
        }
        let planned = self
            .kills
            .iter()
            .position(|kill| (kill.node, kill.batch) == (node, batch));
        let moment = planned.map(|at| self.kills.swap_remove(at).moment);
        if moment == Some(Moment::Before) {
            self.kill(node);
            return;
        }
        let mut outputs = self.nodes[node].engine_mut().unwrap().commit(now);
        if let Some(Moment::After(left)) = moment {
            outputs.truncate(left);
        }
        for output in outputs {
            self.carry_out(node, output);
        }
        if moment.is_some() {
            self.kill(node);
        }
    }
}
