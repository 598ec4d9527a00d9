//! The node's end: a socket, its connections, and whoever answers.
//!
//! ```text
//! socket ─▶ Server ─▶ connection ─▶ Handler::call(Request) ─▶ Pending ─▶ connection ─▶ socket
//!                                   Handler::subscribe     ─▶ Subscription ─▶ …
//! ```
//!
//! A connection is one task. It hands requests to the [`Handler`] in the order in which they stand
//! on the socket, and writes answers in the order in which they are there (`API-9`).

mod connection;
mod feed;
mod handler;
mod talk;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::connection::Connection;
use crate::api::{Error, Kind};
use crate::{frame, socket};

pub use feed::{Delivery, Feed, Subscription};
pub use handler::{Answerer, Handler, Outcome, Pending, answer, ask};

/// How many programs may be connected at once: a guess, a person's own machine has a handful
/// (`API-11`).
pub const MAX_CONNECTIONS: usize = 64;

/// How long connections may take to say their last when the node stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long to wait after the system refused a connection, when it is out of descriptors say.
const BREATH: Duration = Duration::from_millis(100);

/// A socket that is listened on; it is taken away when this is dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Server {
    /// Listens at this path, in a folder that is its owner's alone, whose lock the caller holds.
    ///
    /// # Errors
    /// The operating system's.
    pub fn bind(path: &Path) -> io::Result<Self> {
        Ok(Self {
            listener: socket::listen(path)?,
            path: path.to_owned(),
        })
    }

    /// Serves until `stop` is ready; then every connection says what is answered already and ends.
    pub async fn serve(self, handler: Arc<dyn Handler>, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() >= MAX_CONNECTIONS => turn_away(&stream),
                    Ok((stream, _)) if admitted(&stream) => {
                        let connection = Connection::new(stream, Arc::clone(&handler));
                        connections.spawn(connection.run(stopped.clone()));
                    }
                    Ok(_) => tracing::warn!("another user tried to use the local API"),
                    Err(error) => {
                        tracing::warn!(%error, "cannot take a connection to the local API");
                        tokio::time::sleep(BREATH).await;
                    }
                },
            }
        }
        let _ = stopping.send(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        // What is late is cut off when the set is dropped.
        let _ = tokio::time::timeout(FAREWELL, ended).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn admitted(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| socket::admits(peer.uid(), own))
}

/// Tells one program too many so; if even that does not fit the socket, it only sees the end.
fn turn_away(stream: &UnixStream) {
    let mut line = Vec::new();
    let message = format!("more than {MAX_CONNECTIONS} programs use this node");
    frame::write_error(&mut line, None, &Error::new(Kind::Busy, message));
    let _ = stream.try_write(&line);
}
