//! Whatever way the same events come, the same is shown: several devices of two people write at once, and an engine
//! that was away takes it all in, in many orders.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::chat::{
    Action,
    edit::Edit,
    react::{Emoji, React},
    text::{self, Text},
    unsend::Unsend,
};
use tenet_log::{
    event::Event,
    ids::{Author, EventId},
    roster::Op,
    session::Session,
    store::LogStore,
};
use tenet_node::query::{self, Shown};
use tenet_sim::{
    disk::Disk,
    machine::BEGINNING,
    node::Node,
    rogue::{Bench, Rogue},
};

use crate::members::friends;

/// Whose second devices write too: the engine's person and the rogue.
const PEOPLE: [usize; 2] = [0, 1];

/// What is drawn from a seed (Steele, Lea and Flood, "SplitMix", 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }
}

/// A line as it is shown.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    id: EventId,
    text: Option<String>,
    reply: Option<EventId>,
    marks: [bool; 3],
    reactions: BTreeMap<Emoji, usize>,
}

fn line(Shown { message, .. }: Shown) -> Line {
    let reactions = message.reactions.iter();
    Line {
        id: message.id,
        text: message.text,
        reply: message.reply,
        marks: [message.edited, message.unsent, message.missing],
        reactions: reactions
            .map(|(emoji, who)| (emoji.clone(), who.len()))
            .collect(),
    }
}

/// All that a writer holds.
fn held(writer: &Rogue) -> Vec<Event> {
    let id = writer.session.as_ref().unwrap().id();
    let all = writer.disk.since(id, Default::default(), 10_000).unwrap();
    all.into_iter().map(|stored| stored.event).collect()
}

/// Another device, which holds what a writer does and joins.
fn another(from: &Rogue, person: usize) -> Rogue {
    let mut writer = Rogue::new(20 + person);
    writer.own = Node::of(person, 20 + person, 0, BEGINNING).own();
    writer.disk = Disk::new();
    let all = held(from);
    let (mut session, _) = Session::open(&mut writer.disk, &all[0]).unwrap();
    for event in &all[1..] {
        session.receive(&mut writer.disk, event, BEGINNING).unwrap();
    }
    let join = Op::Join(writer.own.card.clone());
    let key = &writer.own.key;
    session
        .operate(&mut writer.disk, key, &join, BEGINNING)
        .unwrap();
    writer.session = Some(session);
    writer
}

/// What they write, partly without hearing of each other. `taken`: whether a device is taken out now and then;
/// else messages are taken back.
fn grow(dice: &mut Dice, first: Rogue, taken: bool) -> Vec<Event> {
    let mut writers = vec![first];
    for person in PEOPLE {
        writers.push(another(&writers[0], person));
    }
    for step in 0..40 {
        let at = dice.below(writers.len());
        if dice.below(3) == 0 {
            let heard = held(&writers[dice.below(writers.len())]);
            let Rogue { session, disk, .. } = &mut writers[at];
            for event in heard {
                let session = session.as_mut().unwrap();
                session.receive(disk, &event, BEGINNING).unwrap();
            }
            continue;
        }
        match taken && dice.below(8) == 0 {
            true => takes_out(&mut writers, at),
            false => writes(dice, &mut writers[at], step, taken),
        }
    }
    let all = writers.iter().flat_map(held);
    let all: BTreeMap<EventId, Event> = all.map(|event| (event.id(), event)).collect();
    all.into_values().collect()
}

/// The rogue takes out its second device, as far as the one that writes knows it, or that comes in again.
fn takes_out(writers: &mut [Rogue], at: usize) {
    let device = writers[2].own.device();
    let card = writers[2].own.card.clone();
    let Rogue {
        session, disk, own, ..
    } = &mut writers[at];
    let session = session.as_mut().unwrap();
    let chain: Option<Author> = session.roster().author(device);
    // Whoever may not is refused, and has written nothing.
    let _ = match chain {
        Some(chain) => session.operate(disk, &own.key, &Op::RemoveDevice(chain), BEGINNING),
        None if own.device() == device => {
            session.operate(disk, &own.key, &Op::Join(card), BEGINNING)
        }
        None => return,
    };
}

fn writes(dice: &mut Dice, writer: &mut Rogue, step: usize, taken: bool) {
    let me = writer.own.identity();
    let texts: Vec<Event> = held(writer)
        .into_iter()
        .filter(|event| event.header().kind.as_str() == text::KIND)
        .collect();
    let session = writer.session.as_ref().unwrap();
    if session.roster().author(writer.own.device()).is_none() {
        return;
    }
    let mine = |event: &&Event| session.roster().identity(event.author()) == Some(me);
    let own: Vec<EventId> = texts.iter().filter(mine).map(Event::id).collect();
    let any: Vec<EventId> = texts.iter().map(Event::id).collect();
    let say = |reply| Action::Text(Text::new(format!("{step}"), reply).unwrap());
    let action = match (dice.below(6), dice.pick(&own), dice.pick(&any)) {
        (0 | 1, Some(target), _) => {
            Action::Edit(Edit::new(target, format!("{step} anew")).unwrap())
        }
        (2, Some(target), _) if !taken => Action::Unsend(Unsend::new(target)),
        (3 | 4, _, Some(target)) => {
            let emoji = Emoji::new(["👍", "🎉"][dice.below(2)]).unwrap();
            Action::React(React::new(target, emoji, dice.below(4) > 0))
        }
        (5, _, reply) => say(reply),
        _ => say(None),
    };
    writer.act(BEGINNING, &action);
}

/// What an engine shows that hears all of it, in an order of its own, a few at a time.
fn shown(dice: &mut Dice, events: &[Event]) -> Vec<Line> {
    let (mut bench, rogue, over) = friends();
    let session = rogue.session.as_ref().unwrap().id();
    let mut known: BTreeSet<EventId> = held(&rogue).iter().map(Event::id).collect();
    let mut open: Vec<&Event> = events
        .iter()
        .filter(|event| !known.contains(&event.id()))
        .collect();
    while !open.is_empty() {
        let mut batch = Vec::new();
        for _ in 0..=dice.below(4) {
            let ready = open.iter().enumerate();
            let ready = ready.filter(|(_, event)| event.parents().all(|one| known.contains(&one)));
            let ready: Vec<usize> = ready.map(|(at, _)| at).collect();
            let Some(at) = dice.pick(&ready) else { break };
            let event = open.remove(at);
            known.insert(event.id());
            batch.push(event);
        }
        let done = bench.frame(over, &rogue.events(over, &batch));
        assert!(done.closed.is_empty(), "{:?}", done.closed);
    }
    lines(&bench, session, events)
}

fn lines(bench: &Bench, session: tenet_log::ids::SessionId, events: &[Event]) -> Vec<Line> {
    let store = bench.engine.store();
    let held = store.since(session, Default::default(), 10_000).unwrap();
    assert_eq!(held.len(), events.len(), "all of it came");
    let me = bench.engine.own().identity();
    let shown = query::history(store, me, &[session], None, 10_000).unwrap();
    shown.into_iter().map(line).collect()
}

#[test]
fn any_order_of_arrival_gives_the_same_view() {
    let (mut some, mut unsent) = (0, 0);
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let (_, rogue, _) = friends();
        let events = grow(&mut dice, rogue, seed % 2 == 1);
        let first = shown(&mut dice, &events);
        for _ in 0..2 {
            assert_eq!(shown(&mut dice, &events), first, "seed {seed}");
        }
        some += first.len();
        unsent += first.iter().filter(|line| line.marks[1]).count();
    }
    assert!(some > 50 && unsent > 4, "{some}, {unsent}");
}
