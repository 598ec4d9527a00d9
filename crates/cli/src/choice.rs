//! Which identity of the home a command is about (`HOME-704`).
//!
//! ```text
//! --id ──▶ who runs says who they are ──▶ what has no PIN is opened ──▶ the PIN is tried on the others
//! none ──▶ the only identity, or the one that `current` names
//! ```
//!
//! Nothing on the disk says which folder is whose, so whoever is named is found by opening.

use std::time::Instant;

use tenet_identity::vault::Attempts;
use tenet_rpc::api::{Error, Kind, Secret, Status};
use tenet_rpc::client::{Client, ConnectError};

use crate::caller::{Finder, LOOK_AGAIN, when_free};
use crate::failure::Outcome;
use crate::home::{self, Home, Place, Vault};
use crate::host::{self, Known};
use crate::time;

/// How every DID begins; no two identities are told apart by it.
const COMMON: &str = "did:key:z6Mk";

/// The identity that a command is about.
#[derive(Debug)]
pub struct Chosen {
    /// Its home.
    pub home: Home,
    /// Where it lies.
    pub place: Place,
    /// Who it is, where that was looked for; else [`Finder::check`] what it says when it is open.
    pub known: Option<Known>,
}

/// What can be seen of an identity from outside.
#[derive(Debug)]
pub struct Seen {
    /// Where it lies.
    pub place: Place,
    /// Whether it is the one that is meant where none is named.
    pub current: bool,
    /// Who it is, or why that cannot be said.
    pub who: Result<Known, Error>,
}

/// PINs that were wrong because they were meant for another identity: the counts of before.
type Wrong = Vec<(Vault, Attempts)>;

impl Finder<'_> {
    /// Finds the identity that is meant.
    ///
    /// # Errors
    /// There is none, it is not said which, nobody here is it, or whoever may be it is locked.
    pub async fn choose(&self) -> Outcome<Chosen> {
        let home = self.enter().await?;
        let chosen = |home, place, known| Ok(Chosen { home, place, known });
        let Some(id) = self.id else {
            let place = home.current()?;
            return chosen(home, place, None);
        };
        let mut places = home.identities()?;
        if places.len() == 1
            && let Some(place) = places.pop()
        {
            return chosen(home, place, None);
        }
        let mut wrong = Wrong::new();
        let mut seen = self.look(&home, None, &mut wrong).await?;
        let locked = |seen: &Seen| {
            seen.who
                .as_ref()
                .is_err_and(|error| error.kind == Kind::Locked)
        };
        let found = match pick(id, &seen)? {
            None if seen.iter().any(locked) => {
                let pin = self.input.pin("PIN: ")?;
                seen.retain(locked);
                for one in &mut seen {
                    one.who = self.see(&home, &one.place, Some(&pin), &mut wrong).await?;
                }
                pick(id, &seen)?
            }
            found => found,
        };
        let Some((place, known)) = found else {
            return Err(nobody(id, seen.iter().any(|seen| seen.who.is_err())).into());
        };
        forgive(wrong)?;
        chosen(home, place, Some(known))
    }

    /// All identities of the home; a PIN that is given is tried on those that have one.
    ///
    /// # Errors
    /// The home's.
    pub async fn list(&self) -> Outcome<(Home, Vec<Seen>)> {
        let home = self.enter().await?;
        let pin = self.input.given_pin()?;
        let mut wrong = Wrong::new();
        let seen = self.look(&home, pin.as_ref(), &mut wrong).await?;
        if pin.is_some() && wrong.len() < seen.iter().filter(|seen| has_pin(seen)).count() {
            forgive(wrong)?;
        }
        Ok((home, seen))
    }

    /// Whether somebody is the one that is meant.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn check(&self, did: &str, name: &str) -> Outcome {
        match self.id {
            Some(id) if !is_whole(id, did) && !is_part(id, did, name) => {
                Err(nobody(id, false).into())
            }
            _ => Ok(()),
        }
    }

    /// Enters the home, waiting for an earlier release that has it to itself.
    async fn enter(&self) -> Outcome<Home> {
        when_free(self.timeout, || Home::open(self.paths)).await
    }

    async fn look(
        &self,
        home: &Home,
        pin: Option<&Secret>,
        wrong: &mut Wrong,
    ) -> Outcome<Vec<Seen>> {
        let current = home.current().ok();
        let mut all = Vec::new();
        for place in home.identities()? {
            let who = self.see(home, &place, pin, wrong).await?;
            let current = current
                .as_ref()
                .is_some_and(|current| current.name() == place.name());
            all.push(Seen {
                place,
                current,
                who,
            });
        }
        all.sort_by_key(|seen| !seen.current);
        Ok(all)
    }

    async fn see(
        &self,
        home: &Home,
        place: &Place,
        pin: Option<&Secret>,
        wrong: &mut Wrong,
    ) -> Outcome<Result<Known, Error>> {
        let until = Instant::now() + self.timeout;
        loop {
            match Client::connect(&place.socket()).await {
                Ok(client) => {
                    let status = client.call(Status {}).await?;
                    if let (Some(did), Some(name), Some(device)) =
                        (status.did, status.name, status.device)
                    {
                        return Ok(Ok(Known { did, name, device }));
                    }
                    // A node that is locked holds the identity, but nobody has its store open.
                    return peek(place, pin, wrong).await;
                }
                Err(ConnectError::NoNode) => {}
                Err(error) => return Ok(Err(error.into())),
            }
            match home.hold(place) {
                Ok(_held) => return peek(place, pin, wrong).await,
                Err(home::Error::InUse { .. }) if Instant::now() < until => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Err(error) => return Ok(Err(error.into())),
            }
        }
    }
}

/// Opens an identity just as far as to see who it is.
async fn peek(
    place: &Place,
    pin: Option<&Secret>,
    wrong: &mut Wrong,
) -> Outcome<Result<Known, Error>> {
    let vault = place.vault();
    let before = vault.counted()?;
    let (folder, pin) = (place.folder().to_owned(), pin.cloned());
    let work = move || -> Result<Known, Error> {
        let key = place_key(&vault, pin.as_ref())?;
        host::peek(&folder, &key)
    };
    let told = tokio::task::spawn_blocking(work).await;
    let told = told.map_err(|error| Error::internal(error.to_string()))?;
    let vault = place.vault();
    if vault.counted()? != before {
        wrong.push((vault, before));
    }
    Ok(told)
}

fn place_key(
    vault: &Vault,
    pin: Option<&Secret>,
) -> Result<tenet_identity::vault::VaultKey, home::Error> {
    vault.open(pin.map(Secret::expose), time::now())
}

/// What was tried on the others while somebody was looked for was no guess at their PINs.
fn forgive(wrong: Wrong) -> Outcome {
    for (vault, before) in wrong {
        vault.forgive(before)?;
    }
    Ok(())
}

fn has_pin(seen: &Seen) -> bool {
    seen.place.vault().has_pin().unwrap_or(true)
}

/// Whoever is meant: by the whole DID, else by the only name or beginning that fits.
fn pick(id: &str, seen: &[Seen]) -> Outcome<Option<(Place, Known)>> {
    let known = || {
        seen.iter()
            .filter_map(|seen| Some((&seen.place, seen.who.as_ref().ok()?)))
    };
    let own = |(place, who): (&Place, &Known)| (place.clone(), who.clone());
    if let Some(found) = known().find(|(_, who)| is_whole(id, &who.did)) {
        return Ok(Some(own(found)));
    }
    let mut parts = known().filter(|(_, who)| is_part(id, &who.did, &who.name));
    let first = parts.next();
    match (first, parts.next()) {
        (Some(_), Some(_)) => {
            let message = format!("several identities here are {id}: give more of the DID");
            Err(Error::usage(message).into())
        }
        (first, _) => Ok(first.map(own)),
    }
}

fn is_whole(id: &str, did: &str) -> bool {
    id == did
}

/// Whether it is a name, or a beginning of the DID that says something.
fn is_part(id: &str, did: &str, name: &str) -> bool {
    let whole = match id.starts_with("z6Mk") {
        true => format!("did:key:{id}"),
        false => id.to_owned(),
    };
    id == name || (whole.len() > COMMON.len() && did.starts_with(&whole))
}

fn nobody(id: &str, unsure: bool) -> Error {
    let more = match unsure {
        true => ", as far as they can be opened",
        false => "",
    };
    Error::not_found(format!(
        "the identity of this home is not {id}{more}: tenet id list"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "did:key:z6MkwAFJKPUCzgJvet4bKgQCC7J7EgMbiAEgDbCQbqayAWrN";

    #[test]
    fn somebody_is_meant_by_name_or_by_a_beginning_that_says_something() {
        for id in [DID, "did:key:z6MkwA", "z6MkwAFJ", "Alice"] {
            assert!(is_whole(id, DID) || is_part(id, DID, "Alice"), "{id}");
        }
        for id in ["", "did:key:z6Mk", "z6Mk", "did", "Ali", "alice", "z6Mkwa"] {
            assert!(!is_part(id, DID, "Alice"), "{id}");
        }
    }
}
