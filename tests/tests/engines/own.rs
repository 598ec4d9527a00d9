//! What the devices of one person tell each other of themselves, and that they do not speak with one of them.

use tenet_apps::own::{self, status::Status};
use tenet_log::{ids::SessionId, store::LogStore};
use tenet_node::{
    command::{Command, device::Deed},
    engine::Progress,
    input::Notice,
};
use tenet_sim::{Act, World, machine::BEGINNING, node::Node};

use super::devices::{ANN, BERT, TABLET, check, identity, pass, restored, send, texts};

fn status(uptime: u64) -> Command {
    Command::Device(Deed::Status(Status {
        version: "0.1.0".into(),
        uptime: Some(uptime),
        ..Status::default()
    }))
}

/// What a node was told of how devices are.
fn told(world: &World, node: usize) -> Vec<u64> {
    let disk = world.nodes[node].disk();
    let sessions = disk.sessions().unwrap();
    let registers = sessions.iter().flat_map(|id| disk.registers(*id).unwrap());
    let told = registers.filter_map(|register| Status::of(&register)?.1.uptime);
    told.collect()
}

/// OWN-901, OWN-902: all my devices, nobody else, and what was said before is nowhere.
#[test]
fn a_device_says_how_it_is_to_mine_alone() {
    let mut world = restored(21, &[]);
    for command in [|_| status(1), |_| status(2)] {
        world.ask(TABLET, Act::Do { with: ANN, command });
        world.rest();
    }
    assert_eq!(
        told(&world, ANN),
        [1],
        "not again before five minutes are over"
    );
    pass(&mut world);
    let command = |_| status(3);
    world.ask(TABLET, Act::Do { with: ANN, command });
    world.rest();
    assert_eq!(told(&world, ANN), [3]);
    assert_eq!(told(&world, TABLET), [3]);
    assert_eq!(told(&world, BERT), [] as [u64; 0]);
    check(&world);
}

/// OWN-902: a device that comes is told at once.
#[test]
fn a_device_that_comes_is_told_how_the_others_are() {
    let mut world = restored(22, &[]);
    world.switch_off(TABLET);
    pass(&mut world);
    let command = |_| status(5);
    world.ask(ANN, Act::Do { with: ANN, command });
    pass(&mut world);
    assert_eq!(
        told(&world, ANN),
        [] as [u64; 0],
        "nobody was there to hear it"
    );
    world.switch_on(TABLET);
    pass(&mut world);
    assert_eq!(told(&world, TABLET), [5]);
    check(&world);
}

/// What a person noted for themselves, as a device of theirs has it.
fn notes(world: &World, node: usize) -> Vec<String> {
    let node = &world.nodes[node];
    let own = node.engine().unwrap().own_sessions();
    let shown = own.iter().flat_map(|session| node.shown_in(*session));
    let texts = shown.filter_map(|shown| shown.message.text);
    texts.map(|text| text.to_string()).collect()
}

fn suspensions(world: &World, node: usize) -> Vec<bool> {
    let tablet = world.nodes[TABLET].own().device();
    let notices = world.nodes[node].notices.iter();
    let told = notices.filter_map(|notice| match notice {
        Notice::DeviceSuspended { device, suspended } if *device == tablet => Some(*suspended),
        _ => None,
    });
    told.collect()
}

fn met(world: &World, node: usize, other: usize) -> bool {
    let device = world.nodes[other].own().device();
    let notices = world.nodes[node].notices.iter();
    let mut last = notices.filter_map(|notice| match notice {
        Notice::Connection {
            device: of, conn, ..
        } if *of == device => Some(conn.is_some()),
        _ => None,
    });
    last.next_back().unwrap_or_default()
}

/// OWN-903 to OWN-906: nothing goes to or fro, nothing is lost, and people see nothing of it.
#[test]
fn a_suspended_device_is_not_spoken_with_until_it_is_resumed() {
    let mut world = restored(23, &[]);
    world.suspend(ANN, TABLET, true);
    pass(&mut world);
    assert_eq!(suspensions(&world, ANN), [true]);
    assert_eq!(
        suspensions(&world, TABLET),
        [true],
        "the last that it is told"
    );
    assert!(suspensions(&world, BERT).is_empty());
    assert!(!met(&world, ANN, TABLET) && !met(&world, TABLET, ANN));
    assert!(met(&world, BERT, TABLET) && met(&world, BERT, ANN));

    send(&mut world, ANN, ANN, "not for the tablet");
    send(&mut world, TABLET, TABLET, "noted meanwhile");
    send(&mut world, TABLET, BERT, "said meanwhile");
    pass(&mut world);
    assert_eq!(notes(&world, ANN), ["not for the tablet"]);
    assert_eq!(notes(&world, TABLET), ["noted meanwhile"]);
    // Bert knows nothing of it, so what was said to him comes to all his session by him.
    assert!(texts(&world, ANN, BERT).contains(&"said meanwhile".to_owned()));

    world.suspend(TABLET, TABLET, false);
    world.suspend(TABLET, ANN, true);
    pass(&mut world);
    assert_eq!(world.refused.len(), 2);
    assert_eq!(
        suspensions(&world, ANN),
        [true],
        "it cannot lift that itself"
    );
    world.refused.clear();

    world.suspend(ANN, TABLET, false);
    pass(&mut world);
    assert_eq!(suspensions(&world, TABLET), [true, false]);
    assert_eq!(notes(&world, ANN), notes(&world, TABLET));
    assert_eq!(notes(&world, ANN).len(), 2);
    check(&world);
}

/// OWN-903: a device that changes its program may say what it wants of itself.
#[test]
fn a_suspension_outlives_the_process_and_what_the_device_says() {
    let mut world = restored(24, &[]);
    world.suspend(ANN, TABLET, true);
    pass(&mut world);
    for node in [ANN, TABLET] {
        world.kill(node);
    }
    pass(&mut world);
    let tablet = world.nodes[TABLET].own().device();
    let session = world.nodes[ANN].engine().unwrap().own_sessions()[0];
    assert!(!met(&world, TABLET, ANN));
    let about = own::key(own::SUSPENDED, tablet.as_bytes());
    let said = world.nodes[TABLET].disk().registers(session).unwrap();
    assert!(said.iter().any(|one| one.key() == about), "it knows");
    world.suspend(ANN, TABLET, false);
    pass(&mut world);
    assert!(met(&world, TABLET, ANN));
    check(&world);
}

/// How far a session was, as whoever saw what was told before sees what is told next.
fn brought(world: &World, node: usize, of: SessionId, to: bool) -> Vec<Progress> {
    let notices = world.nodes[node].notices.iter();
    let told = notices.filter_map(|notice| match *notice {
        Notice::Bringing {
            session,
            coming,
            progress,
            ..
        } if session == of && to == coming => Some(progress),
        _ => None,
    });
    let seen = told.scan(Progress::default(), |before, now| {
        *before = now.after(*before);
        Some(*before)
    });
    seen.skip_while(|progress| progress.total == 0).collect()
}

/// NODE-901, NODE-902: what was talked about last comes first, and how far it is is told on both.
#[test]
fn a_new_device_is_brought_the_newest_sessions_first() {
    let cleo = 3;
    let nodes = vec![
        Node::new(ANN, 0, BEGINNING),
        Node::new(BERT, 0, BEGINNING),
        Node::of(ANN, TABLET, 0, BEGINNING),
        Node::of(2, cleo, 0, BEGINNING),
    ];
    let mut world = World::of(25, nodes);
    for guest in [BERT, cleo] {
        world.ask(ANN, Act::Invite { to: guest });
        world.rest();
    }
    // More in each than goes at once.
    for (with, count) in [(cleo, 260), (BERT, 260)] {
        for number in 0..count {
            let text = format!("{with} {number} {}", "x".repeat(4_000));
            send(&mut world, ANN, with, &text);
        }
        world.rest();
    }
    // They would bring what was said with them themselves, beside.
    for contact in [BERT, cleo] {
        world.switch_off(contact);
    }
    world.ask(ANN, Act::Invite { to: TABLET });
    pass(&mut world);

    let [bert, cleo] = [BERT, cleo].map(|node| {
        let with = identity(&world, node);
        world.nodes[ANN].sessions_with(with)[0]
    });
    let order: Vec<SessionId> = (world.nodes[TABLET].notices.iter())
        .filter_map(|notice| match notice {
            Notice::Message { session, .. } => Some(*session),
            _ => None,
        })
        .collect();
    let of = |session| order.iter().filter(move |one| **one == session).count();
    assert_eq!((of(bert), of(cleo)), (260, 260));
    let newest = order.iter().rposition(|session| *session == bert).unwrap();
    let others = order[..newest].iter().filter(|one| **one == cleo).count();
    assert!(others < 20, "{others} of the older one came before");

    for progress in [
        brought(&world, TABLET, bert, true),
        brought(&world, ANN, bert, false),
    ] {
        let end = progress.iter().position(|it| it.done == it.total);
        let progress = &progress[..=end.unwrap()];
        assert!(progress.len() > 3, "{progress:?}");
        assert!(progress.is_sorted_by_key(|it| it.done));
        assert!(progress[0].done == 0 && progress[0].total >= 260);
    }
    world.check_peace();
}
