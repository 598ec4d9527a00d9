//! One person on several devices, and sessions of many: whoever has a place is brought what there is.

use tenet_apps::{
    contacts::store::ContactStore, conversations::ConversationStore, settings::SettingStore,
};
use tenet_delivery::outbox::Outbox;
use tenet_identity::{
    hello::Role as Side,
    keys::{DeviceKey, EndpointId, IdentityId, IdentityKey},
    meeting::{link::Link, short::Short},
};
use tenet_log::{
    ids::SessionId,
    roster::{Addition, Op, Removal, Role, SessionKind},
    session::Session,
    store::LogStore,
    sync::EncodedEvent,
};
use tenet_node::{
    command::{Command, CommandError, Reply, device::Deed},
    frame::Frame,
    input::{CloseReason, ConnId, Input, Notice, Output, Ticket},
    joining::{JoinError, Joiner, Step},
};
use tenet_sim::{
    Act, Kill, Moment, World, errors,
    machine::BEGINNING,
    node::{Node, root},
    rogue::Bench,
};

pub(super) const ANN: usize = 0;
pub(super) const BERT: usize = 1;
/// Ann's second device, which knows the phrase and nothing else.
pub(super) const TABLET: usize = 2;

/// Ann and Bert, and a second device of Ann's.
pub(super) fn three(seed: u64) -> World {
    let mut tablet = Node::of(ANN, TABLET, 0, BEGINNING);
    tablet.name = "whoever I am".into();
    let nodes = vec![
        Node::new(ANN, 0, BEGINNING),
        Node::new(BERT, 0, BEGINNING),
        tablet,
    ];
    World::of(seed, nodes)
}

pub(super) fn send(world: &mut World, from: usize, to: usize, text: &str) {
    let text = text.to_owned();
    let reply = None;
    world.ask(from, Act::Send { to, text, reply });
}

/// Ann and Bert have met and talked.
pub(super) fn talked(seed: u64) -> World {
    let mut world = three(seed);
    world.ask(ANN, Act::Invite { to: BERT });
    world.rest();
    for (from, to, text) in [(ANN, BERT, "before the tablet"), (BERT, ANN, "hello")] {
        send(&mut world, from, to, text);
        world.rest();
    }
    world
}

/// Then Ann's tablet takes a link of her phone.
pub(super) fn restored(seed: u64, kills: &[Kill]) -> World {
    let mut world = talked(seed);
    world.ask(ANN, Act::Invite { to: TABLET });
    world.kills = kills.to_vec();
    while world.step() {}
    world.rest_after_kills();
    world
}

pub(super) fn identity(world: &World, node: usize) -> IdentityId {
    world.nodes[node].identity()
}

pub(super) fn texts(world: &World, node: usize, with: usize) -> Vec<String> {
    let shown = world.nodes[node].history(identity(world, with));
    let texts = shown.into_iter().filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

/// OWN-5: whoever comes to know a contact by a session alone does not tell the others what it made up for a name.
#[test]
fn a_contact_keeps_its_name_when_a_device_comes_in() {
    for seed in 0..12 {
        let world = restored(seed, &[]);
        for node in [ANN, TABLET] {
            let contact = world.nodes[node].disk().contact(identity(&world, BERT));
            assert_eq!(contact.unwrap().unwrap().name, "bert", "{seed}, {node}");
        }
    }
}

/// NODE-32 to NODE-37: with nothing but the phrase and a link of another own device.
#[test]
fn a_restored_device_is_brought_everything() {
    let mut world = restored(1, &[]);
    assert_eq!(texts(&world, TABLET, BERT), ["before the tablet", "hello"]);
    send(&mut world, TABLET, BERT, "from the tablet");
    send(&mut world, BERT, ANN, "where are you?");
    world.rest();
    assert_eq!(texts(&world, ANN, BERT).len(), 4);
    check(&world);
    let own = world.nodes[ANN].engine().unwrap().own_sessions();
    assert_eq!(own.len(), 2, "the tablet had founded one of its own");
}

/// All three hold and show the same, and nobody complains.
pub(super) fn check(world: &World) {
    let all = texts(world, ANN, BERT);
    assert_eq!(texts(world, BERT, ANN), all);
    assert_eq!(texts(world, TABLET, BERT), all);
    for session in world.nodes[ANN].sessions_with(identity(world, BERT)) {
        world.check_same(&[ANN, BERT, TABLET], session);
    }
    let own = |node: usize| world.nodes[node].engine().unwrap().own_sessions();
    assert_eq!(own(ANN), own(TABLET));
    for session in own(ANN) {
        world.check_same(&[ANN, TABLET], session);
    }
    world.check_peace();
}

/// NODE-17: whichever process ends at whichever commit.
#[test]
fn a_device_is_restored_whatever_dies() {
    let (before, calm) = (talked(1), restored(1, &[]));
    for kill in kills(&[ANN, BERT, TABLET], &before, &calm) {
        let (world, errors) = errors::during(|| restored(1, &[kill]));
        assert!(errors.is_empty(), "{kill:?}: {errors:?}");
        assert_eq!(texts(&world, ANN, BERT).len(), 2, "{kill:?}");
        check(&world);
    }
}

/// The end of each of these processes at each of the commits between.
pub(super) fn kills(nodes: &[usize], before: &World, after: &World) -> Vec<Kill> {
    let mut kills = Vec::new();
    for node in nodes.iter().copied() {
        for batch in before.nodes[node].batches..after.nodes[node].batches {
            let moments = [Moment::Before, Moment::After(0), Moment::After(1)];
            kills.extend(moments.map(|moment| Kill {
                node,
                batch,
                moment,
            }));
        }
    }
    kills
}

/// Lets an hour pass: who is lost is dialled for ever.
pub(super) fn pass(world: &mut World) {
    let end = world.now + 60 * 60 * 1000;
    while world.step_until(end) {}
}

/// NODE-32: nobody of Ann's devices is left; Bert has what was said, whoever takes whose link.
#[test]
fn a_contact_brings_what_was_said() {
    for (inviter, guest) in [(TABLET, BERT), (BERT, TABLET)] {
        let mut world = three(2);
        world.ask(ANN, Act::Invite { to: BERT });
        world.rest();
        send(&mut world, BERT, ANN, "keep this");
        world.rest();
        world.nodes[ANN].lost = true;
        world.kill(ANN);
        world.ask(inviter, Act::Invite { to: guest });
        pass(&mut world);
        assert_eq!(texts(&world, TABLET, BERT), ["keep this"]);
        send(&mut world, TABLET, BERT, "I have it again");
        pass(&mut world);
        assert_eq!(texts(&world, BERT, ANN).len(), 2);
        for session in world.nodes[TABLET].sessions_with(identity(&world, BERT)) {
            world.check_same(&[BERT, TABLET], session);
        }
        world.check_peace();
    }
}

/// NODE-601, DEL-14: what one of my devices wrote is with whoever sends it back to another of them.
#[test]
fn nobody_owes_what_has_come_back() {
    for seed in 0..20 {
        let mut world = restored(seed, &[]);
        for text in ["one", "two", "three"] {
            send(&mut world, TABLET, BERT, text);
            world.rest();
        }
        for node in [ANN, TABLET, BERT] {
            let waiting = world.nodes[node].disk().waiting().unwrap();
            assert_eq!(waiting, [], "seed {seed}, node {node}");
        }
    }
}

const CLEO: usize = 3;
const DORA: usize = 4;

/// Ann on two devices, Bert and Cleo in a group; Bert knows Dora too, nobody else does.
fn walkers(seed: u64) -> (World, SessionId) {
    let mut nodes: Vec<Node> = [ANN, BERT]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.push(Node::of(ANN, TABLET, 0, BEGINNING));
    nodes.extend([CLEO, DORA].map(|number| Node::of(number - 1, number, 0, BEGINNING)));
    let mut world = World::of(seed, nodes);
    for (inviter, guest) in [(ANN, BERT), (ANN, CLEO), (ANN, TABLET), (BERT, DORA)] {
        world.ask(inviter, Act::Invite { to: guest });
        world.rest();
    }
    let with = vec![world.nodes[BERT].did(), world.nodes[CLEO].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    (world, group)
}

/// Ann adds Dora.
fn add_dora(world: &mut World, group: SessionId) {
    let added = Op::Add(Addition {
        identity: identity(world, DORA),
        role: Role::Member,
        floor: None,
    });
    world.operate(ANN, group, added);
}

/// NODE-502, NODE-32: whoever is named comes in, whoever is added later too, with all their devices.
#[test]
fn a_group_is_founded_and_grows() {
    let (mut world, group) = walkers(3);
    world.check_same(&[ANN, BERT, TABLET, CLEO], group);
    add_dora(&mut world, group);
    world.rest();
    // Dora knows Bert alone; he brings her in, and from then on she knows all.
    let all = [ANN, BERT, TABLET, CLEO, DORA];
    world.check_same(&all, group);
    for node in all {
        world.say(node, group, &format!("{node} is here"));
    }
    world.rest();
    world.check_same(&all, group);
    for node in all {
        let shown = world.nodes[node].shown_in(group);
        assert_eq!(shown.len(), all.len(), "{node}");
    }
    world.check_peace();
}

/// OWN-1 to OWN-5: what is noted on one of my devices holds on all, whichever was told it before.
#[test]
fn what_is_noted_on_one_device_holds_on_all() {
    let mut world = talked(5);
    let rename = |did| Command::Rename {
        who: did,
        name: "Berti".into(),
    };
    let confirm = |who| Command::Confirm { who };
    let hide = |_| Command::Set {
        name: "read_positions".into(),
        value: "off".into(),
    };
    for command in [rename, confirm, hide] {
        let with = BERT;
        world.ask(ANN, Act::Do { with, command });
        world.rest();
    }
    // The tablet meets Bert by itself, calls him what he calls himself, and only then the phone.
    world.ask(BERT, Act::Invite { to: TABLET });
    world.rest();
    world.ask(ANN, Act::Invite { to: TABLET });
    world.rest();
    let bert = identity(&world, BERT);
    let contact = |world: &World, node: usize| world.nodes[node].disk().contact(bert).unwrap();
    let called = world.nodes[TABLET].engine().unwrap().profile().name;
    assert_eq!(called, "ann", "as the first device knows it");
    let there = contact(&world, TABLET).unwrap();
    assert_eq!(there.name, "Berti");
    assert!(there.verified.is_some());
    assert!(
        !world.nodes[TABLET]
            .disk()
            .settings()
            .unwrap()
            .read_positions
    );
    assert!(world.refused.is_empty());
}

/// OWN-1, OWN-4, NODE-105: whichever device says it.
#[test]
fn what_is_said_on_any_device_holds_on_all() {
    let mut world = restored(7, &[]);
    let bert = identity(&world, BERT);
    let contact = |world: &World, node: usize| world.nodes[node].disk().contact(bert).unwrap();
    let draft = |who| Command::Draft {
        who,
        text: Some("dear".into()),
    };
    let block = |who| Command::Block { who };
    for command in [draft, block] {
        let with = BERT;
        world.ask(TABLET, Act::Do { with, command });
        world.rest();
    }
    let session = world.nodes[ANN].sessions_with(bert)[0];
    let drafted = world.nodes[ANN].disk().draft(session).unwrap();
    assert_eq!(drafted.as_deref(), Some("dear"));
    assert!(contact(&world, ANN).unwrap().blocked);
    let unblock = |who| Command::Unblock { who };
    let remove = |who| Command::Remove { who };
    for command in [unblock, remove] {
        let with = BERT;
        world.ask(ANN, Act::Do { with, command });
        world.rest();
    }
    let left = contact(&world, TABLET).map(|one| (one.sessions, one.past, one.blocked));
    assert_eq!(
        left,
        None,
        "{:?}",
        contact(&world, ANN).map(|one| (one.sessions, one.past))
    );
    assert!(world.refused.is_empty());
}

/// NODE-701: the device goes on under another key and endpoint, and the former one is nobody.
#[test]
fn a_device_gets_another_key() {
    let mut world = restored(8, &[]);
    let former = world.nodes[TABLET].own().device().to_string();
    world.kill(TABLET);
    let now = world.now;
    world.nodes[TABLET].rekey(ANN, 77, now);
    pass(&mut world);
    world.revoke_by_id(TABLET, ANN, former.clone());
    send(&mut world, TABLET, BERT, "under another key");
    world.rest();
    assert_ne!(world.nodes[TABLET].own().device().to_string(), former);
    assert_eq!(texts(&world, ANN, BERT).len(), 3);
    check(&world);
    for node in [ANN, BERT] {
        let told = &world.nodes[node].notices;
        let revoked = |notice: &&Notice| matches!(notice, Notice::DeviceRevoked { device, .. } if device.to_string() == former);
        assert_eq!(told.iter().filter(revoked).count(), 1, "{node}");
    }
}

/// NODE-603: the one who is brought it has nothing to do but wait, and neither has who brought it.
#[test]
fn a_group_founded_by_a_clock_ahead_is_entered_when_its_time_has_come() {
    const THREE_HOURS: u64 = 3 * 60 * 60 * 1000;
    let mut world = talked(7);
    world.set_clock(ANN, THREE_HOURS);
    let with = vec![world.nodes[BERT].did()];
    let group = world.found(ANN, "walkers", with);
    world.set_clock(ANN, 0);
    pass(&mut world);
    let holds = |world: &World| {
        world.nodes[BERT]
            .disk()
            .sessions()
            .unwrap()
            .contains(&group)
    };
    assert!(!holds(&world), "from the future");
    let then = world.now + THREE_HOURS;
    while world.step_until(then) {}
    assert!(holds(&world));
    world.check_same(&[ANN, BERT], group);
}

/// ROS-5, ROS-6: what a device said whose joining turns out to be void is shown nowhere any more.
#[test]
fn what_was_said_after_a_void_joining_goes_again() {
    let cleo = 3;
    let mut nodes: Vec<Node> = [ANN, BERT]
        .map(|number| Node::new(number, 0, BEGINNING))
        .into();
    nodes.push(Node::of(BERT, TABLET, 0, BEGINNING));
    nodes.push(Node::of(2, cleo, 0, BEGINNING));
    let mut world = World::of(10, nodes);
    for guest in [BERT, cleo] {
        world.ask(ANN, Act::Invite { to: guest });
        world.rest();
    }
    let with = vec![world.nodes[BERT].did(), world.nodes[cleo].did()];
    let group = world.found(ANN, "walkers", with);
    world.rest();
    world.switch_off(ANN);
    world.ask(BERT, Act::Invite { to: TABLET });
    pass(&mut world);
    world.say(TABLET, group, "I am here too");
    pass(&mut world);
    assert_eq!(world.nodes[cleo].shown_in(group).len(), 1);
    let others = [BERT, TABLET, cleo];
    others.iter().for_each(|node| world.switch_off(*node));
    world.switch_on(ANN);
    let removal = Removal {
        identity: identity(&world, BERT),
        shut_out: false,
    };
    world.operate(ANN, group, Op::Remove(removal));
    pass(&mut world);
    others.iter().for_each(|node| world.switch_on(*node));
    pass(&mut world);
    for node in [ANN, cleo] {
        assert_eq!(world.nodes[node].shown_in(group).len(), 0, "{node}");
    }
}

/// CARD-4, OWN-6: who holds the key renews its own card and those of the others.
#[test]
fn cards_are_renewed_before_they_end() {
    let mut world = restored(6, &[]);
    let ends = |world: &World, node: usize| {
        let engine = world.nodes[node].engine().unwrap();
        engine.own().card.not_after()
    };
    let before = [ends(&world, ANN), ends(&world, TABLET)];
    world.renew_cards(ANN, ANN);
    world.rest();
    assert_eq!([ends(&world, ANN), ends(&world, TABLET)], before, "not due");
    let then = world.now + 300 * 24 * 60 * 60 * 1000;
    while world.step_until(then) {}
    world.renew_cards(ANN, ANN);
    // Else whoever's connection is cut below may be Bert's, whose card is as old.
    world.renew_cards(BERT, BERT);
    world.rest();
    for (node, before) in [(ANN, before[0]), (TABLET, before[1])] {
        assert!(ends(&world, node) > before, "{node}");
        let told = &world.nodes[node].notices;
        let kept = |notice: &Notice| matches!(notice, Notice::CardRenewed { .. });
        assert_eq!(told.iter().filter(|notice| kept(notice)).count(), 1);
    }
    // Beyond the end of the first cards.
    let then = world.now + 100 * 24 * 60 * 60 * 1000;
    while world.step_until(then) {}
    send(&mut world, TABLET, ANN, "still me");
    world.cut_one();
    world.rest();
}

/// A new device's talk with Ann's, over one connection; gives what both screens show and what came of it.
struct Talk {
    joiner: Joiner,
    key: DeviceKey,
    line: ConnId,
}

impl Talk {
    fn begin(bench: &mut Bench, link: &Link, seed: u8) -> (Self, Vec<Output>) {
        let key = DeviceKey::from_seed([seed; 32]);
        let joiner = Joiner::new(link.clone(), &key, "tablet".into(), [seed; 32]);
        let line = ConnId(1000 + u64::from(seed));
        let mut talk = Self { joiner, key, line };
        let outputs = talk.connect(bench);
        (talk, outputs)
    }

    fn connect(&mut self, bench: &mut Bench) -> Vec<Output> {
        self.line = ConnId(self.line.0 + 1);
        bench.outputs(Input::Connected {
            conn: self.line,
            peer: EndpointId::from([9; 32]),
            role: Side::Dialled,
            exporter: [7; 32],
        });
        let Step::Send(bytes) = self.joiner.connected([7; 32]).unwrap() else {
            panic!("it says nothing");
        };
        self.say(bench, bytes)
    }

    fn say(&self, bench: &mut Bench, bytes: Vec<u8>) -> Vec<Output> {
        let conn = self.line;
        bench.outputs(Input::Frame { conn, bytes })
    }

    /// Hears what was sent to it; gives what it does then.
    fn hear(&mut self, outputs: &[Output]) -> Result<Vec<Step>, JoinError> {
        let mut steps = Vec::new();
        for output in outputs {
            match output {
                Output::Send { conn, frame } if *conn == self.line => {
                    steps.extend(self.joiner.frame(&self.key, frame)?);
                }
                _ => {}
            }
        }
        Ok(steps)
    }

    /// Opens after a share; gives what its screen shows and what came back.
    fn open(&mut self, bench: &mut Bench, shared: &[Output]) -> (Short, Vec<Output>) {
        let steps = self.hear(shared).unwrap();
        let [Step::Send(open), Step::Show(short)] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        (*short, self.say(bench, open.clone()))
    }
}

fn device_link(bench: &mut Bench, ask: bool) -> Link {
    let lasts_ms = 600_000;
    let key = Box::new(root(ANN));
    match bench.ask(Command::Device(Deed::Link { key, ask, lasts_ms })) {
        Ok(Reply::Invited { link, .. }) => *link,
        other => panic!("{other:?}"),
    }
}

fn shown(outputs: &[Output]) -> Option<(Short, bool)> {
    outputs.iter().find_map(|output| match output {
        Output::Notice(Notice::DeviceAsks { short, waits, .. }) => Some((*short, *waits)),
        _ => None,
    })
}

fn linked(steps: &[Step]) -> bool {
    matches!(steps, [Step::Linked(card, name)]
        if card.identity() == root(ANN).public() && card.name() == "tablet" && name == "ann")
}

/// DLINK-1 to DLINK-5: both screens show the same, and the card is given after a yes.
#[test]
fn a_device_gets_its_card_after_a_yes() {
    let mut bench = Bench::new(ANN);
    let link = device_link(&mut bench, true);
    assert!(link.ext().device);
    let (mut talk, shared) = Talk::begin(&mut bench, &link, 50);
    let (short, told) = talk.open(&mut bench, &shared);
    assert_eq!(shown(&told), Some((short, true)));
    assert!(talk.hear(&told).unwrap().is_empty(), "nobody said yes yet");
    // It is lost and comes again: the same is shown.
    let shared = talk.connect(&mut bench);
    let (again, told) = talk.open(&mut bench, &shared);
    assert_eq!((again, shown(&told)), (short, Some((short, true))));
    let given = bench.outputs(Input::Command {
        ticket: Ticket(77),
        command: Command::Device(Deed::Confirm { same: true }),
    });
    assert!(linked(&talk.hear(&given).unwrap()));
    // The link is used up.
    let (mut late, refused) = Talk::begin(&mut bench, &link, 60);
    assert!(matches!(late.hear(&refused), Err(JoinError::Ended)));
}

/// DLINK-2, DLINK-7: for one device, for a time, and not after a no.
#[test]
fn a_device_link_is_for_one() {
    let mut bench = Bench::new(ANN);
    let link = device_link(&mut bench, false);
    let (mut first, shared) = Talk::begin(&mut bench, &link, 50);
    let (mut other, refused) = Talk::begin(&mut bench, &link, 60);
    assert!(matches!(other.hear(&refused), Err(JoinError::Used)));
    let (_, given) = first.open(&mut bench, &shared);
    assert!(linked(&first.hear(&given).unwrap()), "nobody is asked");

    let link = device_link(&mut bench, true);
    let (mut talk, shared) = Talk::begin(&mut bench, &link, 50);
    talk.open(&mut bench, &shared);
    let refused = bench.outputs(Input::Command {
        ticket: Ticket(78),
        command: Command::Device(Deed::Confirm { same: false }),
    });
    assert!(matches!(talk.hear(&refused), Err(JoinError::Refused)));
    let none = bench.ask(Command::Device(Deed::Confirm { same: true }));
    assert!(matches!(none, Err(CommandError::NotFound(_))));

    let link = device_link(&mut bench, true);
    bench.now += 600_000;
    let (mut late, refused) = Talk::begin(&mut bench, &link, 50);
    assert!(matches!(late.hear(&refused), Err(JoinError::Ended)));
    let key = Box::new(IdentityKey::from_seed([99; 32]));
    let foreign = bench.ask(Command::Device(Deed::Link {
        key,
        ask: true,
        lasts_ms: 1,
    }));
    assert!(matches!(foreign, Err(CommandError::Usage(_))));
}

/// DLINK-8, NODE-35: from then on no roster holds it, nobody talks to it, what it writes is void.
#[test]
fn a_revoked_device_is_nobody() {
    let mut world = restored(4, &[]);
    let tablet = world.nodes[TABLET].own().device();
    world.revoke(ANN, ANN, TABLET);
    world.rest();
    for node in [ANN, BERT] {
        let told = &world.nodes[node].notices;
        let revoked = told.iter().filter(
            |notice| matches!(notice, Notice::DeviceRevoked { device, .. } if *device == tablet),
        );
        assert_eq!(revoked.count(), 1, "{node}");
    }
    send(&mut world, TABLET, BERT, "I am still Ann");
    send(&mut world, BERT, ANN, "only for Ann");
    let end = world.now + 60 * 60 * 1000;
    while world.step_until(end) {}
    for node in [ANN, BERT] {
        let with = if node == BERT { ANN } else { BERT };
        let texts = texts(&world, node, with);
        assert!(!texts.contains(&"I am still Ann".to_owned()), "{texts:?}");
        assert!(texts.contains(&"only for Ann".to_owned()), "{texts:?}");
    }
    let seen = texts(&world, TABLET, BERT);
    assert!(!seen.contains(&"only for Ann".to_owned()), "{seen:?}");
}

/// NODE-33: what a contact may bring, and what is let be.
#[test]
fn not_everything_that_is_brought_is_entered() {
    let (mut bench, mut rogue, line) = crate::members::friends();
    let me = bench.engine.own().identity();
    let stranger = root(5).public();
    let now = bench.now;
    let mut found = |kind, others: &[IdentityId]| {
        let (key, card) = (&rogue.own.key, &rogue.own.card);
        let event = Session::draft_founding(key, card, kind, others, now, &mut rogue.rng);
        event.unwrap().to_wire()
    };
    let foreign = [
        found(SessionKind::Own, &[]),
        found(SessionKind::Direct, &[stranger]),
    ];
    let ours = [
        found(SessionKind::Group, &[me, stranger]),
        found(SessionKind::Direct, &[me]),
    ];
    let (sessions, ..) = bench.stored();
    let bring = |some: &[Vec<u8>]| {
        let foundings = some.iter().cloned().map(EncodedEvent::from);
        Frame::Bring(foundings.collect(), false)
    };
    let done = bench.frame(line, &bring(&foreign));
    assert_eq!((done.reason(line), bench.stored().0), (None, sessions));
    let done = bench.frame(line, &bring(&ours));
    assert_eq!((done.reason(line), bench.stored().0), (None, sessions + 2));
    let again = bench.frame(line, &bring(&ours));
    assert_eq!((again.reason(line), bench.stored().0), (None, sessions + 2));
    let many: Vec<Vec<u8>> = (0..100)
        .map(|_| found(SessionKind::Group, &[stranger]))
        .collect();
    for some in many.chunks(20) {
        bench.frame(line, &bring(some));
    }
    assert_eq!(
        bench.stored().0,
        sessions + 2 + 64,
        "so many wait and no more"
    );
    let many: Vec<Vec<u8>> = (0..400).map(|_| found(SessionKind::Group, &[me])).collect();
    let mut told = Vec::new();
    for some in many.chunks(20) {
        told.extend(bench.frame(line, &bring(some)).told);
    }
    assert_eq!(
        bench.stored().0,
        sessions + 1 + 256,
        "as many as fit into what is taken of them"
    );
    let by = rogue.own.identity();
    let too_much = |it: &&Notice| matches!(it, Notice::TooMuch { identity, .. } if *identity == by);
    assert_eq!(told.iter().filter(too_much).count(), 1);
    let done = bench.frame(line, &bring(&[vec![1, 2, 3]]));
    assert_eq!(done.reason(line), Some(CloseReason::Protocol));
}
