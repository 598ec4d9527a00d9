//! What needs the PIN: it is looked at here, and goes no further.

use tenet_identity::vault::VaultKey;
use tenet_rpc::api::{Done, Error, Phrase, PinChange, PinRemove, PinSet, Request, Secret, Unlock};
use tenet_rpc::server::{Outcome, answer};

use super::Gate;
use crate::home::{self, Vault};
use crate::time;

impl Gate {
    pub(super) async fn lock(self) -> Outcome {
        if !self.inner.vault.has_pin()? {
            let message = "the home has no PIN, so locking it would guard nothing: tenet pin set";
            return Err(Error::refused(message));
        }
        self.close().await;
        answer(Ok(Done {}))
    }

    pub(super) async fn unlock(self, unlock: Unlock) -> Outcome {
        self.open(Some(unlock.pin)).await?;
        answer(Ok(Done {}))
    }

    pub(super) async fn pin_set(self, set: PinSet) -> Outcome {
        self.change_vault(move |vault| {
            if vault.has_pin()? {
                return Ok(Err(Error::refused(
                    "there is a PIN already: tenet pin change",
                )));
            }
            vault.set_pin(None, set.pin.expose(), time::now()).map(Ok)
        })
        .await
    }

    pub(super) async fn pin_change(self, change: PinChange) -> Outcome {
        self.change_vault(move |vault| {
            if !vault.has_pin()? {
                return Ok(Err(Error::refused("there is no PIN yet: tenet pin set")));
            }
            vault
                .set_pin(Some(change.pin.expose()), change.new.expose(), time::now())
                .map(Ok)
        })
        .await
    }

    pub(super) async fn pin_remove(self, remove: PinRemove) -> Outcome {
        self.change_vault(move |vault| vault.remove_pin(remove.pin.expose(), time::now()).map(Ok))
            .await
    }

    /// Looks at the PIN again, although the home is open: the phrase is the whole identity.
    pub(super) async fn phrase(self, phrase: Phrase) -> Outcome {
        let door = self.door().ok_or_else(Error::locked)?;
        {
            let _turn = self.inner.node.lock().await;
            self.vault_key(phrase.pin).await?;
        }
        door.call(Request::Phrase(Phrase { pin: None })).await
    }

    /// The vault key. The caller holds the turn, so PINs are tried one after another.
    pub(super) async fn vault_key(&self, pin: Option<Secret>) -> Result<VaultKey, Error> {
        let vault = self.inner.vault.clone();
        let open = move || vault.open(pin.as_ref().map(Secret::expose), time::now());
        Ok(apart(open).await??)
    }

    async fn change_vault<F>(self, change: F) -> Outcome
    where
        F: FnOnce(&Vault) -> Result<Result<(), Error>, home::Error> + Send + 'static,
    {
        let _turn = self.inner.node.lock().await;
        let vault = self.inner.vault.clone();
        apart(move || change(&vault)).await???;
        answer(Ok(Done {}))
    }
}

/// Does work on a thread of its own: Argon2id takes a fifth of a second.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal(error.to_string()))
}
