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
    line::Hope,
    shape::{LEAST_PARENTS, MAX_COPIES, PLANNED_COPIES, SMALL, SMALL_WIDTH, first_width},
};

/// A session of so many, of whom each is online by its own bits.
fn session() -> impl Strategy<Value = Line> {
    let hope = prop_oneof![
        2 => Just(Hope::Away),
        6 => Just(Hope::Likely),
        2 => Just(Hope::Here),
    ];
    let member = (any::<u64>(), hope).prop_map(|(at, hope)| Member {
        point: Point(at),
        hope,
    });
    let sizes = prop_oneof![0..60_usize, 60..400_usize, 1_000..2_000_usize];
    let members = sizes.prop_flat_map(move |size| prop::collection::vec(member.clone(), size));
    members.prop_map(Line::new)
}

/// What the whole plan gives each: from whom, on which level.
#[derive(Default)]
struct Whole {
    /// The copies that each would send if it had to.
    copies: BTreeMap<Point, usize>,
    /// The parents of each, and its level; the author's is 0.
    got: BTreeMap<Point, (BTreeSet<Point>, u32)>,
    /// Those who are owed, and by whom.
    owed: BTreeMap<Point, BTreeSet<Point>>,
}

impl Whole {
    fn new(line: &Line, author: Point, turn: Turn) -> Self {
        let mut whole = Self::default();
        let width = first_width(line.within(Span::ALL).len());
        let plan = Plan::new(line, &Task::all(author), turn, width);
        whole.follow(line, &[author], &plan, 1);
        whole
    }

    fn follow(&mut self, line: &Line, by: &[Point], plan: &Plan, level: u32) {
        let turn = Turn::of(0);
        let heads = plan.tasks.iter().flat_map(|task| &task.heads);
        let to: Vec<Point> = heads.chain(&plan.last).copied().collect();
        for head in by {
            *self.copies.entry(*head).or_default() += to.len();
        }
        for point in &to {
            let before = self
                .got
                .insert(*point, (by.iter().copied().collect(), level));
            assert!(before.is_none(), "{point:?} is planned twice");
        }
        for point in &plan.owed {
            let before = self.owed.insert(*point, by.iter().copied().collect());
            assert!(before.is_none(), "{point:?} is owed twice");
        }
        for task in &plan.tasks {
            assert!(task.is_sound());
            let below = Plan::new(line, task, turn, PLANNED_COPIES);
            // Where the online are unevenly spread a part may be as deep as the whole, but it is smaller.
            assert!(below.depth <= plan.depth);
            self.follow(line, &task.heads, &below, level + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// FAN-3 to FAN-7: everybody is planned once; nobody sends too much; below the first level all have three
    /// parents; who is away is owed something by the last level, and forwards nothing.
    #[test]
    fn everybody_is_planned_once(line in session(), author in any::<prop::sample::Index>()) {
        let members = line.within(Span::ALL);
        prop_assume!(!members.is_empty());
        let author = members[author.index(members.len())].point;
        let whole = Whole::new(&line, author, Turn::of(0));
        for member in members.iter().filter(|member| member.point != author) {
            let planned = whole.got.contains_key(&member.point);
            prop_assert_eq!(planned, member.hope.is_online());
            prop_assert_eq!(whole.owed.contains_key(&member.point), !planned);
        }
        for (who, copies) in &whole.copies {
            prop_assert!(*copies <= PLANNED_COPIES && PLANNED_COPIES < MAX_COPIES);
            prop_assert!(line.hope(*who) != Some(Hope::Away) || *who == author);
        }
        for (parents, level) in whole.got.values() {
            prop_assert!(*level == 1 || parents.len() >= LEAST_PARENTS);
        }
        let several = whole.got.values().any(|(_, level)| *level > 1);
        for holders in whole.owed.values() {
            prop_assert!(!several || holders.len() >= LEAST_PARENTS);
        }
        if members.len() <= SMALL {
            prop_assert!(whole.copies[&author] <= SMALL_WIDTH);
        }
    }

    /// FAN-6: two who see the same plan the same; who sees somebody else as online differs there alone.
    #[test]
    fn what_one_sees_of_one_part_changes_no_other(line in session(), at in any::<prop::sample::Index>()) {
        let author = Task::all(Point(0));
        let plan = |line: &Line| Plan::new(line, &author, Turn::of(7), 52);
        let one = plan(&line);
        prop_assert_eq!(&one, &plan(&line.clone()));
        prop_assume!(!one.tasks.is_empty());
        let task = &one.tasks[at.index(one.tasks.len())];
        // The head with the largest rank goes: nobody else's part or place changes.
        let lost = *task.heads.last().unwrap();
        let others = line.within(Span::ALL).iter().filter(|member| member.point != lost);
        let without = Line::new(others.copied());
        let again = heads(without.within(task.span), Turn::of(7), task.heads.len() - 1);
        prop_assert_eq!(&again, &task.heads[..task.heads.len() - 1]);
    }
}

/// FAN-2: with the turn the load goes to others.
#[test]
fn the_load_goes_round() {
    let likely = |at: u64| Member {
        point: Point(at << 50),
        hope: Hope::Likely,
    };
    let line = Line::new((0..2_000).map(likely));
    let heads = |turn: u64| -> BTreeSet<Point> {
        let turn = Turn::of(turn * crate::fanout::point::TURN_MS);
        let plan = Plan::new(&line, &Task::all(Point(0)), turn, 50);
        plan.tasks.into_iter().flat_map(|task| task.heads).collect()
    };
    let (one, other) = (heads(1), heads(2));
    assert!(one.len() == other.len() && one.intersection(&other).count() < one.len() / 3);
}

/// FAN-6: who is connected goes before who only was seen.
#[test]
fn connections_that_stand_are_used() {
    let member = |at: u64| Member {
        point: Point(at),
        hope: if at % 10 == 3 {
            Hope::Here
        } else {
            Hope::Likely
        },
    };
    let line = Line::new((0..100).map(member));
    let chosen = heads(line.within(Span::ALL), Turn::of(0), 5);
    assert!(chosen.iter().all(|point| point.0 % 10 == 3));
}
