//! Stores of every earlier format open, become this one, and are read by every trait (STORE-12).
//!
//! `vN.sql` is a small store as a program of format `N` leaves it; it is never changed. A new migration
//! needs one of its own, or this fails:
//! `TENET_FORMAT=write cargo test -p tenet-store formats` writes that of the present format.

use std::path::PathBuf;

use rusqlite::Connection;
use tenet_apps::{
    chat::{
        Action,
        fold::{self, Entry},
        react::{Emoji, React},
        store::ChatStore,
    },
    contacts::{Answered, Contact, Invite, Knocking, store::ContactStore, testing},
    settings::{SettingStore, Settings},
};
use tenet_delivery::{
    fetch::{Fetch, FetchState, Fetches},
    outbox::Outbox,
};
use tenet_identity::{
    keys::{DeviceId, DeviceKey, IdentityId},
    meeting::invite::Secret,
};
use tenet_log::{
    clock::Hlc,
    event::Unverified,
    ids::BlobId,
    register::Register,
    session::{Receipt, Session},
    standing::Standing,
    store::{Durability, LogStore, Position, Transactions},
};

use super::{KEY, NOW, Talk, open, texts};
use crate::{Store, schema};

const FRIEND: [u8; 32] = [5; 32];

/// The texts that are said.
const SAID: [&str; 3] = ["one", "two", "three"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tests/formats")
}

#[test]
fn a_store_of_every_format_becomes_this_one() {
    if std::env::var("TENET_FORMAT").as_deref() == Ok("write") {
        let sql = dump(&told());
        let name = format!("v{}.sql", schema::VERSION);
        std::fs::write(folder().join(name), sql).unwrap();
    }
    let fresh = tables(&Store::in_memory().unwrap().db);
    for version in 1..=schema::VERSION {
        let name = format!("v{version}.sql");
        let sql = std::fs::read_to_string(folder().join(&name)).unwrap_or_else(|_| {
            panic!("{name} is missing: TENET_FORMAT=write cargo test -p tenet-store formats")
        });
        assert!(sql.ends_with(&format!("PRAGMA user_version = {version};\n")));
        let place = tempfile::tempdir().unwrap();
        Store::make(&place.path().join("store.db"), &KEY, &sql).unwrap();
        let mut store = open(place.path());
        assert_eq!(
            tables(&store.db),
            fresh,
            "{name} has other tables afterwards"
        );
        assert!(store.check_integrity().unwrap().is_empty(), "{name}");
        read(&store, version);
        go_on(&mut store);
    }
}

/// Every table and index, as it was made.
fn tables(db: &Connection) -> Vec<(String, String)> {
    let mut statement = db
        .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// A store in which something of everything is.
fn told() -> Store {
    let mut store = Store::in_memory().unwrap();
    let mut talk = Talk::found(&mut store);
    for text in SAID {
        talk.commit(&mut store, text).unwrap();
    }
    store.begin().unwrap();
    let target = store.history(&[talk.id()], None, 1).unwrap()[0].id;
    let react = Action::React(React::new(target, Emoji::new("👍").unwrap(), true));
    let (event, admitted) = talk
        .session
        .append(
            &mut store,
            &talk.key,
            react.draft().unwrap(),
            NOW,
            &mut talk.rng,
        )
        .unwrap();
    let entry = Entry {
        event: &event,
        position: admitted.position,
        identity: talk.identity,
        counts: true,
    };
    fold::fold(&mut store, &entry).unwrap();
    let time = Hlc::from_millis(NOW);
    let register = Register::sign(&talk.key, talk.id(), "read", time, vec![1]).unwrap();
    store.put_register(&register).unwrap();
    hold(&mut store, &talk);
    meet(&mut store);
    let blob = BlobId::from([6; 32]);
    store
        .put_fetch(&Fetch {
            blob,
            size: 9,
            state: FetchState::Paused,
        })
        .unwrap();
    store.name_blob(blob, talk.id(), admitted.position).unwrap();
    store.commit(Durability::Power).unwrap();
    store
}

/// An event from the future waits.
fn hold(store: &mut Store, talk: &Talk) {
    let mut elsewhere = Store::in_memory().unwrap();
    let mut other = Talk::found(&mut elsewhere);
    let draft = Action::React(React::new([1; 32].into(), Emoji::new("☀").unwrap(), true));
    let (event, _) = other
        .session
        .append(
            &mut elsewhere,
            &other.key,
            draft.draft().unwrap(),
            NOW + 3_600_000,
            &mut other.rng,
        )
        .unwrap();
    let mut session = talk.session.clone();
    let event = Unverified::decode(&event.to_wire())
        .unwrap()
        .verify()
        .unwrap();
    let receipt = session.receive(store, &event, NOW).unwrap();
    assert!(matches!(receipt, Receipt::Held { .. }));
}

/// Records of people.
fn meet(store: &mut Store) {
    let friend = IdentityId::from(FRIEND);
    let device = DeviceKey::from_seed([4; 32]).public();
    store
        .put_contact(&Contact::new(friend, "bert".into(), "b".into(), NOW))
        .unwrap();
    let secret = Secret::from([1; 16]);
    let invite = Invite::new(testing::invite_key(1), secret, true, NOW, NOW + 1);
    store.put_invite(&invite).unwrap();
    let knocking = Knocking::new(testing::link(2), Some("ann".into()), [2; 32], NOW);
    store.put_knocking(&knocking).unwrap();
    let answered = Answered {
        invite: invite.id(),
        device,
        identity: friend,
        nickname: "b".into(),
        commitment: [3; 32],
        nonce: [4; 32],
        founding: vec![5; 20],
        at: NOW,
        opened: true,
    };
    store.put_answered(&answered).unwrap();
    let settings = Settings {
        read_positions: false,
        ..Settings::default()
    };
    store.put_settings(&settings).unwrap();
    store.put_own_name("ann").unwrap();
}

/// What was told, read through every trait.
fn read(store: &Store, version: i64) {
    let sessions = store.sessions().unwrap();
    let [id] = sessions[..] else {
        panic!("{sessions:?}")
    };
    let events = store.since(id, Position::default(), 100).unwrap();
    assert_eq!(events.len(), 5, "a founding, three texts, a reaction");
    for stored in &events {
        assert_eq!(stored.standing, Standing::Counted);
        let wire = stored.event.to_wire();
        Unverified::decode(&wire).unwrap().verify().unwrap();
    }
    let session = Session::load(store, id).unwrap().unwrap();
    assert_eq!(session.frontier().heads().count(), 1);
    assert_eq!(store.operations(id).unwrap().len(), 1);
    let [register] = &store.registers(id).unwrap()[..] else {
        panic!("one register")
    };
    assert_eq!(register.value(), [1]);
    assert_eq!(store.held_count(id).unwrap(), 1);
    assert_eq!(store.due(u64::MAX, 9).unwrap().len(), 1);

    assert_eq!(texts(store, id), SAID);
    let first = store.history(&[id], None, 1).unwrap()[0].id;
    let overlay = store.overlay(id, first).unwrap().unwrap();
    assert_eq!(overlay.reactions().len(), 1);
    assert_eq!(store.references(id, first).unwrap().len(), 1);

    let peer = DeviceId::from([9; 32]);
    assert_eq!(store.waiting().unwrap(), [(peer, 3)]);
    assert_eq!(
        store.pending(peer, Position::default(), 9).unwrap().len(),
        3
    );
    let sent = events[1].position;
    assert_eq!(store.dispatch(sent).unwrap().unwrap().copies, 1);

    let blob = BlobId::from([6; 32]);
    if version >= 2 {
        let fetch = store.fetch(blob).unwrap().unwrap();
        assert_eq!((fetch.size, fetch.state), (9, FetchState::Paused));
        assert_eq!(store.namings(blob).unwrap(), [(id, events[4].position)]);
    } else {
        assert_eq!(store.fetch(blob).unwrap(), None);
    }
    read_people(store);
}

fn read_people(store: &Store) {
    let friend = IdentityId::from(FRIEND);
    let contact = store.contact(friend).unwrap().unwrap();
    assert_eq!(
        (contact.name.as_str(), contact.nickname.as_str()),
        ("bert", "b")
    );
    let [invite] = &store.invites().unwrap()[..] else {
        panic!("one invite")
    };
    assert!(invite.reusable && invite.is_open(NOW));
    assert_eq!(store.knockings().unwrap().len(), 1);
    let answered = store.all_answered(invite.id()).unwrap();
    assert!(answered.len() == 1 && answered[0].opened);
    let settings = store.settings().unwrap();
    assert!(!settings.read_positions && settings.lan);
    assert_eq!(store.own_name().unwrap(), "ann");
}

/// It is not only read: what is said next is kept.
fn go_on(store: &mut Store) {
    let id = store.sessions().unwrap()[0];
    let mut talk = Talk::found(&mut Store::in_memory().unwrap());
    talk.session = Session::load(store, id).unwrap().unwrap();
    talk.commit(store, "four").unwrap();
    assert_eq!(texts(store, id), ["one", "two", "three", "four"]);
}

/// The store as SQL that makes it again.
fn dump(store: &Store) -> String {
    let db = &store.db;
    let mut sql = String::new();
    let mut statement = db
        // The words are an index, made anew from the log; SQLite itself makes the tables under it.
        .prepare(
            "SELECT type, name, sql FROM sqlite_master \
             WHERE sql IS NOT NULL AND name NOT LIKE 'word\\_%' ESCAPE '\\' ORDER BY rowid",
        )
        .unwrap();
    let made: Vec<(String, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (_, _, made) in &made {
        sql.push_str(&format!("{made};\n"));
    }
    let tables = made
        .iter()
        .filter(|(kind, _, sql)| kind == "table" && !sql.starts_with("CREATE VIRTUAL"));
    for (_, name, _) in tables {
        let columns: Vec<String> = db
            .prepare(&format!("PRAGMA table_info({name})"))
            .unwrap()
            .query_map([], |row| row.get(1))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let quoted: Vec<_> = columns.iter().map(|of| format!("quote({of})")).collect();
        let quoted = quoted.join(" || ', ' || ");
        let mut rows = db.prepare(&format!("SELECT {quoted} FROM {name}")).unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for row in rows {
            let row = row.unwrap();
            sql.push_str(&format!("INSERT INTO {name} VALUES ({row});\n"));
        }
    }
    sql.push_str(&format!("PRAGMA user_version = {};\n", schema::VERSION));
    sql
}
