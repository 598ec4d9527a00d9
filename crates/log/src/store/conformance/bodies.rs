//! What becomes of bodies: erased, expired, lacking.

use super::{Writer, ids};
use crate::{
    event::{Content, Event, Header},
    ids::EventId,
    standing::Standing,
    store::{LogStore, Stored},
};

pub(super) fn what_is_mended_stays_where_it_was<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let [one, two] = [writer.event(0, 1), writer.event(1, 2)];
    for event in [&one, &two] {
        store.insert(event, Standing::OffRoster).unwrap();
    }
    let seen = |stored: Stored| (stored.position, stored.standing, stored.event.to_wire());
    let before = store.event(one.id()).unwrap().map(seen);
    store.mend(&one).unwrap();
    assert_eq!(store.event(one.id()).unwrap().map(seen), before);
    // What is not there is not put there.
    let other = Writer::new(1, 2).event(0, 9);
    store.mend(&other).unwrap();
    assert!(store.event(other.id()).unwrap().is_none());
}

pub(super) fn an_erased_body_is_gone_and_may_come_back<S: LogStore>(mut store: S) {
    let writer = Writer::new(1, 1);
    let (event, other) = (writer.say(0, 1, b"said"), writer.say(1, 2, b"kept"));
    let position = store.insert(&event, Standing::OffRoster).unwrap();
    store.insert(&other, Standing::Counted).unwrap();
    store.erase(event.id()).unwrap();
    store.erase(EventId::from([9; 32])).unwrap();
    let stored = store.event(event.id()).unwrap().unwrap();
    assert!(stored.event.is_bare());
    assert_eq!(stored.event.to_wire(), event.bare().to_wire());
    assert_eq!(
        (stored.position, stored.standing),
        (position, Standing::OffRoster)
    );
    assert!(!store.event(other.id()).unwrap().unwrap().event.is_bare());
    store.mend(&event).unwrap();
    let stored = store.event(event.id()).unwrap().unwrap();
    assert_eq!(stored.event.to_wire(), event.to_wire());
    // One that came without its body is kept so.
    let bare = writer.say(2, 3, b"far away").bare();
    store.insert(&bare, Standing::Counted).unwrap();
    assert!(store.event(bare.id()).unwrap().unwrap().event.is_bare());
}

pub(super) fn what_expires_is_listed_until_it_is_settled<S: LogStore>(mut store: S) {
    let (one, two) = (Writer::new(1, 1), Writer::new(2, 2));
    let late = one.say_until(0, 1, 700);
    let soon = two.say_until(0, 2, 500);
    let same = one.say_until(1, 3, 500).bare();
    let payload = one.sign_until(2, 4, Content::Payload(vec![1]), 1);
    for event in [&late, &soon, &same, &payload, &one.say(3, 5, b"for good")] {
        store.insert(event, Standing::Counted).unwrap();
    }
    assert_eq!(store.next_expiry().unwrap(), Some(500));
    assert!(store.expired(499, 9).unwrap().is_empty());
    let due = store.expired(500, 9).unwrap();
    let mut expected = [soon.id(), same.id()];
    expected.sort_unstable();
    let mut found = ids(&due);
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(store.expired(u64::MAX, 2).unwrap().len(), 2);
    for id in expected {
        store.erase(id).unwrap();
        store.settle_expiry(id).unwrap();
    }
    assert!(store.expired(699, 9).unwrap().is_empty());
    assert_eq!(store.next_expiry().unwrap(), Some(700));
    // Taken back before its time: its place is still to be cleared then.
    store.erase(late.id()).unwrap();
    assert_eq!(ids(&store.expired(700, 9).unwrap()), [late.id()]);
    store.settle_expiry(late.id()).unwrap();
    assert_eq!(store.next_expiry().unwrap(), None);
}

pub(super) fn what_lacks_its_body_is_remembered<S: LogStore>(mut store: S) {
    let (one, two) = (Writer::new(1, 1), Writer::new(2, 2));
    let events = [0, 1, 2].map(|seq| one.say(seq, seq + 1, b"a").bare());
    let other = two.say(0, 1, b"b").bare();
    let (session, none) = (events[0].session(), EventId::from([0; 32]));
    for event in events.iter().chain([&other]) {
        store.insert(event, Standing::Counted).unwrap();
        assert!(!store.is_lacking(event.id()).unwrap());
        store.set_lacking(event.id(), true).unwrap();
        store.set_lacking(event.id(), true).unwrap();
        assert!(store.is_lacking(event.id()).unwrap());
    }
    let mut sessions = store.lacking_sessions().unwrap();
    sessions.sort_unstable();
    let mut expected = [session, other.session()];
    expected.sort_unstable();
    assert_eq!(sessions, expected);
    let mut ids = events.each_ref().map(Event::id);
    ids.sort_unstable();
    assert_eq!(store.lacking(session, none, 9).unwrap(), ids);
    assert_eq!(store.lacking(session, none, 2).unwrap(), ids[..2]);
    assert_eq!(store.lacking(session, ids[0], 9).unwrap(), ids[1..]);
    for event in &events {
        store.set_lacking(event.id(), false).unwrap();
        assert!(!store.is_lacking(event.id()).unwrap());
    }
    store.set_lacking(EventId::from([9; 32]), false).unwrap();
    assert_eq!(store.lacking(session, none, 9).unwrap(), []);
    assert_eq!(store.lacking_sessions().unwrap(), [other.session()]);
}

impl Writer {
    fn say_until(&self, seq: u64, millis: u64, expires: u64) -> Event {
        let said = self.say(seq, millis, b"for a while");
        let content = said.header().content.clone();
        let header = Header {
            expires: Some(expires),
            ..self.header(seq, millis, content)
        };
        Event::sign(&self.key, header, said.body().cloned())
    }

    fn sign_until(&self, seq: u64, millis: u64, content: Content, expires: u64) -> Event {
        let header = Header {
            expires: Some(expires),
            ..self.header(seq, millis, content)
        };
        Event::sign(&self.key, header, None)
    }
}
