//! What every outbox does, told as short stories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::{Author, EventId, SessionId},
    store::Position,
};

use crate::{
    outbox::{Acked, Dispatch, Outbox, Outgoing, Recipient},
    state::Failure,
};

const START: Position = Position(0);
const ALL: usize = 100;

/// Runs the suite, each story on an outbox of its own.
///
/// # Panics
/// Where the outbox does something else.
pub fn conformance<O: Outbox>(mut make: impl FnMut() -> O) {
    rows_wait_until_acknowledged(&mut make());
    queueing_again_changes_nothing(&mut make());
    one_acknowledgement_settles_a_range(&mut make());
    own_devices_deliver_nothing(&mut make());
    pages_follow_positions(&mut make());
    whoever_comes_in_later_gets_what_waited(&mut make());
    whoever_leaves_is_waited_for_no_more(&mut make());
    what_failed_is_sent_no_more(&mut make());
    of_many_it_is_counted_who_has_it(&mut make());
}

fn rows_wait_until_acknowledged(outbox: &mut impl Outbox) {
    let event = outgoing(1, 1, 0);
    outbox.queue(&event, &[receiver(1), receiver(2)]).unwrap();
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), [event]);
    assert_eq!(outbox.waiting().unwrap(), [(device(1), 1), (device(2), 1)]);
    assert_eq!(outbox.pending_events().unwrap(), 1);
    let dispatch = |acknowledged| {
        Some(Dispatch {
            copies: 2,
            acknowledged,
            failure: None,
        })
    };
    assert_eq!(outbox.dispatch(event.position).unwrap(), dispatch(0));

    assert_eq!(acknowledge(outbox, &event, 1), [acked(&event, true)]);
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), []);
    assert_eq!(outbox.pending(device(2), START, ALL).unwrap(), [event]);
    assert_eq!(outbox.dispatch(event.position).unwrap(), dispatch(1));

    assert_eq!(acknowledge(outbox, &event, 2), [acked(&event, false)]);
    assert_eq!(outbox.dispatch(event.position).unwrap(), dispatch(2));
    assert_eq!(outbox.pending_events().unwrap(), 0);
    assert_eq!(outbox.waiting().unwrap(), []);
    assert_eq!(
        acknowledge(outbox, &event, 2),
        [],
        "a second time is nothing new"
    );
    assert_eq!(outbox.dispatch(Position(999)).unwrap(), None);
}

fn queueing_again_changes_nothing(outbox: &mut impl Outbox) {
    let event = outgoing(1, 1, 0);
    for _ in 0..2 {
        outbox.queue(&event, &[receiver(1)]).unwrap();
    }
    assert_eq!(outbox.dispatch(event.position).unwrap().unwrap().copies, 1);
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), [event]);
    outbox.queue(&event, &[receiver(1), receiver(2)]).unwrap();
    assert_eq!(outbox.dispatch(event.position).unwrap().unwrap().copies, 2);
}

/// DEL-15.
fn of_many_it_is_counted_who_has_it(outbox: &mut impl Outbox) {
    let event = outgoing(1, 1, 0);
    outbox.reach(event.event, 1, 9).unwrap();
    assert_eq!(outbox.dispatch(event.position).unwrap(), None);
    outbox.queue(&event, &[receiver(1)]).unwrap();
    let dispatch = |outbox: &mut dyn Outbox| {
        let dispatch = outbox.dispatch(event.position).unwrap().unwrap();
        (dispatch.acknowledged, dispatch.copies)
    };
    outbox.reach(event.event, 0, 900).unwrap();
    assert_eq!(dispatch(outbox), (0, 900));
    assert_eq!(acknowledge(outbox, &event, 1), [acked(&event, true)]);
    outbox.reach(event.event, 52, 900).unwrap();
    assert_eq!(dispatch(outbox), (52, 900));
    // Counts come in any order, and only grow.
    outbox.reach(event.event, 40, 900).unwrap();
    assert_eq!(dispatch(outbox), (52, 900));
    assert_eq!(outbox.pending_events().unwrap(), 0);
}

fn one_acknowledgement_settles_a_range(outbox: &mut impl Outbox) {
    let mut other_chain = outgoing(4, 1, 0);
    other_chain.author.added_by = EventId::from([77; 32]);
    let events = [outgoing(1, 1, 0), outgoing(2, 1, 1), outgoing(3, 1, 2)];
    let others = [other_chain, outgoing(5, 2, 0)];
    for event in events.iter().chain(&others) {
        outbox.queue(event, &[receiver(1)]).unwrap();
    }
    let settled = acknowledge(outbox, &events[1], 1);
    assert_eq!(settled, [acked(&events[0], true), acked(&events[1], true)]);
    let left = [events[2], others[0], others[1]];
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), left);
    assert_eq!(
        acknowledge(outbox, &events[2], 1),
        [acked(&events[2], true)]
    );
}

fn own_devices_deliver_nothing(outbox: &mut impl Outbox) {
    let event = outgoing(1, 1, 0);
    let own = Recipient {
        device: device(3),
        receiver: false,
    };
    outbox.queue(&event, &[receiver(1), own]).unwrap();
    assert_eq!(outbox.pending(device(3), START, ALL).unwrap(), [event]);
    assert_eq!(acknowledge(outbox, &event, 3), [acked(&event, false)]);
    let waits = Dispatch {
        copies: 1,
        acknowledged: 0,
        failure: None,
    };
    assert_eq!(outbox.dispatch(event.position).unwrap(), Some(waits));
    assert_eq!(acknowledge(outbox, &event, 1), [acked(&event, true)]);
}

fn pages_follow_positions(outbox: &mut impl Outbox) {
    let events: Vec<_> = (1..=5)
        .map(|n| outgoing(n, 1 + (n % 2) as u8, n as u64))
        .collect();
    for event in events.iter().rev() {
        outbox.queue(event, &[receiver(1)]).unwrap();
    }
    assert_eq!(outbox.pending(device(1), START, 2).unwrap(), events[..2]);
    assert_eq!(
        outbox.pending(device(1), Position(2), 2).unwrap(),
        events[2..4]
    );
    assert_eq!(
        outbox.pending(device(1), Position(4), 2).unwrap(),
        events[4..]
    );
    let of_session_2 = [events[0], events[2], events[4]];
    assert_eq!(
        outbox.undelivered(session(2), START, ALL).unwrap(),
        of_session_2
    );
    assert_eq!(
        outbox.undelivered(session(2), Position(1), 1).unwrap(),
        of_session_2[1..2]
    );
}

fn whoever_comes_in_later_gets_what_waited(outbox: &mut impl Outbox) {
    let (early, settled) = (outgoing(1, 1, 0), outgoing(2, 1, 1));
    outbox.queue(&early, &[]).unwrap();
    assert_eq!(
        outbox.dispatch(early.position).unwrap(),
        Some(Dispatch::default())
    );
    assert_eq!(outbox.pending_events().unwrap(), 0);
    outbox.queue(&settled, &[receiver(1)]).unwrap();
    acknowledge(outbox, &settled, 1);
    assert_eq!(outbox.undelivered(session(1), START, ALL).unwrap(), [early]);
    outbox.queue(&early, &[receiver(2)]).unwrap();
    assert_eq!(outbox.pending(device(2), START, ALL).unwrap(), [early]);
    assert_eq!(acknowledge(outbox, &early, 2), [acked(&early, true)]);
    assert_eq!(outbox.undelivered(session(1), START, ALL).unwrap(), []);
}

fn whoever_leaves_is_waited_for_no_more(outbox: &mut impl Outbox) {
    let (alone, shared, elsewhere) = (outgoing(1, 1, 0), outgoing(2, 1, 1), outgoing(3, 2, 0));
    outbox.queue(&alone, &[receiver(1)]).unwrap();
    outbox.queue(&shared, &[receiver(1), receiver(2)]).unwrap();
    outbox.queue(&elsewhere, &[receiver(1)]).unwrap();
    assert_eq!(outbox.forget(session(1), device(1)).unwrap(), [alone.event]);
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), [elsewhere]);
    assert_eq!(outbox.dispatch(shared.position).unwrap().unwrap().copies, 1);
    acknowledge(outbox, &shared, 2);
    assert_eq!(outbox.forget(session(1), device(2)).unwrap(), []);
    let had_it = Dispatch {
        copies: 1,
        acknowledged: 1,
        failure: None,
    };
    assert_eq!(outbox.dispatch(shared.position).unwrap(), Some(had_it));
}

fn what_failed_is_sent_no_more(outbox: &mut impl Outbox) {
    let event = outgoing(1, 1, 0);
    outbox.queue(&event, &[receiver(1), receiver(2)]).unwrap();
    outbox.fail(event.event, Failure::Expired).unwrap();
    outbox
        .fail(EventId::from([9; 32]), Failure::Expired)
        .unwrap();
    assert_eq!(outbox.pending(device(1), START, ALL).unwrap(), []);
    assert_eq!(outbox.undelivered(session(1), START, ALL).unwrap(), []);
    assert_eq!(outbox.pending_events().unwrap(), 0);
    let failed = Dispatch {
        copies: 2,
        acknowledged: 0,
        failure: Some(Failure::Expired),
    };
    assert_eq!(outbox.dispatch(event.position).unwrap(), Some(failed));
}

fn acknowledge(outbox: &mut impl Outbox, event: &Outgoing, by: u8) -> Vec<Acked> {
    outbox
        .acknowledge(event.session, event.author, event.seq, device(by))
        .unwrap()
}

fn acked(event: &Outgoing, first: bool) -> Acked {
    Acked {
        event: event.event,
        first,
    }
}

fn outgoing(position: i64, of: u8, seq: u64) -> Outgoing {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&position.to_be_bytes());
    Outgoing {
        position: Position(position),
        session: session(of),
        author: Author {
            device: device(200),
            added_by: EventId::from([100 + of; 32]),
        },
        seq,
        event: EventId::from(id),
    }
}

fn receiver(n: u8) -> Recipient {
    Recipient {
        device: device(n),
        receiver: true,
    }
}

fn device(n: u8) -> DeviceId {
    DeviceId::from([n; 32])
}

fn session(n: u8) -> SessionId {
    SessionId::from([n; 32])
}
