#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::chat::{
    edit::Edit,
    fold::{Entry, fold},
    testing::{MemoryChat, Writer},
    unsend::Unsend,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Deed {
    Say(String),
    Edit(usize, String),
    Unsend(usize),
    Index(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let text = || "[abc]{1,2}( [abc]{1,2}){0,2}";
    let deed = prop_oneof![
        4 => text().prop_map(Deed::Say),
        2 => (any::<usize>(), text()).prop_map(|(which, text)| Deed::Edit(which, text)),
        1 => any::<usize>().prop_map(Deed::Unsend),
        2 => (1..4_usize).prop_map(Deed::Index),
    ];
    prop::collection::vec(deed, 0..30)
}

proptest! {
    /// CHAT-203: whenever the index was brought up to date, it finds what a slow look would find.
    #[test]
    fn what_is_found_is_what_is_shown(deeds in deeds(), typed in "[abc]{1,2}( [abc]{1,2})?") {
        let (mut store, mut anna) = (MemoryChat::default(), Writer::new(1, 1));
        let mut said = Vec::new();
        for deed in deeds {
            let action = match deed {
                Deed::Index(limit) => {
                    follow(&mut store, limit).unwrap();
                    continue;
                }
                Deed::Say(text) => Action::Text(crate::chat::text::Text::new(text, None).unwrap()),
                _ if said.is_empty() => continue,
                Deed::Edit(which, text) => {
                    Action::Edit(Edit::new(said[which % said.len()], text).unwrap())
                }
                Deed::Unsend(which) => Action::Unsend(Unsend::new(said[which % said.len()])),
            };
            let event = anna.act(&action);
            if matches!(action, Action::Text(_)) {
                said.push(event.id());
            }
            let position = store.log(&event, true);
            fold(&mut store, &Entry { position, ..anna.entry(&event) }).unwrap();
        }
        while follow(&mut store, 5).unwrap() {}
        let filter = Filter::default();
        let query = Query::new(&typed, &filter).unwrap();
        let found = store.find(&query, &filter, None, 99).unwrap();
        let rows = store.history(&[SessionId::from([1; 32])], None, 99).unwrap();
        let shown = rows.iter().rev().filter(|row| {
            let message = view::load(&store, row, row.identity, &[]).unwrap();
            message.text.is_some_and(|text| query.matches(&words(&text)))
        });
        let expected: Vec<Position> = shown.map(|row| row.position).collect();
        prop_assert_eq!(found, expected);
    }
}
