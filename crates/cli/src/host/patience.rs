//! Answering who waits, when their time is over.

use std::{sync::Arc, time::Duration};

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::meeting::invite::InviteId;
use tenet_rpc::{api, server::answer};

use super::{
    present, questions,
    shared::{Shared, failed},
};

/// Answers a waiter with the state that the message is in, when its time is over.
pub(super) fn give_up_after(shared: &Arc<Shared>, number: u64, timeout_ms: Option<u64>) {
    let Some(timeout) = timeout_ms.map(Duration::from_millis) else {
        return;
    };
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        tokio::time::sleep(timeout).await;
        let Some((id, waiter)) = shared.waiters.give_up_message(number) else {
            return;
        };
        let again = Arc::clone(&shared);
        shared
            .reader
            .read(move |store| match questions::shown(&again, store, id) {
                Ok(sent) => waiter.answer(id, sent.state, sent.reason),
                Err(_) => waiter.answer(id, api::State::Queued, None),
            });
    });
}

/// Answers a waiter with how far the link is, when its time is over.
pub(super) fn answer_link_after(
    shared: &Arc<Shared>,
    invite: InviteId,
    number: u64,
    patience: Duration,
) {
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        tokio::time::sleep(patience).await;
        let Some(waiter) = shared.waiters.give_up_link(invite, number) else {
            return;
        };
        shared.reader.clone().read(move |store| {
            let accepted = store.knocking(invite).map_err(failed).and_then(|knocking| {
                let knocking = knocking.ok_or_else(|| api::Error::not_found("the link is gone"))?;
                let contact = store
                    .contact(knocking.link.ext().identity)
                    .map_err(failed)?;
                Ok(present::accepted(&knocking, contact.as_ref()))
            });
            waiter.answerer.answer(answer(accepted));
        });
    });
}
