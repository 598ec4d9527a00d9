//! Blocking, removing, and meeting again.

use tenet_apps::contacts::store::ContactStore;
use tenet_delivery::{outbox::Outbox, state::State};
use tenet_identity::{
    hello::Role,
    meeting::knock::{Message, Reason},
};
use tenet_node::{
    command::{Command, CommandError, Reply},
    input::{CloseReason, Notice},
};
use tenet_sim::{
    Act, Kill, Script, World, errors,
    node::Node,
    rogue::{Bench, Rogue},
    script::{
        After::{Contact, Message as Shown, Nothing},
        Deed::{Invite, Send},
        Line,
    },
};

use super::{
    ANN, BERT,
    devices::kills,
    members::friends,
    requests::{accepts, are_contacts, is_requested, opens_to, requests},
};

const HOUR: u64 = 60 * 60 * 1000;

fn does(with: usize, command: fn(String) -> Command) -> Act {
    Act::Do { with, command }
}

fn removes(with: usize) -> Act {
    does(with, |who| Command::Remove { who })
}

/// Two who have written to each other.
fn talked(seed: u64, kills: &[Kill]) -> World {
    let mut world = World::new(seed, &[0, 0]);
    world.kills = kills.to_vec();
    let lines = [
        Line(ANN, Nothing, Invite(BERT)),
        Line(ANN, Contact(BERT), Send(BERT, "hello")),
        Line(BERT, Shown("hello"), Send(ANN, "hi")),
    ];
    let mut script = Script::new(&lines);
    while !script.go_on(&mut world) {
        world.step();
    }
    world.until(|world| {
        let texts = |node: usize, with: usize| {
            world.nodes[node]
                .history(world.nodes[with].identity())
                .len()
        };
        texts(ANN, BERT) == 2 && texts(BERT, ANN) == 2
    });
    world
}

fn told(node: &Node, wanted: fn(&Notice) -> bool) -> usize {
    node.notices.iter().filter(|notice| wanted(notice)).count()
}

fn knows(world: &World, node: usize, other: usize) -> bool {
    let other = world.nodes[other].identity();
    world.nodes[node].disk().contact(other).unwrap().is_some()
}

fn is_over(world: &World, node: usize, other: usize) -> bool {
    let other = world.nodes[other].identity();
    let contact = world.nodes[node].disk().contact(other).unwrap();
    contact.is_some_and(|contact| contact.is_over())
}

/// NODE-104, CON-105: and nobody dials anybody any more, else it would never be quiet.
#[test]
fn who_is_removed_hears_of_it_and_then_it_is_quiet() {
    let mut world = talked(1, &[]);
    world.ask(ANN, removes(BERT));
    world.rest();
    assert!(!knows(&world, ANN, BERT));
    assert!(is_over(&world, BERT, ANN));
    assert_eq!(
        told(&world.nodes[BERT], |n| matches!(
            n,
            Notice::ContactLeft { .. }
        )),
        1
    );
    assert_eq!(
        told(&world.nodes[ANN], |n| matches!(
            n,
            Notice::ContactLeft { .. }
        )),
        0
    );
    assert_eq!(
        world.nodes[BERT].history(world.nodes[ANN].identity()).len(),
        0,
        "of now"
    );
    world.check_peace();
    // Bert still sees what was said, and cannot write any more.
    let (to, text) = (ANN, "where are you?".to_owned());
    let reply = None;
    world.ask(BERT, Act::Send { to, text, reply });
    world.rest();
    assert!(
        matches!(world.refused.pop(), Some((_, CommandError::Refused(why))) if why.contains("ended"))
    );
}

/// NODE-104: nor does who was removed go on dialling, which nobody would answer.
#[test]
fn who_was_removed_dials_no_more() {
    let mut world = talked(1, &[]);
    world.estranges = true;
    world.ask(ANN, removes(BERT));
    world.rest();
    let dialled = world.now;
    let later = world.now + 12 * HOUR;
    while world.step_until(later) {}
    assert!(is_over(&world, BERT, ANN));
    assert_eq!(world.now, later, "from {dialled} on nothing happens");
    for node in &world.nodes {
        assert_eq!(node.engine().unwrap().deadline(), None, "{}", node.name);
    }
}

/// NODE-404: each removes the other before hearing of it.
#[test]
fn who_remove_each_other_at_once_owe_each_other_nothing() {
    for seed in 0..8 {
        let mut world = talked(seed, &[]);
        // Neither is there to hear of the other.
        world.kill(ANN);
        world.kill(BERT);
        world.ask(ANN, removes(BERT));
        world.ask(BERT, removes(ANN));
        world.rest();
        for node in &world.nodes {
            assert_eq!(
                node.disk().waiting().unwrap(),
                [],
                "{}, seed {seed}: {}",
                node.name,
                world.state()
            );
            let sizes = node.engine().unwrap().sizes();
            let met = sizes.iter().find(|(name, _)| *name == "met");
            assert_eq!(met.unwrap().1, 0, "{}, seed {seed}", node.name);
        }
        world.check_peace();
    }
}

/// NODE-17, NODE-104.
#[test]
fn a_removal_survives_the_end_of_either_process_at_any_commit() {
    let story = |kills: &[Kill]| {
        let (world, errors) = errors::during(|| {
            let mut world = talked(2, kills);
            world.ask(ANN, removes(BERT));
            world.until(|world| !knows(world, ANN, BERT) && is_over(world, BERT, ANN));
            world.rest();
            // Who was answered by nobody asks again, and hears that it was done.
            let done = |error: &CommandError| matches!(error, CommandError::NotFound(_));
            world.refused.retain(|(_, error)| !done(error));
            world.check_peace();
            world
        });
        assert!(errors.is_empty(), "logged as errors: {errors:?}");
        world
    };
    let (before, whole) = (talked(2, &[]), story(&[]));
    for kill in kills(&[ANN, BERT], &before, &whole) {
        let story = std::panic::catch_unwind(|| drop(story(&[kill])));
        assert!(story.is_ok(), "after {kill:?}");
    }
}

/// CON-105: what was said before is shown again, and the emoji are those of the new meeting.
#[test]
fn by_a_new_link_the_removed_one_is_met_again() {
    let mut world = talked(3, &[]);
    world.ask(ANN, removes(BERT));
    world.rest();
    let lines = [
        Line(ANN, Nothing, Invite(BERT)),
        Line(ANN, Contact(BERT), Send(BERT, "again")),
    ];
    world.play(&mut Script::new(&lines));
    assert!(are_contacts(&world));
    for (node, other) in [(ANN, BERT), (BERT, ANN)] {
        let (this, other) = (&world.nodes[node], world.nodes[other].identity());
        let contact = this.disk().contact(other).unwrap().unwrap();
        assert_eq!((contact.sessions.len(), contact.past.len()), (1, 1));
        assert_eq!(this.history(other).len(), 1, "in the session of now");
    }
    world.check_peace();
}

/// NODE-204: where a new link leads counts for more than where a contact was once, so who moved at the same time meet again.
#[test]
fn by_a_new_link_contacts_who_both_moved_meet_again() {
    let mut world = talked(5, &[]);
    for node in [ANN, BERT] {
        let port = world.nodes[node].address.port();
        world.nodes[node].address.set_port(port + 1);
        world.kill(node);
    }
    let end = world.now + HOUR;
    while world.step_until(end) {}
    let hears = |world: &World| {
        told(&world.nodes[BERT], |notice| {
            matches!(notice, Notice::Message { .. })
        })
    };
    let before = hears(&world);
    world.ask(
        ANN,
        Act::Send {
            to: BERT,
            text: "where are you?".into(),
            reply: None,
        },
    );
    let end = world.now + HOUR;
    while world.step_until(end) {}
    assert_eq!(hears(&world), before, "nobody knows where the other is");
    world.ask(ANN, Act::Invite { to: BERT });
    world.until(|world| hears(world) > before);
    world.rest();
    world.check_peace();
}

/// CON-105: by a link for several, who was removed may ask again; so may who removed.
#[test]
fn by_a_link_for_several_they_may_ask_again() {
    for who in [ANN, BERT] {
        let mut world = World::new(4, &[0, 0]);
        world.ask(ANN, opens_to(BERT));
        world.until(|world| is_requested(&world.nodes[BERT]));
        world.ask(ANN, accepts(BERT));
        world.until(are_contacts);
        world.rest();
        world.ask(who, removes(ANN + BERT - who));
        world.rest();
        let link = world.nodes[BERT].disk().knockings().unwrap().remove(0).link;
        let link = Box::new(link);
        world.ask(BERT, Act::Accept { link });
        // Where Ann still knows Bert, as of an ended contact, she need not be asked.
        world.until(|world| are_contacts(world) || !requests(&world.nodes[ANN]).is_empty());
        if who == ANN {
            assert!(!are_contacts(&world));
            world.ask(ANN, accepts(BERT));
        }
        world.until(are_contacts);
        world.rest();
        world.check_peace();
    }
}

/// NODE-103.
#[test]
fn who_is_blocked_hears_nothing_and_says_nothing_until_the_end_of_it() {
    let mut world = talked(5, &[]);
    world.rest();
    world.ask(ANN, does(BERT, |who| Command::Block { who }));
    let (to, reply) = (ANN, None);
    let text = "are you there?".to_owned();
    world.ask(BERT, Act::Send { to, text, reply });
    let hours = world.now + 3 * HOUR;
    let before = world.nodes[ANN].notices.len();
    while world.step_until(hours) {}
    let (ann, bert) = (world.nodes[ANN].identity(), world.nodes[BERT].identity());
    assert_eq!(
        world.nodes[ANN].history(bert).len(),
        2,
        "nothing new is shown"
    );
    let sent = world.nodes[BERT].history(ann).pop().unwrap();
    assert_eq!(sent.state, State::Queued);
    let since = &world.nodes[ANN].notices[before..];
    assert!(
        since.iter().all(|notice| matches!(
            notice,
            Notice::Connection { conn: None, .. } | Notice::ContactBlocked { .. }
        )),
        "{since:?}"
    );
    world.ask(
        ANN,
        Act::Send {
            to: BERT,
            text: "no".into(),
            reply: None,
        },
    );
    while world.step_until(hours + HOUR) {}
    assert!(
        matches!(world.refused.pop(), Some((_, CommandError::Refused(why))) if why.contains("blocked"))
    );

    // It survives a restart.
    world.kill(ANN);
    while world.step_until(hours + 3 * HOUR) {}
    assert_eq!(world.nodes[ANN].history(bert).len(), 2);

    world.ask(ANN, does(BERT, |who| Command::Unblock { who }));
    world.rest();
    world.check_pair(ANN, BERT);
    assert_eq!(world.nodes[ANN].history(bert).len(), 3);
}

/// NODE-103: to who is blocked it is as if they were unknown.
#[test]
fn who_is_blocked_is_a_stranger() {
    let (mut bench, rogue, line) = friends();
    let link = bench.link(false);
    let who = tenet_identity::did::encode(&rogue.own.identity());
    bench.ask(Command::Block { who: who.clone() }).unwrap();
    let (line2, _) = bench.connect(&rogue, Role::Dialled);
    assert_ne!(line.conn, line2.conn);
    let done = bench.frame(line2, &rogue.hello(&bench, line2));
    assert!(done.said.is_empty() && done.closed.is_empty());
    let before = bench.engine.store().invite(link.invite().id()).unwrap();
    let done = bench.frame(line2, &rogue.knock_with(&bench, line2, &link));
    assert_eq!(done.knock(), Some(Message::Refused(Reason::Unknown.into())));
    assert_eq!(done.reason(line2), Some(CloseReason::NotWelcome));
    assert!(done.told.is_empty());
    let after = bench.engine.store().invite(link.invite().id()).unwrap();
    assert_eq!(before, after);
    // Blocked they cannot be removed, else the block would be forgotten.
    let remove = bench.ask(Command::Remove { who });
    assert!(matches!(remove, Err(CommandError::Refused(_))));
}

#[test]
fn anybody_can_be_blocked_by_their_did() {
    let (mut bench, rogue) = (Bench::new(0), Rogue::new(1));
    let who = tenet_identity::did::encode(&rogue.own.identity());
    let blocked = bench.ask(Command::Block { who: who.clone() }).unwrap();
    assert!(matches!(blocked, Reply::Contact { identity } if identity == rogue.own.identity()));
    let contact = bench.engine.store().contact(rogue.own.identity());
    assert!(contact.unwrap().unwrap().blocked);
    let unblocked = bench.ask(Command::Unblock { who }).unwrap();
    assert!(matches!(unblocked, Reply::Removed(_)));
    assert_eq!(bench.engine.store().contacts().unwrap(), []);
    for unknown in ["nobody", "self"] {
        let who = unknown.to_owned();
        assert!(bench.ask(Command::Block { who }).is_err());
    }
}
