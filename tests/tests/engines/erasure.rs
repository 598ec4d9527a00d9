//! What is taken back or has had its time is nowhere any more.

use tenet_apps::chat::{
    Action,
    edit::Edit,
    store::ChatStore,
    text::Text,
    unsend::Unsend,
    view::{self, Message},
};
use tenet_identity::{did, hello::Role};
use tenet_log::{
    event::Event,
    ids::EventId,
    session::Draft,
    store::LogStore,
    sync::{self, MAX_WANTED},
};
use tenet_node::{
    command::{Command, Reply},
    frame::Frame,
    input::Notice,
};
use tenet_sim::{
    Kill, Moment, Script, World,
    rogue::{self, Bench, Done, Rogue},
    script::{
        After::{Contact, Message as Said, Nothing},
        Deed::{self, Invite, React, Reply as Answer, Send, Timer},
        Line,
    },
};

use crate::members::friends;

const ANN: usize = 0;
const BERT: usize = 1;

/// Some of it stays, some is taken back after it was changed, some disappears.
const TALK: &[Line] = &[
    Line(ANN, Nothing, Invite(BERT)),
    Line(ANN, Contact(BERT), Send(BERT, "stays")),
    Line(ANN, Contact(BERT), Send(BERT, "a secret📎")),
    Line(
        ANN,
        Said("a secret📎"),
        Deed::Edit("a secret📎", "another secret"),
    ),
    Line(
        ANN,
        Said("a secret📎"),
        Deed::Edit("a secret📎", "the last secret"),
    ),
    Line(ANN, Said("oh"), Deed::Unsend("a secret📎")),
    Line(ANN, Said("oh"), Timer(BERT, 60)),
    Line(ANN, Said("oh"), Send(BERT, "for a minute📎")),
    Line(
        ANN,
        Said("for a minute📎"),
        Deed::Edit("for a minute📎", "one minute"),
    ),
    Line(ANN, Said("as well"), Timer(BERT, 0)),
    Line(ANN, Said("as well"), Send(BERT, "for good")),
    Line(BERT, Said("a secret📎"), React("a secret📎", "👍")),
    Line(BERT, Said("a secret📎"), Answer(ANN, "a secret📎", "oh")),
    Line(BERT, Said("for a minute📎"), React("for a minute📎", "☀")),
    Line(
        BERT,
        Said("for a minute📎"),
        Answer(ANN, "for a minute📎", "as well"),
    ),
];

fn talk(seed: u64, ahead: &[u64], kills: &[Kill]) -> World {
    let mut world = World::new(seed, ahead);
    world.kills = kills.to_vec();
    world.play(&mut Script::new(TALK));
    world.check_pair(ANN, BERT);
    world.check_peace();
    world
}

/// CHAT-19, CHAT-21, NODE-29, NODE-30: [`World::check_pair`] looks at both logs, views and indexes.
#[test]
fn what_was_taken_back_or_expired_is_nowhere() {
    let world = talk(1, &[0, 0], &[]);
    let expiring = world.model.messages.values();
    let expiring = expiring.filter(|message| message.expires.is_some());
    assert_eq!(expiring.count(), 2);
    for node in &world.nodes {
        let gone = |notice: &&Notice| matches!(notice, Notice::Gone { .. });
        assert_eq!(node.notices.iter().filter(gone).count(), 2, "{}", node.name);
        // Both files are gone with their messages.
        assert!(node.disk().store().audit().unwrap().is_well());
    }
}

/// The same whenever a process ends, on either side.
#[test]
fn no_kill_brings_anything_back() {
    let batches: Vec<u64> = talk(2, &[0, 0], &[])
        .nodes
        .iter()
        .map(|node| node.batches)
        .collect();
    for (node, batches) in batches.into_iter().enumerate() {
        for batch in 0..batches {
            for moment in [Moment::Before, Moment::After(0)] {
                talk(
                    2,
                    &[0, 0],
                    &[Kill {
                        node,
                        batch,
                        moment,
                    }],
                );
            }
        }
    }
}

/// Clocks that differ see it go at different times, and the same is left.
#[test]
fn clocks_that_differ_leave_the_same() {
    for ahead in [[0, 50_000], [50_000, 0], [0, 300_000], [300_000, 0]] {
        let mut world = World::new(3, &ahead);
        world.play(&mut Script::new(&[
            Line(ANN, Nothing, Invite(BERT)),
            Line(ANN, Contact(BERT), Timer(BERT, 60)),
            Line(ANN, Contact(BERT), Send(BERT, "for a minute")),
            Line(BERT, Contact(ANN), Send(ANN, "from here")),
        ]));
        world.check_pair(ANN, BERT);
    }
}

fn shown(bench: &Bench, id: EventId) -> Option<Message> {
    let store = bench.engine.store();
    let row = store.message(id).unwrap()?;
    Some(view::load(store, &row, row.identity, &[]).unwrap())
}

fn has_body(bench: &Bench, id: EventId) -> bool {
    let stored = LogStore::event(bench.engine.store(), id).unwrap();
    stored.unwrap().event.body().is_some()
}

fn give(bench: &mut Bench, rogue: &Rogue, line: rogue::Line, events: &[&Event]) -> Done {
    bench.frame(line, &rogue.events(line, events))
}

fn wanted(done: &Done) -> Vec<EventId> {
    let wanted = done.said.iter().filter_map(|frame| match frame {
        Frame::Sync(_, sync::Message::Want(wanted)) => Some(wanted.clone()),
        _ => None,
    });
    wanted.flatten().collect()
}

/// What the rogue says until `expires`.
fn until(rogue: &mut Rogue, now: u64, text: &str, expires: u64) -> Event {
    let text = Text::new(text.into(), None).unwrap();
    let expires = Some(expires);
    let draft = Action::Text(text).draft().unwrap();
    rogue.say(now, Draft { expires, ..draft })
}

/// NODE-31, LOG-15: what came without its body is shown as such, asked for and taken once it comes.
#[test]
fn a_body_that_is_missing_is_asked_for() {
    let (mut bench, mut rogue, line) = friends();
    let event = rogue.write(bench.now, "the plan");
    let edit = Action::Edit(Edit::new(event.id(), "another plan".into()).unwrap());
    let edit = rogue.act(bench.now + 1, &edit);
    let done = give(&mut bench, &rogue, line, &[&event.bare(), &edit.bare()]);
    assert!(done.closed.is_empty(), "that is no offence");
    let message = shown(&bench, event.id()).unwrap();
    assert!(message.missing && message.text.is_none() && !message.unsent);
    let (line, done) = bench.connect(&rogue, Role::Dialled);
    assert!(
        wanted(&done).is_empty(),
        "not before both know what they share"
    );
    let done = rogue.meet(&mut bench, line);
    let mut asked = wanted(&done);
    asked.sort_unstable();
    let mut lacking = [event.id(), edit.id()];
    lacking.sort_unstable();
    assert_eq!(asked, lacking);
    // Having nothing either is no answer.
    give(&mut bench, &rogue, line, &[&event.bare()]);
    assert!(shown(&bench, event.id()).unwrap().missing);
    let done = give(&mut bench, &rogue, line, &[&event]);
    assert!(
        done.told
            .iter()
            .any(|told| matches!(told, Notice::Changed { .. }))
    );
    let message = shown(&bench, event.id()).unwrap();
    assert_eq!(
        (message.text.as_deref(), message.missing),
        (Some("the plan"), false)
    );
    give(&mut bench, &rogue, line, &[&edit]);
    let message = shown(&bench, event.id()).unwrap();
    assert_eq!(message.text.as_deref(), Some("another plan"));
    assert!(bench.engine.store().lacking_sessions().unwrap().is_empty());
}

/// NODE-31: however much comes without its body, what is asked at once is bounded, and a later
/// erasure ends the asking.
#[test]
fn many_missing_bodies_are_asked_for_in_parts() {
    let (mut bench, mut rogue, line) = friends();
    let events: Vec<Event> = (0..100)
        .map(|number| rogue.write(bench.now + number, "said"))
        .collect();
    let bare: Vec<Event> = events.iter().map(Event::bare).collect();
    give(&mut bench, &rogue, line, &bare.iter().collect::<Vec<_>>());
    let (line, _) = bench.connect(&rogue, Role::Dialled);
    let done = rogue.meet(&mut bench, line);
    assert_eq!(wanted(&done).len(), MAX_WANTED);
    for event in &events {
        let unsend = rogue.act(bench.now + 200, &Action::Unsend(Unsend::new(event.id())));
        give(&mut bench, &rogue, line, &[&unsend]);
    }
    assert!(bench.engine.store().lacking_sessions().unwrap().is_empty());
    assert!(shown(&bench, events[0].id()).unwrap().unsent);
    // Nothing that was taken back is taken in again.
    give(&mut bench, &rogue, line, &[&events[0]]);
    assert!(!has_body(&bench, events[0].id()));
}

/// CHAT-8, CHAT-20: nobody erases what another said.
#[test]
fn nobody_erases_another_s_words() {
    let (mut bench, mut rogue, line) = friends();
    let sent = bench.ask(Command::Send {
        who: did::encode(&rogue.own.identity()),
        text: "mine".into(),
        reply: None,
        files: vec![],
    });
    let Ok(Reply::Sent { id, .. }) = sent else {
        panic!("{sent:?}")
    };
    bench
        .ask(Command::Edit {
            id,
            text: "mine still".into(),
        })
        .unwrap();
    let edit = shown(&bench, id).unwrap();
    assert!(edit.edited);
    let overlay = bench
        .engine
        .store()
        .overlay(edit.session, id)
        .unwrap()
        .unwrap();
    let edit = overlay.edit(bench.engine.own().identity()).unwrap();
    let own = rogue.write(bench.now, "a pretext");
    for unsend in [
        Unsend::new(id).with_edits(vec![edit]),
        Unsend::new(own.id()).with_edits(vec![id, edit]),
    ] {
        let unsend = rogue.act(bench.now + 1, &Action::Unsend(unsend));
        give(&mut bench, &rogue, line, &[&own, &unsend]);
    }
    assert!(has_body(&bench, id) && has_body(&bench, edit));
    assert_eq!(
        shown(&bench, id).unwrap().text.as_deref(),
        Some("mine still")
    );
    assert!(!has_body(&bench, own.id()));
}

/// CHAT-21, NODE-30: what has expired when it comes is never shown, and its body not kept.
#[test]
fn what_comes_too_late_is_never_shown() {
    let (mut bench, mut rogue, line) = friends();
    let now = bench.now;
    let late = until(&mut rogue, now - 10_000, "late", now - 1);
    let soon = until(&mut rogue, now, "soon", now + 5_000);
    let bare = until(&mut rogue, now + 1, "bare", now + 5_000);
    let never = until(&mut rogue, now + 2, "never", u64::MAX);
    let done = give(
        &mut bench,
        &rogue,
        line,
        &[&late, &soon, &bare.bare(), &never],
    );
    let told = |done: &Done, id: EventId| {
        let about =
            |notice: &Notice| matches!(notice, Notice::Message { id: told, .. } if *told == id);
        done.told.iter().any(about)
    };
    assert!(!told(&done, late.id()) && told(&done, soon.id()));
    assert!(!has_body(&bench, late.id()) && shown(&bench, late.id()).is_none());
    assert!(shown(&bench, soon.id()).is_some() && shown(&bench, bare.id()).unwrap().missing);
    bench.now += 5_000;
    assert!(bench.engine.deadline().unwrap() <= bench.now);
    let done = bench.tell(tenet_node::input::Input::Tick);
    let gone = done
        .told
        .iter()
        .filter(|told| matches!(told, Notice::Gone { .. }));
    assert_eq!(gone.count(), 2);
    for event in [&soon, &bare] {
        assert!(shown(&bench, event.id()).is_none() && !has_body(&bench, event.id()));
    }
    assert!(bench.engine.store().lacking_sessions().unwrap().is_empty());
    assert!(has_body(&bench, never.id()));
    // It is not taken in again either.
    give(&mut bench, &rogue, line, &[&soon]);
    assert!(shown(&bench, soon.id()).is_none() && !has_body(&bench, soon.id()));
}
