//! Members of a session of many who do what no honest node does: what it costs the others.

use tenet_delivery::fanout::{
    message::Message,
    plan::Task,
    point::{Point, Span},
};
use tenet_identity::{card::Revocation, hello::Role};
use tenet_log::{
    event::Event,
    roster::{Op, SessionKind},
    session::Session,
    store::LogStore,
};
use tenet_node::{
    engine::Allowance,
    frame::Frame,
    input::{Input, Notice, Output},
};
use tenet_sim::{
    machine::BEGINNING,
    node::{Node, root},
    rogue::{Bench, Line, Rogue},
};

const MINUTE: u64 = 60_000;

/// An engine in a session with twelve rogues, two of which are connected with it.
struct Crowd {
    bench: Bench,
    rogues: Vec<Rogue>,
    lines: [Line; 2],
    founding: Event,
}

/// Comes into what an event founds, in its own copy.
pub(crate) fn join(rogue: &mut Rogue, founding: &Event, now: u64) -> Event {
    let (mut session, _) = Session::open(&mut rogue.disk, founding).unwrap();
    let op = Op::Join(rogue.own.card.clone());
    let joined = session.operate(&mut rogue.disk, &rogue.own.key, &op, now);
    rogue.session = Some(session);
    joined.unwrap().0
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
        let joins = others.iter_mut().map(|other| join(other, &founding, now));
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
    let mut crowd = Crowd::new();
    let now = crowd.bench.now;
    let old = crowd.rogues[0].write(now, "said long ago");
    let sent = crowd.rogues[0].events(crowd.lines[0], &[&old]);
    crowd.bench.frame(crowd.lines[0], &sent);
    crowd.bench.now += 10 * MINUTE;
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
    let mut crowd = Crowd::new();
    let now = crowd.bench.now;
    let old = crowd.rogues[0].write(now, "said long ago");
    let sent = crowd.rogues[0].events(crowd.lines[0], &[&old]);
    crowd.bench.frame(crowd.lines[0], &sent);
    crowd.bench.now += 10 * MINUTE;
    let frame = crowd.spread(1, Message::Want(old.id()));
    assert!(is_given(&crowd.second_hears(1, &frame)));
    for _ in 0..20 {
        assert!(!is_given(&crowd.second_hears(1, &frame)));
    }
}

/// NODE-301: also of a device that came in in vain no more is kept than that, though none of it counts.
#[test]
fn what_floods_in_vain_is_kept_up_to_the_same_limit() {
    let mut crowd = Crowd::new();
    let now = crowd.bench.now;
    crowd.bench.engine.allow(Allowance {
        log: 400 << 10,
        files: 4 << 20,
    });
    let mut lost = Rogue {
        own: Node::of(1, 60, 0, BEGINNING).own(),
        ..Rogue::new(60)
    };
    let joined = join(&mut lost, &crowd.founding, now);
    let revocation = Revocation::issue(&root(1), lost.own.device(), now).unwrap();
    let first = &mut crowd.rogues[0];
    let session = first.session.as_mut().unwrap();
    let op = Op::Revoke(revocation);
    let (revoked, _) = session
        .operate(&mut first.disk, &first.own.key, &op, now)
        .unwrap();
    let line = crowd.lines[0];
    let frame = crowd.rogues[0].events(line, &[&revoked, &joined]);
    crowd.bench.frame(line, &frame);
    let before = crowd.bench.stored().1;
    let mut told = Vec::new();
    for _ in 0..20 {
        let events: Vec<Event> = (0..100).map(|_| lost.write(now, "void")).collect();
        let all: Vec<&Event> = events.iter().collect();
        let frame = crowd.rogues[0].events(line, &all);
        told.extend(crowd.bench.frame(line, &frame).told);
    }
    let kept = crowd.bench.stored().1 - before;
    assert!((100..1_000).contains(&kept), "{kept}");
    let who = crowd.rogues[0].own.identity();
    let too_much =
        |it: &&Notice| matches!(it, Notice::TooMuch { identity, .. } if *identity == who);
    assert_eq!(told.iter().filter(too_much).count(), 1);

    // Nobody is kept out by that who is a member.
    for (member, place) in [(2, 61), (0, 62)] {
        let mut further = Rogue {
            own: Node::of(member, place, 0, BEGINNING).own(),
            ..Rogue::new(place)
        };
        let joined = join(&mut further, &crowd.founding, now);
        let frame = crowd.rogues[0].events(line, &[&joined]);
        crowd.bench.frame(line, &frame);
        let log = crowd.bench.engine.store();
        assert!(log.event(joined.id()).unwrap().is_some(), "{member}");
    }
}
