//! For tests of this and other crates: the suite that every store of conversations passes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_log::{
    clock::Hlc,
    ids::{EventId, SessionId},
};

use super::{ConversationStore, Matter};

/// Runs the suite.
///
/// # Panics
/// Where the store does something else.
pub fn conformance<S: ConversationStore>(mut store: S) {
    let [one, two] = [1, 2].map(|n| SessionId::from([n; 32]));
    let mut standing = store.standing(one).unwrap();
    assert_eq!(standing, super::Standing::default());
    standing.merge(
        Matter::Pinned,
        Hlc::from_millis(5),
        EventId::from([5; 32]),
        true,
    );
    store.put_standing(one, &standing).unwrap();
    assert_eq!(store.standing(one).unwrap(), standing);
    assert!(!store.standing(two).unwrap().is(Matter::Pinned));
    assert_eq!(store.draft(one).unwrap(), None);
    for text in [Some("dear"), Some("dear Bob"), None, None] {
        store.put_draft(one, text).unwrap();
        assert_eq!(store.draft(one).unwrap().as_deref(), text);
        assert_eq!(store.draft(two).unwrap(), None);
    }
    store.put_draft(one, Some("kept")).unwrap();
    store.clear_standings().unwrap();
    assert_eq!(store.standing(one).unwrap(), super::Standing::default());
    assert_eq!(store.draft(one).unwrap().as_deref(), Some("kept"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]

    use std::collections::BTreeMap;

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tenet_log::{session::DraftContent, store::StoreError};

    use super::*;
    use crate::conversations::{Change, Standing};

    #[derive(Default)]
    struct Memory(BTreeMap<SessionId, Standing>, BTreeMap<SessionId, String>);

    impl ConversationStore for Memory {
        fn standing(&self, session: SessionId) -> Result<Standing, StoreError> {
            Ok(self.0.get(&session).cloned().unwrap_or_default())
        }

        fn put_standing(&mut self, session: SessionId, to: &Standing) -> Result<(), StoreError> {
            self.0.insert(session, to.clone());
            Ok(())
        }

        fn clear_standings(&mut self) -> Result<(), StoreError> {
            self.0.clear();
            Ok(())
        }

        fn draft(&self, session: SessionId) -> Result<Option<String>, StoreError> {
            Ok(self.1.get(&session).cloned())
        }

        fn put_draft(&mut self, session: SessionId, text: Option<&str>) -> Result<(), StoreError> {
            match text {
                Some(text) => self.1.insert(session, text.to_owned()),
                None => self.1.remove(&session),
            };
            Ok(())
        }
    }

    #[test]
    fn conforms() {
        conformance(Memory::default());
    }

    /// CONV-1: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let change = Change {
            session: [0xab; 32].into(),
            matter: Matter::Archived,
            on: true,
        };
        let DraftContent::Body(bytes) = change.draft().unwrap().content else {
            return assert_eq!(0, 1, "a body");
        };
        let expected = format!("a3005820{}010202f5", "ab".repeat(32));
        assert_eq!(HEXLOWER.encode(&bytes), expected);
    }

    /// CONV-3.
    #[test]
    fn what_was_put_away_comes_back_unless_it_is_muted() {
        let at = Hlc::from_millis;
        let mut standing = Standing::default();
        assert!(!standing.is_away(None));
        standing.merge(Matter::Archived, at(50), [1; 32].into(), true);
        assert!(standing.is_away(None) && standing.is_away(Some(at(49))));
        assert!(!standing.is_away(Some(at(51))));
        standing.merge(Matter::Muted, at(60), [2; 32].into(), true);
        assert!(standing.is_away(Some(at(51))));
        standing.merge(Matter::Archived, at(70), [3; 32].into(), false);
        assert!(!standing.is_away(None));
    }

    proptest! {
        /// CONV-2: the last stands, whatever the order of arrival; two joined are one.
        #[test]
        fn order_of_arrival_never_matters(
            changes in prop::collection::vec((0..3_usize, 0..5_u64, any::<u8>(), any::<bool>()), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let matters = [Matter::Muted, Matter::Pinned, Matter::Archived];
            let fold = |changes: &[(usize, u64, u8, bool)]| {
                let mut standing = Standing::default();
                for (matter, time, id, on) in changes {
                    // An event says one thing.
                    let on = *on ^ (id % 2 == 0);
                    let id = [*id, u8::from(on)].repeat(16);
                    let id: [u8; 32] = id.try_into().expect("32 bytes");
                    standing.merge(matters[*matter], Hlc::from_millis(*time), id.into(), on);
                }
                standing
            };
            let forwards = fold(&changes);
            let backwards: Vec<_> = changes.iter().rev().copied().collect();
            prop_assert_eq!(&fold(&backwards), &forwards);
            let (one, two) = changes.split_at(cut.index(changes.len() + 1));
            let mut joined = fold(one);
            joined.join(&fold(two));
            prop_assert_eq!(&joined, &forwards);
            prop_assert_eq!(Standing::decode(&forwards.encode()), Some(forwards));
        }
    }
}
