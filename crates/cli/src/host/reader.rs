//! The reader's thread: queries on a connection of their own, which never wait for the writer.

use std::{
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

use tenet_store::Store;

type Job = Box<dyn FnOnce(&Store) + Send>;

/// The way to the reader.
#[derive(Clone)]
pub(super) struct Reader(Sender<Job>);

impl Reader {
    /// Starts the thread. It ends when the last `Reader` is gone.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub(super) fn start(store: Store) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                for job in receiver {
                    job(&store);
                }
            })?;
        Ok((Self(sender), thread))
    }

    /// Runs a query; in the order of calls.
    pub(super) fn read(&self, job: impl FnOnce(&Store) + Send + 'static) {
        // A closed reader answers nobody; whoever waits is told by the dropped answerer.
        let _ = self.0.send(Box::new(job));
    }
}
