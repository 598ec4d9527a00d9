//! What whoever is knocked at cannot do.

use tenet_identity::{
    hello::Role,
    meeting::{
        knock::{Answer, Answerer, Bond, Knock, Message},
        link::Link,
    },
};
use tenet_log::{roster::SessionKind, session::Session};
use tenet_node::{Own, command::Command, frame::Frame, input::CloseReason};
use tenet_sim::rogue::{Bench, Line, Rogue, said};

/// A device that the engine knocks at with somebody's link, and that answers as it likes.
fn knocked(bench: &mut Bench, inviter: &Bench, link: &Link, rogue: &Rogue) -> (Line, Knock) {
    let command = Command::Accept {
        link: Box::new(link.clone()),
        name: None,
        remark: None,
    };
    bench.ask(command).unwrap();
    let at = Rogue {
        own: at_endpoint(rogue, inviter),
        ..Rogue::new(3)
    };
    let (line, done) = bench.connect(&at, Role::Dialler);
    assert!(matches!(done.said[0], Frame::Hello(_)));
    match done.knock() {
        Some(Message::Knock(knock)) => (line, knock),
        other => panic!("{other:?}"),
    }
}

/// The rogue's keys, met where the inviter is met.
fn at_endpoint(rogue: &Rogue, inviter: &Bench) -> Own {
    let seed = Rogue::new(usize::from(rogue.nonce[0]));
    Own {
        endpoint: inviter.engine.own().endpoint,
        ..seed.own
    }
}

/// NODE-10: who knocks believes only whom the link names, and joins only a session of the two.
#[test]
fn an_answer_founds_a_session_of_the_two_or_nothing() {
    let founded = |rogue: &mut Rogue, kind, others: &[_], now| {
        let own = &rogue.own;
        Session::draft_founding(&own.key, &own.card, kind, others, now, &mut rogue.rng).unwrap()
    };
    for (what, kind, with_us, third) in [
        ("its own session", SessionKind::Own, false, false),
        ("a session without us", SessionKind::Direct, false, true),
        ("a group", SessionKind::Group, true, false),
        (
            "a session with somebody third",
            SessionKind::Direct,
            true,
            true,
        ),
    ] {
        let mut bench = Bench::new(0);
        let mut inviter = Bench::new(1);
        let link = inviter.link(false);
        let mut rogue = Rogue::new(1);
        let (line, knock) = knocked(&mut bench, &inviter, &link, &rogue);
        let met = Rogue {
            own: at_endpoint(&rogue, &inviter),
            ..Rogue::new(1)
        };
        bench.frame(line, &met.hello(&bench, line));
        let us = bench.engine.own().identity();
        let mut others = Vec::new();
        others.extend(with_us.then_some(us));
        others.extend(third.then(|| Rogue::new(2).own.identity()));
        let founding = founded(&mut rogue, kind, &others, bench.now);
        let done = bench.frame(
            line,
            &answer(&inviter, line, &link, knock, &rogue, founding.to_wire()),
        );
        assert_eq!(done.reason(line), Some(CloseReason::Protocol), "{what}");
        assert_eq!(bench.stored(), (1, 1, 0), "{what}");
    }
}

#[test]
fn nobody_else_answers_for_the_one_who_gave_the_link() {
    let (mut bench, mut inviter) = (Bench::new(0), Bench::new(1));
    let link = inviter.link(false);
    let mut rogue = Rogue::new(2);
    let (line, knock) = knocked(&mut bench, &inviter, &link, &rogue);
    let met = Rogue {
        own: at_endpoint(&rogue, &inviter),
        ..Rogue::new(2)
    };
    bench.frame(line, &met.hello(&bench, line));
    let us = bench.engine.own().identity();
    let own = &rogue.own;
    let founding = Session::draft_founding(
        &own.key,
        &own.card,
        SessionKind::Direct,
        &[us],
        bench.now,
        &mut rogue.rng,
    );
    let founding = founding.unwrap().to_wire();
    let done = bench.frame(
        line,
        &answer(&inviter, line, &link, knock, &rogue, founding),
    );
    assert_eq!(done.reason(line), Some(CloseReason::Protocol));
    assert_eq!(bench.stored(), (1, 1, 0));
}

fn answer(
    inviter: &Bench,
    line: Line,
    link: &Link,
    knock: Knock,
    rogue: &Rogue,
    founding: Vec<u8>,
) -> Frame {
    let bond = Bond {
        exporter: line.exporter,
        secret: &link.ext().secret,
        inviter: inviter.engine.own().identity(),
        endpoint: inviter.engine.own().endpoint,
    };
    let knocker = knock.check(&bond).unwrap();
    let bond = Bond {
        inviter: rogue.own.identity(),
        ..bond
    };
    let answerer = Answerer {
        card: rogue.own.card.clone(),
        name: "rogue".into(),
        nonce: [5; 32],
        founding,
    };
    said(&Message::Answer(
        Answer::new(&bond, &knocker, &answerer).unwrap(),
    ))
}
