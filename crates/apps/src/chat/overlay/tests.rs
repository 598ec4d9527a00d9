#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::chat::{edit::Edit, react::React, unsend::Unsend};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use tenet_identity::keys::DeviceId;
use tenet_log::{clock::Hlc, ids::Author, roster::Withdrawal};

fn who(n: u8) -> IdentityId {
    IdentityId::from([n; 32])
}

fn at(millis: u64) -> OrderKey {
    let author = Author {
        device: DeviceId::from([1; 32]),
        added_by: EventId::from([2; 32]),
    };
    let mut id = [0; 32];
    id[..8].copy_from_slice(&millis.to_be_bytes());
    OrderKey {
        time: Hlc::from_millis(millis),
        author,
        seq: millis,
        id: EventId::from(id),
    }
}

fn target() -> EventId {
    EventId::from([0xcc; 32])
}

fn react(emoji: &str, on: bool) -> Action {
    Action::React(React::new(target(), Emoji::new(emoji).unwrap(), on))
}

fn edit() -> Action {
    Action::Edit(Edit::new(target(), "x".into()).unwrap())
}

fn shown(overlay: &Overlay, by: u8) -> Vec<String> {
    let of = overlay
        .reactions()
        .into_iter()
        .filter(|(_, by_whom)| by_whom.contains(&who(by)));
    of.map(|(emoji, _)| emoji.to_string()).collect()
}

/// CHAT-9.
#[test]
fn the_last_word_about_an_emoji_stands() {
    let mut overlay = Overlay::default();
    assert!(overlay.merge(&react("👍", true), at(10), who(1)));
    assert!(
        !overlay.merge(&react("👍", false), at(9), who(1)),
        "came late"
    );
    assert!(
        !overlay.merge(&react("👍", true), at(10), who(1)),
        "came twice"
    );
    assert!(overlay.merge(&react("🎉", true), at(11), who(1)));
    assert!(overlay.merge(&react("👍", true), at(12), who(2)));
    assert_eq!(shown(&overlay, 1), ["🎉", "👍"]);
    assert!(overlay.merge(&react("👍", false), at(13), who(1)));
    assert_eq!(
        (shown(&overlay, 1), shown(&overlay, 2)),
        (vec!["🎉".into()], vec!["👍".into()])
    );
}

/// CHAT-7, CHAT-8: what others did is kept, because the author may not be known yet, and ignored.
#[test]
fn edits_and_taking_back_are_kept_by_identity() {
    let mut overlay = Overlay::default();
    assert!(overlay.merge(&edit(), at(10), who(1)));
    assert!(overlay.merge(&edit(), at(12), who(1)));
    assert!(!overlay.merge(&edit(), at(11), who(1)));
    assert!(overlay.merge(&edit(), at(20), who(2)));
    assert_eq!(overlay.edit(who(1)), Some(at(12).id));
    assert_eq!(overlay.edit(who(3)), None);
    assert!(overlay.merge(&Action::Unsend(Unsend::new(target())), at(5), who(2)));
    assert!(overlay.is_unsent(who(2)) && !overlay.is_unsent(who(1)));
}

/// CHAT-10.
#[test]
fn of_one_identity_the_last_thirty_two_emoji_stay() {
    let mut overlay = Overlay::default();
    for n in 0..40 {
        overlay.merge(&react(&format!("e{n:02}"), true), at(n), who(1));
    }
    overlay.merge(&react("other", true), at(0), who(2));
    assert_eq!(
        shown(&overlay, 1),
        (8..40).map(|n| format!("e{n:02}")).collect::<Vec<_>>()
    );
    assert!(!overlay.merge(&react("late", true), at(7), who(1)));
    assert_eq!(shown(&overlay, 2), ["other"]);
}

/// CHAT-10.
#[test]
fn of_one_message_the_last_reactions_stay() {
    let mut overlay = Overlay::default();
    for n in 0..255 {
        for emoji in ["a", "b"] {
            overlay.merge(&react(emoji, true), at(u64::from(n) + 1_000), who(n));
        }
    }
    assert_eq!(overlay.reactions.len(), MAX_REACTIONS);
    assert_eq!(shown(&overlay, 254), ["a", "b"]);
    assert!(shown(&overlay, 0).is_empty());
    assert!(
        overlay.encode().len() < 64 * 1024,
        "{}",
        overlay.encode().len()
    );
}

#[test]
fn has_these_bytes() {
    let mut overlay = Overlay::default();
    assert_eq!(
        HEXLOWER.encode(&overlay.encode()),
        "a4000101800280".to_owned() + "0380"
    );
    overlay.merge(&edit(), at(1), who(0xaa));
    overlay.merge(&Action::Unsend(Unsend::new(target())), at(2), who(0xbb));
    overlay.merge(&react("+1", false), at(3), who(0xbb));
    let order = |n: &str| {
        format!(
            "a4001a000{n}000001825820{}5820{}020{n}0358200000000000000{n:0>3}{}",
            "01".repeat(32),
            "02".repeat(32),
            "00".repeat(24)
        )
    };
    let who = |byte: &str| format!("5820{}", byte.repeat(32));
    let expected = format!(
        "a400010181 82{}{} 0281{} 0381 84{}622b31{}f4",
        who("aa"),
        order("1"),
        who("bb"),
        who("bb"),
        order("3")
    );
    assert_eq!(
        HEXLOWER.encode(&overlay.encode()),
        expected.replace(' ', "")
    );
}

#[test]
fn refuses_what_a_newer_version_wrote() {
    let newer = Form {
        version: 2,
        edits: vec![],
        unsent: vec![],
        reactions: vec![],
        timer: None,
        withdrawn: vec![],
    };
    let decoded = Overlay::decode(&encoding::encode(&newer));
    assert!(matches!(decoded, Err(OverlayError::Newer(2))));
}

fn withdraw() -> Action {
    Action::Withdraw(Withdrawal {
        identity: who(1),
        event: target(),
        reason: "spam".into(),
    })
}

/// CHAT-1303: of several the first is told, and what was stored comes back.
#[test]
fn the_first_withdrawal_stands() {
    let mut overlay = Overlay::default();
    assert!(overlay.merge(&withdraw(), at(5), who(3)));
    assert!(overlay.merge(&withdraw(), at(4), who(2)));
    assert!(!overlay.merge(&withdraw(), at(6), who(4)));
    assert_eq!(overlay.withdrawal(who(1)), Some((who(2), at(4).id)));
    assert_eq!(overlay.withdrawal(who(2)), None);
    assert_eq!(Overlay::decode(&overlay.encode()).unwrap(), overlay);
}

/// What was done, by whom, when: few of each, so that they collide.
fn deeds(most: usize) -> impl Strategy<Value = Vec<(Action, OrderKey, IdentityId)>> {
    let action = prop_oneof![
        1 => Just(edit()),
        1 => Just(withdraw()),
        1 => Just(Action::Unsend(Unsend::new(target()))),
        8 => (0..50u8, any::<bool>()).prop_map(|(n, on)| react(&format!("e{n}"), on)),
    ];
    let deeds = prop::collection::vec((action, 0..3u8), 0..most);
    deeds.prop_map(|deeds| {
        let place = |(n, (action, by))| (action, at(n as u64), who(by));
        deeds.into_iter().enumerate().map(place).collect()
    })
}

fn merged<'a>(deeds: impl IntoIterator<Item = &'a (Action, OrderKey, IdentityId)>) -> Overlay {
    let mut overlay = Overlay::default();
    for (action, order, identity) in deeds {
        overlay.merge(action, *order, *identity);
    }
    overlay
}

proptest! {
    /// CHAT-6: also where the limits of CHAT-10 are reached.
    #[test]
    fn neither_order_nor_repetition_matters(
        (deeds, shuffled) in deeds(250).prop_flat_map(|deeds| {
            let twice: Vec<_> = deeds.iter().chain(deeds.iter().step_by(3)).cloned().collect();
            (Just(deeds), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(merged(&deeds), merged(&shuffled));
    }

    #[test]
    fn round_trips(deeds in deeds(60)) {
        let overlay = merged(&deeds);
        prop_assert_eq!(Overlay::decode(&overlay.encode()).unwrap(), overlay);
    }

    #[test]
    fn never_panics(deeds in deeds(6), at in any::<prop::sample::Index>(), to: u8) {
        let mut bytes = merged(&deeds).encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = Overlay::decode(&bytes);
        let _ = Overlay::decode(&bytes[at..]);
    }
}
