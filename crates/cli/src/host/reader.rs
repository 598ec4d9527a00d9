//! The reader's thread: queries on a connection of their own, which never wait for the writer.

use std::{
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

use tenet_store::Store;

enum Message {
    Read(Box<dyn FnOnce(&Store) + Send>),
    Stop,
}

/// The way to the reader.
#[derive(Clone)]
pub(super) struct Reader(Sender<Message>);

impl Reader {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub(super) fn start(store: Store) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                for message in receiver {
                    match message {
                        Message::Read(job) => job(&store),
                        Message::Stop => return,
                    }
                }
            })?;
        Ok((Self(sender), thread))
    }

    /// Runs a query; in the order of calls.
    pub(super) fn read(&self, job: impl FnOnce(&Store) + Send + 'static) {
        // A closed reader answers nobody; whoever waits is told by the dropped answerer.
        let _ = self.0.send(Message::Read(Box::new(job)));
    }

    /// Ends the thread after what was asked until now.
    pub(super) fn stop(&self) {
        // It may have ended already.
        let _ = self.0.send(Message::Stop);
    }
}
