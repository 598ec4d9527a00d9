//! What only the node that holds the home open can check.

use tenet_log::store::StoreError;
use tenet_rpc::api;
use tenet_store::Store;

use super::shared::Shared;

/// The store's integrity, and the network.
pub(super) fn checks(shared: &Shared, store: &Store) -> Result<api::Checks, api::Error> {
    Ok(api::Checks {
        checks: vec![integrity(store.check_integrity()), network(shared)],
    })
}

fn integrity(found: Result<Vec<String>, StoreError>) -> api::Check {
    let damage = match found {
        Ok(lines) if lines.is_empty() => None,
        Ok(lines) => Some(lines.join("; ")),
        Err(error) => Some(error.to_string()),
    };
    api::Check {
        name: "store".into(),
        ok: damage.is_none(),
        advice: damage.is_some().then(|| {
            "keep a copy of the home as it is; what the other side holds comes back when you meet: \
             restore the identity into a new home with `tenet id restore` and invite them again"
                .into()
        }),
        detail: damage.unwrap_or_else(|| "every page is whole".into()),
    }
}

fn network(shared: &Shared) -> api::Check {
    let addresses = shared
        .network
        .as_ref()
        .map(|network| network.addresses())
        .unwrap_or_default();
    let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let ok = shared.network.is_none() || !listed.is_empty();
    api::Check {
        name: "network".into(),
        ok,
        detail: match (&shared.network, listed.is_empty()) {
            (None, _) => "not opened by this command".into(),
            (Some(_), true) => "no address that another could dial".into(),
            (Some(_), false) => listed.join(", "),
        },
        advice: (!ok).then(|| "connect this machine to a network".into()),
    }
}
