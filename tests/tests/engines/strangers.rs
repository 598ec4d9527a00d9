//! What strangers hear, and what they cannot do.

use tenet_apps::contacts::{contact::Warning, store::ContactStore};
use tenet_identity::{
    hello::Role,
    meeting::{
        invite::{InviteId, Secret},
        knock::{Answer, Bond, Message, Open, Reason},
    },
};
use tenet_log::{
    event::{Content, Event, Header},
    roster::{Op, SessionKind},
    session::Session,
    sync::{self, Tag},
};
use tenet_node::{
    command::Command,
    frame::Frame,
    input::{CloseReason, Input, Notice},
};
use tenet_sim::rogue::{Bench, Done, Line, Rogue, said};

/// A stranger who has shown its device.
fn shown(bench: &mut Bench, rogue: &Rogue) -> Line {
    let (line, _) = bench.connect(rogue, Role::Dialled);
    let done = bench.frame(line, &rogue.hello(bench, line));
    assert!(
        done.said.is_empty() && done.closed.is_empty(),
        "a stranger hears nothing"
    );
    line
}

/// A stranger who knocked rightly, and what it was answered.
fn answered(
    bench: &mut Bench,
    rogue: &Rogue,
    link: &tenet_identity::meeting::link::Link,
) -> (Line, Answer) {
    let line = shown(bench, rogue);
    let done = bench.frame(line, &rogue.knock_with(bench, line, link));
    match done.knock() {
        Some(Message::Answer(answer)) => (line, answer),
        other => panic!("{other:?}"),
    }
}

fn refused(done: &Done, line: Line) -> Reason {
    assert_eq!(done.reason(line), Some(CloseReason::NotWelcome));
    match done.knock() {
        Some(Message::Refused(refusal)) => refusal.reason,
        other => panic!("{other:?}"),
    }
}

/// NODE-3.
#[test]
fn a_hello_is_good_on_its_own_connection_only() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let (one, _) = bench.connect(&rogue, Role::Dialled);
    let (other, _) = bench.connect(&rogue, Role::Dialled);
    let hello = rogue.hello(&bench, one);
    let done = bench.frame(other, &hello);
    assert_eq!(done.reason(other), Some(CloseReason::Protocol));
    assert!(bench.frame(one, &hello).closed.is_empty());
    let again = bench.frame(one, &hello);
    assert_eq!(
        again.reason(one),
        Some(CloseReason::Protocol),
        "it was shown already"
    );
}

/// NODE-4.
#[test]
fn nothing_is_said_about_sessions_before_a_hello() {
    for frame in [
        Frame::Meet(vec![Tag([1; 16])]),
        Frame::Sync(Tag([1; 16]), sync::Message::Digest([0; 32])),
        said(&Message::Done),
        said(&Message::Refused(Reason::Used.into())),
    ] {
        for shows in [false, true] {
            let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
            let (line, _) = bench.connect(&rogue, Role::Dialled);
            if shows {
                bench.frame(line, &rogue.hello(&bench, line));
            }
            let before = bench.stored();
            let done = bench.frame(line, &frame);
            assert_eq!(done.reason(line), Some(CloseReason::Protocol), "{frame:?}");
            assert!(done.said.is_empty());
            assert_eq!(bench.stored(), before);
        }
    }
}

#[test]
fn what_is_no_frame_ends_the_connection() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    for bytes in [
        vec![],
        vec![0xff; 40],
        Frame::Meet(vec![]).encode()[..2].to_vec(),
    ] {
        let line = shown(&mut bench, &rogue);
        let done = bench.tell(Input::Frame {
            conn: line.conn,
            bytes,
        });
        assert_eq!(done.reason(line), Some(CloseReason::Protocol));
    }
}

/// NODE-6.
#[test]
fn without_the_secret_every_invite_is_unknown() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let link = bench.link(false);
    let wrong = Secret::generate(&mut Rogue::new(3).rng);
    for invite in [link.invite().id(), InviteId::from([9; 16])] {
        let line = shown(&mut bench, &rogue);
        let done = bench.frame(line, &rogue.knock(&bench, line, invite, &wrong));
        assert_eq!(refused(&done, line), Reason::Unknown);
        assert_eq!(done.said.len(), 1, "not even a hello");
        assert!(done.told.is_empty());
    }
    let line = shown(&mut bench, &rogue);
    let (elsewhere, _) = bench.connect(&rogue, Role::Dialled);
    let knock = rogue.knock_with(&bench, elsewhere, &link);
    assert_eq!(
        refused(&bench.frame(line, &knock), line),
        Reason::Unknown,
        "of another connection"
    );
    answered(&mut bench, &rogue, &link);
}

#[test]
fn a_knock_shows_the_device_of_its_hello() {
    let (mut bench, one, other) = (Bench::new(0), Rogue::new(1), Rogue::new(2));
    let link = bench.link(false);
    let line = shown(&mut bench, &one);
    let done = bench.frame(line, &other.knock_with(&bench, line, &link));
    assert_eq!(refused(&done, line), Reason::Unknown);
}

/// NODE-7.
#[test]
fn the_same_knock_has_the_same_answer_and_another_none() {
    let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
    let link = bench.link(false);
    let check = |bench: &Bench, rogue: &Rogue, line: Line, answer: Answer| {
        let bond = Bond {
            exporter: line.exporter,
            secret: &link.ext().secret,
            inviter: bench.engine.own().identity(),
            endpoint: bench.engine.own().endpoint,
        };
        let answerer = answer.check(&bond, &rogue.knocker()).unwrap();
        (answerer.nonce, answerer.founding)
    };
    let (line, first) = answered(&mut bench, &rogue, &link);
    let first = check(&bench, &rogue, line, first);
    let (line, second) = answered(&mut bench, &rogue, &link);
    assert_eq!(check(&bench, &rogue, line, second), first);
    // It has seen our nonce: with another of its own it could choose the short string.
    rogue.nonce = [0x77; 32];
    let line = shown(&mut bench, &rogue);
    let done = bench.frame(line, &rogue.knock_with(&bench, line, &link));
    assert_eq!(refused(&done, line), Reason::Used);
}

/// NODE-8: whatever is wrong with an opening, nothing of it is kept.
#[test]
fn a_wrong_opening_founds_nothing() {
    type Spoil = fn(&mut Rogue, &Bench, &Answer, Event) -> Open;
    let wrong_nonce: Spoil = |_, _, _, join| Open::new([0; 32], join.to_wire()).unwrap();
    let no_event: Spoil = |rogue, _, _, _| Open::new(rogue.nonce, vec![0x80]).unwrap();
    let forged: Spoil = |rogue, _, _, join| {
        let mut bytes = join.to_wire();
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
        Open::new(rogue.nonce, bytes).unwrap()
    };
    let somebody_else: Spoil = |rogue, _, _, join| {
        let other = Rogue::new(2);
        let header = Header {
            device: other.own.device(),
            content: Content::Payload(Op::Join(other.own.card.clone()).payload()),
            ..join.header().clone()
        };
        let join = Event::sign(&other.own.key, header, None);
        Open::new(rogue.nonce, join.to_wire()).unwrap()
    };
    let elsewhere: Spoil = |rogue, bench, _, _| {
        let own = &rogue.own;
        let kind = SessionKind::Own;
        let founded = Session::found(
            &mut rogue.disk,
            &own.key,
            &own.card,
            kind,
            &[],
            bench.now,
            &mut rogue.rng,
        );
        Open::new(rogue.nonce, founded.unwrap().1.to_wire()).unwrap()
    };
    for (what, spoil) in [
        ("nonce", wrong_nonce),
        ("event", no_event),
        ("signature", forged),
        ("device", somebody_else),
        ("session", elsewhere),
    ] {
        let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
        let link = bench.link(false);
        let (line, answer) = answered(&mut bench, &rogue, &link);
        let before = bench.stored();
        let join = rogue.join(&bench, line, &link, answer.clone());
        let open = spoil(&mut rogue, &bench, &answer, join);
        let done = bench.frame(line, &said(&Message::Open(open)));
        assert_eq!(done.reason(line), Some(CloseReason::Protocol), "{what}");
        assert_eq!(bench.stored(), before, "{what}");
        assert!(
            done.told
                .iter()
                .any(|told| matches!(told, Notice::Misbehaved { .. })),
            "{what}"
        );
        // The honest knock of the same device is still good.
        rogue.disk = tenet_sim::disk::Disk::new();
        rogue.befriend(&mut bench, &link);
        assert_eq!(bench.stored().2, 1);
    }
}

/// NODE-9.
#[test]
fn a_used_link_warns_both() {
    let (mut bench, mut first, second) = (Bench::new(0), Rogue::new(1), Rogue::new(2));
    let link = bench.link(false);
    first.befriend(&mut bench, &link);
    let before = bench.stored();
    let line = shown(&mut bench, &second);
    let done = bench.frame(line, &second.knock_with(&bench, line, &link));
    assert_eq!(refused(&done, line), Reason::Used);
    assert_eq!(bench.stored(), before);
    let identity = first.own.identity();
    let notice = Notice::LinkReused {
        invite: Some(link.invite().id()),
        identity: Some(identity),
    };
    assert!(done.told.contains(&notice));
    let contact = bench.engine.store().contact(identity).unwrap().unwrap();
    assert_eq!(contact.warning, Some(Warning::LinkReused { at: bench.now }));
}

#[test]
fn a_link_ends() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let (revoked, expired) = (bench.link(false), bench.link(false));
    bench
        .ask(Command::RevokeInvite {
            id: revoked.invite().id().to_string(),
        })
        .unwrap();
    let line = shown(&mut bench, &rogue);
    let done = bench.frame(line, &rogue.knock_with(&bench, line, &revoked));
    assert_eq!(refused(&done, line), Reason::Revoked);
    bench.now += 1_000_000;
    let line = shown(&mut bench, &rogue);
    let done = bench.frame(line, &rogue.knock_with(&bench, line, &expired));
    assert_eq!(refused(&done, line), Reason::Expired);
    assert_eq!(bench.stored().2, 0);
}
