//! What the shell chooses, and what a peer may cost.

use std::{fmt, net::SocketAddr, time::Duration};

use zeroize::Zeroizing;

use crate::raw;

/// The largest frame between peers that know each other, in bytes (`NET-7`).
///
/// 1 MiB holds a batch of a thousand events and still fits the credit window whole.
pub const MAX_FRAME: usize = 1 << 20;

/// Frames of one connection that were handed over and not yet handled, at most.
pub(crate) const CREDIT_FRAMES: u32 = 256;

/// Bytes of one connection that were handed over and not yet handled, at most.
///
/// Not smaller than [`MAX_FRAME`], or the largest frame could never be handed over.
pub(crate) const CREDIT_BYTES: u32 = 1 << 20;

/// What a network is made of.
pub struct Config {
    /// The seed of the endpoint's Ed25519 key: 32 random bytes.
    pub secret: Zeroizing<[u8; 32]>,
    /// Addresses to listen on; port 0 stands for [`Self::port`]. Empty: every address of this
    /// machine, IPv4 and, where there is one, IPv6.
    pub listen: Vec<SocketAddr>,
    /// The UDP port; `None`: a free one of the system's choice.
    pub port: Option<u16>,
    /// Whether to announce this endpoint on the local network and to find others there, by
    /// multicast DNS. Without it nothing is sent to, and nothing is heard from, a multicast group.
    pub lan: bool,
    /// What a peer may cost.
    pub limits: Limits,
}

/// How often something may happen: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// How many at once, after a time of quiet.
    pub burst: u32,
    /// How many a second for ever.
    pub per_second: f64,
}

/// What a peer may cost before and after the engine has recognised it.
///
/// Each default is a guess with the reason beside it; `spec/transport.md` gives them their ids.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first packet to [`Net::authenticated`](crate::Net::authenticated) (`NET-10`).
    /// 10 s: ten round trips over the worst of links, and too short to collect idle strangers.
    pub stranger_time: Duration,
    /// The largest frame of a stranger, in bytes (`NET-8`). 32 KiB: a card, a knock and a founding
    /// event with room to spare.
    pub stranger_frame: usize,
    /// All bytes of a stranger, lengths included (`NET-9`). 64 KiB: the few frames of a knock.
    pub stranger_bytes: usize,
    /// Strangers connected at once from one address (IPv4) or /64 (IPv6) (`NET-11`). 8: a family
    /// behind one router that comes home at once.
    pub strangers_per_address: u32,
    /// Strangers connected at once from this machine. 64: many homes may live on it.
    pub strangers_on_loopback: u32,
    /// Strangers connected at once, all told (`NET-12`). 64: at most 4 MiB of their bytes.
    pub strangers: u32,
    /// Handshakes of one address or /64 (`NET-13`). 20, then 2 a second: devices that come and go
    /// on a bad link stay below.
    pub handshakes: Rate,
    /// Handshakes from this machine. 1000, then 100 a second: tests, and many local homes.
    pub handshakes_on_loopback: Rate,
    /// Handshakes, all told but for this machine's own (`NET-14`). 200, then 50 a second: at half
    /// a millisecond each less than a thirtieth of a core.
    pub handshakes_in_all: Rate,
    /// How long a dial may take. 10 s: QUIC has then tried a first packet five times.
    pub dial_time: Duration,
    /// How much may wait to be sent on one connection, in bytes. 4 MiB: beyond it the peer is not
    /// taking what it asked for, and sync will bring it later.
    pub outbox: usize,
    /// How long a connection is kept when nothing comes back (`NET-6`). 20 s: four heartbeats. A
    /// peer that vanished is noticed by then, one that is slow is not given up.
    pub idle_time: Duration,
    /// How long a write may make no progress (`NET-15`). 30 s: longer than a peer that vanished is
    /// waited for, so this meets only those who are there and do not take.
    pub stall_time: Duration,
    /// How long a closing connection may take to deliver what was queued. 2 s: enough for a
    /// retransmission or two.
    pub flush_time: Duration,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("secret", &"redacted")
            .field("listen", &self.listen)
            .field("port", &self.port)
            .field("lan", &self.lan)
            .field("limits", &self.limits)
            .finish()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stranger_time: Duration::from_secs(10),
            stranger_frame: 32 << 10,
            stranger_bytes: 64 << 10,
            strangers_per_address: 8,
            strangers_on_loopback: 64,
            strangers: 64,
            handshakes: Rate {
                burst: 20,
                per_second: 2.0,
            },
            handshakes_on_loopback: Rate {
                burst: 1000,
                per_second: 100.0,
            },
            handshakes_in_all: Rate {
                burst: 200,
                per_second: 50.0,
            },
            dial_time: Duration::from_secs(10),
            outbox: 4 << 20,
            idle_time: raw::IDLE,
            stall_time: Duration::from_secs(30),
            flush_time: Duration::from_secs(2),
        }
    }
}
