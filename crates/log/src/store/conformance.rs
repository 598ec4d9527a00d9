//! What every log store does, told as short stories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bodies;
mod kept;
mod pasts;

use tenet_identity::keys::DeviceKey;

use crate::{
    clock::{Hlc, MAX_AHEAD_MS},
    event::{Body, Content, Event, Header, Kind, size_bucket},
    frontier::Head,
    ids::{Author, EventId, SessionId},
    register::Register,
    standing::Standing,
    store::{LogStore, Position, Stored},
};

/// Runs the suite, each story on a store of its own.
///
/// The events are really signed; their sessions have no founding.
///
/// # Panics
/// Where the store does something else than [`LogStore`] says.
pub fn run<S: LogStore>(make: impl Fn() -> S) {
    let stories: [fn(S); 21] = [
        a_new_store_is_empty,
        events_come_back_as_they_went_in,
        sessions_are_listed_oldest_first,
        events_are_read_as_they_came,
        events_are_read_back_from_the_latest,
        a_chain_is_read_by_place_with_all_branches,
        a_position_is_that_of_the_first_from_a_place_on,
        standings_change_alone,
        bodies::what_is_mended_stays_where_it_was,
        bodies::an_erased_body_is_gone_and_may_come_back,
        bodies::what_expires_is_listed_until_it_is_settled,
        bodies::what_lacks_its_body_is_remembered,
        heads_are_one_for_each_branch,
        pasts::operations_come_with_them,
        pasts::one_is_said_by_what_tells_it_from_another,
        kept::parts_are_read_by_key_and_replaced,
        kept::operations_are_counted,
        registers_are_replaced,
        held_events_wait_for_their_time,
        held_events_are_counted_by_session,
        the_latest_time_is_of_all_branches,
    ];
    for story in stories {
        story(make());
    }
}

fn a_new_store_is_empty<S: LogStore>(store: S) {
    let (session, writer) = (session(1), Writer::new(1, 1));
    let author = writer.author();
    assert_eq!(store.sessions().unwrap(), []);
    assert!(store.event(writer.event(0, 1).id()).unwrap().is_none());
    assert!(store.chain(session, author, 0, 9).unwrap().is_empty());
    assert!(
        store
            .since(session, Position::default(), 9)
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .back_to(session, None, Position::default(), 9)
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.position(session, author, 0).unwrap(), None);
    assert_eq!(store.last_position(session).unwrap(), Position::default());
    assert_eq!(store.heads(session).unwrap(), []);
    assert!(store.operations(session).unwrap().is_empty());
    assert!(store.registers(session).unwrap().is_empty());
    assert_eq!(store.held_count(session).unwrap(), 0);
    assert!(store.due(u64::MAX, 9).unwrap().is_empty());
    assert_eq!(store.next_due().unwrap(), None);
    assert_eq!(store.latest_time(session).unwrap(), Hlc::default());
}

fn events_come_back_as_they_went_in<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let founding = Event::sign(
        &writer.key,
        Header {
            session: None,
            added_by: None,
            ..writer.event(0, 1).header().clone()
        },
        None,
    );
    let events = [
        (founding, Standing::Counted),
        (writer.event(0, 1), Standing::Counted),
        (writer.say(1, 2, b""), Standing::OffRoster),
        (writer.say(2, 3, &[7; 70_000]), Standing::Forked),
    ];
    for (event, standing) in &events {
        let position = store.insert(event, *standing).unwrap();
        assert!(position > Position::default());
        let stored = store.event(event.id()).unwrap().unwrap();
        assert_eq!(stored.event.to_wire(), event.to_wire());
        assert_eq!(stored.event.session(), event.session());
        assert_eq!((stored.position, stored.standing), (position, *standing));
    }
    assert!(store.event(EventId::from([9; 32])).unwrap().is_none());
}

fn sessions_are_listed_oldest_first<S: LogStore>(mut store: S) {
    for (number, seq) in [(2, 0), (1, 0), (2, 1), (3, 0)] {
        let event = Writer::new(number, number).event(seq, seq + 1);
        store.insert(&event, Standing::Counted).unwrap();
    }
    assert_eq!(
        store.sessions().unwrap(),
        [session(2), session(1), session(3)]
    );
}

fn events_are_read_as_they_came<S: LogStore>(mut store: S) {
    let (one, two, other) = (Writer::new(1, 1), Writer::new(2, 1), Writer::new(1, 2));
    let events = [
        one.event(0, 50),
        two.event(0, 10),
        one.event(1, 60),
        two.event(1, 20),
    ];
    let mut positions = Vec::new();
    for event in &events {
        positions.push(store.insert(event, Standing::Counted).unwrap());
        store
            .insert(
                &other.event(event.header().time.raw(), 1),
                Standing::Counted,
            )
            .unwrap();
    }
    assert!(positions.is_sorted_by(|a, b| a < b), "later is greater");
    let all = store.since(session(1), Position::default(), 9).unwrap();
    assert_eq!(ids(&all), events.each_ref().map(Event::id));
    assert_eq!(
        all.iter().map(|stored| stored.position).collect::<Vec<_>>(),
        positions
    );
    let some = store.since(session(1), positions[0], 2).unwrap();
    assert_eq!(ids(&some), [events[1].id(), events[2].id()]);
    assert!(store.since(session(1), positions[3], 9).unwrap().is_empty());
    assert!(
        store
            .since(session(1), Position::default(), 0)
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.last_position(session(1)).unwrap(), positions[3]);
    assert!(store.last_position(session(2)).unwrap() > positions[3]);
    assert_eq!(
        store.last_position(session(3)).unwrap(),
        Position::default()
    );
}

fn events_are_read_back_from_the_latest<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(1, 2));
    let mut positions = Vec::new();
    for seq in 0..4 {
        let event = writer.event(seq, seq + 1);
        positions.push(store.insert(&event, Standing::Counted).unwrap());
        store
            .insert(&other.event(seq, 1), Standing::Counted)
            .unwrap();
    }
    let read = |from, to, limit| {
        let page = store.back_to(session(1), from, to, limit).unwrap();
        page.iter()
            .map(|stored| stored.event.header().seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(read(None, Position::default(), 9), [3, 2, 1, 0]);
    assert_eq!(read(None, Position::default(), 2), [3, 2]);
    assert_eq!(
        read(Some(positions[2]), Position::default(), 9),
        [1, 0],
        "from is left out"
    );
    assert_eq!(
        read(None, positions[1], 9),
        [3, 2],
        "and so is what it goes back to"
    );
    assert_eq!(read(Some(positions[1]), positions[1], 9), [0; 0]);
}

fn a_chain_is_read_by_place_with_all_branches<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(2, 1));
    let elsewhere = Writer::new(1, 2);
    let (zero, one, twin) = (writer.event(0, 1), writer.event(1, 2), writer.event(1, 3));
    let two = writer.event(2, 4);
    for event in [
        &zero,
        &one,
        &two,
        &twin,
        &other.event(1, 9),
        &elsewhere.event(1, 9),
    ] {
        store.insert(event, Standing::Counted).unwrap();
    }
    let mut twins = [one.id(), twin.id()];
    twins.sort_unstable();
    let chain = |seq, limit| {
        ids(&store
            .chain(session(1), writer.author(), seq, limit)
            .unwrap())
    };
    assert_eq!(chain(0, 9), [zero.id(), twins[0], twins[1], two.id()]);
    assert_eq!(chain(1, 2), twins);
    assert_eq!(chain(2, 9), [two.id()]);
    assert_eq!(chain(3, 9), []);
    assert_eq!(chain(0, 1), [zero.id()]);
    let again = Author {
        added_by: EventId::from([77; 32]),
        ..writer.author()
    };
    assert!(
        store.chain(session(1), again, 0, 9).unwrap().is_empty(),
        "another chain"
    );
}

fn a_position_is_that_of_the_first_from_a_place_on<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let mut insert = |event: &Event| store.insert(event, Standing::Counted).unwrap();
    let (zero, one) = (insert(&writer.event(0, 1)), insert(&writer.event(1, 2)));
    let two = insert(&writer.event(2, 3));
    insert(&writer.event(1, 7));
    let position = |seq| store.position(session(1), writer.author(), seq).unwrap();
    assert_eq!(position(0), Some(zero));
    assert_eq!(position(1), Some(one), "a later branch does not hide it");
    assert_eq!(position(2), Some(two));
    assert_eq!(position(3), None);
    assert_eq!(
        store.position(session(2), writer.author(), 0).unwrap(),
        None
    );
}

fn standings_change_alone<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let (one, two) = (writer.event(0, 1), writer.event(1, 2));
    store.insert(&one, Standing::Counted).unwrap();
    store.insert(&two, Standing::Counted).unwrap();
    let before = store.event(one.id()).unwrap().unwrap();
    store.set_standing(one.id(), Standing::Forked).unwrap();
    let after = store.event(one.id()).unwrap().unwrap();
    assert_eq!(after.standing, Standing::Forked);
    assert_eq!(after.position, before.position);
    assert_eq!(after.event.to_wire(), one.to_wire());
    assert!(store.event(two.id()).unwrap().unwrap().standing.counts());
    store.set_standing(one.id(), Standing::OffRoster).unwrap();
    let chain = store.chain(session(1), writer.author(), 0, 9).unwrap();
    assert_eq!(chain[0].standing, Standing::OffRoster);
}

fn heads_are_one_for_each_branch<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(2, 1));
    let head = |writer: &Writer, branch, seq, tip| {
        let event = writer.event(seq, seq + 1);
        Head {
            branch,
            tip,
            ..head_of(&event)
        }
    };
    let first = head(&writer, 0, 0, true);
    let heads = [
        head(&writer, 0, 4, false),
        head(&writer, 1, 3, true),
        head(&other, 0, 0, true),
    ];
    for head in [first].iter().chain(&heads) {
        store.put_head(session(1), head).unwrap();
    }
    store.put_head(session(2), &first).unwrap();
    let mut stored = store.heads(session(1)).unwrap();
    stored.sort_by_key(|head| (head.author != writer.author(), head.branch));
    assert_eq!(stored, heads);
    assert_eq!(store.heads(session(2)).unwrap(), [first]);
    let untipped = Head {
        tip: false,
        ..first
    };
    store.put_head(session(2), &untipped).unwrap();
    assert_eq!(store.heads(session(2)).unwrap(), [untipped]);
}

fn registers_are_replaced<S: LogStore>(mut store: S) {
    let (one, two) = (DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32]));
    let sign = |key: &DeviceKey, number, name: &str, time, value: &[u8]| {
        let time = Hlc::from_millis(time);
        Register::sign(key, session(number), name, time, value.to_vec()).unwrap()
    };
    let old = sign(&one, 1, "b", 1, b"old");
    let kept = [
        sign(&one, 1, "a", 5, b""),
        sign(&one, 1, "b", 2, b"new"),
        sign(&two, 1, "a", 1, b"x"),
    ];
    let elsewhere = sign(&one, 2, "b", 9, b"elsewhere");
    for register in [&old].into_iter().chain(&kept).chain([&elsewhere]) {
        store.put_register(register).unwrap();
    }
    let mut expected = kept.to_vec();
    expected.sort_by(|a, b| (a.device(), a.key()).cmp(&(b.device(), b.key())));
    assert_eq!(store.registers(session(1)).unwrap(), expected);
    assert_eq!(store.registers(session(2)).unwrap(), [elsewhere]);
    expected.retain(|register| register.key() == "a");
    assert_eq!(store.registers_under(session(1), "a").unwrap(), expected);
    let count = |number, key: &DeviceKey| store.register_count(session(number), key.public());
    assert_eq!(
        [
            count(1, &one).unwrap(),
            count(2, &two).unwrap(),
            count(3, &one).unwrap()
        ],
        [2, 0, 0]
    );
    let found = store
        .register(session(1), one.public(), "b")
        .unwrap()
        .unwrap();
    assert_eq!(found, kept[1]);
    assert_eq!(found.version(), kept[1].version());
    assert_eq!(store.register(session(1), two.public(), "b").unwrap(), None);
    assert_eq!(store.register(session(3), one.public(), "a").unwrap(), None);
}

fn held_events_wait_for_their_time<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let times = [3, 1, 2].map(|n| n * MAX_AHEAD_MS);
    let events = times.map(|time| writer.say(time, time, b"later"));
    for new in [true, false] {
        for event in &events {
            assert_eq!(store.hold(event).unwrap(), new);
        }
    }
    assert_eq!(
        store.held_count(session(1)).unwrap(),
        3,
        "holding twice is holding once"
    );
    assert!(
        store.event(events[0].id()).unwrap().is_none(),
        "the set does not have it"
    );
    assert_eq!(store.next_due().unwrap(), Some(0));
    let due = |store: &S, now, limit| {
        let due = store.due(now, limit).unwrap();
        due.iter().map(|held| held.event.id()).collect::<Vec<_>>()
    };
    assert_eq!(due(&store, 0, 9), [events[1].id()]);
    assert_eq!(
        due(&store, MAX_AHEAD_MS, 9),
        [events[1].id(), events[2].id()]
    );
    assert_eq!(due(&store, u64::MAX, 2), [events[1].id(), events[2].id()]);
    let held = &store.due(u64::MAX, 9).unwrap()[2];
    assert_eq!(held.event.to_wire(), events[0].to_wire());
    assert_eq!(held.acceptable_from, 2 * MAX_AHEAD_MS);
    store.release(events[1].id()).unwrap();
    store.release(events[1].id()).unwrap();
    assert_eq!(store.next_due().unwrap(), Some(MAX_AHEAD_MS));
    assert_eq!(due(&store, u64::MAX, 9), [events[2].id(), events[0].id()]);
}

fn held_events_are_counted_by_session<S: LogStore>(mut store: S) {
    for (number, seq) in [(1, 0), (1, 1), (2, 0)] {
        let writer = Writer::new(1, number);
        store.hold(&writer.event(seq, seq + 5)).unwrap();
    }
    assert_eq!(store.held_count(session(1)).unwrap(), 2);
    assert_eq!(store.held_count(session(2)).unwrap(), 1);
    store.release(Writer::new(1, 1).event(0, 5).id()).unwrap();
    assert_eq!(store.held_count(session(1)).unwrap(), 1);
    assert_eq!(store.due(u64::MAX, 9).unwrap().len(), 2, "of all sessions");
}

fn the_latest_time_is_of_all_branches<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(2, 1));
    let events = [
        writer.event(0, 10),
        writer.event(1, 90),
        writer.event(1, 30),
        other.event(0, 40),
    ];
    for (branch, event) in [0, 0, 1, 0].into_iter().zip(&events) {
        store.insert(event, Standing::Counted).unwrap();
        let head = Head {
            branch,
            ..head_of(event)
        };
        store.put_head(session(1), &head).unwrap();
    }
    assert_eq!(store.latest_time(session(1)).unwrap(), Hlc::from_millis(90));
    assert_eq!(store.latest_time(session(2)).unwrap(), Hlc::default());
}

/// A device that writes into one session; every event of it is the same whenever it is made.
struct Writer {
    key: DeviceKey,
    session: SessionId,
}

impl Writer {
    fn new(device: u8, number: u8) -> Self {
        Self {
            key: DeviceKey::from_seed([device; 32]),
            session: session(number),
        }
    }

    fn author(&self) -> Author {
        Author {
            device: self.key.public(),
            added_by: EventId::from([66; 32]),
        }
    }

    fn event(&self, seq: u64, millis: u64) -> Event {
        let header = self.header(seq, millis, Content::Payload(vec![1, 2]));
        Event::sign(&self.key, header, None)
    }

    fn say(&self, seq: u64, millis: u64, bytes: &[u8]) -> Event {
        let body = Body {
            salt: [3; 32],
            bytes: bytes.to_vec(),
        };
        let content = Content::Body {
            hash: body.hash(),
            bucket: size_bucket(bytes.len()),
        };
        Event::sign(&self.key, self.header(seq, millis, content), Some(body))
    }

    fn header(&self, seq: u64, millis: u64, content: Content) -> Header {
        Header {
            session: Some(self.session),
            device: self.key.public(),
            added_by: Some(EventId::from([66; 32])),
            seq,
            prev: (seq > 0).then(|| EventId::from([5; 32])),
            deps: Vec::new(),
            time: Hlc::from_millis(millis),
            kind: Kind::new("test.said").unwrap(),
            content,
            expires: None,
        }
    }
}

fn head_of(event: &Event) -> Head {
    Head {
        author: event.author(),
        branch: 0,
        seq: event.header().seq,
        id: event.id(),
        time: event.header().time,
        tip: true,
    }
}

fn session(number: u8) -> SessionId {
    SessionId::from([number; 32])
}

fn ids(stored: &[Stored]) -> Vec<EventId> {
    stored.iter().map(|stored| stored.event.id()).collect()
}
