//! The loop: what happens next, one node's batch, its commit, and the end of its process.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    ops::Range,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_identity::{hello::Role, keys::EndpointId};
use tenet_log::ids::{EventId, SessionId};
use tenet_node::{
    command::{CommandError, Reply},
    groups::LinkInto,
    input::{ConnId, Input, Ticket},
};

use crate::{
    act::Act,
    files::{self, Contents},
    network::Network,
    node::Node,
    pair::model::Model,
    walls::Walls,
    weather::{Lines, Weather},
    wicked::Sent,
};

/// When the stories begin, in Unix milliseconds: in July 2024.
pub const BEGINNING: u64 = 1_720_000_000_000;

/// The longest wait of a redial is five minutes; a few in a row may be unlucky.
const HALF_AN_HOUR: u64 = 30 * 60 * 1000;

/// How long a connection may stand before both ends know each other (`NET-10`), in milliseconds.
const STRANGER_TIME: u64 = 10_000;

/// After how long a dial that nobody answers has failed, in milliseconds.
const UNANSWERED: u64 = 5_000;

/// All delays are multiples of this, so that several inputs often fall into one batch.
pub(crate) const GRAIN: u64 = 5;

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
    pub(super) linked: Option<LinkInto>,
    /// Whether a connection ends whose two ends do not come to know each other, as the real network has it.
    pub estranges: bool,
    /// Whether all notices are kept, or only those that tell of something bad.
    pub keeps_notices: bool,
    /// What the network does to frames.
    pub weather: Weather,
    /// Who can dial whom.
    pub walls: Walls,
    /// How often each node dialled whom and nobody answered.
    pub in_vain: BTreeMap<(usize, EndpointId), usize>,
    /// Which nodes noticed that they were set back.
    pub noticed: VecDeque<usize>,
    /// Whether who moved is met where it was before too: a link that was not taken yet says nothing else.
    pub forwards: bool,
    pub(super) lines: Lines,
    /// Ends that have become known.
    pub(super) known: BTreeSet<ConnId>,
    pub(super) network: Network,
    pub(super) contents: Contents,
    /// Nodes that do not keep to the protocol.
    pub rogues: BTreeSet<usize>,
    pub(super) sent: Sent,
    /// Whether it is noted which frame carried which events.
    pub watches: bool,
    /// What was noted.
    pub trail: Vec<Carried>,
    /// From when to when, by the true time, all that happens is put into words.
    pub traces: Range<u64>,
    /// The words, with when.
    pub traced: Vec<(u64, String)>,
    /// Messages that stand under other ids: the old and the new.
    pub(super) written_again: VecDeque<(EventId, EventId)>,
    /// What was answered to those who tell many what to do.
    pub(super) answers: VecDeque<Answer>,
    queue: BTreeMap<(u64, u64), Happening>,
    serial: u64,
    /// When nodes want to be called, by the true time; and of each the same.
    pub(super) due: BTreeSet<(u64, usize)>,
    pub(super) due_of: Vec<Option<u64>>,
    /// Nodes that have more to do than what recurs for ever.
    pub(super) at_work: BTreeSet<usize>,
    pub(super) by_endpoint: BTreeMap<EndpointId, usize>,
}

/// A frame that carried events, for a picture.
#[derive(Clone, Debug)]
pub struct Carried {
    /// When it left.
    pub sent: u64,
    /// When it came, or would have.
    pub came: u64,
    /// From which node.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// Which events.
    pub events: Vec<EventId>,
}

/// What came of something that was asked of a node by number.
#[derive(Debug)]
pub struct Answer {
    /// Of which node.
    pub node: usize,
    /// The deed's number.
    pub number: u64,
    /// The answer; `None` where the process ended before it came.
    pub result: Option<Result<Reply, CommandError>>,
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
            linked: None,
            estranges: false,
            keeps_notices: true,
            weather: Weather::default(),
            walls: Walls::default(),
            in_vain: BTreeMap::new(),
            noticed: VecDeque::new(),
            forwards: false,
            lines: Lines::default(),
            known: BTreeSet::new(),
            network: Network::default(),
            contents: Contents::default(),
            rogues: BTreeSet::new(),
            sent: Sent::default(),
            watches: false,
            trail: Vec::new(),
            traces: 0..0,
            traced: Vec::new(),
            written_again: VecDeque::new(),
            answers: VecDeque::new(),
            queue: BTreeMap::new(),
            serial: 0,
            due: BTreeSet::new(),
            due_of: Vec::new(),
            at_work: BTreeSet::new(),
            by_endpoint: BTreeMap::new(),
        };
        world.due_of.resize(world.nodes.len(), None);
        let numbered = world.nodes.iter().enumerate();
        world.by_endpoint = numbered
            .map(|(number, node)| (node.endpoint(), number))
            .collect();
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

    /// Lets the next thing happen; `false` when nothing will ever happen again by itself, but for what recurs.
    pub fn step(&mut self) -> bool {
        let rests = self.queue.is_empty() && self.at_work.is_empty();
        !rests && self.advance()
    }

    fn advance(&mut self) -> bool {
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
        for (_, node) in self.due.range(..=(self.now, usize::MAX)) {
            batches.entry(*node).or_default().push(Input::Tick);
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
            self.advance()
        } else {
            self.now = self.now.max(until);
            false
        }
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let due = self.due.first().map(|(at, _)| *at);
        [queued, due].into_iter().flatten().min()
    }

    pub(super) fn happens_in(&mut self, delay: u64, happening: Happening) {
        self.happens_at(self.now + delay, happening);
    }

    pub(super) fn happens_at(&mut self, at: u64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((at, self.serial), happening);
    }

    pub(super) fn draw_delay(&mut self) -> u64 {
        (1 + self.draw(self.weather.delay / GRAIN)) * GRAIN
    }

    /// A node's clock.
    pub fn clock(&self, node: usize) -> u64 {
        self.now + self.nodes[node].ahead
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
                if closed {
                    self.network.ended(conn);
                }
                heard.then_some((node, input))
            }
            Happening::Asked { node, act } => self.is_asked(node, act),
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

    /// A person asks a node for something, as soon as it runs.
    fn is_asked(&mut self, node: usize, act: Act) -> Option<(usize, Input)> {
        if self.nodes[node].lost {
            self.unanswered(node, &act);
            return None;
        }
        if self.nodes[node].engine().is_none() {
            // Whose process does not run waits for it.
            let later = self.draw_end().max(GRAIN);
            self.happens_in(later, Happening::Asked { node, act });
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

    /// A dial reaches who listens at one of the addresses and has the right key.
    fn dialled(&mut self, node: usize, life: u32, peer: EndpointId, addresses: &[SocketAddr]) {
        let there = self.by_endpoint.get(&peer).copied().filter(|there| {
            let there = &self.nodes[*there];
            let mut addresses = addresses.iter();
            let is_there = |one: &SocketAddr| match self.forwards {
                true => one.ip() == there.address.ip(),
                false => *one == there.address,
            };
            // Whoever took another key is not met under the former one.
            addresses.any(is_there) && there.endpoint() == peer
        });
        // Also a dial that finds nobody opens the dialler's own wall.
        let there = there.map(|there| (there, self.walls.dial(node, there, self.now)));
        let silent = there.is_some_and(|(_, comes_through)| !comes_through);
        let there = there.filter(|(there, comes_through)| {
            *comes_through && self.nodes[*there].engine().is_some()
        });
        let alive = self.nodes[node].life == life;
        let Some((there, _)) = there.filter(|_| alive) else {
            *self.in_vain.entry((node, peer)).or_default() += 1;
            let delay = match silent {
                // Nobody says so.
                true => UNANSWERED,
                false => self.draw_delay(),
            };
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
        if this.engine().is_none() {
            return;
        }
        self.trace_inputs(node, &inputs);
        let engine = self.nodes[node].engine_mut().unwrap();
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
        self.rearm(node);
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
