#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::{keys::IdentityKey, meeting::invite::InviteKey};
use data_encoding::HEXLOWER;
use proptest::prelude::*;

#[test]
fn link_snapshot() {
    assert_eq!(
        link().text().as_str(),
        "tenet:A6qHyiK-iwU3jrHHHvMgrXRuHTtii6ebmFn3QeCCVCo4VQLyXb9VKWw6VF44cnYKtw.aHR0cHM6Ly9leGF\
        tcGxlLm9yZy90.jcTwWqgAAQFYIIqI4910CfGV_VLbLTy6XXLKZwm_HZQSG_N0iAG0D29cAlggBAQEBAQEBAQEBA\
        QEBAQEBAQEBAQEBAQEBAQEBAQEBAQDgkbAAAIBEVFSIAENuAAAAAAAAAAAAAAAARFRBFAHBwcHBwcHBwcHBwcHBw\
        cHBRsAAAGjGFxQAAb0B2RBbm5h"
    );
}

/// LINK-1, LINK-3.
#[test]
fn reads_what_it_writes_however_it_was_wrapped() {
    let text = link().text();
    assert_eq!(Link::parse(&text).unwrap(), link());
    let (start, end) = text.split_at(70);
    assert_eq!(
        Link::parse(&format!(" TENET{}\r\n\t{end}\n", &start[5..])).unwrap(),
        link()
    );
    let link = Link::new(*link().invite(), None, link().ext().clone()).unwrap();
    assert!(link.text().contains(".."));
    assert_eq!(Link::parse(&link.text()).unwrap().service(), None);
}

/// LINK-2.
#[test]
fn says_that_the_end_is_missing_wherever_it_was_cut() {
    let text = link().text();
    for end in 0..text.len() {
        let error = Link::parse(&text[..end]).unwrap_err();
        match end {
            0..6 => assert!(matches!(error, Error::NotALink), "{end}: {error:?}"),
            _ => assert!(matches!(error, Error::Truncated), "{end}: {error:?}"),
        }
    }
}

/// LINK-2.
#[test]
fn notices_every_altered_character() {
    let text = link().text();
    for at in 6..text.len() {
        for other in ["A", "z", "_", ".", "é", ""] {
            let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            if altered != *text {
                let error = Link::parse(&altered).unwrap_err();
                assert!(
                    matches!(error, Error::Altered | Error::Truncated),
                    "{at}: {error:?}"
                );
            }
        }
    }
    let last = format!("{}{}", &text[..text.len() - 4], "AAAA");
    assert!(matches!(Link::parse(&last), Err(Error::Altered)));
}

/// LINK-3.
#[test]
fn tells_foreign_newer_and_faulty_links_apart() {
    for foreign in [
        "",
        "hello",
        "https://example.org/",
        "tenet",
        "did:key:z6Mk",
        "tené:",
    ] {
        assert!(
            matches!(Link::parse(foreign), Err(Error::NotALink)),
            "{foreign}"
        );
    }
    assert!(matches!(
        Link::parse(&"tenet:".repeat(1000)),
        Err(Error::TooLong)
    ));
    assert!(matches!(Link::parse("tenet:a.b.c.d"), Err(Error::Altered)));
    let newer = encoded(link().invite.as_bytes(), b"", &[0xa1, 0x00, 0x02]);
    assert!(matches!(
        Link::parse(&newer),
        Err(Error::Newer { version: 2 })
    ));
    let empty = encoded(link().invite.as_bytes(), b"", &[0xa0]);
    assert!(matches!(Link::parse(&empty), Err(Error::Encoding(_))));
    let form = encoding::encode(&Form::of(link().ext()));
    let point = encoded(&[2; 49], b"", &form);
    assert!(matches!(Link::parse(&point), Err(Error::Invite(BadKey))));
    let service = encoded(link().invite.as_bytes(), &[b'x'; 513], &form);
    let limit = Link::parse(&service).unwrap_err();
    assert!(matches!(
        limit,
        Error::Limit(LimitError::Service { got: 513 })
    ));
    let service = encoded(link().invite.as_bytes(), &[0xff], &form);
    assert!(matches!(Link::parse(&service), Err(Error::Altered)));
}

/// LINK-1, LINK-3.
#[test]
fn keeps_its_limits() {
    let with = |change: fn(&mut Ext)| {
        let mut ext = link().ext;
        change(&mut ext);
        Link::new(link().invite, None, ext)
    };
    let many = with(|ext| ext.addresses = vec![ext.addresses[0]; 17]);
    assert_eq!(many, Err(LimitError::Addresses { got: 17 }));
    let named = with(|ext| ext.name = Some("x".repeat(65)));
    assert_eq!(
        named,
        Err(LimitError::Name(name::Error::TooLong { got: 65, most: 64 }))
    );
    let weak = with(|ext| ext.identity = IdentityId::from([0; 32]));
    assert_eq!(weak, Err(LimitError::Weak(WeakKey)));
    let empty = Link::new(link().invite, Some(String::new()), link().ext);
    assert_eq!(empty, Err(LimitError::Service { got: 0 }));
    let mut largest = link().ext;
    largest.addresses = vec!["[2001:db8::1]:65535".parse().unwrap(); MAX_ADDRESSES];
    largest.name = Some("x".repeat(name::MAX_BYTES));
    largest.expires_ms = u64::MAX;
    let service = "x".repeat(MAX_SERVICE_BYTES);
    let largest = Link::new(link().invite, Some(service), largest).unwrap();
    assert_eq!(largest.text().len(), 1397);
    assert_eq!(Link::parse(&largest.text()).unwrap(), largest);
    let mut ext = largest.ext().clone();
    let name = "x".repeat(name::MAX_BYTES);
    ext.group = Some(group(name, &ext.addresses));
    let service = largest.service().map(str::to_owned);
    let largest = Link::new(*largest.invite(), service, ext).unwrap();
    assert_eq!(largest.text().len(), 2044);
    assert_eq!(Link::parse(&largest.text()).unwrap(), largest);
}

fn group(name: String, addresses: &[SocketAddr]) -> Group {
    let places = [5, 6, 7].map(|place| Place {
        endpoint: EndpointId::from([place; 32]),
        addresses: addresses
            .iter()
            .copied()
            .take(MAX_PLACE_ADDRESSES)
            .collect(),
    });
    Group {
        session: [8; 32],
        opening: [9; 32],
        name,
        places: places.into(),
        consent: true,
    }
}

/// GLINK-1: the bytes of what makes a link one into a group, and its limits.
#[test]
fn a_link_into_a_group_has_these_bytes_and_limits() {
    let address = ["192.0.2.1:80".parse().unwrap()];
    let with = |change: fn(&mut Ext)| {
        let mut ext = link().ext;
        ext.group = Some(group("Choir".into(), &address));
        change(&mut ext);
        Link::new(link().invite, None, ext)
    };
    let made = with(|_| ()).unwrap();
    let form = encoding::encode(&Form::of(made.ext()));
    let place = |byte: u8| {
        format!(
            "a2005820{}01814 6c00002010050",
            HEXLOWER.encode(&[byte; 32])
        )
    };
    let expected = format!(
        "09a5005820{}015820{}026543686f69720383{}{}{}04f5",
        "08".repeat(32),
        "09".repeat(32),
        place(5),
        place(6),
        place(7)
    );
    assert!(HEXLOWER.encode(&form).ends_with(&expected.replace(' ', "")));
    let places: Vec<EndpointId> = made.places().map(|(place, _)| place).collect();
    assert_eq!(
        places,
        [4, 5, 6, 7].map(|place| EndpointId::from([place; 32]))
    );
    assert_eq!(Link::parse(&made.text()).unwrap(), made);
    let many = with(|ext| {
        let group = ext.group.as_mut().unwrap();
        group.places.push(group.places[0].clone());
    });
    assert_eq!(many, Err(LimitError::Places));
    let crowded = with(|ext| {
        let group = ext.group.as_mut().unwrap();
        group.places[0].addresses = vec![group.places[0].addresses[0]; 5];
    });
    assert_eq!(crowded, Err(LimitError::Places));
    assert_eq!(with(|ext| ext.device = true), Err(LimitError::Twofold));
    let named = with(|ext| ext.group.as_mut().unwrap().name = "x".repeat(65));
    assert!(matches!(named, Err(LimitError::Name(_))));
}

#[test]
fn expires() {
    assert!(!link().expired_at(link().ext.expires_ms - 1));
    assert!(link().expired_at(link().ext.expires_ms));
}

#[test]
fn prints_no_secret() {
    let shown = format!("{:?} {:?} {:?}", link(), link().ext(), link().ext().secret);
    assert!(
        !shown.contains("0707") && shown.contains("Secret(…)"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn round_trips(
        seed in 1..255_u8, service in proptest::option::of("[a-z:/.]{1,60}"),
        addresses in prop::collection::vec(any::<SocketAddr>(), 0..=16),
        secret in any::<[u8; 16]>(), expires_ms in any::<u64>(), reusable in any::<bool>(), device in any::<bool>(),
        name in proptest::option::of("[a-zä李 ]{0,16}"),
    ) {
        let identity = IdentityKey::from_seed([seed; 32]).public();
        let endpoint = EndpointId::from([seed; 32]);
        let secret = Secret::from(secret);
        let group = (!device && reusable).then(|| group(name.clone().unwrap_or_default(), &addresses));
        let ext = Ext { identity, endpoint, addresses, secret, expires_ms, reusable, name, device, group };
        let link = Link::new(link().invite, service, ext).unwrap();
        let read = Link::parse(&link.text()).unwrap();
        prop_assert_eq!(&*read.text(), &*link.text());
        prop_assert_eq!(read, link);
    }

    #[test]
    fn never_panics(
        text in "(tenet:)?[a-zA-Z_.-]{0,80}", form in prop::collection::vec(any::<u8>(), 0..80),
        other in ".{0,40}",
    ) {
        let _ = Link::parse(&text);
        let _ = Link::parse(&other);
        let _ = Link::parse(&encoded(link().invite.as_bytes(), b"", &form));
    }
}

fn link() -> Link {
    let mut scalar = [0; 48];
    scalar[47] = 1;
    let ext = Ext {
        identity: IdentityKey::from_seed([1; 32]).public(),
        endpoint: EndpointId::from([4; 32]),
        addresses: vec![
            "192.0.2.1:4433".parse().unwrap(),
            "[2001:db8::1]:4433".parse().unwrap(),
        ],
        secret: Secret::from([7; 16]),
        expires_ms: 1_800_000_000_000,
        reusable: false,
        name: Some("Anna".into()),
        device: false,
        group: None,
    };
    let invite = InviteKey::from_bytes(&scalar).unwrap().public();
    Link::new(invite, Some("https://example.org/t".into()), ext).unwrap()
}

fn encoded(invite: &[u8], service: &[u8], form: &[u8]) -> String {
    let ext = [check(invite, service, form).as_slice(), form].concat();
    let [invite, service, ext] = [invite, service, &ext].map(|part| BASE64URL_NOPAD.encode(part));
    format!("tenet:{invite}.{service}.{ext}")
}
