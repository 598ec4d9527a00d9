//! The bare endpoint: iroh as this crate sets it up, for measuring what frames cost on top.
//!
//! Not part of the interface.

use std::{sync::Arc, time::Duration};

use iroh::{
    Endpoint, RelayMode, SecretKey,
    endpoint::{
        Builder, Connection, NetReportConfig, PortmapperConfig, QuicTransportConfig,
        QuicTransportConfigBuilder, VarInt, presets,
    },
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::{ask::ASKS, congestion};

/// The application protocol of a connection (`NET-1`, RFC 7301).
pub const ALPN: &[u8] = b"tenet/1";

/// What a stranger may have on its way to us unread, in bytes: as much as it may send at all.
const STRANGER_WINDOW: u32 = 64 << 10;

/// What a known peer may have on its way to us unread on one stream, in bytes.
///
/// 2 MiB carries 20 MB/s over a round trip of 100 ms. More must not be on its way: QUIC here keeps
/// at most 1,024 pieces of a stream apart and ends a connection that needs more, which packets of
/// 1,200 bytes, every other one lost, would come to at 2.4 MB.
const WINDOW: u32 = 2 << 20;

/// The same on all streams of a connection: an answer that nobody reads leaves room for frames.
const CONNECTION_WINDOW: u32 = 4 * WINDOW;

/// What we have on its way unacknowledged, in bytes: room for a peer with twice our window.
const SEND_WINDOW: u64 = 8 << 20;

/// How long a silent connection is kept (`NET-6`): four heartbeats, so that three may be lost.
pub const IDLE: Duration = Duration::from_secs(20);

/// How many heartbeats there are in that time.
const HEARTBEATS: u32 = 4;

/// Sets iroh up without any infrastructure but the peers themselves (`NET-2`).
pub fn builder(secret: &[u8; 32], idle: Duration) -> Builder {
    Endpoint::builder(presets::Empty)
        .crypto_provider(provider())
        .secret_key(SecretKey::from_bytes(secret))
        .alpns(vec![ALPN.to_vec()])
        .transport_config(transport(idle).build())
        .relay_mode(RelayMode::Disabled)
        .portmapper_config(PortmapperConfig::Disabled)
        .net_report_config(NetReportConfig::minimal())
        .max_tls_tickets(0)
        .clear_address_lookup()
        .clear_ip_transports()
}

/// TLS 1.3 with X25519MLKEM768 only, AES-256-GCM preferred (`NET-3`).
///
/// AES-128-GCM must be there too: QUIC protects its first packets with it (RFC 9001 §5.2).
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384,
            aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    })
}

/// Gives a connection the window and the streams of a known peer.
pub fn widen(quic: &Connection) {
    quic.set_receive_window(VarInt::from_u32(CONNECTION_WINDOW));
    quic.set_max_concurrent_bi_streams(VarInt::from_u32(1 + ASKS));
}

/// One stream, no datagrams, a stranger's window until [`widen`] (`NET-5`), and our congestion
/// control (`NET-601`).
///
/// The heartbeat of a path (5 s) and the life of a silent one beside others (15 s) stay iroh's. So
/// does its NAT traversal (`NET-19`): the builder takes no number of addresses low enough to switch
/// it off.
pub fn transport(idle: Duration) -> QuicTransportConfigBuilder {
    QuicTransportConfig::builder()
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(STRANGER_WINDOW))
        .send_window(SEND_WINDOW)
        .max_idle_timeout(idle.try_into().ok())
        .keep_alive_interval(idle / HEARTBEATS)
        .congestion_controller_factory(Arc::new(congestion::Factory::default()))
}
