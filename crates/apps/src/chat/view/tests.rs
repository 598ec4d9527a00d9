#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::chat::{
    edit::Edit,
    fold::fold,
    read::Position,
    testing::{MemoryChat, Writer},
};
use tenet_log::{
    clock::Hlc,
    frontier::{Frontier, Head},
    order::OrderKey,
};

fn folded(writer: &Writer, events: &[&Event]) -> (MemoryChat, MessageRow) {
    let mut store = MemoryChat::default();
    for event in events {
        store.log(event, true);
        fold(&mut store, &writer.entry(event)).unwrap();
    }
    let row = store.message(events[0].id()).unwrap().unwrap();
    (store, row)
}

/// A reader who holds and has read everything up to a message.
fn reader(of: u8, order: OrderKey) -> Reader {
    let OrderKey {
        author, seq, id, ..
    } = order;
    let head = Head {
        author,
        branch: 0,
        seq,
        id,
        time: order.time,
        tip: true,
    };
    let position = Position::new(order, &Frontier::from_heads(vec![head]));
    Reader {
        identity: IdentityId::from([of; 32]),
        position,
    }
}

#[test]
fn has_what_a_line_of_history_needs() {
    let mut anna = Writer::new(1, 1);
    anna.time = 1_234;
    let event = anna.text("hi");
    let (store, row) = folded(&anna, &[&event]);
    let message = load(&store, &row, anna.identity, &[]).unwrap();
    assert_eq!((message.id, message.session), (event.id(), event.session()));
    assert_eq!(
        (message.identity, message.device),
        (anna.identity, event.author().device)
    );
    assert_eq!((message.time, message.kind), (1_234, "text"));
    assert_eq!(message.text.as_deref(), Some("hi"));
    assert!(!message.edited && !message.unsent && !message.read);
    assert!(!format!("{message:?}").contains("hi"));
}

/// CHAT-14.
#[test]
fn read_is_what_the_other_side_has_read() {
    let mut anna = Writer::new(1, 1);
    let event = anna.text("hi");
    let (store, row) = folded(&anna, &[&event]);
    let (anna, bert) = (anna.identity, IdentityId::from([2; 32]));
    let read = |me, readers: &[Reader]| load(&store, &row, me, readers).unwrap().read;
    let (by_anna, by_bert) = (reader(1, row.order), reader(2, row.order));
    assert!(
        !read(anna, std::slice::from_ref(&by_anna)),
        "that I have read my own says nothing"
    );
    assert!(read(anna, &[by_anna.clone(), by_bert.clone()]));
    assert!(read(bert, std::slice::from_ref(&by_bert)));
    assert!(!read(bert, &[by_anna]));
    let before = OrderKey {
        time: Hlc::from_millis(1),
        ..row.order
    };
    assert!(!read(anna, &[reader(2, before)]));
}

#[test]
fn an_edit_whose_body_is_gone_leaves_the_text_as_it_was() {
    let mut anna = Writer::new(1, 1);
    let text = anna.text("hi");
    let edit = anna.act(&Action::Edit(Edit::new(text.id(), "ho".into()).unwrap()));
    let (mut store, row) = folded(&anna, &[&text, &edit]);
    let bare = Event::trusted(edit.encoded_header().to_vec(), *edit.signature(), None).unwrap();
    store.log(&bare, true);
    let message = load(&store, &row, anna.identity, &[]).unwrap();
    assert_eq!(
        (message.text.as_deref(), message.edited),
        (Some("hi"), false)
    );
}

#[test]
fn a_message_without_its_event_is_damage() {
    let mut anna = Writer::new(1, 1);
    let text = anna.text("hi");
    let mut store = MemoryChat::default();
    fold(&mut store, &anna.entry(&text)).unwrap();
    let row = store.message(text.id()).unwrap().unwrap();
    let loaded = load(&store, &row, anna.identity, &[]);
    assert!(matches!(loaded, Err(StoreError::Damaged(_))));
}
