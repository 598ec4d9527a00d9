//! Links into groups: coming in by one at whichever member, asking by one, and being kept out.

use tenet_apps::contacts::{knocking::State, store::ContactStore};
use tenet_identity::{
    card::Revocation,
    hello::Role as End,
    meeting::{
        group,
        invite::Secret,
        knock::{Asker, GroupBond, GroupKnock, Message, Plea, Reason, Refusal},
        link::Link,
    },
};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::{History, Op, Policy, Removal, Role},
    session::Session,
    store::{LogStore, Position},
};
use tenet_node::{
    command::{Command, CommandError, Reply, entrance::Entrance},
    input::{CloseReason, Notice},
};
use tenet_sim::{
    Act, Kill, Moment, World,
    machine::BEGINNING,
    node::{Node, root},
    rogue::{Bench, Line, Rogue, said},
};

const ANN: usize = 0;
const BERT: usize = 1;
/// Knows nobody.
const CLEO: usize = 2;

/// Also knows nobody.
const DORA: usize = 3;

const MINUTE: u64 = 60 * 1000;
const HOUR: u64 = 60 * MINUTE;

/// Ann has a group with Bert; Cleo knows nobody.
fn group(seed: u64) -> (World, SessionId) {
    let nodes = (0..4).map(|number| Node::new(number, 0, BEGINNING));
    let mut world = World::of(seed, nodes.collect());
    world.ask(ANN, Act::Invite { to: BERT });
    world.rest();
    let with = vec![world.nodes[BERT].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    for node in [ANN, BERT] {
        world.say(node, group, "among us");
        world.rest();
    }
    (world, group)
}

fn open(group: SessionId) -> Entrance {
    Entrance::Open {
        group: group.to_string(),
        role: Role::Member,
        consent: false,
        question: None,
        lasts_ms: 24 * HOUR,
        to: None,
    }
}

fn link(world: &mut World, by: usize, what: Entrance) -> Link {
    let made = world.link_into(by, what);
    world.rest();
    made.link.expect("it can be shown")
}

fn takes(world: &mut World, node: usize, link: &Link) {
    let link = Box::new(link.clone());
    world.ask(node, Act::Accept { link });
}

fn pass(world: &mut World, lasts: u64) {
    let end = world.now + lasts;
    while world.step_until(end) {}
}

fn state(world: &World, node: usize, link: &Link) -> State {
    let known = world.nodes[node].disk().knocking(link.invite().id());
    known.unwrap().expect("it was taken").state
}

fn roster<T>(
    world: &World,
    node: usize,
    group: SessionId,
    of: impl Fn(&Session) -> T,
) -> Option<T> {
    let session = Session::load(world.nodes[node].disk(), group).unwrap();
    session.as_ref().map(of)
}

fn is_in(world: &World, node: usize, at: usize, group: SessionId) -> bool {
    let device = world.nodes[node].own().device();
    let is_in = roster(world, at, group, |session| {
        session.roster().author(device).is_some()
    });
    is_in == Some(true)
}

fn texts(world: &World, node: usize, group: SessionId) -> Vec<String> {
    let shown = world.nodes[node].shown_in(group).into_iter();
    let texts = shown.filter(|shown| shown.message.told.is_none());
    let texts = texts.map(|shown| shown.message.text.map(|text| text.to_string()));
    texts.map(Option::unwrap_or_default).collect()
}

/// NODE-1401 to NODE-1403, SYNC-1401.
#[test]
fn a_stranger_comes_in_by_a_link_and_gets_nothing_from_before() {
    let (mut world, group) = group(1);
    let link = link(&mut world, ANN, open(group));
    takes(&mut world, CLEO, &link);
    world.rest();
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    for node in [ANN, BERT, CLEO] {
        assert!(is_in(&world, CLEO, node, group), "{node}");
    }
    for node in [CLEO, ANN, BERT] {
        world.say(node, group, "for all");
        world.rest();
    }
    world.check_same(&[ANN, BERT, CLEO], group);
    assert_eq!(texts(&world, CLEO, group), ["for all"; 3]);
    assert_eq!(texts(&world, BERT, group).len(), 5);
    assert!(world.nodes[CLEO].disk().contacts().unwrap().is_empty());
    world.check_peace();
}

fn asking(group: SessionId, question: Option<&str>) -> Entrance {
    Entrance::Open {
        group: group.to_string(),
        role: Role::Observer,
        consent: true,
        question: question.map(Into::into),
        lasts_ms: 24 * HOUR,
        to: None,
    }
}

fn close(group: SessionId, link: &Link) -> Entrance {
    let opening = link.ext().group.as_ref().unwrap().opening;
    Entrance::Close {
        group: group.to_string(),
        id: tenet_log::ids::EventId::from(opening).to_string(),
    }
}

fn admit(group: SessionId, who: &str) -> Entrance {
    Entrance::Admit {
        group: group.to_string(),
        who: who.into(),
    }
}

fn refuse(group: SessionId, who: &str, remark: Option<&str>) -> Entrance {
    Entrance::Refuse {
        group: group.to_string(),
        who: who.into(),
        remark: remark.map(Into::into),
    }
}

/// Takes a link and says something with it.
fn says(world: &mut World, node: usize, link: &Link, remark: &str) {
    assert_eq!(remark, "Elm Street", "what Act::Knock says");
    let link = Box::new(link.clone());
    world.ask(node, Act::Knock { link });
}

fn why(world: &World, node: usize, link: &Link) -> Option<String> {
    let known = world.nodes[node].disk().knocking(link.invite().id());
    known.unwrap().unwrap().refusal()
}

fn members(world: &World, node: usize, group: SessionId) -> usize {
    roster(world, node, group, |session| session.roster().members.len()).unwrap_or(0)
}

/// Who asks, as this node would list it.
fn asks(world: &mut World, node: usize, group: SessionId) -> Vec<(String, Option<String>)> {
    world.asked(node, group)
}

/// GLINK-1: one member who is switched off does not make it useless.
#[test]
fn the_maker_may_be_away() {
    let (mut world, group) = group(2);
    let link = link(&mut world, ANN, open(group));
    assert_eq!(link.places().count(), 2);
    world.switch_off(ANN);
    takes(&mut world, CLEO, &link);
    pass(&mut world, HOUR / 4);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    assert!(is_in(&world, CLEO, BERT, group));
    world.say(CLEO, group, "who is there?");
    pass(&mut world, HOUR / 4);
    world.switch_on(ANN);
    world.rest();
    world.check_same(&[ANN, BERT, CLEO], group);
    assert_eq!(texts(&world, ANN, group).last().unwrap(), "who is there?");
    world.check_peace();
}

/// NODE-1403: nobody is there at first; it is kept and tried again, also by the next process.
#[test]
fn a_link_is_taken_when_somebody_is_there() {
    let (mut world, group) = group(3);
    let link = link(&mut world, ANN, open(group));
    world.switch_off(ANN);
    world.switch_off(BERT);
    takes(&mut world, CLEO, &link);
    pass(&mut world, HOUR);
    assert_eq!(state(&world, CLEO, &link), State::Pending);
    world.kill(CLEO);
    pass(&mut world, HOUR);
    world.switch_on(BERT);
    pass(&mut world, HOUR);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    world.switch_on(ANN);
    world.rest();
    world.check_same(&[ANN, BERT, CLEO], group);
}

/// CON-1401: a member who has not heard of the link yet sends nobody away for good.
#[test]
fn who_does_not_know_the_link_yet_ends_nothing() {
    let (mut world, group) = group(15);
    world.switch_off(BERT);
    let made = world.link_into(ANN, open(group));
    let link = made.link.expect("it can be shown");
    world.switch_off(ANN);
    world.switch_on(BERT);
    takes(&mut world, CLEO, &link);
    pass(&mut world, HOUR / 2);
    assert_eq!(state(&world, CLEO, &link), State::Pending);
    assert!(!is_in(&world, CLEO, BERT, group));
    world.switch_on(ANN);
    pass(&mut world, HOUR);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    world.check_same(&[ANN, BERT, CLEO], group);
    world.check_peace();
}

/// ROS-515: newcomers get what the policy gives them, also who comes by a link.
#[test]
fn who_comes_by_a_link_gets_what_newcomers_get() {
    for (seed, history, gets) in [(4, History::All, 2), (5, History::Last(1), 1)] {
        let (mut world, group) = group(seed);
        let policy = Policy {
            history,
            ..Policy::default()
        };
        world.operate(ANN, group, Op::Policy(policy));
        world.rest();
        let link = link(&mut world, ANN, open(group));
        takes(&mut world, CLEO, &link);
        world.rest();
        assert_eq!(texts(&world, CLEO, group), vec!["among us"; gets]);
        world.check_same(&[ANN, BERT, CLEO], group);
        world.check_peace();
    }
}

/// ROS-504, NODE-1401: who comes too late hears so.
#[test]
fn a_closed_or_expired_link_lets_in_nobody() {
    let (mut world, group) = group(6);
    let first = link(&mut world, ANN, open(group));
    world.enter(ANN, close(group, &first));
    world.rest();
    takes(&mut world, CLEO, &first);
    world.rest();
    assert_eq!(state(&world, CLEO, &first), State::Refused(Reason::Revoked));
    assert_eq!(
        why(&world, CLEO, &first).unwrap(),
        "the link was closed; ask for a new one"
    );

    let second = link(&mut world, ANN, open(group));
    pass(&mut world, 24 * HOUR);
    takes(&mut world, DORA, &second);
    world.rest();
    let refused = world.refused.pop();
    assert!(matches!(refused, Some((_, CommandError::Refused(_)))));
    assert_eq!(members(&world, ANN, group), 2);
    world.check_peace();
}

/// ROS-6: closed before the one who let her in had heard of it: she is in nowhere in the end.
#[test]
fn a_link_that_was_closed_apart_lets_in_nobody_in_the_end() {
    let (mut world, group) = group(7);
    let link = link(&mut world, ANN, open(group));
    world.switch_off(BERT);
    world.enter(ANN, close(group, &link));
    pass(&mut world, HOUR);
    world.switch_off(ANN);
    world.switch_on(BERT);
    takes(&mut world, CLEO, &link);
    pass(&mut world, HOUR);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    assert!(is_in(&world, CLEO, BERT, group));
    world.switch_on(ANN);
    pass(&mut world, HOUR);
    for node in [ANN, BERT] {
        assert_eq!(members(&world, node, group), 2, "{node}");
    }
    world.check_same(&[ANN, BERT], group);
}

fn block(world: &World, node: usize) -> Op {
    Op::Remove(Removal {
        identity: world.nodes[node].identity(),
        shut_out: true,
    })
}

/// ROS-504, ROS-1402: who was blocked comes in by no link, who was unblocked does, on the same device.
#[test]
fn who_is_blocked_stays_out_and_who_is_unblocked_comes_in_again() {
    let (mut world, group) = group(8);
    let first = link(&mut world, ANN, open(group));
    takes(&mut world, CLEO, &first);
    world.rest();
    world.say(CLEO, group, "here I am");
    world.rest();
    let out = block(&world, CLEO);
    world.operate(ANN, group, out);
    world.rest();
    assert!(!is_in(&world, CLEO, CLEO, group));
    let second = link(&mut world, ANN, open(group));
    takes(&mut world, CLEO, &second);
    world.rest();
    assert_eq!(
        state(&world, CLEO, &second),
        State::Refused(Reason::Rejected)
    );
    assert!(!is_in(&world, CLEO, ANN, group));

    let unblocked = Op::Unblock(world.nodes[CLEO].identity());
    world.operate(ANN, group, unblocked);
    world.rest();
    assert_eq!(
        members(&world, ANN, group),
        2,
        "to be unblocked is not to be in"
    );
    takes(&mut world, CLEO, &second);
    world.rest();
    assert_eq!(
        state(&world, CLEO, &second),
        State::Connected { session: group }
    );
    for node in [ANN, BERT, CLEO] {
        assert!(is_in(&world, CLEO, node, group), "{node}");
    }
    world.say(CLEO, group, "here I am again");
    world.rest();
    world.say(BERT, group, "so you are");
    world.rest();
    world.check_same(&[ANN, BERT, CLEO], group);
    let shown = texts(&world, CLEO, group);
    assert_eq!(shown, ["here I am", "here I am again", "so you are"]);
    world.check_peace();
}

/// NODE-1402: who left comes in again by a link, too.
#[test]
fn who_left_comes_in_again() {
    let (mut world, group) = group(9);
    let first = link(&mut world, ANN, open(group));
    takes(&mut world, CLEO, &first);
    world.rest();
    world.operate(CLEO, group, Op::Leave);
    world.rest();
    assert_eq!(members(&world, ANN, group), 2);
    let second = link(&mut world, ANN, open(group));
    takes(&mut world, CLEO, &second);
    world.rest();
    assert_eq!(
        state(&world, CLEO, &second),
        State::Connected { session: group }
    );
    world.say(CLEO, group, "back");
    world.rest();
    world.check_same(&[ANN, BERT, CLEO], group);
    assert_eq!(texts(&world, BERT, group).last().unwrap(), "back");
    world.check_peace();
}

/// ROS-1401, NODE-1404, NODE-1405: all members see who asks; a yes of any who may is heard at once.
#[test]
fn by_a_link_with_consent_one_asks_and_is_let_in() {
    let (mut world, group) = group(10);
    let link = link(&mut world, ANN, asking(group, None));
    says(&mut world, CLEO, &link, "Elm Street");
    pass(&mut world, HOUR);
    assert_eq!(state(&world, CLEO, &link), State::Requested);
    assert!(!is_in(&world, CLEO, ANN, group) && members(&world, ANN, group) == 2);
    let expected = [("cleo".to_owned(), Some("Elm Street".to_owned()))];
    for node in [ANN, BERT] {
        assert_eq!(asks(&mut world, node, group), expected, "{node}");
    }
    let told = |world: &World, node: usize| {
        let asks = |notice: &&Notice| matches!(notice, Notice::Asks { .. });
        world.nodes[node].notices.iter().filter(asks).count()
    };
    assert_eq!(told(&world, ANN), 1);
    assert_eq!(told(&world, BERT), 1);

    world.enter(ANN, admit(group, "cleo"));
    let took = world.until(|world| state(world, CLEO, &link) != State::Requested);
    assert!(took < 10_000, "they go to her: {took} ms");
    world.rest();
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    let role = roster(&world, BERT, group, |session| {
        session
            .roster()
            .members
            .get(&world.nodes[CLEO].identity())
            .copied()
    });
    assert_eq!(role.flatten(), Some(Role::Observer));
    for node in [ANN, BERT] {
        assert!(asks(&mut world, node, group).is_empty());
    }
    world.check_same(&[ANN, BERT, CLEO], group);
    assert_eq!(texts(&world, CLEO, group), [""; 0]);
    world.check_peace();
}

/// ROS-1403: a no, with its remark, is heard at the next knock; asking anew is asking anew.
#[test]
fn who_is_refused_hears_why_and_may_ask_again() {
    let (mut world, group) = group(11);
    let link = link(&mut world, ANN, asking(group, Some("which street?")));
    takes(&mut world, CLEO, &link);
    world.rest();
    assert_eq!(state(&world, CLEO, &link), State::Refused(Reason::Question));
    assert!(
        why(&world, CLEO, &link)
            .unwrap()
            .ends_with(": which street?")
    );
    assert!(asks(&mut world, ANN, group).is_empty());

    says(&mut world, CLEO, &link, "Elm Street");
    pass(&mut world, HOUR);
    assert_eq!(asks(&mut world, BERT, group).len(), 1);
    world.enter(ANN, refuse(group, "cleo", Some("we are full")));
    pass(&mut world, HOUR);
    assert_eq!(state(&world, CLEO, &link), State::Refused(Reason::Rejected));
    assert_eq!(
        why(&world, CLEO, &link).unwrap(),
        "they said no: we are full"
    );
    for node in [ANN, BERT] {
        assert!(asks(&mut world, node, group).is_empty(), "{node}");
    }

    says(&mut world, CLEO, &link, "Elm Street");
    pass(&mut world, HOUR);
    assert_eq!(state(&world, CLEO, &link), State::Requested);
    assert_eq!(asks(&mut world, ANN, group).len(), 1);
    world.check_peace();
}

/// NODE-1405, NODE-102: also where they are connected as people who know each other, and by each link that they took.
#[test]
fn who_is_refused_by_somebody_whom_they_know_hears_why() {
    let (mut world, group) = group(15);
    world.ask(ANN, Act::Invite { to: CLEO });
    world.rest();
    let links = [None, Some("which street?")];
    let links = links.map(|question| link(&mut world, ANN, asking(group, question)));
    for link in &links {
        says(&mut world, CLEO, link, "Elm Street");
        pass(&mut world, MINUTE);
        assert_eq!(state(&world, CLEO, link), State::Requested);
    }
    world.enter(ANN, refuse(group, "cleo", Some("we are full")));
    pass(&mut world, MINUTE);
    for link in &links {
        assert_eq!(state(&world, CLEO, link), State::Refused(Reason::Rejected));
        let why = why(&world, CLEO, link).unwrap();
        assert_eq!(why, "they said no: we are full");
    }
    world.check_peace();
    let met = world.nodes[CLEO].notices.iter();
    let met = met.filter(|notice| matches!(notice, Notice::Connection { .. }));
    assert_eq!(met.count(), 1, "and no connection ended");
}

/// ROS-1403: apart one says yes and one no. Who was let in is in.
#[test]
fn of_two_who_decide_apart_the_yes_holds() {
    let (mut world, group) = group(12);
    world.operate(
        ANN,
        group,
        Op::Promote(tenet_log::roster::Member {
            identity: world.nodes[BERT].identity(),
            role: Role::Moderator,
        }),
    );
    world.rest();
    let link = link(&mut world, ANN, asking(group, None));
    says(&mut world, CLEO, &link, "Elm Street");
    pass(&mut world, HOUR);
    world.switch_off(CLEO);
    pass(&mut world, HOUR);
    for node in [ANN, BERT] {
        world.walls.part(node, node as u8 + 1);
    }
    world.divide();
    pass(&mut world, HOUR);
    world.enter(ANN, admit(group, "cleo"));
    world.enter(BERT, refuse(group, "cleo", None));
    pass(&mut world, HOUR);
    world.walls.fall();
    pass(&mut world, HOUR);
    for node in [ANN, BERT] {
        assert_eq!(members(&world, node, group), 3, "{node}");
    }
    world.switch_on(CLEO);
    pass(&mut world, HOUR);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    world.check_same(&[ANN, BERT, CLEO], group);
    world.check_peace();
}

fn inviting(group: SessionId, who: String) -> Entrance {
    Entrance::Open {
        group: group.to_string(),
        role: Role::Moderator,
        consent: false,
        question: None,
        lasts_ms: 24 * HOUR,
        to: Some((who, "sing with us".into())),
    }
}

const fn taking(message: EventId) -> Entrance {
    Entrance::Take {
        message,
        remark: None,
    }
}

/// Ann has invited Cleo, who has the message; with the link in it.
fn invited(world: &mut World, group: SessionId) -> (EventId, Link) {
    world.ask(ANN, Act::Invite { to: CLEO });
    world.rest();
    let cleo = world.nodes[CLEO].did();
    world.link_into(ANN, inviting(group, cleo));
    world.rest();
    let with = world.nodes[ANN].identity();
    let history = world.nodes[CLEO].history(with);
    let message = &history.last().expect("it came").message;
    let says = (message.kind, message.text.as_deref());
    assert_eq!(says, ("invitation", Some("sing with us")));
    let link = message.invitation.as_deref().expect("it leads somewhere");
    assert_eq!(link.ext().group.as_ref().unwrap().name, "walkers");
    (message.id, link.clone())
}

/// CHAT-1401, CHAT-1402: sent in the conversation with them alone, and taken from the message.
#[test]
fn a_contact_is_invited_by_a_message_and_takes_it() {
    let (mut world, group) = group(14);
    let (message, link) = invited(&mut world, group);
    world.enter(CLEO, taking(message));
    world.rest();
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    let cleo = world.nodes[CLEO].identity();
    let role = roster(&world, BERT, group, |session| {
        session.roster().members.get(&cleo).copied()
    });
    assert_eq!(role.flatten(), Some(Role::Moderator));
    world.check_same(&[ANN, BERT, CLEO], group);
    world.check_peace();
    let said = |world: &World| world.nodes[ANN].history(cleo).len();
    let before = said(&world);
    let (id, to) = (message, ANN);
    world.ask(CLEO, Act::Forward { id, to });
    world.rest();
    assert_eq!(said(&world), before, "it is for nobody else");
}

/// CHAT-1402: who is in is not invited, and an invitation is closed as any link.
#[test]
fn an_invitation_that_is_no_use_says_so() {
    let (mut world, group) = group(16);
    let bert = world.nodes[BERT].did();
    world.enter(ANN, inviting(group, bert));
    world.rest();
    let refused = world.refused.pop();
    assert!(
        matches!(refused, Some((_, CommandError::Refused(why))) if why.contains("is in this group"))
    );
    let (message, link) = invited(&mut world, group);
    world.enter(ANN, close(group, &link));
    world.rest();
    world.enter(CLEO, taking(message));
    world.rest();
    assert_eq!(
        why(&world, CLEO, &link).unwrap(),
        "the link was closed; ask for a new one"
    );
    assert_eq!(members(&world, ANN, group), 2);
}

/// Somebody comes in by a link, and one of three ends at a commit; how many batches each had.
fn comes_in(consent: bool, kill: Option<(usize, u64, Moment)>) -> Vec<u64> {
    let (mut world, group) = group(13);
    let what = match consent {
        true => asking(group, None),
        false => open(group),
    };
    let link = link(&mut world, ANN, what);
    let before: Vec<u64> = world.nodes.iter().map(|node| node.batches).collect();
    if let Some((node, batch, moment)) = kill {
        let batch = before[node] + batch;
        world.kills.push(Kill {
            node,
            batch,
            moment,
        });
    }
    takes(&mut world, CLEO, &link);
    if consent {
        pass(&mut world, HOUR / 4);
        let asked = [ANN, BERT].map(|node| asks(&mut world, node, group).len());
        assert_eq!(asked, [1, 1], "both see that she asks");
        lets_in(&mut world, group);
    }
    pass(&mut world, HOUR / 4);
    assert_eq!(
        state(&world, CLEO, &link),
        State::Connected { session: group }
    );
    for node in [ANN, BERT, CLEO] {
        assert!(is_in(&world, CLEO, node, group), "{node}");
    }
    world.check_same(&[ANN, BERT, CLEO], group);
    let after = world.nodes.iter().map(|node| node.batches);
    after
        .zip(before)
        .map(|(after, before)| after - before)
        .collect()
}

/// Ann says yes, and once more where her process ended before that was kept.
fn lets_in(world: &mut World, group: SessionId) {
    let add = Op::Add(tenet_log::roster::Addition {
        identity: world.nodes[CLEO].identity(),
        role: Role::Member,
        floor: None,
    });
    for _ in 0..2 {
        if members(world, ANN, group) < 3 {
            world.operate(ANN, group, add.clone());
            pass(world, HOUR / 4);
        }
    }
}

/// NODE-17: the newcomer, the maker and the other may end at any commit. Where somebody decides it takes long; what is
/// lost with a batch that is not committed is lost where nobody does.
#[test]
fn anybody_may_die_while_somebody_comes_in() {
    let all = [Moment::Before, Moment::After(0), Moment::After(1)];
    for (consent, moments) in [(false, &all[..]), (true, &all[1..2])] {
        let whole = comes_in(consent, None);
        for node in [ANN, BERT, CLEO] {
            for batch in 0..whole[node] {
                for moment in moments {
                    let kill = Some((node, batch, *moment));
                    let story = std::panic::catch_unwind(|| drop(comes_in(consent, kill)));
                    assert!(story.is_ok(), "consent {consent}, after {kill:?}");
                }
            }
        }
    }
}

/// Ann's engine with a group and a link into it, and somebody who can say whatever they like.
fn bench(consent: bool) -> (Bench, Rogue, Link) {
    let mut bench = Bench::new(0);
    let founded = bench.ask(Command::Found {
        name: "walkers".into(),
        with: Vec::new(),
    });
    let Ok(Reply::Conversation { session }) = founded else {
        panic!("{founded:?}")
    };
    let what = match consent {
        true => asking(session, None),
        false => open(session),
    };
    let Ok(Reply::LinkInto { link, .. }) = bench.ask(Command::Entrance(what)) else {
        panic!()
    };
    (bench, Rogue::new(1), link.link.unwrap())
}

fn knock(rogue: &Rogue, line: Line, link: &Link, secret: &Secret, looks: bool) -> Message {
    knock_at(7, rogue, line, link, secret, looks)
}

/// Of somebody who asked at this time.
fn knock_at(
    asked: u64,
    rogue: &Rogue,
    line: Line,
    link: &Link,
    secret: &Secret,
    looks: bool,
) -> Message {
    let bond = GroupBond {
        exporter: line.exporter,
        opening: link.ext().group.as_ref().unwrap().opening,
    };
    let asker = Asker {
        card: rogue.own.card.clone(),
        name: "bert".into(),
        asked,
        plea: Plea::default(),
        looks,
    };
    Message::Group(GroupKnock::new(&bond, &group::key(secret), &asker).unwrap())
}

fn refused(reason: Reason) -> Option<Message> {
    Some(Message::Refused(Refusal::from(reason)))
}

/// NODE-1401: without the link nobody learns that there is a group, or who is there.
#[test]
fn a_wrong_proof_hears_the_same_as_if_there_were_no_group() {
    let (mut bench, rogue, link) = bench(false);
    let before = bench.stored();
    let mut nowhere = link.clone().ext().clone();
    nowhere.group.as_mut().unwrap().opening = [5; 32];
    let nowhere = Link::new(*link.invite(), None, nowhere).unwrap();
    let other = Secret::from([9; 16]);
    for (link, secret) in [(&link, &other), (&nowhere, &link.ext().secret)] {
        let (line, _) = bench.connect(&rogue, End::Dialled);
        bench.frame(line, &rogue.hello(&bench, line));
        let knock = knock(&rogue, line, link, secret, false);
        let done = bench.frame(line, &said(&knock));
        assert_eq!(done.knock(), refused(Reason::Unknown));
        assert_eq!(done.said.len(), 1, "and no hello");
        assert_eq!(done.reason(line), Some(CloseReason::NotWelcome));
        assert!(done.told.is_empty());
    }
    // Of another connection, or with another's card, it proves nothing either.
    let (elsewhere, _) = bench.connect(&rogue, End::Dialled);
    let (line, _) = bench.connect(&rogue, End::Dialled);
    bench.frame(line, &rogue.hello(&bench, line));
    let stolen = knock(&rogue, elsewhere, &link, &link.ext().secret, false);
    let done = bench.frame(line, &said(&stolen));
    assert_eq!(done.knock(), refused(Reason::Unknown));
    let (line, _) = bench.connect(&rogue, End::Dialled);
    bench.frame(line, &rogue.hello(&bench, line));
    let others = knock(&Rogue::new(2), line, &link, &link.ext().secret, false);
    let done = bench.frame(line, &said(&others));
    assert_eq!(done.knock(), refused(Reason::Unknown));
    assert_eq!(bench.stored(), before);
}

/// GKNOCK-2: who only looks sees what group it is, and nothing is kept of them.
#[test]
fn a_look_shows_the_group_and_leaves_nothing() {
    for consent in [false, true] {
        let (mut bench, rogue, link) = bench(consent);
        let before = bench.stored();
        let (line, _) = bench.connect(&rogue, End::Dialled);
        bench.frame(line, &rogue.hello(&bench, line));
        let knock = knock(&rogue, line, &link, &link.ext().secret, true);
        let done = bench.frame(line, &said(&knock));
        let Some(Message::Preview(preview)) = done.knock() else {
            panic!("{} frames", done.said.len())
        };
        assert_eq!((preview.name.as_str(), preview.members), ("walkers", 1));
        assert_eq!((preview.consent, preview.follows), (consent, false));
        assert_eq!(done.reason(line), Some(CloseReason::NotWelcome));
        assert!(done.told.is_empty());
        assert_eq!(bench.stored(), before);
    }
}

/// GKNOCK-2: a look that nobody answered is no answer to the knock that follows it.
#[test]
fn who_looked_in_vain_may_take_the_link_later() {
    let (mut world, group) = group(17);
    let link = link(&mut world, ANN, open(group));
    for node in [ANN, BERT] {
        world.switch_off(node);
    }
    let look = Box::new(link.clone());
    world.enter(CLEO, Entrance::Look { link: look });
    pass(&mut world, 2 * MINUTE);
    takes(&mut world, CLEO, &link);
    world.switch_on(ANN);
    world.until(|world| is_in(world, CLEO, ANN, group));
    pass(&mut world, MINUTE);
    let told = world.nodes[CLEO].notices.iter();
    let looked = told.filter(|notice| matches!(notice, Notice::Looked { .. }));
    assert_eq!(looked.count(), 0);
    world.check_peace();
}

/// NODE-1403: two members let somebody in at once, and the second hears it while it shows the group.
#[test]
fn two_may_let_somebody_in_and_neither_is_accused() {
    for seed in 20..60 {
        let (mut world, group) = group(seed);
        let link = link(&mut world, ANN, open(group));
        takes(&mut world, CLEO, &link);
        world.until(|world| [ANN, BERT].iter().all(|at| is_in(world, CLEO, *at, group)));
        world.rest();
        world.check_same(&[ANN, BERT, CLEO], group);
        world.check_peace();
    }
}

/// GKNOCK-2: who has left shows nothing, and is asked once, not without end.
#[test]
fn a_look_at_who_has_left_is_said_once() {
    let (mut world, group) = group(16);
    let link = link(&mut world, ANN, open(group));
    world.ask(ANN, Act::Invite { to: CLEO });
    world.operate(
        ANN,
        group,
        Op::Promote(tenet_log::roster::Member {
            identity: world.nodes[BERT].identity(),
            role: Role::Owner,
        }),
    );
    world.rest();
    world.operate(ANN, group, Op::Leave);
    world.rest();
    world.switch_off(BERT);
    let before = world.nodes[ANN].batches;
    let look = Box::new(link.clone());
    world.enter(CLEO, Entrance::Look { link: look });
    pass(&mut world, 2 * MINUTE);
    takes(&mut world, CLEO, &link);
    pass(&mut world, 2 * MINUTE);
    let batches = world.nodes[ANN].batches - before;
    assert!(batches < 20, "{batches}");
}

/// GKNOCK-2: several devices show the group to who looks; the first that does is enough, and the others did nothing wrong.
#[test]
fn a_look_is_answered_by_several_and_none_is_accused() {
    for seed in 20..25 {
        let (mut world, group) = group(seed);
        let link = link(&mut world, ANN, open(group));
        assert_eq!(link.places().count(), 2);
        let look = Box::new(link);
        world.enter(CLEO, Entrance::Look { link: look });
        pass(&mut world, HOUR);
        let seen = world.nodes[CLEO].notices.iter();
        let seen = seen.filter(|notice| matches!(notice, Notice::Looked { found: Ok(_), .. }));
        assert_eq!(seen.count(), 1);
        world.check_peace();
    }
}

/// NODE-1404: who comes by a link by which one asks is brought nothing.
#[test]
fn who_asks_is_brought_nothing() {
    let (mut bench, rogue, link) = bench(true);
    let (line, _) = bench.connect(&rogue, End::Dialled);
    bench.frame(line, &rogue.hello(&bench, line));
    let knock = knock(&rogue, line, &link, &link.ext().secret, false);
    let done = bench.frame(line, &said(&knock));
    assert_eq!(done.knock(), refused(Reason::Waiting));
    assert_eq!(done.said.len(), 1);
    assert!(matches!(done.told.as_slice(), [Notice::Asks { .. }]));
}

/// GROUP-1: who is refused as who asked at a time that has not come yet could not ask again until then.
#[test]
fn nobody_asks_in_the_future() {
    let (mut bench, rogue, link) = bench(true);
    let before = bench.stored();
    for asked in [u64::MAX, bench.now + 25 * HOUR] {
        let (line, _) = bench.connect(&rogue, End::Dialled);
        bench.frame(line, &rogue.hello(&bench, line));
        let knock = knock_at(asked, &rogue, line, &link, &link.ext().secret, false);
        let done = bench.frame(line, &said(&knock));
        assert_eq!(done.knock(), refused(Reason::Busy));
        assert!(done.told.is_empty());
    }
    assert_eq!(bench.stored(), before);
}

/// NODE-1401: a device of which it is known that it was revoked learns nothing of groups, and comes into none.
#[test]
fn a_revoked_device_comes_in_by_no_link() {
    let (mut bench, mut rogue, link) = bench(false);
    let personal = bench.link(false);
    let line = rogue.befriend(&mut bench, &personal);
    let mut lost = Rogue::of(1, 60);
    let id = rogue.session.as_ref().unwrap().id();
    let founding = rogue.disk.since(id, Position::default(), 1).unwrap();
    let joined = lost.enter(bench.now, &founding[0].event);
    let frame = rogue.events(line, &[&joined]);
    bench.frame(line, &frame);
    let session = rogue.session.as_mut().unwrap();
    session
        .receive(&mut rogue.disk, &joined, bench.now)
        .unwrap();
    for revoked in [false, true] {
        if revoked {
            let revocation = Revocation::issue(&root(1), lost.own.device(), bench.now).unwrap();
            let revoked = rogue.operate(bench.now, &Op::Revoke(revocation));
            bench.frame(line, &rogue.events(line, &[&revoked]));
        }
        let (theirs, _) = bench.connect(&lost, End::Dialled);
        bench.frame(theirs, &lost.hello(&bench, theirs));
        let knock = knock(&lost, theirs, &link, &link.ext().secret, true);
        let done = bench.frame(theirs, &said(&knock));
        match revoked {
            true => assert_eq!(done.knock(), refused(Reason::Unknown)),
            false => assert!(matches!(done.knock(), Some(Message::Preview(_)))),
        }
    }
}
