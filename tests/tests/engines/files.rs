//! Which files are fetched, from whom, and who may have them.

use tenet_apps::chat::{Action, file::File, unsend::Unsend};
use tenet_delivery::fetch::{FetchState, Fetches};
use tenet_identity::{did, hello::Role};
use tenet_log::ids::{BlobId, EventId};
use tenet_node::{
    ask::{Ask, Span},
    command::{Command, Contents, Reply, TransferChange},
    input::{AskId, CloseReason, ConnId, FetchEnd, Input, Notice, Output, Ticket},
};
use tenet_sim::{
    Act, World,
    files::files,
    rogue::{Bench, Done, Line, Rogue},
};

use super::devices::{self, ANN, BERT, TABLET, identity, pass};
use crate::members::friends;

const SMALL: u64 = 1000;
const LARGE: u64 = 100 << 20;

fn blob(number: u8) -> BlobId {
    BlobId::from([number; 32])
}

fn file(number: u8, size: u64) -> File {
    File::new("a.txt".into(), size, blob(number), [number; 32]).unwrap()
}

/// The engine's person sends a file; gives the message.
fn send(bench: &mut Bench, rogue: &Rogue, file: File) -> EventId {
    let sent = bench.ask(Command::Send {
        who: did::encode(&rogue.own.identity()),
        text: String::new(),
        reply: None,
        files: vec![file],
    });
    match sent {
        Ok(Reply::Sent { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

/// The rogue sends files.
fn receive(bench: &mut Bench, rogue: &mut Rogue, line: Line, files: Vec<File>) -> Done {
    let event = rogue.write_with(bench.now, "look", files);
    bench.frame(line, &rogue.events(line, &[&event]))
}

fn ask(bench: &mut Bench, conn: ConnId, number: u8) -> Done {
    let span = Span { start: 0, end: 10 };
    let bytes = Ask::Blob(blob(number), vec![span]).encode();
    let ask = AskId(1);
    bench.tell(Input::Asked { conn, ask, bytes })
}

fn fetched(bench: &mut Bench, line: Line, number: u8, end: FetchEnd) -> Done {
    let (conn, blob) = (line.conn, blob(number));
    bench.tell(Input::Fetched { conn, blob, end })
}

/// What is fetched next, by number.
fn fetches(done: &Done) -> Vec<BlobId> {
    let fetch = |output: &Output| match output {
        Output::Fetch { blob, .. } => Some(*blob),
        _ => None,
    };
    done.moved.iter().filter_map(fetch).collect()
}

fn change(bench: &mut Bench, of: Contents, change: TransferChange) -> Done {
    bench.tell(Input::Command {
        ticket: Ticket(1000),
        command: Command::Transfer { of, change },
    })
}

/// What is removed.
fn discarded(done: &Done) -> Vec<BlobId> {
    let discard = |output: &Output| match output {
        Output::Discard { blob } => Some(*blob),
        _ => None,
    };
    done.moved.iter().filter_map(discard).collect()
}

fn state(bench: &Bench, number: u8) -> Option<FetchState> {
    let fetch = bench.engine.store().fetch(blob(number)).unwrap();
    fetch.map(|fetch| fetch.state)
}

/// NODE-24.
#[test]
fn contents_go_to_members_of_sessions_that_name_them_and_to_nobody_else() {
    let (mut bench, rogue, line) = friends();
    send(&mut bench, &rogue, file(1, SMALL));
    assert!(matches!(
        ask(&mut bench, line.conn, 1).moved[..],
        [Output::Answer { .. }]
    ));
    assert!(matches!(
        ask(&mut bench, line.conn, 2).moved[..],
        [Output::Refuse { .. }]
    ));
    let stranger = Rogue::new(7);
    let (other, _) = bench.connect(&stranger, Role::Dialled);
    assert!(matches!(
        ask(&mut bench, other.conn, 1).moved[..],
        [Output::Refuse { .. }]
    ));
}

/// NODE-25.
#[test]
fn a_request_that_makes_no_sense_ends_the_connection() {
    let (mut bench, _, line) = friends();
    let done = bench.tell(Input::Asked {
        conn: line.conn,
        ask: AskId(1),
        bytes: vec![0xff; 9],
    });
    assert_eq!(done.reason(line), Some(CloseReason::Protocol));
}

/// NODE-22.
#[test]
fn small_files_are_fetched_unasked_and_large_ones_after_a_yes() {
    let (mut bench, mut rogue, line) = friends();
    let done = receive(
        &mut bench,
        &mut rogue,
        line,
        vec![file(1, SMALL), file(2, LARGE)],
    );
    assert_eq!(fetches(&done), [blob(1)]);
    assert_eq!(state(&bench, 2), Some(FetchState::Offered));
    let Some(Notice::Message { id, .. }) = done.told.first() else {
        panic!("{:?}", done.told);
    };
    let id = *id;
    let done = fetched(&mut bench, line, 1, FetchEnd::Whole);
    assert_eq!(done.told, [Notice::File { blob: blob(1) }]);

    let done = change(&mut bench, Contents::Message(id), TransferChange::Resume);
    assert_eq!(
        fetches(&done),
        [blob(2)],
        "what is here is not fetched again"
    );
    let done = change(&mut bench, Contents::One(blob(2)), TransferChange::Pause);
    assert!(matches!(done.moved[..], [Output::StopFetch { .. }]));
    assert_eq!(state(&bench, 2), Some(FetchState::Paused));
    let done = fetched(&mut bench, line, 2, FetchEnd::Stopped);
    assert_eq!(fetches(&done), []);
    assert_eq!(state(&bench, 1), Some(FetchState::Whole));
    // Cancelling is for what comes, removing for what is here: each lets the other be.
    let all = Contents::Message(id);
    let done = change(&mut bench, all, TransferChange::Cancel);
    assert_eq!(discarded(&done), [blob(2)]);
    assert_eq!(state(&bench, 2), Some(FetchState::Offered));
    let done = change(&mut bench, all, TransferChange::Remove);
    assert_eq!(discarded(&done), [blob(1)]);
    assert_eq!(state(&bench, 1), Some(FetchState::Offered));
    let done = change(&mut bench, all, TransferChange::Resume);
    assert_eq!(fetches(&done), [blob(1), blob(2)]);
}

/// NODE-22, SET-3: what has no room in the quota waits; a person who asks for it is told why not.
#[test]
fn nothing_is_fetched_or_sent_beyond_the_quota() {
    let (mut bench, mut rogue, line) = friends();
    let set = |bench: &mut Bench, name: &str, value: &str| {
        let (name, value) = (name.into(), value.into());
        assert!(bench.ask(Command::Set { name, value }).is_ok());
    };
    set(&mut bench, "quota", "2500B");
    let files = vec![file(1, SMALL), file(2, SMALL), file(3, SMALL)];
    let done = receive(&mut bench, &mut rogue, line, files);
    assert_eq!(fetches(&done), [blob(1), blob(2)]);
    let quota = Notice::QuotaReached { quota: 2500 };
    assert!(done.told.contains(&quota), "{:?}", done.told);
    assert_eq!(state(&bench, 3), Some(FetchState::Offered));
    let resume = Command::Transfer {
        of: Contents::One(blob(3)),
        change: TransferChange::Resume,
    };
    let refused = bench.ask(resume).unwrap_err();
    assert!(refused.to_string().contains("quota"), "{refused}");
    let who = did::encode(&rogue.own.identity());
    let sent = bench.ask(Command::Send {
        who,
        text: String::new(),
        reply: None,
        files: vec![file(4, SMALL)],
    });
    assert!(sent.is_err());
    assert_eq!(state(&bench, 4), None);

    fetched(&mut bench, line, 1, FetchEnd::Whole);
    change(&mut bench, Contents::One(blob(1)), TransferChange::Remove);
    let done = change(&mut bench, Contents::One(blob(3)), TransferChange::Resume);
    assert_eq!(fetches(&done), [blob(3)]);
    set(&mut bench, "fetch_unasked", "off");
    set(&mut bench, "quota", "off");
    let done = receive(&mut bench, &mut rogue, line, vec![file(5, SMALL)]);
    assert_eq!(fetches(&done), []);
}

/// SET-3: a size that cannot be makes the quota forget nothing.
#[test]
fn an_absurd_size_leaves_the_quota_as_it_was() {
    let (mut bench, mut rogue, line) = friends();
    receive(
        &mut bench,
        &mut rogue,
        line,
        vec![file(1, SMALL), file(2, u64::MAX)],
    );
    change(&mut bench, Contents::One(blob(2)), TransferChange::Resume);
    change(&mut bench, Contents::One(blob(2)), TransferChange::Cancel);
    let (name, value) = ("quota".into(), "1500B".into());
    assert!(bench.ask(Command::Set { name, value }).is_ok());
    let done = receive(&mut bench, &mut rogue, line, vec![file(3, SMALL)]);
    assert_eq!(
        fetches(&done),
        [],
        "a thousand bytes of the quota are taken"
    );
}

/// NODE-26.
#[test]
fn the_files_of_a_message_that_is_taken_back_are_removed() {
    let (mut bench, mut rogue, line) = friends();
    let shared = rogue.write_with(bench.now, "two", vec![file(1, SMALL), file(2, SMALL)]);
    let other = rogue.write_with(bench.now, "one of them again", vec![file(2, SMALL)]);
    bench.frame(line, &rogue.events(line, &[&shared, &other]));
    fetched(&mut bench, line, 1, FetchEnd::Whole);
    fetched(&mut bench, line, 2, FetchEnd::Whole);
    let unsend = rogue.act(bench.now, &Action::Unsend(Unsend::new(shared.id())));
    let done = bench.frame(line, &rogue.events(line, &[&unsend]));
    assert_eq!(discarded(&done), [blob(1)]);
    assert_eq!(
        (state(&bench, 1), state(&bench, 2)),
        (None, Some(FetchState::Whole))
    );
    assert!(matches!(
        ask(&mut bench, line.conn, 1).moved[..],
        [Output::Refuse { .. }]
    ));

    // A stranger to the message takes nothing back, and what came late is not fetched at all.
    let kept = send(&mut bench, &rogue, file(3, SMALL));
    let unsend = rogue.act(bench.now, &Action::Unsend(Unsend::new(kept)));
    let done = bench.frame(line, &rogue.events(line, &[&unsend]));
    assert_eq!(discarded(&done), []);
    let late = rogue.write_with(bench.now, "late", vec![file(4, SMALL)]);
    let unsend = rogue.act(bench.now, &Action::Unsend(Unsend::new(late.id())));
    let done = bench.frame(line, &rogue.events(line, &[&late, &unsend]));
    assert_eq!(fetches(&done), []);
    assert_eq!(state(&bench, 4), None);
}

/// NODE-23.
#[test]
fn who_does_not_give_is_asked_again_later_and_who_lies_is_told_of() {
    let (mut bench, mut rogue, line) = friends();
    let done = receive(&mut bench, &mut rogue, line, vec![file(1, SMALL)]);
    assert_eq!(fetches(&done), [blob(1)]);
    let done = fetched(&mut bench, line, 1, FetchEnd::Refused);
    assert_eq!(fetches(&done), []);
    assert_eq!(fetches(&bench.wait()), [blob(1)]);
    let done = fetched(&mut bench, line, 1, FetchEnd::Mismatch);
    assert_eq!(done.reason(line), Some(CloseReason::Protocol));
    assert!(done.told.iter().any(|notice| matches!(
        notice,
        Notice::Misbehaved {
            device: Some(_),
            ..
        }
    )));
    assert_eq!(
        state(&bench, 1),
        Some(FetchState::Paused),
        "until a person asks again"
    );
}

/// NODE-23: of many files most wait their turn.
#[test]
fn few_are_fetched_at_once() {
    let (mut bench, mut rogue, line) = friends();
    let some = |first: u8, size| (first..first + 40).map(|n| file(n, size)).collect();
    let done = receive(&mut bench, &mut rogue, line, some(0, SMALL + 65_536));
    assert_eq!(fetches(&done).len(), 8);
    let done = receive(&mut bench, &mut rogue, line, some(40, SMALL));
    assert_eq!(fetches(&done).len(), 40);
    let done = receive(&mut bench, &mut rogue, line, some(80, SMALL));
    assert_eq!(fetches(&done).len(), 24);
    let done = fetched(&mut bench, line, 40, FetchEnd::Whole);
    assert_eq!(fetches(&done).len(), 1);
    let done = fetched(&mut bench, line, 0, FetchEnd::Whole);
    assert_eq!(fetches(&done).len(), 1);
}

const TEXT: &str = "film of the lake📎";

/// Ann has sent Bert a film, and both of her devices have it; Bert is off.
fn filmed(seed: u64) -> World {
    let mut world = devices::restored(seed, &[]);
    world.switch_off(BERT);
    devices::send(&mut world, ANN, BERT, TEXT);
    pass(&mut world);
    assert!(world.holds(TABLET, &files(TEXT)));
    world
}

fn misbehaved(world: &World, node: usize) -> usize {
    let told = world.nodes[node].notices.iter();
    told.filter(|notice| matches!(notice, Notice::Misbehaved { .. }))
        .count()
}

/// NODE-903: all who have it are asked.
#[test]
fn a_large_content_comes_from_everybody_who_has_it() {
    let mut world = filmed(31);
    let before = world.asked_of().len();
    world.switch_on(BERT);
    pass(&mut world);
    assert!(world.holds(BERT, &files(TEXT)));
    let mut asked = world.asked_of()[before..].to_vec();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked, [ANN, TABLET]);
    world.check_peace();
}

/// NODE-23: one lies and one is cut off; who lies is not asked again, who comes back gives it.
#[test]
fn who_lies_is_left_and_the_others_give_it() {
    let mut world = filmed(32);
    world.lie(ANN, true);
    world.switch_off(TABLET);
    world.switch_on(BERT);
    pass(&mut world);
    assert!(!world.holds(BERT, &files(TEXT)));
    assert_eq!(
        misbehaved(&world, BERT),
        1,
        "and not on every new connection"
    );
    let state = |world: &World| {
        let fetch = world.nodes[BERT].disk().fetch(files(TEXT)[0].content());
        fetch.unwrap().map(|fetch| fetch.state)
    };
    assert_eq!(state(&world), Some(FetchState::Wanted));
    world.switch_on(TABLET);
    pass(&mut world);
    assert!(world.holds(BERT, &files(TEXT)));
    assert_eq!(misbehaved(&world, BERT), 1);
}

/// NODE-23: where all lie it waits until a person asks again.
#[test]
fn where_all_lie_a_person_has_to_ask_again() {
    let mut world = filmed(33);
    world.lie(ANN, true);
    world.lie(TABLET, true);
    world.switch_on(BERT);
    pass(&mut world);
    assert_eq!(misbehaved(&world, BERT), 2);
    let fetch = world.nodes[BERT].disk().fetch(files(TEXT)[0].content());
    assert_eq!(fetch.unwrap().unwrap().state, FetchState::Paused);
    world.lie(TABLET, false);
    let shown = world.nodes[BERT].history(identity(&world, ANN));
    let id = shown.last().unwrap().message.id;
    world.ask(BERT, Act::Fetch { id });
    pass(&mut world);
    assert!(world.holds(BERT, &files(TEXT)));
}
