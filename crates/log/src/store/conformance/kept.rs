//! What is kept of what operations come to.

use super::{Writer, session};
use crate::{
    frontier::Past,
    standing::Standing,
    store::{LogStore, Position},
};

type Parts = Vec<(Vec<u8>, Vec<u8>)>;

pub(super) fn parts_are_read_by_key_and_replaced<S: LogStore>(mut store: S) {
    let (one, other) = (session(1), session(2));
    for (key, value) in [
        (&[2, 1][..], "b"),
        (&[2], "a"),
        (&[1, 9], "x"),
        (&[2, 1], "c"),
    ] {
        store.put_outcome(one, key, Some(value.as_bytes())).unwrap();
    }
    store.put_outcome(other, &[2], Some(b"another's")).unwrap();
    let part = |key: &[u8], value: &str| (key.to_vec(), value.as_bytes().to_vec());
    let all = [part(&[1, 9], "x"), part(&[2], "a"), part(&[2, 1], "c")];
    assert_eq!(parts(&store, one), all);
    store.put_outcome(one, &[2], None).unwrap();
    store.put_outcome(one, &[7], None).unwrap();
    assert_eq!(parts(&store, one), [all[0].clone(), all[2].clone()]);
    store.forget_outcome(one).unwrap();
    assert_eq!(parts(&store, one), []);
    assert_eq!(parts(&store, other), [part(&[2], "another's")]);
}

pub(super) fn operations_are_counted<S: LogStore>(mut store: S) {
    assert_eq!(
        store.operation_count(session(1)).unwrap(),
        (0, Position::default())
    );
    let writer = Writer::new(1, 1);
    let mut last = Position::default();
    for event in [writer.event(0, 1), writer.event(1, 2), writer.event(2, 3)] {
        let position = store.insert(&event, Standing::Counted).unwrap();
        // The second is none.
        if event.header().seq != 1 {
            last = position;
            store.put_past(event.id(), &Past::default(), None).unwrap();
        }
    }
    assert_eq!(store.operation_count(session(1)).unwrap(), (2, last));
    assert_eq!(
        store.operation_count(session(2)).unwrap(),
        (0, Position::default())
    );
}

fn parts<S: LogStore>(store: &S, of: crate::ids::SessionId) -> Parts {
    let mut parts = Parts::new();
    let mut read = |key: &[u8], value: &[u8]| parts.push((key.to_vec(), value.to_vec()));
    store.outcome(of, &mut read).unwrap();
    parts
}
