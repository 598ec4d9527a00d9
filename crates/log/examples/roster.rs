//! Folds the roster of a large session: 10,000 members, 100,000 operations; then one more, many times.
//!
//! Operations are written by the book, by devices that have heard most of what was done, and every
//! now and then for a while in two halves that do not hear of each other. Prints one JSON line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time, and may fail"
)]

use std::{collections::VecDeque, time::Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_identity::{
    card,
    keys::{DeviceKey, IdentityId, IdentityKey},
};
use tenet_log::{
    clock::Hlc,
    frontier::Past,
    ids::{Author, EventId},
    order::OrderKey,
    roster::{
        Addition, Fold, Founding, Member, Muting, Op, Operation, Policy, Removal, Role,
        SessionKind, Setting,
    },
};

const NOW: u64 = 1_800_000_000_000;
const MEMBERS: usize = 10_000;
const MODERATORS: usize = 20;
const OPERATIONS: usize = 100_000;
const MORE: usize = 2_000;
const ROUNDS: usize = 5;
/// How many of the last operations a device may not have heard of.
const LAG: usize = 6;
/// For so many operations in every ten thousand the session is cut in two.
const CUT: usize = 300;

fn main() {
    let mut world = World::new();
    while world.operations.len() < OPERATIONS + MORE {
        world.step();
    }
    let more = world.operations.split_off(OPERATIONS);
    let (mut scratch, mut processor) = (f64::INFINITY, f64::INFINITY);
    let mut times = vec![f64::INFINITY; MORE];
    let mut folded = None;
    // The best of several rounds: others may be on the machine.
    for _ in 0..ROUNDS {
        let given = world.operations.clone();
        let (begin, ran) = (Instant::now(), on_processor());
        let mut fold = Fold::of(given).unwrap();
        scratch = scratch.min(begin.elapsed().as_secs_f64() * 1e3);
        processor = processor.min(on_processor() - ran);
        for (operation, best) in more.iter().zip(&mut times) {
            let operation = operation.clone();
            let begin = Instant::now();
            std::hint::black_box(fold.push(operation));
            *best = best.min(begin.elapsed().as_secs_f64() * 1e6);
        }
        folded = Some(fold);
    }
    let fold = folded.unwrap();
    let members = fold.roster().members.len();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let whole = Fold::of(world.operations.into_iter().chain(more).collect()).unwrap();
    assert!(whole.roster() == fold.roster(), "one by one and at once");
    let counted = fold.roster().counted.len();
    println!(
        "{{\"operations\":{OPERATIONS},\"members\":{members},\"counted\":{counted},\"scratch_ms\":{scratch:.1},\
         \"scratch_cpu_ms\":{processor:.1},\
         \"one_p50_us\":{:.1},\"one_p99_us\":{:.1},\"one_max_us\":{:.1}}}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// For how many milliseconds this process has been on a processor, where the system says so.
fn on_processor() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = told
        .split(' ')
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e6
}

struct World {
    rng: ChaCha20Rng,
    operations: Vec<Operation>,
    people: Vec<Person>,
    /// What is known on both sides of a cut; the same where there is none.
    known: [Past; 2],
    /// What was known before each of the last operations.
    before: VecDeque<Past>,
    /// What was done since the cut.
    apart: Vec<(Author, u64)>,
}

struct Person {
    identity: IdentityId,
    key: IdentityKey,
    role: Role,
    muted: bool,
    devices: Vec<Device>,
    made: u8,
}

struct Device {
    chain: Author,
    next: u64,
    /// How many operations there were when it wrote last.
    wrote: usize,
}

impl World {
    fn new() -> Self {
        let founder = Person::new(0);
        let device = DeviceKey::from_seed([9; 32]);
        let mut world = Self {
            rng: ChaCha20Rng::seed_from_u64(1),
            operations: Vec::new(),
            people: Vec::new(),
            known: [Past::default(), Past::default()],
            before: VecDeque::new(),
            apart: Vec::new(),
        };
        let founding = Founding {
            kind: SessionKind::Group,
            secret: [1; 32],
            card: card::issue(&founder.key, device.public(), "device", NOW).unwrap(),
            members: vec![Member {
                identity: founder.identity,
                role: Role::Owner,
            }],
            policy: Policy::default(),
        };
        world.people.push(Person {
            role: Role::Owner,
            ..founder
        });
        world.begin(0, 0, |_| Op::Found(founding));
        world
    }

    fn step(&mut self) {
        let at = self.operations.len() % 10_000;
        if at == 10_000 - CUT {
            self.known[1] = self.known[0].clone();
        }
        if at < 10_000 - CUT && !self.apart.is_empty() {
            for (chain, seq) in std::mem::take(&mut self.apart) {
                self.known
                    .iter_mut()
                    .for_each(|known| known.extend(chain, seq));
            }
            self.before.clear();
        }
        if self.people.len() < MEMBERS {
            return self.grow();
        }
        self.change();
    }

    /// Something changes for somebody.
    fn change(&mut self) {
        let whom = self.below(MEMBERS);
        let by = match self.people[whom].role {
            Role::Member | Role::Observer => 1 + self.below(MODERATORS),
            _ => 0,
        };
        if whom == by || self.people[whom].devices.is_empty() {
            return;
        }
        let identity = self.people[whom].identity;
        let member = |role| Member { identity, role };
        match self.below(20) {
            0..4 => match self.people[whom].role {
                Role::Member => {
                    self.ranks(by, whom, Role::Observer, Op::Demote(member(Role::Observer)))
                }
                Role::Observer => {
                    self.ranks(by, whom, Role::Member, Op::Promote(member(Role::Member)))
                }
                _ => {}
            },
            4..8 => {
                let op = match self.people[whom].muted {
                    true => Op::Unmute(identity),
                    false => Op::Mute(Muting {
                        identity,
                        until: None,
                    }),
                };
                self.people[whom].muted ^= true;
                self.does(by, op);
            }
            8..13 => self.device(whom),
            13 | 14 => {
                let removed = std::mem::take(&mut self.people[whom].devices);
                drop(removed);
                self.does(
                    by,
                    Op::Remove(Removal {
                        identity,
                        shut_out: false,
                    }),
                );
                self.come(by, whom);
            }
            _ => {
                let value = vec![self.below(256) as u8];
                let key = format!("{}", self.below(8));
                self.does(by, Op::Set(Setting { key, value }));
            }
        }
    }

    /// One member more, with a device.
    fn grow(&mut self) {
        let whom = self.people.len();
        self.people.push(Person::new(whom));
        let by = if whom <= MODERATORS {
            0
        } else {
            1 + self.below(MODERATORS)
        };
        self.come(by, whom);
        if whom <= MODERATORS {
            let identity = self.people[whom].identity;
            self.ranks(
                0,
                whom,
                Role::Moderator,
                Op::Promote(Member {
                    identity,
                    role: Role::Moderator,
                }),
            );
        }
    }

    fn come(&mut self, by: usize, whom: usize) {
        let identity = self.people[whom].identity;
        self.people[whom].role = Role::Member;
        self.does(
            by,
            Op::Add(Addition {
                identity,
                role: Role::Member,
                floor: None,
            }),
        );
        self.begin(whom, by, Op::Join);
    }

    fn ranks(&mut self, by: usize, whom: usize, role: Role, op: Op) {
        self.people[whom].role = role;
        self.does(by, op);
    }

    /// A second device, or one less.
    fn device(&mut self, whom: usize) {
        if self.people[whom].devices.len() > 1 {
            let chain = self.people[whom].devices.pop().unwrap().chain;
            self.does(whom, Op::RemoveDevice(chain));
        } else if self.people[whom].made < 250 {
            self.begin(whom, whom, Op::Join);
        }
    }

    /// A device comes in by itself, having heard what somebody else has.
    fn begin(&mut self, whom: usize, with: usize, op: impl FnOnce(card::DeviceCard) -> Op) {
        let person = &mut self.people[whom];
        person.made += 1;
        let mut seed = [person.made; 32];
        seed[..8].copy_from_slice(&(whom as u64).to_le_bytes());
        let device = DeviceKey::from_seed(seed).public();
        let op = op(card::issue(&person.key, device, "device", NOW).unwrap());
        let device = match &op {
            Op::Found(founding) => founding.card.device(),
            _ => device,
        };
        let id = self.id();
        let chain = Author {
            device,
            added_by: id,
        };
        let past = self.known[self.side(with)].clone();
        self.enter(chain, 0, id, op, past, self.side(with));
        self.people[whom].devices.push(Device {
            chain,
            next: 1,
            wrote: self.operations.len(),
        });
    }

    fn does(&mut self, by: usize, op: Op) {
        let (id, side) = (self.id(), self.side(by));
        let lag = self.below(LAG);
        let device = &mut self.people[by].devices[0];
        let (chain, seq) = (device.chain, device.next);
        device.next += 1;
        let since = self.operations.len() - device.wrote;
        device.wrote = self.operations.len() + 1;
        let about_oneself = matches!(op, Op::RemoveDevice(_));
        let lag = if self.apart.is_empty() && !about_oneself {
            lag.min(since)
        } else {
            0
        };
        let past = match lag {
            0 => None,
            lag => self.before.iter().nth_back(lag - 1).cloned(),
        };
        let past = past.unwrap_or_else(|| self.known[side].clone());
        self.enter(chain, seq, id, op, past, side);
    }

    fn enter(&mut self, chain: Author, seq: u64, id: EventId, op: Op, past: Past, side: usize) {
        let order = OrderKey {
            time: Hlc::from_raw(Hlc::from_millis(NOW).raw() + self.operations.len() as u64),
            author: chain,
            seq,
            id,
        };
        self.operations.push(Operation { order, op, past });
        self.before.push_back(self.known[side].clone());
        if self.before.len() > LAG {
            self.before.pop_front();
        }
        let cut = self.operations.len() % 10_000 > 10_000 - CUT;
        self.known[side].extend(chain, seq);
        if cut {
            self.apart.push((chain, seq));
        } else {
            self.known[1 - side].extend(chain, seq);
        }
    }

    fn side(&self, who: usize) -> usize {
        let cut = self.operations.len() % 10_000 >= 10_000 - CUT;
        if cut { who % 2 } else { 0 }
    }

    fn id(&mut self) -> EventId {
        let mut id = [0; 32];
        self.rng.fill_bytes(&mut id);
        EventId::from(id)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }
}

impl Person {
    fn new(number: usize) -> Self {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let key = IdentityKey::from_seed(seed);
        Self {
            identity: key.public(),
            key,
            role: Role::Member,
            muted: false,
            devices: Vec::new(),
            made: 0,
        }
    }
}
