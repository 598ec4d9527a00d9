//! Links that several may use: a person is asked about everybody who comes by one.

use tenet_apps::contacts::{Request, knocking::State, request::Decision, store::ContactStore};
use tenet_identity::{
    hello::Role,
    meeting::{
        knock::{Bond, Knock, Message, Plea, Reason, Refusal},
        link::Link,
    },
};
use tenet_node::{
    command::{Command, CommandError, Reply},
    input::{CloseReason, Notice},
};
use tenet_sim::{
    Act, Kill, Moment, World, errors,
    node::Node,
    rogue::{Bench, Done, Line, Rogue, said},
};

use super::{ANN, BERT};

/// Make a link for everybody, and give it to this one.
pub(crate) fn opens_to(with: usize) -> Act {
    Act::Do {
        with,
        command: |_| Command::Invite {
            name: None,
            reusable: true,
            lasts_ms: 24 * 60 * 60 * 1000,
            question: None,
        },
    }
}

pub(crate) fn accepts(with: usize) -> Act {
    Act::Do {
        with,
        command: |id| Command::AcceptRequest { id },
    }
}

fn rejects(with: usize) -> Act {
    Act::Do {
        with,
        command: |id| Command::RejectRequest {
            id,
            remark: Some("not now".into()),
        },
    }
}

pub(crate) fn requests(node: &Node) -> Vec<Request> {
    node.disk().requests().unwrap()
}

pub(crate) fn is_requested(node: &Node) -> bool {
    let links = node.disk().knockings().unwrap();
    links.iter().any(|link| link.state == State::Requested)
}

pub(crate) fn are_contacts(world: &World) -> bool {
    let (ann, bert) = (&world.nodes[ANN], &world.nodes[BERT]);
    let knows = |one: &Node, other: &Node| {
        let contact = one.disk().contact(other.identity()).unwrap();
        contact.is_some_and(|contact| contact.session().is_some())
    };
    knows(ann, bert) && knows(bert, ann)
}

/// A request that was made and heard.
fn requested(seed: u64, kills: &[Kill]) -> World {
    let mut world = World::new(seed, &[0, 0]);
    world.kills = kills.to_vec();
    world.ask(ANN, opens_to(BERT));
    world
        .until(|world| !requests(&world.nodes[ANN]).is_empty() && is_requested(&world.nodes[BERT]));
    world
}

/// NODE-101, NODE-102.
#[test]
fn a_person_is_asked_and_a_yes_is_heard_at_once() {
    let mut world = requested(1, &[]);
    let told = |node: usize, wanted: fn(&Notice) -> bool| {
        let notices = world.nodes[node].notices.iter();
        notices.filter(|notice| wanted(notice)).count()
    };
    assert_eq!(
        told(ANN, |notice| matches!(notice, Notice::Request { .. })),
        1
    );
    assert_eq!(
        told(BERT, |notice| matches!(notice, Notice::Requested { .. })),
        1
    );
    let request = &requests(&world.nodes[ANN])[0];
    assert_eq!((request.name.as_str(), &request.remark), ("bert", &None));
    assert_eq!(request.decision, Decision::Waiting);
    // Bert goes on knocking, for hours if need be: it stays one request.
    let hours = world.now + 3 * 60 * 60 * 1000;
    while world.step_until(hours) {}
    assert_eq!(requests(&world.nodes[ANN]).len(), 1);
    assert_eq!(requests(&world.nodes[ANN])[0].first, request.first);
    assert!(requests(&world.nodes[ANN])[0].last > request.first);
    assert!(!are_contacts(&world));

    world.ask(ANN, accepts(BERT));
    let took = world.until(are_contacts);
    assert!(took < 5_000, "Ann goes to Bert: {took} ms");
    world.rest();
    world.check_pair(ANN, BERT);
    world.check_peace();
    assert_eq!(requests(&world.nodes[ANN]), []);
}

/// NODE-102: where the accepted one cannot be reached, it comes by itself.
#[test]
fn a_yes_is_heard_by_who_cannot_be_dialled() {
    let mut world = requested(2, &[]);
    world.nodes[BERT].address.set_port(9);
    world.ask(ANN, accepts(BERT));
    world.until(are_contacts);
    world.rest();
    world.check_pair(ANN, BERT);
    world.check_peace();
}

/// NODE-102: two meet in a session of somebody else's, and one asks the other.
#[test]
fn an_answer_is_heard_by_who_is_connected_already() {
    const CLEO: usize = 2;
    let asked = |seed: u64| {
        let mut world = World::new(seed, &[0, 0, 0]);
        for to in [ANN, BERT] {
            world.ask(CLEO, Act::Invite { to });
            world.rest();
        }
        let with = [ANN, BERT].map(|node| world.nodes[node].did());
        world.found(CLEO, "walkers", with.into());
        world.rest();
        world.ask(ANN, opens_to(BERT));
        world.until(|world| is_requested(&world.nodes[BERT]));
        assert_eq!(requests(&world.nodes[ANN]).len(), 1);
        world
    };
    let mut world = asked(8);
    world.ask(ANN, accepts(BERT));
    let took = world.until(are_contacts);
    assert!(took < 5_000, "{took} ms");
    world.rest();
    world.check_pair(ANN, BERT);

    // One link that has them wait keeps no other from being taken.
    let mut world = asked(10);
    world.ask(ANN, Act::Invite { to: BERT });
    let took = world.until(are_contacts);
    assert!(took < 5_000, "{took} ms");

    let mut world = asked(9);
    world.ask(ANN, rejects(BERT));
    world.rest();
    let links = world.nodes[BERT].disk().knockings().unwrap();
    let state = links.into_iter().map(|link| link.state).next_back();
    assert_eq!(state, Some(State::Refused(Reason::Rejected)));
}

/// NODE-101: a no is for good, and heard with what was said.
#[test]
fn a_no_is_heard_with_its_remark() {
    let mut world = requested(3, &[]);
    world.ask(ANN, rejects(BERT));
    world.rest();
    assert!(!are_contacts(&world));
    let links = world.nodes[BERT].disk().knockings().unwrap();
    assert_eq!(links[0].state, State::Refused(Reason::Rejected));
    let refused = Some("they said no: not now".to_owned());
    let heard = world.nodes[BERT].notices.iter();
    let heard = heard.filter_map(|notice| match notice {
        Notice::Knocked { refused, .. } => Some(refused.clone()),
        _ => None,
    });
    assert_eq!(heard.collect::<Vec<_>>(), [refused]);
    world.check_peace();
    // Ann thinks better of it, and Bert takes the link again.
    world.ask(ANN, accepts(BERT));
    let link = Box::new(links[0].link.clone());
    world.ask(BERT, Act::Accept { link });
    world.until(are_contacts);
    world.rest();
    world.check_pair(ANN, BERT);
}

/// NODE-17, NODE-101.
#[test]
fn a_request_survives_the_end_of_either_process_at_any_commit() {
    let story = |kills: &[Kill]| {
        let (world, errors) = errors::during(|| {
            let mut world = requested(4, kills);
            world.ask(ANN, accepts(BERT));
            world.until(are_contacts);
            world.rest();
            world.check_pair(ANN, BERT);
            world.check_peace();
            world
        });
        assert!(errors.is_empty(), "logged as errors: {errors:?}");
        world
    };
    let whole = story(&[]);
    for node in [ANN, BERT] {
        for batch in 0..whole.nodes[node].batches {
            for moment in [Moment::Before, Moment::After(0), Moment::After(1)] {
                let kill = Kill {
                    node,
                    batch,
                    moment,
                };
                let story = std::panic::catch_unwind(|| drop(story(&[kill])));
                assert!(story.is_ok(), "after {kill:?}");
            }
        }
    }
}

/// CON-101: two who want each other need no third word.
#[test]
fn who_took_each_others_links_are_not_asked() {
    let mut world = World::new(5, &[0, 0]);
    world.ask(ANN, opens_to(BERT));
    world.ask(BERT, opens_to(ANN));
    world.until(are_contacts);
    world.rest();
    world.check_pair(ANN, BERT);
    assert_eq!(requests(&world.nodes[ANN]), []);
    assert_eq!(requests(&world.nodes[BERT]), []);
}

/// A link of the engine's person for several.
fn link(bench: &mut Bench, question: Option<&str>) -> Link {
    let command = Command::Invite {
        name: None,
        reusable: true,
        lasts_ms: 1_000_000,
        question: question.map(str::to_owned),
    };
    match bench.ask(command).unwrap() {
        Reply::Invited { link, .. } => *link,
        other => panic!("{other:?}"),
    }
}

/// A stranger knocks and says this; what it hears.
fn knock(bench: &mut Bench, rogue: &Rogue, link: &Link, remark: Option<&str>) -> Refusal {
    let (line, _) = bench.connect(rogue, Role::Dialled);
    bench.frame(line, &rogue.hello(bench, line));
    let mut knocker = rogue.knocker();
    knocker.plea = Plea {
        remark: remark.map(str::to_owned),
        addresses: vec!["10.0.0.9:4000".parse().unwrap()],
    };
    let bond = Bond {
        exporter: line.exporter,
        secret: &link.ext().secret,
        inviter: bench.engine.own().identity(),
        endpoint: bench.engine.own().endpoint,
    };
    let knock = Knock::new(&bond, link.invite().id(), &knocker).unwrap();
    let done = bench.frame(line, &said(&Message::Knock(knock)));
    refused(&done, line)
}

fn refused(done: &Done, line: Line) -> Refusal {
    assert_eq!(done.reason(line), Some(CloseReason::NotWelcome));
    assert_eq!(done.said.len(), 1, "not even a hello");
    match done.knock() {
        Some(Message::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn kept(bench: &Bench) -> Vec<Request> {
    bench.engine.store().requests().unwrap()
}

/// NODE-101: of who waits nothing is kept but the request.
#[test]
fn a_request_founds_nothing_and_is_one_for_each_person() {
    let mut bench = Bench::new(0);
    let link = link(&mut bench, None);
    let before = bench.stored();
    for (number, remark) in [(1, None), (2, Some("I am two")), (1, Some("it's me"))] {
        let refusal = knock(&mut bench, &Rogue::new(number), &link, remark);
        assert_eq!(refusal, Reason::Waiting.into());
        bench.now += 1_000;
    }
    assert_eq!(bench.stored(), before);
    let remarks: Vec<_> = kept(&bench)
        .into_iter()
        .map(|request| (request.identity, request.remark))
        .collect();
    let mut expected = vec![
        (Rogue::new(1).own.identity(), Some("it's me".to_owned())),
        (Rogue::new(2).own.identity(), Some("I am two".to_owned())),
    ];
    expected.sort();
    assert_eq!(remarks, expected);
    // What was said stays when less is said.
    knock(&mut bench, &Rogue::new(1), &link, None);
    assert!(kept(&bench).iter().all(|request| request.remark.is_some()));
}

/// NODE-101: who does not answer what is asked leaves no trace.
#[test]
fn a_question_is_answered_by_a_remark() {
    let mut bench = Bench::new(0);
    let link = link(&mut bench, Some("Where did we meet?"));
    let asked = Refusal {
        reason: Reason::Question,
        remark: Some("Where did we meet?".into()),
    };
    assert_eq!(knock(&mut bench, &Rogue::new(1), &link, None), asked);
    assert_eq!(kept(&bench), []);
    let answer = knock(&mut bench, &Rogue::new(1), &link, Some("in Riga"));
    assert_eq!(answer, Reason::Waiting.into());
    assert_eq!(kept(&bench)[0].remark.as_deref(), Some("in Riga"));
}

#[test]
fn a_request_is_named_by_its_id_or_by_who_asks() {
    let mut bench = Bench::new(0);
    let link = link(&mut bench, None);
    knock(&mut bench, &Rogue::new(1), &link, None);
    let id = kept(&bench)[0].id.to_string();
    for unknown in ["", "123", "zzzz", "did:key:z"] {
        let id = unknown.to_owned();
        let result = bench.ask(Command::AcceptRequest { id });
        assert!(matches!(result, Err(CommandError::NotFound(_))));
    }
    let id = id[..6].to_uppercase();
    bench.ask(Command::AcceptRequest { id }).unwrap();
    assert_eq!(kept(&bench)[0].decision, Decision::Accepted);
    let too_long = Command::RejectRequest {
        id: kept(&bench)[0].id.to_string(),
        remark: Some("x".repeat(281)),
    };
    let result = bench.ask(too_long);
    assert!(matches!(result, Err(CommandError::Usage(_))));
}

/// CON-101: who came by two links is let in by their DID, whatever was said to the first.
#[test]
fn by_their_did_the_request_is_meant_that_waits() {
    let mut world = requested(5, &[]);
    world.ask(ANN, rejects(BERT));
    world.rest();
    world.ask(ANN, opens_to(BERT));
    world.until(|world| requests(&world.nodes[ANN]).len() == 2);
    world.ask(ANN, accepts(BERT));
    world.until(are_contacts);
    world.rest();
    world.check_peace();
}
