//! What can be seen from outside: the home's files, their permissions, the machine secret.

use std::path::Path;

use tenet_rpc::api::Check;

use super::{ill, well};
use crate::home::{Error, Home, Looseness, Paths, VERSION, looseness};

/// The checks that need no key.
pub(super) fn checks(paths: &Paths) -> Vec<Check> {
    let mut checks = vec![layout(paths), permissions(paths)];
    checks.push(machine(paths));
    checks.extend(vault(paths));
    checks
}

fn layout(paths: &Paths) -> Check {
    match Home::open(paths) {
        Ok(_) | Err(Error::InUse { .. }) => well(
            "home",
            format!("{}, version {VERSION}", paths.home.display()),
        ),
        Err(error) => {
            let advice = match &error {
                Error::NoHome { .. } | Error::NoIdentity => "make an identity: tenet id new",
                Error::Newer { .. } => "update this program",
                Error::Foreign { .. } => "choose another folder: --home DIR",
                Error::Owner { .. } => "use it as its owner",
                Error::Moved(_) => "remove it when what it was is well elsewhere",
                _ => "keep a copy of the home before anything else",
            };
            ill("home", error.to_string(), advice)
        }
    }
}

fn permissions(paths: &Paths) -> Check {
    let mut found = Vec::new();
    for path in [&paths.home, &paths.machine] {
        match loose(path) {
            Ok(loose) => found.extend(loose),
            Err(error) => return ill("permissions", error.to_string(), "look at the folder"),
        }
    }
    let Some(first) = found.first() else {
        return well("permissions", "closed to everybody else");
    };
    let (what, advice) = match first {
        Looseness::Owner(path) => (
            format!("{} belongs to another user", path.display()),
            format!("chown -R $(id -u) '{}'", path.display()),
        ),
        Looseness::Mode(path, mode) => (
            format!("{} has the permissions {mode:o}", path.display()),
            format!("chmod -R go= '{}'", path.display()),
        ),
    };
    let more = match found.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    ill("permissions", what + &more, advice)
}

fn loose(path: &Path) -> Result<Vec<Looseness>, Error> {
    if path.exists() {
        looseness(path)
    } else {
        Ok(Vec::new())
    }
}

fn machine(paths: &Paths) -> Check {
    match paths.machine().read() {
        Ok(_) => well(
            "machine",
            format!("the machine secret is at {}", paths.machine.display()),
        ),
        // Nothing is missing where nothing was made yet.
        Err(Error::MachineMissing { .. }) if Home::open(paths).is_err_and(|e| is_fresh(&e)) => {
            well("machine", "there is no machine secret yet")
        }
        Err(error) => ill(
            "machine",
            error.to_string(),
            "put the file back from a backup, or open the home with its phrase: tenet id restore",
        ),
    }
}

/// The form of every vault, whoever has it open.
fn vault(paths: &Paths) -> Option<Check> {
    let places = Home::open(paths).ok()?.identities().ok()?;
    let mut without = 0;
    for place in &places {
        match place.vault().has_pin() {
            Ok(true) => {}
            Ok(false) => without += 1,
            Err(error) => {
                let advice =
                    "put it back from a backup; keep a copy of the home before anything else";
                return Some(ill("vault", error.to_string(), advice));
            }
        }
    }
    Some(match (places.len(), without) {
        (1, 0) => well("vault", "guarded by a PIN"),
        (1, _) => well("vault", "no PIN; set one: tenet pin set"),
        (count, 0) => well("vault", format!("{count} identities, all guarded by a PIN")),
        (count, without) => well(
            "vault",
            format!("{count} identities, {without} without a PIN: tenet pin set"),
        ),
    })
}

fn is_fresh(error: &Error) -> bool {
    matches!(error, Error::NoHome { .. } | Error::NoIdentity)
}
