//! The stored and travelling form of a place in the total order.

use minicbor::{Decode, Encode};
use tenet_log::{
    clock::Hlc,
    ids::{Author, EventId},
    order::OrderKey,
};

/// An [`OrderKey`] as a CBOR map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct OrderForm {
    #[n(0)]
    time: Hlc,
    #[n(1)]
    author: Author,
    #[n(2)]
    seq: u64,
    #[n(3)]
    id: EventId,
}

impl From<OrderKey> for OrderForm {
    fn from(
        OrderKey {
            time,
            author,
            seq,
            id,
        }: OrderKey,
    ) -> Self {
        Self {
            time,
            author,
            seq,
            id,
        }
    }
}

impl From<OrderForm> for OrderKey {
    fn from(
        OrderForm {
            time,
            author,
            seq,
            id,
        }: OrderForm,
    ) -> Self {
        Self {
            time,
            author,
            seq,
            id,
        }
    }
}
