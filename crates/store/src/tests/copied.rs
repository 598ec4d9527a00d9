//! A copy of a store for another device (STORE-701).

use tenet_delivery::outbox::Outbox;
use tenet_identity::{
    card,
    keys::{DeviceKey, IdentityKey},
    secrets::Secrets,
};
use tenet_log::store::Durability;
use zeroize::Zeroizing;

use super::{NOW, Talk, Transactions, is_whole, open, texts};

fn secrets(device: u8) -> Secrets {
    let identity = IdentityKey::from_seed([1; 32]);
    let device = DeviceKey::from_seed([device; 32]);
    let card = card::issue(&identity, device.public(), "laptop", NOW).unwrap();
    Secrets {
        phrase: None,
        index: 0,
        identity: Some(identity),
        device,
        endpoint: Zeroizing::new([8; 32]),
        card,
    }
}

#[test]
fn what_was_said_stays_and_what_one_device_owes_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.put_secrets(&secrets(2)).unwrap();
    store.put_port(4000).unwrap();
    let mut talk = Talk::found(&mut store);
    for text in ["one", "two", "three"] {
        talk.commit(&mut store, text).unwrap();
    }
    let device = DeviceKey::from_seed([2; 32]).public();
    let waiting = store.waiting().unwrap();
    assert_eq!(waiting.len(), 1);
    let author = talk.session.roster().author(device).unwrap();
    store.begin().unwrap();
    let theirs = waiting[0].0;
    let acknowledged = store.acknowledge(talk.id(), author, 2, theirs).unwrap();
    store.commit(Durability::Power).unwrap();
    assert!(!acknowledged.is_empty());

    store.leave_device(&secrets(5)).unwrap();
    let new = store.secrets().unwrap().unwrap();
    assert_eq!(new.device.public(), DeviceKey::from_seed([5; 32]).public());
    assert_eq!(store.port().unwrap(), None);
    assert_eq!(
        (store.pending_events().unwrap(), store.waiting().unwrap()),
        (0, Vec::new())
    );
    assert_eq!(texts(&store, talk.id()), ["one", "two", "three"]);
    let rows = store
        .db
        .query_row("SELECT count(*) FROM dispatch", [], |row| row.get(0));
    let rows: i64 = rows.unwrap();
    assert_eq!(rows, acknowledged.len() as i64);
    assert!(is_whole(&store));
    drop(store);
    let log = folder.path().join("store.db-wal");
    assert_eq!(log.metadata().map_or(0, |log| log.len()), 0);
    assert_eq!(texts(&open(folder.path()), talk.id()).len(), 3);
}
