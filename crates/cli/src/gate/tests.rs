//! A real home behind its gate: locked, unlocked, and what the PIN opens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use tenet_identity::keys::DeviceKey;
use tenet_identity::phrase::{Phrase, identity_key};
use tenet_identity::secrets::{HeldPhrase, Secrets};
use tenet_identity::vault::VaultKey;
use tenet_identity::{card, did};
use tenet_rpc::api::{self, Kind};
use tenet_rpc::server::{Delivery, ask};
use zeroize::Zeroizing;

use super::*;
use crate::home::{Home, Paths};
use crate::random;

const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon about";

/// A home with an identity of known words and no PIN.
async fn home(root: &tempfile::TempDir) -> Held {
    let paths = Paths {
        home: root.path().join("home"),
        machine: root.path().join("state/machine"),
    };
    let home = Home::prepare(&paths).unwrap();
    let rng = &mut random::generator().unwrap();
    let phrase = Phrase::parse(WORDS).unwrap();
    let seed = phrase.seed("");
    let identity = identity_key(&seed, 0);
    let device = DeviceKey::generate(rng);
    let card = card::issue(&identity, device.public(), "test", time::now()).unwrap();
    let key = VaultKey::generate(rng);
    let draft = home.draft().unwrap();
    draft.vault().create(&key, None, Some(&seed)).unwrap();
    let secrets = Secrets {
        phrase: Some(HeldPhrase { phrase, seed: None }),
        index: 0,
        identity: Some(identity),
        device,
        endpoint: Zeroizing::new([7; 32]),
        card,
    };
    Node::create(draft.folder(), &key, secrets, "Test")
        .await
        .unwrap();
    draft.finish().unwrap()
}

async fn gate(root: &tempfile::TempDir) -> Gate {
    Gate::closed(home(root).await, Options::default(), Mode::Running)
}

fn pin(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn note() -> api::Send {
    api::Send {
        who: "self".into(),
        text: "a note".into(),
        ..api::Send::default()
    }
}

#[tokio::test]
async fn a_locked_home_answers_what_needs_no_key() {
    let root = tempfile::tempdir().unwrap();
    let gate = gate(&root).await;
    let status = ask(&gate, api::Status {}).await.unwrap();
    assert_eq!(
        (status.mode, status.did, status.pin),
        (Mode::Locked, None, false)
    );
    let error = ask(&gate, api::Identity {}).await.unwrap_err();
    assert_eq!(error.kind, Kind::Locked);
    assert_eq!(gate.subscribe(None).unwrap_err().kind, Kind::Locked);
    let phrase = ask(&gate, api::Phrase { pin: None }).await.unwrap_err();
    assert_eq!(phrase.kind, Kind::Locked);
}

#[tokio::test]
async fn locking_closes_the_store_and_the_pin_opens_it_again() {
    let root = tempfile::tempdir().unwrap();
    let gate = gate(&root).await;
    gate.open(None).await.unwrap();
    let seed = Phrase::parse(WORDS).unwrap().seed("");
    let did = did::encode(&identity_key(&seed, 0).public());
    let status = ask(&gate, api::Status {}).await.unwrap();
    assert_eq!((status.mode, status.did.unwrap()), (Mode::Running, did));
    ask(&gate, note()).await.unwrap();
    let refused = ask(&gate, api::Lock {}).await.unwrap_err();
    assert_eq!(
        refused.kind,
        Kind::Refused,
        "a lock without a PIN guards nothing"
    );

    ask(&gate, api::PinSet { pin: pin("1234") }).await.unwrap();
    let mut events = gate.subscribe(None).unwrap();
    ask(&gate, api::Lock {}).await.unwrap();
    while let Some(delivery) = events.next().await {
        assert!(matches!(delivery, Delivery::Event(_)));
    }
    assert_eq!(ask(&gate, note()).await.unwrap_err().kind, Kind::Locked);

    let wrong = ask(&gate, api::Unlock { pin: pin("4321") })
        .await
        .unwrap_err();
    assert_eq!(wrong.kind, Kind::Refused);
    ask(&gate, api::Unlock { pin: pin("1234") }).await.unwrap();
    let who = "self".into();
    let page = ask(
        &gate,
        api::History {
            who,
            ..Default::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(page.messages[0].text.as_deref(), Some("a note"));
    gate.close().await;
}

#[tokio::test]
async fn the_phrase_asks_for_the_pin_though_the_home_is_open() {
    let root = tempfile::tempdir().unwrap();
    let gate = gate(&root).await;
    gate.open(None).await.unwrap();
    let shown = ask(&gate, api::Phrase { pin: None }).await.unwrap();
    assert_eq!(shown.phrase.expose(), WORDS);

    ask(&gate, api::PinSet { pin: pin("1234") }).await.unwrap();
    let none = ask(&gate, api::Phrase { pin: None }).await.unwrap_err();
    assert_eq!(none.kind, Kind::Locked);
    let wrong = ask(
        &gate,
        api::Phrase {
            pin: Some(pin("1")),
        },
    )
    .await
    .unwrap_err();
    assert_eq!(wrong.kind, Kind::Refused);
    let shown = ask(
        &gate,
        api::Phrase {
            pin: Some(pin("1234")),
        },
    )
    .await
    .unwrap();
    assert_eq!(shown.phrase.expose(), WORDS);
    gate.close().await;
}

#[tokio::test]
async fn pins_change_while_the_home_is_open_and_while_it_is_locked() {
    let root = tempfile::tempdir().unwrap();
    let gate = gate(&root).await;
    let (one, two) = (pin("one"), pin("two"));
    let change = |pin: &Secret, new: &Secret| api::PinChange {
        pin: pin.clone(),
        new: new.clone(),
    };
    let kind = |error: Error| error.kind;
    let early = ask(&gate, change(&one, &two)).await.map_err(kind);
    assert_eq!(early, Err(Kind::Refused));
    ask(&gate, api::PinSet { pin: one.clone() }).await.unwrap();
    let twice = ask(&gate, api::PinSet { pin: two.clone() })
        .await
        .map_err(kind);
    assert_eq!(twice, Err(Kind::Refused));
    ask(&gate, change(&one, &two)).await.unwrap();
    gate.open(Some(two.clone())).await.unwrap();
    ask(&gate, change(&two, &one)).await.unwrap();
    let wrong = ask(&gate, api::PinRemove { pin: two }).await.map_err(kind);
    assert_eq!(wrong, Err(Kind::Refused));
    ask(&gate, api::PinRemove { pin: one }).await.unwrap();
    assert!(!ask(&gate, api::Status {}).await.unwrap().pin);
    gate.close().await;
}
