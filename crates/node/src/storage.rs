//! All that the engine needs of a store: the cores' traits, over one transaction.

use tenet_apps::{
    chat::search::SearchStore, contacts::store::ContactStore, conversations::ConversationStore,
    own::OwnStore, settings::SettingStore,
};
use tenet_delivery::{fetch::Fetches, outbox::Outbox};
use tenet_log::store::{LogStore, Transactions};

/// The cores' storage traits together.
pub trait Storage:
    LogStore
    + Transactions
    + Outbox
    + Fetches
    + SearchStore
    + ContactStore
    + ConversationStore
    + SettingStore
    + OwnStore
{
}

impl<S> Storage for S where
    S: LogStore
        + Transactions
        + Outbox
        + Fetches
        + SearchStore
        + ContactStore
        + ConversationStore
        + SettingStore
        + OwnStore
{
}
