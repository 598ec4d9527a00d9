//! Where a node listens: a Unix socket in its home, for its owner only (`API-1`).
//!
//! A socket's path may have 107 bytes, a home's path may have more. A longer one is reached through
//! the open folder, as `/proc/self/fd/N/name` (proc(5)); where there is no such folder, a long path
//! is refused with an error that says so.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tokio::net::{UnixListener, UnixStream};

/// The longest path that fits `sun_path` with its closing zero (unix(7)).
const MAX_PATH: usize = 107;

/// Listens at this path; the folder exists already and is its owner's alone.
///
/// A socket that is there already is taken away first: the caller holds the lock on the home, so
/// nobody can be listening on it.
///
/// # Errors
/// The operating system's.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let short = Short::of(path)?;
    let listener = UnixListener::bind(&short.path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to the node that listens at this path.
///
/// # Errors
/// The operating system's: `NotFound` and `ConnectionRefused` mean that no node runs.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    let short = Short::of(path)?;
    UnixStream::connect(&short.path).await
}

/// Whether the process at the other end may speak to this one: the same user, or root (`API-2`).
pub fn admits(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

/// A path short enough for a socket address; good while the folder behind it is held open.
struct Short {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

impl Short {
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= MAX_PATH {
            return Ok(Self {
                path: path.to_owned(),
                _folder: None,
            });
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let open = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        if !open.exists() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the home's path is too long for a socket on this system; choose a shorter one",
            ));
        }
        Ok(Self {
            path: open.join(name),
            _folder: Some(folder),
        })
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

    use super::*;

    #[test]
    fn only_the_same_user_and_root_are_admitted() {
        assert!(admits(1000, 1000));
        assert!(admits(0, 1000));
        assert!(!admits(1001, 1000));
        assert!(!admits(1000, 0));
    }

    #[tokio::test]
    async fn a_home_with_a_long_path_has_a_socket_too() {
        let root = tempfile::tempdir().unwrap();
        let folder = root
            .path()
            .join("long".repeat(25))
            .join("longer".repeat(25));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("tenet.sock");
        assert!(path.as_os_str().len() > MAX_PATH);

        let listener = listen(&path).unwrap();
        let (client, server) = tokio::join!(connect(&path), listener.accept());
        client.unwrap();
        server.unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_nobody_listening_is_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tenet.sock");
        assert_eq!(
            connect(&path).await.unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        drop(listen(&path).unwrap());
        assert_eq!(
            connect(&path).await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        let _listener = listen(&path).unwrap();
        connect(&path).await.unwrap();
    }
}
