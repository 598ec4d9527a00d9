//! A session of 10,000 members with 100,000 operations, in a real store: what it takes there, how soon it is loaded,
//! its roster folded at once, and one operation more, many times.
//!
//! Operations are written by the book, by devices that have heard most of what was done, and every
//! now and then for a while in two halves that do not hear of each other.
//!
//! ```text
//! roster FOLDER     makes the store there, unless it is there, and prints one line of JSON
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time, and may fail"
)]

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
    time::Instant,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_identity::{
    card, encoding,
    keys::{DeviceKey, IdentityId, IdentityKey},
};
use tenet_log::{
    clock::Hlc,
    event::{Content, Event, Header, Kind},
    ids::{Author, EventId, SessionId},
    roster::{
        Addition, Fold, Founding, Member, Muting, Op, Operation, Outcome, Policy, Removal, Role,
        SessionKind, Setting,
    },
    session::{Receipt, Session},
    store::{Durability, LogStore, Transactions},
};
use tenet_store::Store;

const NOW: u64 = 1_800_000_000_000;
const KEY: [u8; 32] = [7; 32];
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
    let folder: PathBuf = std::env::args().nth(1).expect("roster FOLDER").into();
    let path = folder.join("store.db");
    let more = write(&path);
    let sizes = Sizes::of(&path);
    let (mut loading, mut scratch, mut processor) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    let (mut pushes, mut receipts) = (vec![f64::INFINITY; MORE], vec![f64::INFINITY; MORE]);
    let mut memory = f64::NAN;
    let (mut session, mut counted, mut kept) = (None, 0, f64::INFINITY);
    // The best of several rounds: others may be on the machine.
    for round in 0..ROUNDS {
        let mut store = Store::open(&path, &KEY).unwrap();
        let id = store.sessions().unwrap()[0];
        let (begin, before) = (Instant::now(), resident());
        let loaded = Session::load_anew(&store, id).unwrap().unwrap();
        loading = loading.min(milliseconds(begin));
        if round == 0 {
            memory = resident() - before;
        }
        drop(loaded);
        let begin = Instant::now();
        let mut loaded = Session::load(&store, id).unwrap().unwrap();
        assert!(loaded.is_kept());
        kept = kept.min(milliseconds(begin));
        let given = operations(&store, id);
        let (begin, ran) = (Instant::now(), on_processor());
        let mut folded = Fold::of(given).unwrap();
        scratch = scratch.min(milliseconds(begin));
        processor = processor.min(on_processor() - ran);
        counted = folded.0.counted().len();
        one_by_one(
            &mut store,
            &mut loaded,
            &mut folded,
            &more,
            [&mut receipts, &mut pushes],
        );
        session = Some(loaded);
    }
    let session = session.unwrap();
    let at = |times: &mut Vec<f64>, part: f64| {
        times.sort_by(f64::total_cmp);
        times[((times.len() - 1) as f64 * part) as usize]
    };
    let members = session.roster().members.len();
    println!(
        "{{\"operations\":{OPERATIONS},\"members\":{members},\"counted\":{counted},\
         \"kept_ms\":{kept:.1},\"load_ms\":{loading:.1},\"load_mb\":{memory:.1},\
         \"scratch_ms\":{scratch:.1},\"scratch_cpu_ms\":{processor:.1},\
         \"one_p50_us\":{:.1},\"one_p99_us\":{:.1},\"one_max_us\":{:.1},\
         \"kept_p50_us\":{:.1},\"kept_p99_us\":{:.1},\
         \"store_mb\":{:.1},\"headers_mb\":{:.1},\"whole_pasts_mb\":{:.1}}}",
        at(&mut pushes, 0.5),
        at(&mut pushes, 0.99),
        at(&mut pushes, 1.0),
        at(&mut receipts, 0.5),
        at(&mut receipts, 0.99),
        sizes.store,
        sizes.headers,
        sizes.whole,
    );
}

/// The last operations, one after the other: written into the store, which keeps none of them, and folded
/// alone. Notes the best times in microseconds.
fn one_by_one(
    store: &mut Store,
    session: &mut Session,
    (fold, outcome): &mut (Fold, Outcome),
    more: &[Event],
    [receipts, pushes]: [&mut [f64]; 2],
) {
    store.begin().unwrap();
    for (event, best) in more.iter().zip(receipts) {
        let begin = Instant::now();
        let receipt = session.receive(store, event, NOW).unwrap();
        *best = best.min(milliseconds(begin) * 1e3);
        assert!(matches!(receipt, Receipt::Admitted(_)), "{receipt:?}");
    }
    let all = operations(store, session.id()).into_iter();
    for (operation, best) in all.skip(OPERATIONS).zip(pushes) {
        let begin = Instant::now();
        std::hint::black_box(fold.push(operation, outcome));
        *best = best.min(milliseconds(begin) * 1e3);
    }
    assert!(
        session.roster() == outcome.roster(),
        "one by one and at once"
    );
    store.abandon().unwrap();
}

/// Writes the session but for the last operations, which it gives.
fn write(path: &Path) -> Vec<Event> {
    let mut world = World::new();
    while world.events.len() < OPERATIONS + MORE {
        world.step();
    }
    let more = world.events.split_off(OPERATIONS);
    if !path.exists() {
        let mut store = Store::open(path, &KEY).unwrap();
        store.begin().unwrap();
        let (mut session, _) = Session::open(&mut store, &world.events[0]).unwrap();
        for event in &world.events[1..] {
            let receipt = session.receive(&mut store, event, NOW).unwrap();
            assert!(matches!(receipt, Receipt::Admitted(_)), "{receipt:?}");
        }
        store.commit(Durability::Power).unwrap();
        store.checkpoint().unwrap();
    }
    more
}

fn operations(store: &Store, id: SessionId) -> Vec<Operation> {
    let stored = store.operations(id).unwrap().into_iter();
    stored
        .filter_map(|(stored, past)| Operation::trusted(&stored.event, past).unwrap())
        .collect()
}

/// What is on disk, in MB, and what pasts would take if each were kept whole.
struct Sizes {
    store: f64,
    headers: f64,
    whole: f64,
}

impl Sizes {
    fn of(path: &Path) -> Self {
        let store = Store::open(path, &KEY).unwrap();
        let id = store.sessions().unwrap()[0];
        let all = store.operations(id).unwrap();
        let headers = all.iter().map(|(one, _)| one.event.encoded_header().len());
        // A sample: to encode all would take minutes.
        let whole = all.iter().step_by(500);
        let whole = whole.map(|(_, past)| encoding::encode(past).len() * 500);
        Self {
            store: std::fs::metadata(path).unwrap().len() as f64 / 1e6,
            headers: headers.sum::<usize>() as f64 / 1e6,
            whole: whole.sum::<usize>() as f64 / 1e6,
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// How much memory this process has, in MB, where the system says so.
fn resident() -> f64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = told
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<f64>().ok());
    pages.unwrap_or(f64::NAN) * 4096.0 / 1e6
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
    session: Option<SessionId>,
    events: Vec<Event>,
    people: Vec<Person>,
    /// The tips on both sides of a cut; the same where there is none.
    tips: [BTreeSet<EventId>; 2],
    /// The tips before each of the last operations.
    before: VecDeque<BTreeSet<EventId>>,
    cut: bool,
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
    key: DeviceKey,
    chain: Author,
    next: u64,
    head: Option<EventId>,
}

impl World {
    fn new() -> Self {
        let founder = Person::new(0);
        let device = DeviceKey::from_seed([9; 32]);
        let mut world = Self {
            rng: ChaCha20Rng::seed_from_u64(1),
            session: None,
            events: Vec::new(),
            people: Vec::new(),
            tips: [BTreeSet::new(), BTreeSet::new()],
            before: VecDeque::new(),
            cut: false,
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
        let cut = self.events.len() % 10_000 >= 10_000 - CUT;
        if cut != std::mem::replace(&mut self.cut, cut) {
            // Apart from here on, or together again.
            let both = &self.tips[0] | &self.tips[1];
            self.tips = [both.clone(), both];
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
            13 | 14 if whom > MODERATORS => {
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
        if self.events.is_empty() {
            seed = [9; 32];
        }
        let key = DeviceKey::from_seed(seed);
        let op = op(card::issue(&person.key, key.public(), "device", NOW).unwrap());
        let side = self.side(with);
        let deps = self.tips[side].clone();
        let event = self.sign(&key, None, 0, None, deps, &op);
        let device = Device {
            key,
            chain: event.author(),
            next: 1,
            head: Some(event.id()),
        };
        self.people[whom].devices.push(device);
        self.enter(event, side);
    }

    fn does(&mut self, by: usize, op: Op) {
        let side = self.side(by);
        let lag = self.below(LAG);
        let late = match self.cut || lag == 0 || matches!(op, Op::RemoveDevice(_)) {
            true => None,
            false => self.before.iter().nth_back(lag - 1).cloned(),
        };
        let deps = late.unwrap_or_else(|| self.tips[side].clone());
        let device = &self.people[by].devices[0];
        let (added_by, seq, head) = (device.chain.added_by, device.next, device.head);
        let event = self.sign(&device.key, Some(added_by), seq, head, deps, &op);
        let device = &mut self.people[by].devices[0];
        (device.next, device.head) = (seq + 1, Some(event.id()));
        self.enter(event, side);
    }

    fn sign(
        &self,
        key: &DeviceKey,
        added_by: Option<EventId>,
        seq: u64,
        prev: Option<EventId>,
        mut deps: BTreeSet<EventId>,
        op: &Op,
    ) -> Event {
        if let Some(prev) = prev {
            deps.remove(&prev);
        }
        let header = Header {
            session: self.session,
            device: key.public(),
            added_by,
            seq,
            prev,
            deps: deps.into_iter().collect(),
            time: Hlc::from_raw(Hlc::from_millis(NOW).raw() + self.events.len() as u64),
            kind: Kind::new(op.kind()).unwrap(),
            content: Content::Payload(op.payload()),
            expires: None,
        };
        Event::sign(key, header, None)
    }

    fn enter(&mut self, event: Event, side: usize) {
        self.session = Some(event.session());
        self.before.push_back(self.tips[side].clone());
        if self.before.len() > LAG {
            self.before.pop_front();
        }
        for of in [side, 1 - side] {
            if of == side || !self.cut {
                let tips = &mut self.tips[of];
                event.parents().for_each(|parent| {
                    tips.remove(&parent);
                });
                tips.insert(event.id());
            }
        }
        self.events.push(event);
    }

    fn side(&self, who: usize) -> usize {
        if self.cut { who % 2 } else { 0 }
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
