//! Sessions of many: who is taken out hears of it, from whomever, and of nothing that is said later.

use tenet_delivery::outbox::Outbox;
use tenet_log::{
    ids::SessionId,
    roster::{Addition, History, Member, Muting, Op, Policy, Removal, Role},
    session::Session,
};
use tenet_node::command::CommandError;
use tenet_sim::{Act, Deed, World, machine::BEGINNING, node::Node};

const ANN: usize = 0;
const BERT: usize = 1;
const CLEO: usize = 2;
const DORA: usize = 3;

/// Longer than the longest wait of a redial.
const SOON: u64 = 20 * 60 * 1000;

/// Four who know each other, in a session that Ann founded.
fn four(seed: u64) -> (World, SessionId) {
    let nodes = (0..4).map(|number| Node::new(number, 0, BEGINNING));
    let mut world = World::of(seed, nodes.collect());
    for other in [BERT, CLEO, DORA] {
        world.ask(ANN, Act::Invite { to: other });
        world.rest();
    }
    let with = [BERT, CLEO, DORA].map(|node| world.nodes[node].did());
    let group = world.found(ANN, "walkers", with.into());
    world.rest();
    world.check_same(&[ANN, BERT, CLEO, DORA], group);
    (world, group)
}

/// Puts these on the other side of a cut.
fn part(world: &mut World, nodes: &[usize]) {
    for node in nodes {
        world.walls.part(*node, 1);
    }
    world.divide();
    pass(world);
}

fn join(world: &mut World) {
    world.walls.fall();
    pass(world);
}

/// Who is away is dialled for ever, so there is no rest.
fn pass(world: &mut World) {
    let end = world.now + SOON;
    while world.step_until(end) {}
}

fn remove(world: &World, node: usize) -> Op {
    Op::Remove(Removal {
        identity: world.nodes[node].identity(),
        shut_out: false,
    })
}

fn texts(world: &World, node: usize, group: SessionId) -> Vec<String> {
    let shown = world.nodes[node].shown_in(group).into_iter();
    let texts = shown.filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// Whether a device is in by its own fold.
fn is_in(world: &World, node: usize, group: SessionId) -> bool {
    let session = Session::load(world.nodes[node].disk(), group).unwrap();
    let device = world.nodes[node].own().device();
    session.unwrap().roster().author(device).is_some()
}

fn owes_nothing(world: &World) {
    for node in &world.nodes {
        assert_eq!(node.disk().waiting().unwrap(), [], "node {}", node.place());
    }
}

/// NODE-106 to NODE-108, SYNC-11: and what it said meanwhile reaches nobody, and says so.
#[test]
fn who_was_removed_hears_of_it_and_of_nothing_later() {
    let (mut world, group) = four(1);
    world.say(ANN, group, "before");
    world.rest();
    part(&mut world, &[DORA]);
    world.say(BERT, group, "meanwhile");
    pass(&mut world);
    let removal = remove(&world, DORA);
    world.operate(ANN, group, removal);
    pass(&mut world);
    world.say(BERT, group, "among us");
    world.say(DORA, group, "can you hear me?");
    pass(&mut world);
    assert!(is_in(&world, DORA, group));
    join(&mut world);
    for node in [ANN, BERT, CLEO] {
        assert_eq!(
            texts(&world, node, group),
            ["before", "meanwhile", "among us"]
        );
    }
    assert!(!is_in(&world, DORA, group));
    // What she had no right to say any more counts nowhere, here neither.
    assert_eq!(texts(&world, DORA, group), ["before", "meanwhile"]);
    world.check_same(&[ANN, BERT, CLEO], group);
    owes_nothing(&world);
    world.check_peace();
}

/// SYNC-11: who was set back, said more than was taken of it before, and was removed meanwhile, hears of that too.
#[test]
fn who_was_set_back_hears_that_it_was_removed() {
    let (mut world, group) = four(9);
    world.nodes[DORA].copy();
    world.say(DORA, group, "heard by all");
    world.rest();
    part(&mut world, &[DORA]);
    world.set_back(DORA);
    pass(&mut world);
    for text in ["once more", "and more"] {
        world.say(DORA, group, text);
        pass(&mut world);
    }
    let removal = remove(&world, DORA);
    world.operate(ANN, group, removal);
    pass(&mut world);
    join(&mut world);
    assert!(!is_in(&world, DORA, group));
    assert_eq!(texts(&world, BERT, group), ["heard by all"]);
}

/// NODE-106: under a key that nobody has seen, too. It joined where it believed to be in, and nobody takes that.
#[test]
fn who_took_another_key_meanwhile_hears_that_it_was_removed() {
    let (mut world, group) = four(5);
    part(&mut world, &[DORA]);
    let removal = remove(&world, DORA);
    world.operate(ANN, group, removal);
    world.kill(DORA);
    let now = world.now;
    world.nodes[DORA].rekey(DORA, 77, now);
    pass(&mut world);
    assert!(is_in(&world, DORA, group));
    join(&mut world);
    assert!(!is_in(&world, DORA, group));
    let device = world.nodes[DORA].own().device();
    let theirs = Session::load(world.nodes[ANN].disk(), group).unwrap();
    assert!(!theirs.unwrap().has_seen(device));
    world.check_peace();
}

/// NODE-106: who left and was set back to before hears that it left.
#[test]
fn who_left_and_was_set_back_hears_of_it() {
    let (mut world, group) = four(6);
    world.nodes[DORA].copy();
    world.operate(DORA, group, Op::Leave);
    world.rest();
    world.set_back(DORA);
    pass(&mut world);
    assert!(!is_in(&world, DORA, group));
}

/// NODE-34: who was removed and is added again comes in again, with all devices, and says what it likes.
#[test]
fn who_is_added_again_is_in_again() {
    let (mut world, group) = four(8);
    let removal = remove(&world, DORA);
    world.operate(ANN, group, removal);
    world.rest();
    assert!(!is_in(&world, DORA, group));
    world.say(BERT, group, "without her");
    world.rest();
    let added = Op::Add(Addition {
        identity: world.nodes[DORA].identity(),
        role: Role::Member,
        floor: None,
    });
    world.operate(ANN, group, added);
    world.rest();
    assert!(is_in(&world, DORA, group));
    world.say(DORA, group, "I am back");
    world.rest();
    world.say(BERT, group, "welcome");
    world.rest();
    for node in [ANN, BERT, CLEO] {
        let shown = texts(&world, node, group);
        assert_eq!(shown, ["without her", "I am back", "welcome"]);
    }
    assert_eq!(texts(&world, DORA, group), ["I am back", "welcome"]);
    world.check_same(&[ANN, BERT, CLEO, DORA], group);
    owes_nothing(&world);
    world.check_peace();
}

/// NODE-34, NODE-110: who left and is added again comes in again, whether it is connected then or comes later.
#[test]
fn who_left_and_is_added_again_is_in_again() {
    for away in [false, true] {
        let (mut world, group) = four(9);
        world.operate(DORA, group, Op::Leave);
        world.rest();
        world.say(BERT, group, "without her");
        world.rest();
        assert!(!is_in(&world, DORA, group));
        if away {
            part(&mut world, &[DORA]);
        }
        let added = Op::Add(Addition {
            identity: world.nodes[DORA].identity(),
            role: Role::Member,
            floor: None,
        });
        world.operate(ANN, group, added);
        pass(&mut world);
        join(&mut world);
        assert!(is_in(&world, DORA, group), "away: {away}");
        world.say(DORA, group, "I am back");
        world.rest();
        assert_eq!(texts(&world, DORA, group), ["I am back"]);
        assert_eq!(texts(&world, BERT, group), ["without her", "I am back"]);
        world.check_same(&[ANN, BERT, CLEO, DORA], group);
        owes_nothing(&world);
        world.check_peace();
    }
}

/// NODE-110: who has not heard yet that somebody left does not bring it back by that.
#[test]
fn who_has_not_heard_of_a_leaving_brings_nobody_back() {
    let (mut world, group) = four(10);
    part(&mut world, &[BERT]);
    world.operate(DORA, group, Op::Leave);
    pass(&mut world);
    world.say(BERT, group, "are you all there?");
    pass(&mut world);
    join(&mut world);
    assert!(!is_in(&world, DORA, group));
    assert_eq!(texts(&world, DORA, group), Vec::<String>::new());
    world.check_same(&[ANN, BERT, CLEO], group);
    world.check_peace();
}

/// NODE-110: whoever brings back what somebody left is listened to; all hear of the leaving nonetheless.
#[test]
fn who_is_brought_back_what_it_left_still_tells_that_it_left() {
    const TABLET: usize = 4;
    let mut nodes: Vec<Node> = (0..4).map(|one| Node::new(one, 0, BEGINNING)).collect();
    nodes.push(Node::of(CLEO, TABLET, 0, BEGINNING));
    let mut world = World::of(11, nodes);
    for (host, guest) in [
        (ANN, BERT),
        (ANN, CLEO),
        (ANN, DORA),
        (CLEO, DORA),
        (CLEO, TABLET),
    ] {
        world.ask(host, Act::Invite { to: guest });
        world.rest();
    }
    part(&mut world, &[TABLET]);
    let with = [BERT, CLEO, DORA].map(|node| world.nodes[node].did());
    let group = world.found(ANN, "walkers", with.into());
    pass(&mut world);
    // Dora does not hear that the tablet comes in, so she owes it nothing when she leaves.
    world.walls.fall();
    part(&mut world, &[DORA]);
    assert!(is_in(&world, TABLET, group));
    world.operate(DORA, group, Op::Leave);
    part(&mut world, &[TABLET]);
    join(&mut world);
    let dora = world.nodes[DORA].identity();
    for node in [ANN, BERT, CLEO, DORA, TABLET] {
        let session = Session::load(world.nodes[node].disk(), group).unwrap();
        let session = session.unwrap();
        let stays = session.roster().members.contains_key(&dora);
        assert!(!stays, "node {node}");
    }
    world.check_same(&[ANN, BERT, CLEO, TABLET], group);
    world.check_peace();
}

/// SYNC-803, NODE-109: who was taken out twice unheard is told all bare; once in again, it has what that says. Either of
/// the two rules alone brings it.
#[test]
fn who_comes_in_again_gets_what_had_come_without_its_words() {
    let (mut world, group) = four(1);
    let all = Policy {
        history: History::All,
        ..Policy::default()
    };
    world.operate(ANN, group, Op::Policy(all));
    world.rest();
    part(&mut world, &[DORA]);
    world.say(ANN, group, "meanwhile");
    pass(&mut world);
    let added = Op::Add(Addition {
        identity: world.nodes[DORA].identity(),
        role: Role::Member,
        floor: None,
    });
    let removed = remove(&world, DORA);
    for op in [removed.clone(), added.clone(), removed] {
        world.operate(ANN, group, op);
        pass(&mut world);
    }
    join(&mut world);
    assert!(!is_in(&world, DORA, group));
    assert!(texts(&world, DORA, group).is_empty());
    world.operate(ANN, group, added);
    pass(&mut world);
    assert!(is_in(&world, DORA, group));
    assert_eq!(texts(&world, DORA, group), ["meanwhile"]);
}

/// NODE-106: whoever of the others is met tells it; who wrote it need not be there.
#[test]
fn anybody_tells_who_was_removed() {
    let (mut world, group) = four(2);
    part(&mut world, &[DORA]);
    let removal = remove(&world, DORA);
    world.operate(ANN, group, removal);
    pass(&mut world);
    world.nodes[ANN].lost = true;
    world.kill(ANN);
    join(&mut world);
    assert!(!is_in(&world, DORA, group));
}

/// NODE-106: a session that was dissolved is so for all, whoever brings the word.
#[test]
fn who_was_away_hears_that_a_session_was_dissolved() {
    let (mut world, group) = four(3);
    part(&mut world, &[CLEO, DORA]);
    world.operate(ANN, group, Op::Dissolve);
    pass(&mut world);
    world.nodes[ANN].lost = true;
    world.kill(ANN);
    join(&mut world);
    for node in [BERT, CLEO, DORA] {
        assert!(!is_in(&world, node, group), "{node}");
    }
}

/// NODE-108: a removal that turns out to be void is no removal, also for who believed it.
#[test]
fn who_was_removed_without_right_comes_back() {
    let (mut world, group) = four(4);
    let give = |world: &World, node: usize, role| Member {
        identity: world.nodes[node].identity(),
        role,
    };
    let promotion = give(&world, BERT, Role::Moderator);
    world.operate(ANN, group, Op::Promote(promotion));
    world.rest();
    part(&mut world, &[BERT, DORA]);
    let demotion = give(&world, BERT, Role::Member);
    world.operate(ANN, group, Op::Demote(demotion));
    let removal = remove(&world, DORA);
    world.operate(BERT, group, removal);
    pass(&mut world);
    assert!(!is_in(&world, DORA, group));
    join(&mut world);
    for node in [ANN, BERT, CLEO, DORA] {
        world.say(node, group, &format!("{node} is here"));
    }
    world.rest();
    world.check_same(&[ANN, BERT, CLEO, DORA], group);
    assert_eq!(texts(&world, DORA, group).len(), 4);
    owes_nothing(&world);
    world.check_peace();
}

/// NODE-503: who was muted is told so, and writes again once the word is given back.
#[test]
fn who_is_muted_is_told_so() {
    let (mut world, group) = four(5);
    let bert = world.nodes[BERT].identity();
    let mute = Op::Mute(Muting {
        identity: bert,
        until: None,
    });
    world.operate(ANN, group, mute);
    world.rest();
    world.say(BERT, group, "hello?");
    world.rest();
    let refused = world.refused.pop();
    assert!(
        matches!(&refused, Some((_, CommandError::Refused(why))) if why.contains("muted")),
        "{refused:?}"
    );
    world.operate(ANN, group, Op::Unmute(bert));
    world.rest();
    world.say(BERT, group, "thank you");
    world.rest();
    assert_eq!(texts(&world, CLEO, group), ["thank you"]);
    world.check_peace();
}

/// NODE-29: taken back by somebody who had lost the word meanwhile, a message comes back, and so do its edits.
#[test]
fn what_was_taken_back_without_right_comes_back_with_its_edits() {
    let (mut world, group) = four(6);
    world.say(BERT, group, "nine o'clock");
    world.rest();
    let id = world.nodes[BERT].shown_in(group)[0].message.id;
    let text = "ten o'clock".to_owned();
    let session = group;
    let many = |deed| Act::Many(Box::new(deed));
    world.ask(BERT, many(Deed::Edit { session, id, text }));
    world.rest();
    part(&mut world, &[BERT, DORA]);
    world.ask(BERT, many(Deed::Unsend { session, id }));
    pass(&mut world);
    assert_eq!(texts(&world, DORA, group).len(), 0);
    let removal = remove(&world, BERT);
    world.operate(ANN, group, removal);
    join(&mut world);
    for node in [ANN, CLEO, DORA] {
        assert_eq!(texts(&world, node, group), ["ten o'clock"], "{node}");
    }
}

/// CHAT-11: what was said, and taken back again, by somebody who had been removed meanwhile has no place.
#[test]
fn what_was_taken_back_after_a_removal_is_not_shown_to_who_said_it() {
    let (mut world, group) = four(7);
    part(&mut world, &[BERT]);
    let removal = remove(&world, BERT);
    world.operate(ANN, group, removal);
    world.say(BERT, group, "am I heard?");
    pass(&mut world);
    let (session, id) = (group, world.nodes[BERT].shown_in(group)[0].message.id);
    let unsend = Deed::Unsend { session, id };
    world.ask(BERT, Act::Many(Box::new(unsend)));
    join(&mut world);
    assert!(!is_in(&world, BERT, group));
    assert!(world.nodes[BERT].shown_in(group).is_empty());
}
