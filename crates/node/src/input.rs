//! What goes into the engine and what comes out: closed sets, nothing else crosses.

mod notice;

use std::net::SocketAddr;

use tenet_identity::{
    hello::Role,
    keys::{DeviceId, EndpointId},
};
use tenet_log::ids::BlobId;

use crate::{
    ask::{Pipe, Span},
    command::{Command, CommandError, Reply},
};

pub use notice::Notice;

/// A connection, by the shell's number; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A command's number, by which its reply is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A request of another node, by the shell's number; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A person or program asks for something.
    Command {
        /// Its number.
        ticket: Ticket,
        /// What.
        command: Command,
    },
    /// A connection stands; the other end holds the private key of `peer`.
    Connected {
        /// Its number.
        conn: ConnId,
        /// The other endpoint.
        peer: EndpointId,
        /// Which end this is.
        role: Role,
        /// 32 bytes that only both ends of this connection know.
        exporter: [u8; 32],
    },
    /// A dial came to nothing.
    DialFailed {
        /// Who was dialled.
        peer: EndpointId,
    },
    /// A frame came.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The other end asks for parts of a content, on a stream of its own.
    Asked {
        /// On which connection.
        conn: ConnId,
        /// The request's number.
        ask: AskId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A fetch ended.
    Fetched {
        /// Over which connection.
        conn: ConnId,
        /// Which content.
        blob: BlobId,
        /// How.
        end: FetchEnd,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// Somebody on the LAN says that an endpoint is there.
    Discovered {
        /// Which endpoint.
        peer: EndpointId,
        /// Where.
        addresses: Vec<SocketAddr>,
    },
    /// Where we are met changed.
    AddressesChanged {
        /// All addresses now.
        addresses: Vec<SocketAddr>,
    },
    /// The deadline passed.
    Tick,
}

/// How a fetch ended. Whatever was proven until then stays and is not fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchEnd {
    /// All of it is here, durably.
    Whole,
    /// [`Output::StopFetch`] ended it.
    Stopped,
    /// The other end does not have it, or does not give it.
    Refused,
    /// The stream or the connection ended before it was whole, or this disk failed.
    Interrupted,
    /// What came is not what was asked for.
    Mismatch,
    /// There is no room for it here.
    NoRoom,
}

/// Something to do, given out only when all that it depends on is committed.
#[derive(Debug)]
pub enum Output {
    /// A command is answered.
    Reply {
        /// Which.
        ticket: Ticket,
        /// How.
        result: Result<Reply, CommandError>,
    },
    /// Send a frame.
    Send {
        /// On which connection.
        conn: ConnId,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// The other end is somebody: a stranger's limits no longer apply to it.
    Authenticated {
        /// Which connection.
        conn: ConnId,
    },
    /// End a connection, after what was sent on it before.
    Close {
        /// Which.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
    /// Dial an endpoint; a `Connected` or `DialFailed` must follow within bounded time.
    Dial {
        /// Whom.
        peer: EndpointId,
        /// Where to try.
        addresses: Vec<SocketAddr>,
    },
    /// Fetch a content; a `Fetched` must follow, unless the connection is gone.
    Fetch {
        /// Over which connection.
        conn: ConnId,
        /// Which content.
        blob: BlobId,
        /// Bytes of the file.
        size: u64,
    },
    /// Fetch no further.
    StopFetch {
        /// Which content.
        blob: BlobId,
    },
    /// Remove what is here of a content.
    Discard {
        /// Which content.
        blob: BlobId,
    },
    /// Give what was asked for.
    Answer {
        /// Whom.
        ask: AskId,
        /// Of which content.
        blob: BlobId,
        /// Which parts of its sealed form, ascending.
        spans: Vec<Span>,
    },
    /// Give what comes out of a pipe here, if one to that session is open.
    Pipe {
        /// Whom.
        ask: AskId,
        /// The device that asks.
        device: DeviceId,
        /// Of which pipe, and from where on.
        pipe: Pipe,
    },
    /// Give nothing.
    Refuse {
        /// Whom.
        ask: AskId,
    },
    /// Tell whoever listens.
    Notice(Notice),
}

/// Why we end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// There is another connection with the same device.
    Duplicate,
    /// We have no business with the other end, or no longer.
    NotWelcome,
    /// No protocol version in common.
    Version,
    /// The other end broke the protocol.
    Protocol,
    /// Our store takes nothing now.
    NoRoom,
    /// Our store failed; all is read anew.
    Trouble,
}
