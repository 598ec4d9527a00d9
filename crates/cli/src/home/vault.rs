//! The vault's files: the wrapped key, and how often a wrong PIN was given (`HOME-7`, `HOME-8`).

use std::path::PathBuf;

use tenet_identity::vault::{self, Attempts, Cost, Lock, VaultKey, Wrapped};

use super::{Error, Machine, files};
use crate::random;

const VAULT: &str = "vault";
const ATTEMPTS: &str = "attempts";

/// The wrapped vault key of one identity, on the disk.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
    machine: Machine,
    cost: Cost,
}

impl Vault {
    /// The vault in an identity's folder.
    pub fn at(folder: PathBuf, machine: Machine) -> Self {
        Self {
            folder,
            machine,
            cost: Cost::DEFAULT,
        }
    }

    /// The same, with another cost for PINs that are set from now on.
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Wraps a new key: under the PIN if there is one, and under the phrase's seed.
    ///
    /// # Errors
    /// [`Error`].
    pub fn create(&self, key: &VaultKey, pin: Option<&str>, seed: &[u8; 64]) -> Result<(), Error> {
        let machine = self.machine.make()?;
        let rng = &mut random::generator()?;
        let mut wrapped = match pin {
            Some(pin) => Wrapped::wrap_pin(rng, key, pin, &machine, self.cost)?,
            None => Wrapped::wrap_machine(rng, key, &machine)?,
        };
        wrapped.wrap_phrase(rng, key, seed)?;
        self.write(&wrapped)
    }

    /// Whether it has a PIN.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn has_pin(&self) -> Result<bool, Error> {
        Ok(self.read()?.lock() == Lock::Pin)
    }

    /// The key. Where there is no PIN, one that is given is not looked at.
    ///
    /// # Errors
    /// [`Error::PinNeeded`], [`Error::PinWrong`], [`Error::TooSoon`], [`Error::MachineMissing`],
    /// [`Error::MachineWrong`].
    pub fn open(&self, pin: Option<&str>, now: u64) -> Result<VaultKey, Error> {
        let wrapped = self.read()?;
        let machine = self.machine.read()?;
        match (wrapped.lock(), pin) {
            (Lock::Machine, _) => wrapped
                .open_machine(&machine)
                .map_err(|error| self.told(error)),
            (Lock::Pin, None) => Err(Error::PinNeeded),
            (Lock::Pin, Some(pin)) => self.try_pin(now, || wrapped.open_pin(pin, &machine)),
        }
    }

    /// Sets a PIN where there is none, or puts another in the place of the one that is given.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn set_pin(&self, present: Option<&str>, new: &str, now: u64) -> Result<(), Error> {
        let key = self.open(present, now)?;
        let mut wrapped = self.read()?;
        let machine = self.machine.read()?;
        wrapped.rewrap_pin(&mut random::generator()?, &key, new, &machine, self.cost)?;
        self.write(&wrapped)
    }

    /// Removes the PIN.
    ///
    /// # Errors
    /// As [`Self::open`], and [`vault::Error::NoPin`].
    pub fn remove_pin(&self, present: &str, now: u64) -> Result<(), Error> {
        if !self.has_pin()? {
            return Err(vault::Error::NoPin.into());
        }
        let key = self.open(Some(present), now)?;
        let mut wrapped = self.read()?;
        wrapped.rewrap_machine(&mut random::generator()?, &key, &self.machine.read()?)?;
        self.write(&wrapped)
    }

    /// Opens it by the phrase's seed and wraps the key anew, under this machine's secret and the
    /// given PIN: for a machine secret or a PIN that is lost.
    ///
    /// # Errors
    /// [`vault::Error::WrongPhrase`].
    pub fn recover(&self, seed: &[u8; 64], pin: Option<&str>) -> Result<VaultKey, Error> {
        let mut wrapped = self.read()?;
        let key = wrapped.open_phrase(seed)?;
        let machine = self.machine.make()?;
        let rng = &mut random::generator()?;
        match pin {
            Some(pin) => wrapped.rewrap_pin(rng, &key, pin, &machine, self.cost)?,
            None => wrapped.rewrap_machine(rng, &key, &machine)?,
        }
        self.write(&wrapped)?;
        self.remember(Attempts::default())?;
        Ok(key)
    }

    /// Tries a PIN. The try is counted on the disk before it is made, so that killing the process
    /// does not uncount it.
    fn try_pin(
        &self,
        now: u64,
        open: impl FnOnce() -> Result<VaultKey, vault::Error>,
    ) -> Result<VaultKey, Error> {
        let before = self.attempts()?;
        let mut attempts = before;
        if let Some(until) = attempts.wait_until(now) {
            if attempts.rebase(now) {
                self.remember(attempts)?;
            }
            return Err(Error::TooSoon {
                wait_ms: until - now,
            });
        }
        attempts.fail(now);
        self.remember(attempts)?;
        match open() {
            Ok(key) => {
                self.remember(Attempts::default())?;
                Ok(key)
            }
            Err(vault::Error::WrongPin) => {
                let wait_ms = attempts.wait_until(now).map_or(0, |until| until - now);
                Err(Error::PinWrong { wait_ms })
            }
            Err(error) => {
                // The PIN was not even tried.
                self.remember(before)?;
                Err(self.told(error))
            }
        }
    }

    /// How often a wrong PIN was given. A file that was removed or altered counts as none: whoever
    /// can do that can copy the home and try elsewhere, and there only Argon2id slows him down.
    fn attempts(&self) -> Result<Attempts, Error> {
        let bytes = files::read(&self.folder.join(ATTEMPTS))?.unwrap_or_default();
        Ok(Attempts::from_bytes(&bytes).unwrap_or_default())
    }

    fn remember(&self, attempts: Attempts) -> Result<(), Error> {
        files::write(&self.folder.join(ATTEMPTS), &attempts.to_bytes())
    }

    fn read(&self) -> Result<Wrapped, Error> {
        let path = self.folder.join(VAULT);
        let bytes = files::read(&path)?.ok_or(Error::Damaged { path })?;
        Wrapped::from_bytes(&bytes).map_err(|error| self.told(error))
    }

    fn write(&self, wrapped: &Wrapped) -> Result<(), Error> {
        files::write(&self.folder.join(VAULT), &wrapped.to_bytes())
    }

    /// Says where the trouble lies.
    fn told(&self, error: vault::Error) -> Error {
        match error {
            vault::Error::WrongMachine => Error::MachineWrong {
                path: self.machine.path().to_owned(),
            },
            vault::Error::Damaged | vault::Error::Encoding(_) => Error::Damaged {
                path: self.folder.join(VAULT),
            },
            error => error.into(),
        }
    }
}
