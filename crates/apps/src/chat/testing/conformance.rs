//! What every chat store does, told as short stories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::{Author, EventId, SessionId},
    order::OrderKey,
    store::Position,
};

use super::Writer;
use crate::chat::{
    Action,
    overlay::Overlay,
    store::{ChatStore, MessageRow, Reference},
    unsend::Unsend,
};

/// Runs the suite, each story on a store of its own.
///
/// `log` puts an event into the log that is under the store, or gives it another standing
/// (whether it counts).
///
/// # Panics
/// Where the store does something else.
pub fn conformance<S: ChatStore>(
    mut make: impl FnMut() -> S,
    mut log: impl FnMut(&mut S, &Event, bool),
) {
    a_message_is_kept_once(&mut make());
    history_is_the_latest_before_a_place(&mut make());
    hidden_messages_are_left_out(&mut make());
    overlays_are_kept_per_session_and_target(&mut make());
    references_are_a_set(&mut make());

    let store = &mut make();
    let event = Writer::new(1, 1).text("hi");
    assert!(store.logged(event.id()).unwrap().is_none());
    for counts in [true, false, true] {
        log(store, &event, counts);
        let (logged, standing) = store.logged(event.id()).unwrap().unwrap();
        assert_eq!(
            (logged.id(), logged.body(), standing),
            (event.id(), event.body(), counts)
        );
    }
}

fn a_message_is_kept_once(store: &mut impl ChatStore) {
    let first = MessageRow {
        reply: Some(id(9)),
        ..row(1, 1, 10)
    };
    assert_eq!(store.message(first.id).unwrap(), None);
    assert!(store.add_message(&first).unwrap());
    assert!(
        !store
            .add_message(&MessageRow {
                position: Position(77),
                ..first
            })
            .unwrap()
    );
    assert_eq!(store.message(first.id).unwrap(), Some(first));
}

fn history_is_the_latest_before_a_place(store: &mut impl ChatStore) {
    // They come in another order than they stand, and two stand at the same time.
    let rows = [
        row(1, 1, 30),
        row(2, 1, 10),
        row(3, 2, 20),
        row(4, 1, 20),
        row(5, 3, 15),
    ];
    for row in &rows {
        store.add_message(row).unwrap();
    }
    let (one, both) = ([session(1)], [session(1), session(2)]);
    let ordered = [rows[1], rows[2], rows[3], rows[0]];
    assert_eq!(store.history(&both, None, 10).unwrap(), ordered);
    assert_eq!(store.history(&both, None, 2).unwrap(), ordered[2..]);
    assert_eq!(
        store.history(&both, Some(&rows[3].order), 10).unwrap(),
        ordered[..2]
    );
    assert_eq!(
        store.history(&both, Some(&rows[3].order), 1).unwrap(),
        ordered[1..2]
    );
    assert_eq!(
        store.history(&one, None, 10).unwrap(),
        [rows[1], rows[3], rows[0]]
    );
    assert_eq!(store.history(&[session(8)], None, 10).unwrap(), []);
    assert_eq!(store.history(&[], None, 10).unwrap(), []);
    assert_eq!(store.history(&both, None, 0).unwrap(), []);
}

fn hidden_messages_are_left_out(store: &mut impl ChatStore) {
    let (shown, hidden) = (
        row(1, 1, 10),
        MessageRow {
            hidden: true,
            ..row(2, 1, 20)
        },
    );
    store.add_message(&shown).unwrap();
    store.add_message(&hidden).unwrap();
    assert_eq!(store.history(&[session(1)], None, 1).unwrap(), [shown]);
    assert_eq!(store.message(hidden.id).unwrap(), Some(hidden));
    store.set_hidden(hidden.id, false).unwrap();
    store.set_hidden(shown.id, true).unwrap();
    store.set_hidden(id(99), true).unwrap();
    let now = MessageRow {
        hidden: false,
        ..hidden
    };
    assert_eq!(store.history(&[session(1)], None, 9).unwrap(), [now]);
}

fn overlays_are_kept_per_session_and_target(store: &mut impl ChatStore) {
    let overlay = |n| {
        let mut overlay = Overlay::default();
        overlay.merge(
            &Action::Unsend(Unsend::new(id(1))),
            row(2, 1, 1).order,
            identity(n),
        );
        overlay
    };
    assert_eq!(store.overlay(session(1), id(1)).unwrap(), None);
    store.put_overlay(session(1), id(1), &overlay(1)).unwrap();
    store.put_overlay(session(2), id(1), &overlay(2)).unwrap();
    store.put_overlay(session(1), id(2), &overlay(3)).unwrap();
    assert_eq!(store.overlay(session(1), id(1)).unwrap(), Some(overlay(1)));
    assert_eq!(store.overlay(session(2), id(1)).unwrap(), Some(overlay(2)));
    assert_eq!(store.overlay(session(2), id(2)).unwrap(), None);
    store
        .put_overlay(session(1), id(1), &Overlay::default())
        .unwrap();
    assert!(
        store
            .overlay(session(1), id(1))
            .unwrap()
            .unwrap_or_default()
            .is_empty()
    );
}

fn references_are_a_set(store: &mut impl ChatStore) {
    let reference = |of, target, event| Reference {
        session: session(of),
        target: id(target),
        event: id(event),
        identity: identity(event),
    };
    let all = [
        reference(1, 1, 5),
        reference(1, 1, 6),
        reference(1, 2, 7),
        reference(2, 1, 8),
    ];
    for reference in all.iter().rev().chain(&all) {
        store.add_reference(reference).unwrap();
    }
    assert_eq!(store.references(session(1), id(1)).unwrap(), all[..2]);
    assert_eq!(store.references(session(2), id(1)).unwrap(), all[3..]);
    assert_eq!(store.references(session(2), id(2)).unwrap(), []);
}

fn row(n: u8, of: u8, millis: u64) -> MessageRow {
    MessageRow {
        id: id(n),
        session: session(of),
        position: Position(i64::from(n)),
        order: OrderKey {
            time: Hlc::from_millis(millis),
            author: Author {
                device: DeviceId::from([n; 32]),
                added_by: id(0),
            },
            seq: u64::from(n),
            id: id(n),
        },
        identity: identity(n),
        reply: None,
        hidden: false,
    }
}

fn id(n: u8) -> EventId {
    EventId::from([n; 32])
}

fn session(n: u8) -> SessionId {
    SessionId::from([n; 32])
}

fn identity(n: u8) -> IdentityId {
    IdentityId::from([n; 32])
}
