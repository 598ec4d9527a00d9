//! Members of a session of many who do what no honest node does: what it costs the others.

use tenet_delivery::fanout::{
    message::Message,
    plan::Task,
    point::{Point, Span},
};
use tenet_identity::{card::Revocation, hello::Role, keys::InviteKey};
use tenet_log::{
    event::{Content, Event, Header},
    roster::{Joining, Op, Opening, Role as Grade, SessionKind},
    session::Session,
    store::LogStore,
};
use tenet_node::{
    frame::Frame,
    input::{Input, Notice, Output},
};
use tenet_sim::{
    node::root,
    rogue::{Bench, Done, Line, Rogue},
};

use crate::floods::SMALL;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// An engine in a session with twelve rogues, two of which are connected with it.
struct Crowd {
    bench: Bench,
    rogues: Vec<Rogue>,
    lines: [Line; 2],
    founding: Event,
}

impl Crowd {
    fn new() -> Self {
        let (mut bench, mut first, line) = crate::members::friends();
        let now = bench.now;
        let mut others: Vec<Rogue> = (2..=12).map(Rogue::new).collect();
        let mut with = vec![bench.engine.own().identity()];
        with.extend(others.iter().map(|other| other.own.identity()));
        let (key, card) = (&first.own.key, &first.own.card);
        let kind = SessionKind::Group;
        let founded = Session::found(&mut first.disk, key, card, kind, &with, now, &mut first.rng);
        let (session, founding) = founded.unwrap();
        first.session = Some(session);
        let joins = others.iter_mut().map(|other| other.enter(now, &founding));
        let joins: Vec<Event> = joins.collect();
        bench.frame(line, &Frame::Bring(vec![founding.to_wire().into()], false));
        bench.frame(line, &Frame::Meet(vec![first.tag(line)]));
        let all: Vec<&Event> = joins.iter().collect();
        bench.frame(line, &first.events(line, &all));
        let (second, _) = bench.connect(&others[0], Role::Dialled);
        others[0].meet(&mut bench, second);
        others.insert(0, first);
        Self {
            bench,
            rogues: others,
            lines: [line, second],
            founding,
        }
    }

    /// The same, and the engine takes little of anybody.
    fn small() -> Self {
        let mut crowd = Self::new();
        crowd.bench.engine.allow(SMALL);
        crowd
    }

    /// Something of the first that came ten minutes ago.
    fn with_something_old() -> (Self, Event) {
        let mut crowd = Self::new();
        let now = crowd.bench.now;
        let old = crowd.rogues[0].write(now, "said long ago");
        crowd.bring(0, &[&old]);
        crowd.bench.now += 10 * MINUTE;
        (crowd, old)
    }

    /// One of the two that are connected sends events; what the engine does.
    fn bring(&mut self, from: usize, events: &[&Event]) -> Done {
        let line = self.lines[from];
        let frame = self.rogues[from].events(line, events);
        self.bench.frame(line, &frame)
    }

    fn holds(&self, event: &Event) -> bool {
        let store = self.bench.engine.store();
        store.event(event.id()).unwrap().is_some()
    }

    /// Whether the device that wrote an event is in by it.
    fn counts(&self, joined: &Event) -> bool {
        let session = Session::load(self.bench.engine.store(), self.founding.session());
        let session = session.unwrap().unwrap();
        session.roster().author(joined.author().device).is_some()
    }

    /// One of the two brings two thousand texts of somebody else; how many are kept, and what a person is told.
    fn flood(&mut self, from: usize, by: &mut Rogue) -> (usize, Vec<Notice>) {
        let before = self.bench.stored().1;
        let mut told = Vec::new();
        for _ in 0..20 {
            let events: Vec<Event> = (0..100).map(|_| by.write(self.bench.now, "void")).collect();
            let all: Vec<&Event> = events.iter().collect();
            told.extend(self.bring(from, &all).told);
        }
        (self.bench.stored().1 - before, told)
    }

    /// Somebody leaves, and forty devices of theirs join nevertheless.
    fn spend_what_is_in_vain(&mut self) -> Vec<Event> {
        let now = self.bench.now;
        let left = self.rogues[11].operate(now, &Op::Leave);
        self.bring(1, &[&left]);
        let joined = (80..120).map(|place| Rogue::of(12, place).enter(now + 1, &self.founding));
        let joined: Vec<Event> = joined.collect();
        for one in &joined {
            self.bring(1, &[one]);
        }
        joined
    }

    fn spread(&self, rogue: usize, message: Message) -> Frame {
        Frame::Spread(self.rogues[rogue].tag(self.lines[rogue]), message)
    }

    /// All of the session, for the engine alone to see to.
    fn task(&self) -> Task {
        let session = self.founding.session();
        let point = |device| Point::of(session, device);
        Task {
            span: Span::ALL,
            heads: vec![point(self.bench.engine.own().device())],
            known: vec![point(self.rogues[0].own.device())],
        }
    }

    /// What the second is told about an event, of what the engine does with a frame of this one.
    fn second_hears(&mut self, from: usize, frame: &Frame) -> Vec<Message> {
        let outputs = self.bench.outputs(Input::Frame {
            conn: self.lines[from].conn,
            bytes: frame.encode(),
        });
        let to = self.lines[1].conn;
        let frames = outputs.into_iter().filter_map(|output| match output {
            Output::Send { conn, frame } if conn == to => Some(Frame::decode(&frame).unwrap()),
            _ => None,
        });
        let spread = frames.filter_map(|frame| match frame {
            Frame::Spread(_, message) => Some(message),
            _ => None,
        });
        spread.collect()
    }
}

fn is_given(heard: &[Message]) -> bool {
    let about = |it: &Message| matches!(it, Message::Give(..) | Message::Offer(..));
    heard.iter().any(about)
}

/// NODE-1703: whoever gives again what is old has nobody send it to anybody.
#[test]
fn what_is_old_is_not_forwarded_again() {
    let (mut crowd, old) = Crowd::with_something_old();
    let task = Some(crowd.task());
    for message in [
        Message::Give(old.to_wire().into(), task.clone()),
        Message::Offer(old.id(), task.clone()),
        Message::Give(old.to_wire().into(), task.clone()),
    ] {
        let frame = crowd.spread(0, message);
        assert!(!is_given(&crowd.second_hears(0, &frame)));
    }
    // Whoever asked is not to ask others.
    let frame = crowd.spread(1, Message::Offer(old.id(), task.clone()));
    let heard = crowd.second_hears(1, &frame);
    let is_done = |it: &Message| matches!(it, Message::Report(_, report) if report.done);
    assert!(heard.iter().any(is_done) && !is_given(&heard));
    let now = crowd.bench.now;
    let new = crowd.rogues[0].write(now, "said now");
    let frame = crowd.spread(0, Message::Give(new.to_wire().into(), task));
    assert!(is_given(&crowd.second_hears(0, &frame)));
}

/// FAN-3: whoever asks for one thing again and again gets it once.
#[test]
fn what_is_asked_for_is_given_once() {
    let (mut crowd, old) = Crowd::with_something_old();
    let frame = crowd.spread(1, Message::Want(old.id()));
    assert!(is_given(&crowd.second_hears(1, &frame)));
    for _ in 0..20 {
        assert!(!is_given(&crowd.second_hears(1, &frame)));
    }
}

/// NODE-301: also of a device that came in in vain no more is kept than that, though none of it counts.
#[test]
fn what_floods_in_vain_is_kept_up_to_the_same_limit() {
    let mut crowd = Crowd::small();
    let now = crowd.bench.now;
    let mut lost = Rogue::of(1, 60);
    let joined = lost.enter(now, &crowd.founding);
    let revocation = Revocation::issue(&root(1), lost.own.device(), now).unwrap();
    let revoked = crowd.rogues[0].operate(now, &Op::Revoke(revocation));
    crowd.bring(0, &[&revoked, &joined]);
    let (kept, told) = crowd.flood(0, &mut lost);
    assert!((100..1_000).contains(&kept), "{kept}");
    let who = crowd.rogues[0].own.identity();
    let too_much =
        |it: &&Notice| matches!(it, Notice::TooMuch { identity, .. } if *identity == who);
    assert_eq!(told.iter().filter(too_much).count(), 1);

    // Nor does it begin once more, whoever brings that; nobody else is kept out by it.
    let again = Rogue::of(1, 60).enter(now + 1, &crowd.founding);
    crowd.bring(1, &[&again]);
    assert!(!crowd.holds(&again));
    for (member, place) in [(2, 61), (0, 62)] {
        let joined = Rogue::of(member, place).enter(now, &crowd.founding);
        crowd.bring(1, &[&joined]);
        assert!(crowd.holds(&joined), "{member}");
    }
}

/// NODE-301: of those who are not in as much is kept as of one who is, and nobody who is in is kept out by it.
#[test]
fn what_outsiders_begin_in_vain_is_kept_up_to_the_same_limit() {
    let mut crowd = Crowd::small();
    let now = crowd.bench.now;
    let joined = crowd.spend_what_is_in_vain();
    let kept = joined.iter().filter(|one| crowd.holds(one)).count();
    assert!((4..10).contains(&kept), "{kept}");
    assert!(!joined.iter().any(|one| crowd.counts(one)));
    let joined = Rogue::of(2, 61).enter(now, &crowd.founding);
    crowd.bring(1, &[&joined]);
    assert!(crowd.holds(&joined));
}

/// NODE-301: whoever has a link comes in, whatever others did in vain who have none.
#[test]
fn what_outsiders_begin_in_vain_keeps_nobody_out_who_has_a_link() {
    let mut crowd = Crowd::small();
    let now = crowd.bench.now;
    let key = InviteKey::from_seed([7; 32]);
    let open = Op::OpenLink(Opening::new(key.public(), Grade::Member));
    let opened = crowd.rogues[0].operate(now, &open);
    crowd.bring(0, &[&opened]);
    crowd.spend_what_is_in_vain();
    let come = |place: usize, at: u64| {
        let mut comer = Rogue::of(place, place);
        comer.look_into(&crowd.founding);
        comer.take(&opened, now);
        let joining = Joining::by(&key, opened.id(), comer.own.card.clone());
        let joined = comer.operate(at, &Op::JoinLink(joining));
        (comer, joined)
    };
    // Nor those who pretend to have it, and are not looked at before their time.
    let wrong = InviteKey::from_seed([8; 32]);
    let pretends = (71..100).map(|place| {
        let (comer, joined) = come(place, now + HOUR);
        let joining = Joining::by(&wrong, opened.id(), comer.own.card.clone());
        let content = Content::Payload(Op::JoinLink(joining).payload());
        let header = joined.header().clone();
        Event::sign(&comer.own.key, Header { content, ..header }, None)
    });
    let pretends: Vec<Event> = pretends.collect();
    let (_, joined) = come(70, now + 1);
    for one in &pretends {
        crowd.bring(1, &[one]);
    }
    crowd.bring(1, &[&joined]);
    assert!(crowd.counts(&joined));
}

/// NODE-301: nor is more kept of a device of my own that I revoked, nor does it make anybody else heard again (NODE-304).
#[test]
fn what_a_stolen_device_of_mine_floods_is_kept_up_to_the_same_limit() {
    let mut crowd = Crowd::small();
    let now = crowd.bench.now;
    let [mut stolen, mut other] = [62, 63].map(|place| Rogue::of(0, place));
    let joined = [&mut stolen, &mut other].map(|one| one.enter(now, &crowd.founding));
    other.take(&joined[0], now);
    let revocation = Revocation::issue(&root(0), stolen.own.device(), now).unwrap();
    let revoked = other.operate(now, &Op::Revoke(revocation));
    crowd.bring(1, &[&joined[0], &joined[1], &revoked]);
    let (kept, _) = crowd.flood(1, &mut stolen);
    assert!((100..1_000).contains(&kept), "{kept}");
    let said = other.write(now, "of one that I have");
    crowd.bring(1, &[&said]);
    assert!(crowd.holds(&said));
}
