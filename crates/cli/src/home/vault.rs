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

    /// Wraps a key: under the PIN if there is one, and under the phrase's seed where the phrase is held.
    ///
    /// # Errors
    /// [`Error`].
    pub fn create(
        &self,
        key: &VaultKey,
        pin: Option<&str>,
        seed: Option<&[u8; 64]>,
    ) -> Result<(), Error> {
        let machine = self.machine.make()?;
        let rng = &mut random::generator()?;
        let mut wrapped = match pin {
            Some(pin) => Wrapped::wrap_pin(rng, key, pin, &machine, self.cost)?,
            None => Wrapped::wrap_machine(rng, key, &machine)?,
        };
        if let Some(seed) = seed {
            wrapped.wrap_phrase(rng, key, seed)?;
        }
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

    /// The key, by the phrase's seed; nothing is changed.
    ///
    /// # Errors
    /// [`vault::Error::WrongPhrase`], also where no phrase is held.
    pub fn open_phrase(&self, seed: &[u8; 64]) -> Result<VaultKey, Error> {
        Ok(self.read()?.open_phrase(seed)?)
    }

    /// How many wrong PINs were given, to be put back by [`Self::forgive`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn counted(&self) -> Result<Attempts, Error> {
        self.attempts()
    }

    /// Puts the count back to what it was before a PIN was tried that was meant for another identity
    /// (`HOME-705`).
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forgive(&self, before: Attempts) -> Result<(), Error> {
        self.remember(before)
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

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::fs;

    use super::*;

    const SEED: [u8; 64] = [7; 64];
    const NOW: u64 = 1_800_000_000_000;

    struct Place {
        root: tempfile::TempDir,
    }

    impl Place {
        fn with_pin(pin: Option<&str>) -> Self {
            let place = Self {
                root: tempfile::tempdir().unwrap(),
            };
            place.vault().create(&key(), pin, Some(&SEED)).unwrap();
            place
        }

        /// As a process that has just been started sees it.
        fn vault(&self) -> Vault {
            let machine = Machine::at(self.root.path().join("state/machine"));
            let cheap = Cost::new(8, 1, 1).unwrap();
            Vault::at(self.root.path().to_owned(), machine).with_cost(cheap)
        }

        fn machine(&self) -> PathBuf {
            self.root.path().join("state/machine")
        }
    }

    fn key() -> VaultKey {
        VaultKey::from([1; 32])
    }

    #[test]
    fn a_pin_is_set_changed_and_removed_and_the_key_stays() {
        let place = Place::with_pin(None);
        let vault = place.vault();
        assert!(!vault.has_pin().unwrap());
        assert_eq!(vault.open(None, NOW).unwrap(), key());
        vault.set_pin(None, "1234", NOW).unwrap();
        assert!(vault.has_pin().unwrap());
        assert!(matches!(vault.open(None, NOW), Err(Error::PinNeeded)));
        vault.set_pin(Some("1234"), "5678", NOW).unwrap();
        assert_eq!(vault.open(Some("5678"), NOW).unwrap(), key());
        assert!(matches!(
            vault.remove_pin("1234", NOW),
            Err(Error::PinWrong { .. })
        ));
        vault.remove_pin("5678", NOW).unwrap();
        assert_eq!(vault.open(None, NOW).unwrap(), key());
        assert!(matches!(
            vault.remove_pin("x", NOW),
            Err(Error::Vault(vault::Error::NoPin))
        ));
    }

    #[test]
    fn wrong_pins_slow_down_however_often_the_process_is_started() {
        let place = Place::with_pin(Some("1234"));
        let wrong = |now| place.vault().open(Some("0000"), now).unwrap_err();
        assert!(matches!(wrong(NOW), Error::PinWrong { wait_ms: 0 }));
        assert!(matches!(wrong(NOW), Error::PinWrong { wait_ms: 0 }));
        assert!(matches!(wrong(NOW), Error::PinWrong { wait_ms: 1000 }));
        assert!(matches!(wrong(NOW + 999), Error::TooSoon { wait_ms: 1 }));
        // Not even the right one is looked at before its time.
        let early = place.vault().open(Some("1234"), NOW + 999);
        assert!(matches!(early, Err(Error::TooSoon { .. })));
        assert!(matches!(
            wrong(NOW + 1000),
            Error::PinWrong { wait_ms: 2000 }
        ));

        // A clock set back makes the wait begin anew, not end.
        assert!(matches!(wrong(5), Error::TooSoon { wait_ms: 2000 }));
        assert!(matches!(wrong(5 + 1999), Error::TooSoon { wait_ms: 1 }));
        assert_eq!(place.vault().open(Some("1234"), 5 + 2000).unwrap(), key());
        assert!(
            matches!(wrong(NOW), Error::PinWrong { wait_ms: 0 }),
            "it is forgotten"
        );
    }

    #[test]
    fn a_try_is_counted_before_it_is_made() {
        let place = Place::with_pin(Some("1234"));
        let vault = place.vault();
        let mut counted = 0;
        let killed = vault.try_pin(NOW, || {
            counted = place.vault().attempts().unwrap().failed();
            Err(vault::Error::WrongPin)
        });
        assert!(killed.is_err());
        assert_eq!(counted, 1);
    }

    #[test]
    fn a_pin_that_was_not_tried_is_not_counted() {
        let place = Place::with_pin(Some("1234"));
        let machine = fs::read(place.machine()).unwrap();
        fs::remove_file(place.machine()).unwrap();
        let vault = place.vault();
        assert!(matches!(
            vault.open(Some("0"), NOW),
            Err(Error::MachineMissing { .. })
        ));
        fs::write(place.machine(), [9; 32]).unwrap();
        assert!(matches!(
            vault.open(Some("0"), NOW),
            Err(Error::MachineWrong { .. })
        ));
        fs::write(place.machine(), "short").unwrap();
        assert!(matches!(
            vault.open(Some("0"), NOW),
            Err(Error::Damaged { .. })
        ));
        assert_eq!(vault.attempts().unwrap().failed(), 0);
        fs::write(place.machine(), machine).unwrap();
        assert_eq!(vault.open(Some("1234"), NOW).unwrap(), key());
    }

    #[test]
    fn the_phrase_opens_it_where_machine_secret_or_pin_are_lost() {
        let place = Place::with_pin(Some("forgotten"));
        fs::remove_file(place.machine()).unwrap();
        let vault = place.vault();
        let wrong = vault.recover(&[8; 64], None);
        assert!(matches!(
            wrong,
            Err(Error::Vault(vault::Error::WrongPhrase))
        ));
        assert_eq!(vault.recover(&SEED, Some("5678")).unwrap(), key());
        assert_eq!(place.vault().open(Some("5678"), NOW).unwrap(), key());
        assert_eq!(vault.recover(&SEED, None).unwrap(), key());
        assert_eq!(place.vault().open(None, NOW).unwrap(), key());
    }

    #[test]
    fn a_damaged_vault_is_said_and_kept() {
        let place = Place::with_pin(None);
        let path = place.root.path().join(VAULT);
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(
            place.vault().open(None, NOW),
            Err(Error::Damaged { .. })
        ));
        assert!(matches!(
            place.vault().has_pin(),
            Err(Error::Damaged { .. })
        ));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn an_unusable_pin_changes_nothing() {
        let place = Place::with_pin(None);
        let vault = place.vault();
        let empty = vault.set_pin(None, "", NOW);
        assert!(matches!(
            empty,
            Err(Error::Vault(vault::Error::PinLength { .. }))
        ));
        assert_eq!(vault.open(None, NOW).unwrap(), key());
    }
}
