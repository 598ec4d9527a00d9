//! The machine secret: 32 random bytes outside every home of this person on this machine (`HOME-6`).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tenet_identity::vault::MachineSecret;
use zeroize::Zeroizing;

use super::{Error, files};
use crate::random;

/// Where the machine secret lies.
#[derive(Clone, Debug)]
pub struct Machine {
    path: PathBuf,
}

impl Machine {
    /// The machine secret at this path.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret.
    ///
    /// # Errors
    /// [`Error::MachineMissing`], and [`Error::Damaged`] for anything but 32 bytes.
    pub fn read(&self) -> Result<MachineSecret, Error> {
        let bytes = files::read(&self.path)?.map(Zeroizing::new);
        let bytes = bytes.ok_or_else(|| Error::MachineMissing {
            path: self.path.clone(),
        })?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Error::Damaged {
            path: self.path.clone(),
        })?;
        self.close()?;
        Ok(MachineSecret::from(bytes))
    }

    /// The secret, made if there is none.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn make(&self) -> Result<MachineSecret, Error> {
        if let Some(folder) = self.path.parent() {
            files::folder(folder)?;
        }
        let secret = MachineSecret::generate(&mut random::generator()?);
        // Where another process was quicker, its secret is everybody's.
        files::write_new(&self.path, secret.as_bytes())?;
        self.read()
    }

    /// Closes the file to others, if something opened it to them.
    fn close(&self) -> Result<(), Error> {
        let metadata = fs::metadata(&self.path).map_err(|error| Error::io(&self.path, error))?;
        if files::is_loose(&metadata) {
            let closed = fs::set_permissions(&self.path, Permissions::from_mode(0o600));
            closed.map_err(|error| Error::io(&self.path, error))?;
        }
        Ok(())
    }
}
