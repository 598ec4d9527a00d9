//! Who types: seen by those who are there, for some seconds, and never more than it may cost.

use tenet_identity::hello::Role;
use tenet_node::{
    command::{Command, Reply},
    frame::Frame,
    input::{Input, Notice},
};
use tenet_sim::rogue::{Bench, Done, Line, Rogue};

/// A person, and a contact of theirs who says what they like.
struct Two {
    bench: Bench,
    rogue: Rogue,
    line: Line,
}

impl Two {
    fn new() -> Self {
        let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
        let link = bench.link(false);
        let line = rogue.befriend(&mut bench, &link);
        Self { bench, rogue, line }
    }

    fn hears(&mut self, on: bool) -> Vec<bool> {
        let frame = Frame::Typing(self.rogue.tag(self.line), on);
        shown(&self.bench.frame(self.line, &frame))
    }

    fn types(&mut self, on: bool) -> (bool, Vec<bool>) {
        let command = Command::Typing {
            who: "bert".into(),
            on,
        };
        let ticket = tenet_node::input::Ticket(900);
        let mut done = self.bench.tell(Input::Command { ticket, command });
        let Some(Ok(Reply::Typing { told, .. })) = done.replies.pop() else {
            panic!("no answer");
        };
        let said = done.said.iter().filter_map(|frame| match frame {
            Frame::Typing(_, on) => Some(*on),
            _ => None,
        });
        (told, said.collect())
    }

    fn set(&mut self, value: &str) -> Vec<bool> {
        let command = Command::Set {
            name: "typing".into(),
            value: value.into(),
        };
        let ticket = tenet_node::input::Ticket(901);
        shown(&self.bench.tell(Input::Command { ticket, command }))
    }

    fn later(&mut self, ms: u64) -> Vec<bool> {
        self.bench.now += ms;
        shown(&self.bench.tell(Input::Tick))
    }
}

/// What is told of who types.
fn shown(done: &Done) -> Vec<bool> {
    let told = done.told.iter().filter_map(|notice| match notice {
        Notice::Typing { typing, .. } => Some(*typing),
        _ => None,
    });
    told.collect()
}

/// NODE-401.
#[test]
fn what_is_typed_is_said_now_and_then_and_never_stored() {
    let mut two = Two::new();
    let stored = two.bench.stored();
    assert_eq!(two.types(true), (true, vec![true]));
    assert_eq!(two.types(true), (true, vec![]), "that was said just now");
    two.later(3_000);
    assert_eq!(two.types(true), (true, vec![true]));
    assert_eq!(two.types(false), (true, vec![false]));
    assert_eq!(two.types(false), (true, vec![]));
    // A message says itself that nothing is typed any more.
    assert_eq!(two.types(true), (true, vec![true]));
    let send = Command::Send {
        who: "bert".into(),
        text: "hello".into(),
        reply: None,
        files: Vec::new(),
    };
    two.bench.ask(send).unwrap();
    assert_eq!(two.types(false), (true, vec![]));
    assert_eq!(two.bench.stored(), (stored.0, stored.1 + 1, stored.2));
    let conn = two.line.conn;
    two.bench.tell(Input::Closed { conn });
    assert_eq!(two.types(true), (false, vec![]), "nobody is there");
}

/// NODE-402.
#[test]
fn who_types_is_seen_until_they_write_end_go_or_fall_silent() {
    let mut two = Two::new();
    assert_eq!(two.hears(true), [true]);
    two.later(5_000);
    assert_eq!(two.hears(true), [] as [bool; 0], "that is known");
    assert_eq!(two.later(7_999), [] as [bool; 0]);
    let due = two.bench.engine.deadline().unwrap();
    assert!(due <= two.bench.now + 1, "it ends by itself");
    assert_eq!(two.later(1), [false]);

    assert_eq!(two.hears(true), [true]);
    assert_eq!(two.hears(false), [false]);

    two.later(1_000);
    assert_eq!(two.hears(true), [true]);
    let event = two.rogue.write(two.bench.now, "hello");
    let frame = two.rogue.events(two.line, &[&event]);
    assert_eq!(shown(&two.bench.frame(two.line, &frame)), [false]);

    two.later(1_000);
    assert_eq!(two.hears(true), [true]);
    let conn = two.line.conn;
    let gone = two.bench.tell(Input::Closed { conn });
    assert_eq!(shown(&gone), [false]);
}

/// NODE-403.
#[test]
fn who_says_yes_and_no_in_turns_costs_a_notice_a_second() {
    let mut two = Two::new();
    let sizes = two.bench.engine.sizes();
    let mut told = 0;
    for _ in 0..1_000 {
        told += two.hears(true).len() + two.hears(false).len();
        two.bench.now += 5;
    }
    assert!((8..=12).contains(&told), "{told} in five seconds");
    two.later(10_000);
    let kept = two.bench.engine.sizes();
    let typing =
        |sizes: &[(&str, usize)]| sizes.iter().find(|(name, _)| *name == "typing").unwrap().1;
    assert_eq!((typing(&sizes), typing(&kept)), (0, 0));
}

/// NODE-401, NODE-402: off means off, in both directions, and at once.
#[test]
fn where_the_setting_is_off_nothing_is_said_or_seen() {
    let mut two = Two::new();
    assert_eq!(two.hears(true), [true]);
    assert_eq!(two.set("off"), [false]);
    two.later(2_000);
    assert_eq!(two.hears(true), [] as [bool; 0]);
    assert_eq!(two.types(true), (false, vec![]));
    two.set("on");
    assert_eq!(two.hears(true), [true]);
    assert_eq!(two.types(true), (true, vec![true]));
}

/// NODE-402: a session that is not shared, a stranger, who is blocked.
#[test]
fn nobody_else_is_seen_to_type() {
    let mut two = Two::new();
    let nowhere = Frame::Typing(tenet_log::sync::Tag([9; 16]), true);
    let done = two.bench.frame(two.line, &nowhere);
    assert!(shown(&done).is_empty() && done.closed.is_empty());

    let stranger = Rogue::new(2);
    let (line, _) = two.bench.connect(&stranger, Role::Dialled);
    two.bench.frame(line, &stranger.hello(&two.bench, line));
    let frame = Frame::Typing(two.rogue.tag(two.line), true);
    let done = two.bench.frame(line, &frame);
    assert!(shown(&done).is_empty());
    assert!(done.reason(line).is_some(), "it is not known");

    assert_eq!(two.hears(true), [true]);
    let ticket = tenet_node::input::Ticket(902);
    let command = Command::Block { who: "bert".into() };
    let done = two.bench.tell(Input::Command { ticket, command });
    assert_eq!(shown(&done), [false]);
    assert_eq!(two.hears(true), [] as [bool; 0]);
}
