//! What every contact store does: it keeps records by their keys, and lists them in order.
#![allow(clippy::unwrap_used)]

use tenet_identity::{
    keys::{DeviceId, EndpointId, IdentityId},
    meeting::invite::{InviteId, Secret},
};
use tenet_log::ids::SessionId;

use super::{invite_key, link};
use crate::contacts::{
    Answered, Contact, Endpoint, Invite, Knocking, Request,
    contact::{Share, Verification, Warning},
    knocking,
    request::{Decision, RequestId},
    store::ContactStore,
};

/// Runs the suite, each story on a store of its own.
///
/// # Panics
/// Where the store does something else.
pub fn conformance<S: ContactStore>(mut make: impl FnMut() -> S) {
    contacts_are_kept(&mut make());
    invites_are_kept(&mut make());
    knockings_are_kept(&mut make());
    answers_are_kept(&mut make());
    requests_are_kept(&mut make());
}

fn contacts_are_kept(store: &mut impl ContactStore) {
    let contact = |n: u8| {
        Contact::new(
            IdentityId::from([n; 32]),
            format!("c{n}"),
            "nick".into(),
            u64::from(n),
        )
    };
    let (a, b) = (contact(1), contact(2));
    assert_eq!(store.contact(a.identity).unwrap(), None);
    store.put_contact(&b).unwrap();
    store.put_contact(&a).unwrap();
    assert_eq!(store.contacts().unwrap(), [a.clone(), b.clone()]);
    let mut changed = contact(2);
    let share = |n| Share {
        device: DeviceId::from([n; 32]),
        nonce: [n; 32],
    };
    let session = SessionId::from([7; 32]);
    changed.met(Verification {
        mine: share(1),
        theirs: share(2),
        session,
    });
    (changed.verified, changed.blocked) = (Some(9), true);
    changed.warning = Some(Warning::LinkReused { at: 8 });
    store.put_contact(&changed).unwrap();
    assert_eq!(store.contact(b.identity).unwrap(), Some(changed.clone()));
    for _ in 0..2 {
        store.remove_contact(a.identity).unwrap();
    }
    assert_eq!(store.contacts().unwrap(), std::slice::from_ref(&changed));
    store.put_former(&a).unwrap();
    assert_eq!(store.former(a.identity).unwrap(), Some(a.clone()));
    assert_eq!(store.former(b.identity).unwrap(), None);
    assert_eq!(store.contacts().unwrap(), [changed]);
    for _ in 0..2 {
        store.remove_former(a.identity).unwrap();
    }
    assert_eq!(store.former(a.identity).unwrap(), None);
}

fn invites_are_kept(store: &mut impl ContactStore) {
    let invite = |n| Invite::new(invite_key(n), Secret::from([n; 16]), false, 1, 1_000);
    let mut known = [invite(1), invite(2)];
    known.sort_by_key(Invite::id);
    let [mut a, b] = known;
    assert_eq!(store.invite(a.id()).unwrap(), None);
    store.put_invite(&b).unwrap();
    store.put_invite(&a).unwrap();
    assert_eq!(store.invites().unwrap(), [a.clone(), b.clone()]);
    a.admit(5, DeviceId::from([1; 32]), IdentityId::from([1; 32]))
        .unwrap();
    a.admit(6, DeviceId::from([2; 32]), IdentityId::from([2; 32]))
        .unwrap_err();
    a.name = Some("Bert".into());
    store.put_invite(&a).unwrap();
    assert_eq!(store.invite(a.id()).unwrap(), Some(a.clone()));
    for _ in 0..2 {
        store.remove_invite(b.id()).unwrap();
    }
    assert_eq!(store.invites().unwrap(), [a]);
}

fn knockings_are_kept(store: &mut impl ContactStore) {
    let knocking = |n| Knocking::new(link(n), None, [n; 32], 1);
    let mut known = [knocking(1), knocking(2)];
    known.sort_by_key(Knocking::id);
    let [mut a, b] = known;
    assert_eq!(store.knocking(a.id()).unwrap(), None);
    store.put_knocking(&b).unwrap();
    store.put_knocking(&a).unwrap();
    assert_eq!(store.knockings().unwrap(), [a.clone(), b.clone()]);
    a.state = knocking::State::Connected {
        session: SessionId::from([3; 32]),
    };
    a.name = Some("Anna".into());
    store.put_knocking(&a).unwrap();
    assert_eq!(store.knocking(a.id()).unwrap(), Some(a.clone()));
    for _ in 0..2 {
        store.remove_knocking(b.id()).unwrap();
    }
    assert_eq!(store.knockings().unwrap(), [a]);
}

fn answers_are_kept(store: &mut impl ContactStore) {
    let answered = |invite: u8, device: u8| Answered {
        invite: InviteId::from([invite; 16]),
        device: DeviceId::from([device; 32]),
        identity: IdentityId::from([device; 32]),
        nickname: "nick".into(),
        commitment: [1; 32],
        nonce: [2; 32],
        founding: vec![3; 300],
        at: 4,
        opened: false,
    };
    let (mut a, b, c) = (answered(1, 1), answered(1, 2), answered(2, 1));
    assert_eq!(store.answered(a.invite, a.device).unwrap(), None);
    for answer in [&c, &b, &a] {
        store.put_answered(answer).unwrap();
    }
    assert_eq!(
        store.all_answered(a.invite).unwrap(),
        [a.clone(), b.clone()]
    );
    a.opened = true;
    store.put_answered(&a).unwrap();
    assert_eq!(store.answered(a.invite, a.device).unwrap(), Some(a.clone()));
    for _ in 0..2 {
        store.remove_answered(b.invite, b.device).unwrap();
    }
    assert_eq!(store.all_answered(a.invite).unwrap(), [a]);
    assert_eq!(store.all_answered(c.invite).unwrap(), [c]);
    assert_eq!(store.all_answered(InviteId::from([9; 16])).unwrap(), []);
}

fn requests_are_kept(store: &mut impl ContactStore) {
    let request = |invite: u8, identity: u8| Request {
        id: RequestId::from([identity; 8]),
        invite: InviteId::from([invite; 16]),
        identity: IdentityId::from([identity; 32]),
        device: DeviceId::from([identity; 32]),
        place: Endpoint::new(EndpointId::from([5; 32]), &[], 0),
        name: "nick".into(),
        remark: None,
        first: 1,
        last: 2,
        decision: Decision::Waiting,
    };
    let (mut a, b, c) = (request(1, 1), request(1, 2), request(2, 1));
    assert_eq!(store.request(a.invite, a.identity).unwrap(), None);
    for request in [&c, &b, &a] {
        store.put_request(request).unwrap();
    }
    a.decision = Decision::Rejected {
        remark: Some("no".into()),
    };
    store.put_request(&a).unwrap();
    let known = store.request(a.invite, a.identity).unwrap();
    assert_eq!(known, Some(a.clone()));
    for _ in 0..2 {
        store.remove_request(b.invite, b.identity).unwrap();
    }
    assert_eq!(store.requests().unwrap(), [a, c]);
}
