//! What every chat store does, told as short stories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::Position,
};

use super::Writer;
use crate::chat::{
    Action,
    overlay::Overlay,
    store::{ChatStore, MessageRow, Reference},
    unsend::Unsend,
};

/// A store, and how to put events into the log that is under it.
struct Bench<'a, S> {
    store: S,
    log: &'a mut dyn FnMut(&mut S, &Event, bool) -> Position,
}

/// Runs the suite, each story on a store of its own.
///
/// `log` puts an event into the log that is under the store, or gives one that is there another
/// standing (whether it counts), and says where it came in. The events are really signed; their
/// sessions have no founding.
///
/// # Panics
/// Where the store does something else.
pub fn conformance<S: ChatStore>(
    mut make: impl FnMut() -> S,
    mut log: impl FnMut(&mut S, &Event, bool) -> Position,
) {
    let stories: [fn(Bench<'_, S>); 9] = [
        a_message_is_kept_once,
        history_is_the_latest_before_a_place,
        hidden_messages_are_left_out,
        what_was_done_to_a_session_is_shown_and_is_no_message,
        a_message_is_forgotten_with_what_was_done_to_it,
        messages_are_found_by_a_range_of_ids,
        overlays_are_kept_per_session_and_target,
        references_are_a_set,
        the_log_says_what_counts,
    ];
    for story in stories {
        story(Bench {
            store: make(),
            log: &mut log,
        });
    }
}

fn a_message_is_kept_once<S: ChatStore>(mut bench: Bench<'_, S>) {
    let first = bench.row(1, 1, 10);
    assert_eq!(bench.store.message(first.id).unwrap(), None);
    assert!(bench.store.add_message(&first).unwrap());
    assert!(
        !bench
            .store
            .add_message(&MessageRow {
                hidden: true,
                ..first
            })
            .unwrap()
    );
    assert_eq!(bench.store.message(first.id).unwrap(), Some(first));
    assert_eq!(bench.store.message_at(first.position).unwrap(), Some(first));
    assert_eq!(bench.store.message_at(Position(99)).unwrap(), None);
}

fn history_is_the_latest_before_a_place<S: ChatStore>(mut bench: Bench<'_, S>) {
    // They come in another order than they stand, and two stand at the same time.
    let placed = [(1, 1, 30), (2, 1, 10), (3, 2, 20), (4, 1, 20), (5, 3, 15)];
    let rows = placed.map(|(writer, session, time)| bench.row(writer, session, time));
    for row in &rows {
        assert!(bench.store.add_message(row).unwrap());
    }
    let (one, both) = ([session(1)], [session(1), session(2)]);
    let mut ordered = [rows[1], rows[2], rows[3], rows[0]];
    ordered.sort_by_key(|row| row.order);
    let history = |sessions: &[SessionId], before: Option<&MessageRow>, limit| {
        bench
            .store
            .history(sessions, before.map(|row| &row.order), limit)
            .unwrap()
    };
    assert_eq!(history(&both, None, 10), ordered);
    assert_eq!(history(&both, None, 2), ordered[2..]);
    assert_eq!(history(&both, Some(&ordered[2]), 10), ordered[..2]);
    assert_eq!(history(&both, Some(&ordered[2]), 1), ordered[1..2]);
    assert_eq!(history(&both, Some(&ordered[0]), 9), []);
    assert_eq!(history(&one, None, 10), [rows[1], rows[3], rows[0]]);
    assert_eq!(history(&[session(8)], None, 10), []);
    assert_eq!(history(&[], None, 10), []);
    assert_eq!(history(&both, None, 0), []);
    let following = |sessions: &[SessionId], after: &MessageRow, limit| {
        bench
            .store
            .following(sessions, &after.order, limit)
            .unwrap()
    };
    assert_eq!(following(&both, &ordered[0], 9), ordered[1..]);
    assert_eq!(following(&both, &ordered[1], 1), ordered[2..3]);
    assert_eq!(following(&one, &rows[1], 9), [rows[3], rows[0]]);
    assert_eq!(following(&both, &ordered[3], 9), []);
    let chain = |row: &MessageRow, before, limit| {
        let author = row.order.author;
        bench
            .store
            .chain_back(row.session, author, before, limit)
            .unwrap()
    };
    assert_eq!(chain(&rows[2], u64::MAX >> 1, 9), [rows[2]]);
    assert_eq!(chain(&rows[2], rows[2].order.seq, 9), []);
    assert_eq!(chain(&rows[2], u64::MAX, 0), []);
}

fn hidden_messages_are_left_out<S: ChatStore>(mut bench: Bench<'_, S>) {
    let shown = bench.row(1, 1, 10);
    let hidden = MessageRow {
        hidden: true,
        ..bench.row(2, 1, 20)
    };
    let store = &mut bench.store;
    store.add_message(&shown).unwrap();
    store.add_message(&hidden).unwrap();
    assert_eq!(store.history(&[session(1)], None, 1).unwrap(), [shown]);
    assert_eq!(store.message(hidden.id).unwrap(), Some(hidden));
    store.set_hidden(hidden.id, false).unwrap();
    store.set_hidden(shown.id, true).unwrap();
    store.set_hidden(EventId::from([99; 32]), true).unwrap();
    let now = MessageRow {
        hidden: false,
        ..hidden
    };
    assert_eq!(store.history(&[session(1)], None, 9).unwrap(), [now]);
}

fn what_was_done_to_a_session_is_shown_and_is_no_message<S: ChatStore>(mut bench: Bench<'_, S>) {
    let told = MessageRow {
        told: true,
        ..bench.row(1, 1, 10)
    };
    let store = &mut bench.store;
    store.add_message(&told).unwrap();
    for hidden in [true, false] {
        store.set_hidden(told.id, hidden).unwrap();
        let now = MessageRow { hidden, ..told };
        assert_eq!(store.message(told.id).unwrap(), Some(now));
        let shown = store.history(&[session(1)], None, 9).unwrap();
        assert_eq!(shown.len(), usize::from(!hidden));
        let chain = store.chain_back(told.session, told.order.author, u64::MAX >> 1, 9);
        assert_eq!(chain.unwrap(), []);
    }
}

fn a_message_is_forgotten_with_what_was_done_to_it<S: ChatStore>(mut bench: Bench<'_, S>) {
    let (gone, kept) = (bench.row(1, 1, 10), bench.row(2, 1, 20));
    for row in [&gone, &kept] {
        bench.store.add_message(row).unwrap();
        let mut overlay = Overlay::default();
        overlay.merge(
            &Action::Unsend(Unsend::new(row.id)),
            row.order,
            row.identity,
        );
        bench
            .store
            .put_overlay(row.session, row.id, &overlay)
            .unwrap();
        let reference = Reference {
            session: row.session,
            target: row.id,
            event: EventId::from([7; 32]),
            identity: row.identity,
        };
        bench.store.add_reference(&reference).unwrap();
    }
    bench.store.remove_message(gone.session, gone.id).unwrap();
    bench.store.remove_message(gone.session, gone.id).unwrap();
    let left = |row: &MessageRow| {
        let message = bench.store.message(row.id).unwrap().is_some();
        let overlay = bench.store.overlay(row.session, row.id).unwrap().is_some();
        (
            message,
            overlay,
            bench.store.references(row.session, row.id).unwrap().len(),
        )
    };
    assert_eq!(left(&gone), (false, false, 0));
    assert_eq!(left(&kept), (true, true, 1));
    let shown = bench.store.history(&[gone.session], None, 9).unwrap();
    assert_eq!(shown, [kept]);
}

fn messages_are_found_by_a_range_of_ids<S: ChatStore>(mut bench: Bench<'_, S>) {
    let mut rows: Vec<_> = (1..=5).map(|n| bench.row(n, 1 + n % 2, 10)).collect();
    // One is in the log and is no message.
    let other = bench.row(6, 1, 10).id;
    for row in &rows {
        bench.store.add_message(row).unwrap();
    }
    rows.sort_by_key(|row| row.id);
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let (least, greatest) = (EventId::from([0; 32]), EventId::from([255; 32]));
    let between = |store: &S, first, last, limit| store.messages_between(first, last, limit);
    let store = &mut bench.store;
    assert_eq!(between(store, least, greatest, 9).unwrap(), ids);
    assert_eq!(between(store, least, greatest, 2).unwrap(), ids[..2]);
    assert_eq!(between(store, ids[1], ids[3], 9).unwrap(), ids[1..=3]);
    assert_eq!(between(store, ids[2], ids[2], 9).unwrap(), [ids[2]]);
    assert_eq!(between(store, ids[3], ids[1], 9).unwrap(), []);
    assert_eq!(between(store, other, other, 9).unwrap(), []);
    // Ids that differ in their last byte only.
    let mut near: [u8; 32] = ids[2].into();
    near[31] ^= 1;
    let near = EventId::from(near);
    assert_eq!(between(store, near, near, 9).unwrap(), []);
    store.set_hidden(ids[2], true).unwrap();
    assert_eq!(between(store, ids[2], ids[3], 9).unwrap(), [ids[3]]);
}

fn overlays_are_kept_per_session_and_target<S: ChatStore>(mut bench: Bench<'_, S>) {
    let order = bench.row(1, 1, 10).order;
    let store = &mut bench.store;
    let (one, two) = (EventId::from([1; 32]), EventId::from([2; 32]));
    let overlay = |n| {
        let mut overlay = Overlay::default();
        overlay.merge(
            &Action::Unsend(Unsend::new(one)),
            order,
            IdentityId::from([n; 32]),
        );
        overlay
    };
    assert_eq!(store.overlay(session(1), one).unwrap(), None);
    store.put_overlay(session(1), one, &overlay(1)).unwrap();
    store.put_overlay(session(2), one, &overlay(2)).unwrap();
    store.put_overlay(session(1), two, &overlay(3)).unwrap();
    assert_eq!(store.overlay(session(1), one).unwrap(), Some(overlay(1)));
    assert_eq!(store.overlay(session(2), one).unwrap(), Some(overlay(2)));
    assert_eq!(store.overlay(session(2), two).unwrap(), None);
    store
        .put_overlay(session(1), one, &Overlay::default())
        .unwrap();
    assert!(
        store
            .overlay(session(1), one)
            .unwrap()
            .unwrap_or_default()
            .is_empty()
    );
}

fn references_are_a_set<S: ChatStore>(mut bench: Bench<'_, S>) {
    let (one, two) = (EventId::from([1; 32]), EventId::from([2; 32]));
    let mut reference = |writer, of, target| {
        let MessageRow {
            id: event,
            identity,
            session,
            ..
        } = bench.row(writer, of, 10);
        Reference {
            session,
            target,
            event,
            identity,
        }
    };
    let mut all = [(5, 1, one), (6, 1, one), (7, 1, two), (8, 2, one)]
        .map(|(writer, of, target)| reference(writer, of, target));
    all.sort_unstable();
    for reference in all.iter().rev().chain(&all) {
        bench.store.add_reference(reference).unwrap();
    }
    let of = |session, target| {
        let fits = |known: &&Reference| known.session == session && known.target == target;
        all.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    for (n, target, count) in [(1, one, 2), (1, two, 1), (2, one, 1), (2, two, 0)] {
        let found = bench.store.references(session(n), target).unwrap();
        assert_eq!(found, of(session(n), target));
        assert_eq!(found.len(), count);
    }
}

fn the_log_says_what_counts<S: ChatStore>(mut bench: Bench<'_, S>) {
    let event = Writer::new(1, 1).text("hi");
    assert!(bench.store.logged(event.id()).unwrap().is_none());
    for counts in [true, false, true] {
        let position = (bench.log)(&mut bench.store, &event, counts);
        let at = bench.store.logged_at(position).unwrap();
        assert_eq!(at.map(|event| event.id()), Some(event.id()));
        let (logged, standing) = bench.store.logged(event.id()).unwrap().unwrap();
        assert_eq!(
            (logged.id(), logged.body(), standing),
            (event.id(), event.body(), counts)
        );
    }
}

impl<S: ChatStore> Bench<'_, S> {
    /// The row of a text that is in the log, by `writer` at `time`.
    fn row(&mut self, writer: u8, session: u8, time: u64) -> MessageRow {
        let mut writer = Writer::new(writer, session);
        writer.time = time;
        let event = writer.text("hi");
        let position = (self.log)(&mut self.store, &event, true);
        MessageRow {
            id: event.id(),
            session: event.session(),
            position,
            order: event.order(),
            identity: writer.identity,
            hidden: false,
            told: false,
        }
    }
}

fn session(n: u8) -> SessionId {
    SessionId::from([n; 32])
}
