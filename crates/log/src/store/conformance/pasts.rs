//! Causal pasts of operations.

use super::{Writer, session};
use crate::{
    frontier::Past,
    ids::EventId,
    standing::Standing,
    store::{Base, LogStore},
};

pub(super) fn operations_come_with_them<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(1, 2));
    let events = [writer.event(0, 1), writer.event(1, 2), writer.event(2, 3)];
    for event in &events {
        store.insert(event, Standing::Counted).unwrap();
    }
    store.insert(&other.event(0, 1), Standing::Counted).unwrap();
    let mut past = Past::default();
    past.extend(writer.author(), 1);
    store.put_past(events[2].id(), &past, None).unwrap();
    store
        .put_past(events[0].id(), &Past::default(), None)
        .unwrap();
    store.put_past(other.event(0, 1).id(), &past, None).unwrap();
    past.exclude(events[1].id());
    store.put_past(events[2].id(), &past, None).unwrap();
    let operations = store.operations(session(1)).unwrap();
    let read: Vec<_> = operations
        .iter()
        .map(|(stored, past)| (stored.event.id(), past))
        .collect();
    assert_eq!(
        read,
        [(events[0].id(), &Past::default()), (events[2].id(), &past)]
    );
    assert_eq!(store.operations(session(2)).unwrap().len(), 1);
}

pub(super) fn one_is_said_by_what_tells_it_from_another<S: LogStore>(mut store: S) {
    let (writer, other) = (Writer::new(1, 1), Writer::new(2, 1));
    let events = [writer.event(0, 1), writer.event(1, 2), other.event(0, 3)];
    for event in &events {
        store.insert(event, Standing::Counted).unwrap();
    }
    let [first, second, third] = events.map(|event| event.id());
    let mut pasts = [Past::default(), Past::default(), Past::default()];
    pasts[1].extend(writer.author(), 0);
    pasts[1].exclude(EventId::from([9; 32]));
    pasts[2].extend(other.author(), 7);
    store.put_past(first, &pasts[0], None).unwrap();
    let write = |store: &mut S, pasts: &[Past; 3]| {
        for (id, past, base) in [(second, 1, (first, 0)), (third, 2, (second, 1))] {
            let base = Base {
                id: base.0,
                past: &pasts[base.1],
            };
            store.put_past(id, &pasts[past], Some(base)).unwrap();
        }
        let read = store.operations(session(1)).unwrap();
        assert!(read.iter().map(|(_, past)| past).eq(pasts));
    };
    write(&mut store, &pasts);
    pasts[1].extend(other.author(), 2);
    pasts[2].exclude(EventId::from([9; 32]));
    write(&mut store, &pasts);
}
