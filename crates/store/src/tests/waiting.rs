//! What waits to be delivered, as a person counts it.

use tenet_delivery::outbox::{Outbox, Outgoing, Recipient};
use tenet_identity::keys::DeviceId;
use tenet_log::store::{LogStore, Position, Transactions};

use super::Talk;
use crate::Store;

#[test]
fn messages_that_wait_are_told_from_other_events() {
    let mut store = Store::in_memory().unwrap();
    let mut talk = Talk::found(&mut store);
    store.begin().unwrap();
    let founding = store.since(talk.id(), Position(0), 1).unwrap().remove(0);
    let outgoing = Outgoing {
        position: founding.position,
        session: talk.id(),
        author: founding.event.author(),
        seq: founding.event.header().seq,
        event: founding.event.id(),
    };
    let recipients = [8, 9].map(|n| Recipient {
        device: DeviceId::from([n; 32]),
        receiver: true,
    });
    store.queue(&outgoing, &recipients).unwrap();
    talk.say(&mut store, "one");
    talk.say(&mut store, "two");
    let waiting = |store: &Store| {
        (
            store.pending_events().unwrap(),
            store.pending_messages().unwrap(),
        )
    };
    assert_eq!(waiting(&store), (3, 2));
    let author = founding.event.author();
    store
        .acknowledge(talk.id(), author, 1, DeviceId::from([9; 32]))
        .unwrap();
    assert_eq!(waiting(&store), (2, 1));
}
