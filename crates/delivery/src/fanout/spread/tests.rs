#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fanout::{
    line::{Hope, Member},
    shape::{LEAST_PARENTS, MAX_COPIES},
};

/// How long every message takes, in milliseconds.
const WAY: u64 = 50;

/// Devices that talk to each other over a network that loses nothing; the dead hear nothing.
struct World {
    now: u64,
    queue: BTreeMap<(u64, usize), (Point, Input)>,
    sent: usize,
    spreads: BTreeMap<Point, Spread>,
    /// What everybody sees, and what some see instead.
    line: Line,
    views: BTreeMap<Point, Line>,
    dead: BTreeSet<Point>,
    /// Who forwards only so many messages and is dead then.
    dying: BTreeMap<Point, usize>,
    /// How often each was sent the event.
    copies: BTreeMap<Point, usize>,
}

fn point(at: u64) -> Point {
    // Spread over the line, in the order of their numbers.
    Point(at << 40 | 7)
}

fn line(devices: u64, hope: impl Fn(u64) -> Hope) -> Line {
    Line::new((0..devices).map(|at| Member {
        point: point(at),
        hope: hope(at),
    }))
}

impl World {
    fn new(devices: u64, rounds: usize, hope: impl Fn(u64) -> Hope) -> Self {
        let points = (0..devices).map(point);
        Self {
            now: 0,
            queue: BTreeMap::new(),
            sent: 0,
            spreads: points.map(|at| (at, Spread::new(at, rounds))).collect(),
            line: line(devices, &hope),
            views: BTreeMap::new(),
            dead: (0..devices)
                .filter(|at| !hope(*at).is_online())
                .map(point)
                .collect(),
            dying: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    fn all_online(devices: u64) -> Self {
        Self::new(devices, ROUNDS, |_| Hope::Likely)
    }

    fn tell(&mut self, who: Point, input: Input) {
        let line = self.views.get(&who).unwrap_or(&self.line);
        let spread = self.spreads.get_mut(&who).unwrap();
        spread.handle(input, line, self.now);
        while let Some(output) = spread.poll() {
            if let Some(left) = self.dying.get_mut(&who) {
                if *left == 0 {
                    self.dead.insert(who);
                    break;
                }
                *left -= 1;
            }
            let (to, input) = match output {
                Output::Give(to, task) => {
                    *self.copies.entry(to).or_default() += 1;
                    let turn = Turn::of(0);
                    (
                        to,
                        Input::Given {
                            from: who,
                            task,
                            turn,
                        },
                    )
                }
                Output::Offer(to, task) => (to, Input::Offered { from: who, task }),
                Output::Want(to) => (to, Input::Wanted(who)),
                Output::Have(to) => (to, Input::Had(who)),
                Output::Report(to, report) => (to, Input::Reported { from: who, report }),
            };
            self.sent += 1;
            self.queue.insert((self.now + WAY, self.sent), (to, input));
        }
    }

    /// Until nothing more happens.
    fn run(&mut self) {
        for _ in 0..100_000 {
            let due = self
                .spreads
                .iter()
                .filter(|(at, _)| !self.dead.contains(at));
            let due = due
                .filter_map(|(at, spread)| Some((spread.deadline()?, *at)))
                .min();
            let next = self.queue.first_key_value().map(|(key, _)| key.0);
            match (due, next) {
                (None, None) => return,
                (Some((at, who)), next) if next.is_none_or(|next| at < next) => {
                    self.now = self.now.max(at);
                    self.tell(who, Input::Tick);
                }
                _ => {
                    let ((at, _), (to, input)) = self.queue.pop_first().unwrap();
                    self.now = at;
                    if !self.dead.contains(&to) {
                        self.tell(to, input);
                    }
                }
            }
        }
        panic!("it does not end");
    }

    fn say(&mut self, who: Point) {
        self.tell(who, Input::Said(Turn::of(0)));
        self.run();
    }

    fn living(&self) -> impl Iterator<Item = (Point, &Spread)> {
        let all = self
            .spreads
            .iter()
            .filter(|(at, _)| !self.dead.contains(at));
        all.map(|(at, spread)| (*at, spread))
    }

    fn lacking(&self) -> Vec<Point> {
        let lacking = self.living().filter(|(_, spread)| !spread.is_here());
        lacking.map(|(at, _)| at).collect()
    }

    /// Who owes somebody the event.
    fn holders(&self, of: Point) -> Vec<Point> {
        let owing = self.living().filter(|(at, spread)| {
            let line = self.views.get(at).unwrap_or(&self.line);
            spread.debts(line).contains(&of)
        });
        owing.map(|(at, _)| at).collect()
    }
}

/// FAN-6, FAN-8, FAN-11: where nothing goes wrong everybody is sent the event once, and the author knows.
#[test]
fn everybody_gets_it_once_and_the_author_knows() {
    for devices in [2, 11, 12, 50, 51, 400, 1_200] {
        let mut world = World::all_online(devices);
        world.say(point(5 % devices));
        assert_eq!(world.lacking(), [], "{devices} devices");
        assert!(world.copies.values().all(|copies| *copies == 1));
        let author = &world.spreads[&point(5 % devices)];
        assert_eq!(author.reached() as u64, devices - 1, "{devices} devices");
        assert!(
            world
                .living()
                .all(|(_, spread)| spread.debts(&world.line).is_empty())
        );
        let heard = world.now / WAY;
        assert!(
            heard <= 8,
            "{devices} devices: {heard} ways until all was quiet"
        );
    }
}

/// FAN-7: who is away is owed the event by three, and gets it once when it appears.
#[test]
fn who_was_away_gets_it_from_whoever_owes_it() {
    let mut world = World::new(400, ROUNDS, |at| match at % 5 {
        1 => Hope::Away,
        _ => Hope::Likely,
    });
    world.say(point(0));
    assert_eq!(world.lacking(), []);
    let away = point(201);
    let holders = world.holders(away);
    assert!(holders.len() >= LEAST_PARENTS, "{holders:?}");
    // Not the author, and without its doing.
    assert!(!holders.contains(&point(0)));
    world.dead.remove(&away);
    for holder in holders {
        world.tell(holder, Input::Appeared(away));
    }
    world.run();
    assert!(world.spreads[&away].is_here());
    assert_eq!(world.copies[&away], 1);
    assert_eq!(world.holders(away), []);
}

/// FAN-9: where the first head dies before it has forwarded, or in the middle, the second does.
#[test]
fn the_next_head_stands_in() {
    for forwards in [0, 1, 20] {
        let mut world = World::new(400, 0, |_| Hope::Likely);
        let author = point(0);
        let width = crate::fanout::shape::first_width(400);
        let plan =
            crate::fanout::plan::Plan::new(&world.line, &Task::all(point(0)), Turn::of(0), width);
        let first = plan.tasks[0].heads[0];
        world.dying.insert(first, forwards);
        world.say(author);
        assert_eq!(world.lacking(), [], "{forwards}");
        assert!(
            world.copies.values().all(|copies| *copies == 1),
            "{forwards}"
        );
        let silent = forwards == 0;
        assert_eq!(world.holders(first).contains(&author), silent, "{forwards}");
    }
}

/// FAN-10: where all heads of a part are silent others are picked, once a round.
#[test]
fn silent_heads_are_replaced() {
    let lacking = |rounds| {
        let mut world = World::new(400, rounds, |_| Hope::Likely);
        let width = crate::fanout::shape::first_width(400);
        let plan =
            crate::fanout::plan::Plan::new(&world.line, &Task::all(point(0)), Turn::of(0), width);
        world.dead.extend(&plan.tasks[0].heads);
        world.say(point(0));
        let owed = plan.tasks[0]
            .heads
            .iter()
            .all(|head| world.holders(*head).contains(&point(0)));
        assert!(owed, "the author owes those who did not answer");
        world.lacking().len()
    };
    assert!(lacking(0) > 50);
    assert_eq!(lacking(1), 0);
}

/// FAN-1: who is in by what a forwarder knows, and not yet by what the author knows, is reached.
#[test]
fn the_author_need_not_know_everybody() {
    let mut world = World::all_online(1_000);
    let all = world.line.within(Span::ALL);
    let known = Line::new(all.iter().filter(|it| it.point != point(700)).copied());
    world.views.insert(point(3), known);
    world.say(point(3));
    assert_eq!(world.lacking(), []);
    // Positions mean nothing where rosters differ; the number still counts, but for the other heads of that part.
    let reached = world.spreads[&point(3)].reached();
    assert!((995..=999).contains(&reached), "{reached}");
}

/// FAN-9: what is asked of a device for an event that never comes costs it a question now and then.
#[test]
fn an_offer_without_an_event_costs_little() {
    let line = Line::default();
    let mut spread = Spread::new(point(1), ROUNDS);
    for from in 2..200 {
        let from = point(from);
        spread.handle(Input::Offered { from, task: None }, &line, 0);
    }
    while let Some(now) = spread.deadline() {
        spread.handle(Input::Tick, &line, now);
    }
    assert_eq!(std::iter::from_fn(|| spread.poll()).count(), MAX_ASKERS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// FAN-3: whatever dies and whatever each believes, nobody sends more than it may, it ends, and who lacks the
    /// event is owed it by somebody or not known to be here.
    #[test]
    fn nobody_sends_more_than_it_may(
        devices in 2_u64..300, fates in prop::collection::vec((0_u8..10, 0_usize..40), 300),
        beliefs in any::<u64>(), rounds in 0_usize..4,
    ) {
        let mut world = World::new(devices, rounds, |at| match fates[at as usize].0 {
            0 | 1 => Hope::Away,
            2 => Hope::Here,
            _ => Hope::Likely,
        });
        world.dead.remove(&point(0));
        for (at, (fate, forwards)) in fates.iter().enumerate().take(devices as usize) {
            if *fate >= 8 && at > 0 {
                world.dying.insert(point(at as u64), *forwards);
            }
            let mixed = |of: u64| beliefs ^ of.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at as u64;
            let wrong = |of: u64| mixed(of).is_multiple_of(20);
            let view = line(devices, |of| match (fates[of as usize].0 < 2) != wrong(of) {
                true => Hope::Away,
                false => Hope::Likely,
            });
            world.views.insert(point(at as u64), view);
        }
        world.say(point(0));
        for spread in world.spreads.values() {
            prop_assert!(spread.copies() <= MAX_COPIES);
        }
        for (to, copies) in &world.copies {
            prop_assert!(*copies <= MAX_COPIES, "{to:?} was sent it {copies} times");
        }
    }
}
