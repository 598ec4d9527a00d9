//! What a contact's device cannot do.

use tenet_apps::chat::store::ChatStore;
use tenet_identity::{did, hello::Role};
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::SessionId,
    register::{MAX_KEYS_PER_DEVICE, Register},
    roster::Op,
    store::LogStore,
    sync::{Message, Objection},
};
use tenet_node::{
    command::{Command, CommandError, Reply},
    frame::Frame,
    input::{CloseReason, Input, Notice},
};
use tenet_sim::{
    machine::BEGINNING,
    node::Node,
    rogue::{Bench, Done, Line, Rogue},
};

/// Two who are contacts, and the connection between them.
pub(crate) fn friends() -> (Bench, Rogue, Line) {
    let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
    let link = bench.link(false);
    let line = rogue.befriend(&mut bench, &link);
    (bench, rogue, line)
}

fn sync_messages(done: &Done) -> Vec<&Message> {
    let said = done.said.iter();
    said.filter_map(|frame| match frame {
        Frame::Sync(_, message) => Some(message),
        _ => None,
    })
    .collect()
}

/// The engine is as it was, and goes on with the next message.
fn unharmed(bench: &mut Bench, rogue: &mut Rogue, line: Line) {
    let now = bench.now;
    let event = rogue.write(now, "a message that is in order");
    let done = bench.frame(line, &rogue.events(line, &[&event]));
    assert!(done.closed.is_empty());
    assert!(bench.engine.store().message(event.id()).unwrap().is_some());
}

/// Something for which a connection is ended and of which nothing stays.
fn ends(bench: &mut Bench, line: Line, frame: &Frame) -> Done {
    let before = bench.stored();
    let done = bench.frame(line, frame);
    assert_eq!(done.reason(line), Some(CloseReason::Protocol));
    assert_eq!(bench.stored(), before);
    assert!(done.told.iter().any(|told| matches!(
        told,
        Notice::Misbehaved {
            device: Some(_),
            ..
        }
    )));
    done
}

/// A new connection of a known device.
fn again(bench: &mut Bench, rogue: &Rogue) -> Line {
    let (line, _) = bench.connect(rogue, Role::Dialled);
    bench.frame(line, &rogue.hello(bench, line));
    bench.frame(line, &Frame::Meet(vec![rogue.tag(line)]));
    line
}

/// NODE-5: the new connection is in use at both ends before the old one is given up.
#[test]
fn a_device_that_comes_by_a_new_connection_never_seems_gone() {
    let (mut bench, rogue, old) = friends();
    let (new, _) = bench.connect(&rogue, Role::Dialled);
    let done = bench.frame(new, &rogue.hello(&bench, new));
    let met = |conn| Notice::Connection {
        identity: rogue.own.identity(),
        device: rogue.own.device(),
        conn,
    };
    assert_eq!(done.told, [met(Some(new.conn))]);
    assert_eq!(done.closed, []);
    let done = bench.frame(new, &Frame::Meet(vec![rogue.tag(new)]));
    assert_eq!(done.told, []);
    assert_eq!(done.closed, [(old.conn, CloseReason::Duplicate)]);
    let done = bench.tell(Input::Closed { conn: new.conn });
    assert_eq!(done.told, [met(None)]);
}

/// NODE-501: what one's role allows is written and brought to the others; the rest is refused.
#[test]
fn a_roster_is_changed_by_whoever_may() {
    let (mut bench, rogue, _) = friends();
    let session = rogue.session.as_ref().unwrap().id();
    let mut operate = |op: Op| {
        let op = Box::new(op);
        bench.ask(Command::Operate { session, op })
    };
    let theirs = rogue.session.as_ref().unwrap().roster();
    let theirs = theirs.author(rogue.own.device()).unwrap();
    for op in [Op::Dissolve, Op::RemoveDevice(theirs)] {
        let refused = operate(op);
        assert!(matches!(refused, Err(CommandError::Refused(_))));
    }
    let own = Node::new(0, 0, BEGINNING).own();
    let Ok(Reply::Operated { event, .. }) = operate(Op::AddDevice(own.card)) else {
        panic!()
    };
    let store = bench.engine.store();
    let stored = LogStore::event(store, event).unwrap().unwrap();
    assert!(stored.standing.counts());
    let elsewhere = Command::Operate {
        session: [0; 32].into(),
        op: Box::new(Op::Leave),
    };
    assert!(matches!(
        bench.ask(elsewhere),
        Err(CommandError::NotFound(_))
    ));
}

/// NODE-21: one clock alone gives up no chain.
#[test]
fn a_clock_that_lies_has_no_chain_given_up() {
    let (mut bench, mut rogue, line) = friends();
    let day = 24 * 60 * 60 * 1000;
    let who = did::encode(&rogue.own.identity());
    let say = |bench: &mut Bench| {
        let (who, text) = (who.clone(), "hello".to_owned());
        let reply = None;
        match bench
            .ask(Command::Send {
                who,
                text,
                reply,
                files: Vec::new(),
            })
            .unwrap()
        {
            Reply::Sent { id, .. } => id,
            other => panic!("{other:?}"),
        }
    };
    let object = |rogue: &Rogue, id, clock| {
        rogue.sync(line, Message::Object(id, Objection::TooEarly(clock)))
    };
    let id = say(&mut bench);
    let lie = object(&rogue, id, bench.now - 9 * day);
    let done = bench.frame(line, &lie);
    assert!(matches!(done.told.as_slice(), [Notice::TooEarly { .. }]));
    assert!(bench.engine.store().logged(id).unwrap().unwrap().1);

    // Nor does a clock of ours that was set back, as long as nobody else's agrees.
    bench.now -= 9 * day;
    let id = say(&mut bench);
    let done = bench.frame(line, &object(&rogue, id, bench.now + 9 * day));
    assert!(matches!(done.told.as_slice(), [Notice::TooEarly { .. }]));
    assert!(bench.engine.store().logged(id).unwrap().unwrap().1);
    bench.now += 9 * day;
    unharmed(&mut bench, &mut rogue, line);
}

fn session(rogue: &Rogue) -> SessionId {
    rogue.session.as_ref().unwrap().id()
}

/// NODE-13.
#[test]
fn a_forged_event_ends_the_connection_and_takes_its_whole_message_along() {
    let (mut bench, mut rogue, line) = friends();
    let (good, bad) = (
        rogue.write(bench.now, "good"),
        rogue.write(bench.now, "bad"),
    );
    let mut forged = bad.to_wire();
    let last = forged.len() - 3;
    forged[last] ^= 1;
    let events = vec![good.to_wire().into(), forged.into()];
    ends(&mut bench, line, &rogue.sync(line, Message::Events(events)));
    let line = again(&mut bench, &rogue);
    let done = bench.frame(line, &rogue.events(line, &[&good, &bad]));
    assert!(done.closed.is_empty());
    unharmed(&mut bench, &mut rogue, line);
}

#[test]
fn an_event_of_another_session_ends_the_connection() {
    let (mut bench, rogue, line) = friends();
    let mut other = Rogue::new(2);
    let link = bench.link(false);
    let others_line = other.befriend(&mut bench, &link);
    let event = other.write(bench.now, "of another session");
    ends(&mut bench, line, &rogue.events(line, &[&event]));
    bench.frame(others_line, &other.events(others_line, &[&event]));
    unharmed(&mut bench, &mut other, others_line);
}

#[test]
fn a_device_that_was_never_in_says_nothing() {
    let (mut bench, mut rogue, line) = friends();
    // In the rogue's copy the third device is in; in ours nobody let it in.
    let third = Rogue::new(2);
    let mut header = rogue.write(bench.now, "as somebody else").header().clone();
    header.device = third.own.device();
    (header.seq, header.prev) = (0, None);
    let event = Event::sign(&third.own.key, header, None);
    ends(&mut bench, line, &rogue.events(line, &[&event]));
}

/// NODE-14.
#[test]
fn what_is_lacking_is_asked_for_and_what_is_known_is_acknowledged() {
    let (mut bench, mut rogue, line) = friends();
    let (one, two) = (rogue.write(bench.now, "one"), rogue.write(bench.now, "two"));
    let done = bench.frame(line, &rogue.events(line, &[&two]));
    assert!(done.closed.is_empty());
    assert!(
        sync_messages(&done)
            .iter()
            .any(|said| matches!(said, Message::Frontier(..)))
    );
    assert!(bench.engine.store().message(two.id()).unwrap().is_none());
    for _ in 0..2 {
        let done = bench.frame(line, &rogue.events(line, &[&one, &two, &two]));
        let said = sync_messages(&done);
        let Some(Message::Have(heads)) = said.first() else {
            panic!("{said:?}")
        };
        assert!(heads.iter().any(|head| head.id == two.id()));
    }
    assert_eq!(
        bench
            .engine
            .store()
            .history(&[session(&rogue)], None, 9)
            .unwrap()
            .len(),
        2
    );
}

/// NODE-14: who never sends what is lacking is not asked for ever.
#[test]
fn asking_has_an_end() {
    let (mut bench, mut rogue, line) = friends();
    let (_, two) = (rogue.write(bench.now, "one"), rogue.write(bench.now, "two"));
    let mut asked = 0;
    for _ in 0..100 {
        let done = bench.frame(line, &rogue.events(line, &[&two]));
        asked += done.said.len();
    }
    assert!(asked < 20, "{asked}");
}

/// NODE-15.
#[test]
fn what_is_far_ahead_waits() {
    let (mut bench, mut rogue, line) = friends();
    let hour = 60 * 60 * 1000;
    let event = rogue.write(bench.now + hour, "from the future");
    let done = bench.frame(line, &rogue.events(line, &[&event]));
    assert!(done.closed.is_empty());
    let objection = Message::Object(event.id(), Objection::TooEarly(bench.now));
    assert_eq!(sync_messages(&done), [&objection]);
    assert!(bench.engine.store().message(event.id()).unwrap().is_none());
    assert_eq!(bench.engine.store().held_count(session(&rogue)).unwrap(), 1);
    bench.now += hour;
    let done = bench.tell(tenet_node::input::Input::Tick);
    assert!(done.told.contains(&Notice::Message {
        session: session(&rogue),
        id: event.id()
    }));
}

/// NODE-15.
#[test]
fn a_register_from_the_future_is_asked_for_when_its_time_has_come() {
    let (mut bench, rogue, line) = friends();
    let hour = 60 * 60 * 1000;
    let time = Hlc::from_millis(bench.now + hour);
    let register = Register::sign(&rogue.own.key, session(&rogue), "test", time, vec![1]).unwrap();
    let frame = rogue.sync(line, Message::Registers(vec![register.encode().into()]));
    let done = bench.frame(line, &frame);
    assert!(done.closed.is_empty());
    let known = |bench: &Bench| {
        let store = bench.engine.store();
        store
            .register(session(&rogue), rogue.own.device(), "test")
            .unwrap()
            .is_some()
    };
    assert!(!known(&bench));
    let done = bench.wait();
    assert!(matches!(
        sync_messages(&done).as_slice(),
        [Message::Digest(_)]
    ));
    bench.frame(line, &frame);
    assert!(known(&bench));
}

#[test]
fn two_histories_are_told() {
    let (mut bench, mut rogue, line) = friends();
    let one = rogue.write(bench.now, "one history");
    let mut header = one.header().clone();
    header.time = header.time.next(bench.now + 5);
    let other = Event::sign(&rogue.own.key, header, one.body().cloned());
    bench.frame(line, &rogue.events(line, &[&one]));
    let done = bench.frame(line, &rogue.events(line, &[&other]));
    let forked = Notice::Forked {
        session: session(&rogue),
        device: rogue.own.device(),
    };
    assert!(done.told.contains(&forked), "{:?}", done.told);
    assert!(done.closed.is_empty());
}

/// NODE-16.
#[test]
fn registers_have_limits() {
    let (mut bench, rogue, _) = friends();
    let register = |key: &str, session| {
        let time = Hlc::from_millis(bench.now);
        Register::sign(&rogue.own.key, session, key, time, vec![1])
            .unwrap()
            .encode()
            .into()
    };
    let id = session(&rogue);
    let many = (0..=MAX_KEYS_PER_DEVICE)
        .map(|n| register(&format!("key {n}"), id))
        .collect();
    let elsewhere = vec![register("key", SessionId::from([1; 32]))];
    let mut forged: Vec<u8> = Vec::from(register("key", id));
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let before = bench.engine.store().registers(id).unwrap().len();
    for registers in [many, elsewhere, vec![forged.into()]] {
        let line = again(&mut bench, &rogue);
        ends(
            &mut bench,
            line,
            &rogue.sync(line, Message::Registers(registers)),
        );
        assert_eq!(bench.engine.store().registers(id).unwrap().len(), before);
    }
    let third = Rogue::new(2);
    let time = Hlc::from_millis(bench.now);
    let foreign = Register::sign(&third.own.key, id, "key", time, vec![1]).unwrap();
    let line = again(&mut bench, &rogue);
    bench.frame(
        line,
        &rogue.sync(line, Message::Registers(vec![foreign.encode().into()])),
    );
    assert_eq!(
        bench.engine.store().registers(id).unwrap().len(),
        before,
        "not in the session"
    );
}

/// An input that fails takes back what it did, and nothing of what the batch did before (seed 11498).
#[test]
fn what_is_to_be_passed_on_is_also_where_another_input_of_the_batch_fails() {
    let (mut bench, rogue, line) = friends();
    bench.frame(
        line,
        &rogue.sync(line, Message::Frontier(vec![], vec![], None)),
    );
    let done = bench.frame(line, &rogue.sync(line, Message::Have(vec![])));
    assert!(!passed_on(&done).is_empty(), "all events went before");
    let (stranger, _) = bench.connect(&Rogue::new(2), Role::Dialled);
    let addresses = vec!["10.0.0.2:4000".parse().unwrap()];
    let moved = Input::AddressesChanged { addresses };
    bench.engine.handle(bench.now, moved).unwrap();
    let (conn, bytes) = (stranger.conn, vec![0xff]);
    let done = bench.tell(Input::Frame { conn, bytes });
    assert_eq!(done.reason(stranger), Some(CloseReason::Protocol));
    assert_eq!(passed_on(&done).len(), 1);
}

fn passed_on(done: &Done) -> Vec<&Message> {
    let mut said = sync_messages(done);
    said.retain(|message| matches!(message, Message::Registers(_)));
    said
}

/// NODE-12: a tag that is not named by both is no session.
#[test]
fn a_session_is_spoken_of_only_when_both_have_named_it() {
    let (mut bench, mut rogue, _) = friends();
    let (line, _) = bench.connect(&rogue, Role::Dialled);
    bench.frame(line, &rogue.hello(&bench, line));
    let event = rogue.write(bench.now, "too soon");
    let done = bench.frame(line, &rogue.events(line, &[&event]));
    assert!(done.said.is_empty() && done.closed.is_empty());
    bench.frame(line, &Frame::Meet(vec![rogue.tag(line)]));
    bench.frame(line, &rogue.events(line, &[&event]));
    assert!(bench.engine.store().message(event.id()).unwrap().is_some());
}

/// NODE-12: how many sessions there are does not show.
#[test]
fn tags_are_padded_and_new_on_every_connection() {
    let (mut bench, rogue, _) = friends();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (line, _) = bench.connect(&rogue, Role::Dialled);
        let done = bench.frame(line, &rogue.hello(&bench, line));
        let Some(Frame::Meet(tags)) = done.said.last() else {
            panic!("no tags")
        };
        assert_eq!(tags.len(), 16);
        assert!(tags.is_sorted());
        assert!(tags.iter().all(|tag| seen.insert(*tag)));
    }
}
