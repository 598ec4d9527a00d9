//! Who is on the other side, and under which keys.

use std::sync::Arc;

use iroh::endpoint::{Builder, ConnectOptions, Connection, ZeroRttStatus};
use noq_proto::crypto::rustls::HandshakeData;
use rustls::{
    NamedGroup,
    crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs::kx_group},
};
use tenet_net::{DialError, raw};

use crate::harness::{Node, Stranger, framed};

fn with_groups(groups: &[&'static dyn SupportedKxGroup]) -> Builder {
    let provider = CryptoProvider {
        kx_groups: groups.to_vec(),
        ..(*raw::provider()).clone()
    };
    raw::builder(&[9; 32], raw::IDLE).crypto_provider(Arc::new(provider))
}

fn group(quic: &Connection) -> NamedGroup {
    let data = quic
        .handshake_data()
        .unwrap()
        .downcast::<HandshakeData>()
        .unwrap();
    data.negotiated_key_exchange_group.unwrap()
}

/// NET-3
#[tokio::test]
async fn a_peer_without_post_quantum_keys_is_refused() {
    let mut node = Node::new(1).await;
    let old = Stranger::from(with_groups(&[kx_group::X25519])).await;
    assert!(old.try_connect(&node).await.is_err());
    node.net.dial(old.id(), old.addresses());
    let (error, answer) = tokio::join!(node.dial_failed(), old.answer());
    assert!(answer.is_err());
    assert!(matches!(error, DialError::NotPostQuantum), "{error:?}");
}

/// NET-3
#[tokio::test]
async fn a_peer_that_prefers_the_old_exchange_gets_the_hybrid() {
    let node = Node::new(1).await;
    let both = Stranger::from(with_groups(&[kx_group::X25519, kx_group::X25519MLKEM768])).await;
    assert_eq!(
        group(&both.connect(&node).await),
        NamedGroup::X25519MLKEM768
    );
}

#[tokio::test]
async fn another_endpoint_at_the_address_is_noticed() {
    let (mut a, b, c) = (Node::new(1).await, Node::new(2).await, Node::new(3).await);
    a.net.dial(c.id(), b.net.addresses());
    let error = a.dial_failed().await;
    assert!(matches!(error, DialError::WrongEndpoint), "{error:?}");
}

/// NET-1
#[tokio::test]
async fn another_protocol_is_refused() {
    let mut node = Node::new(1).await;
    let other =
        Stranger::from(raw::builder(&[9; 32], raw::IDLE).alpns(vec![b"tenet/0".to_vec()])).await;
    let address = node.addr();
    assert!(other.endpoint.connect(address, b"tenet/0").await.is_err());
    node.net.dial(other.id(), other.addresses());
    let (error, answer) = tokio::join!(node.dial_failed(), other.answer());
    assert!(answer.is_err());
    assert!(matches!(error, DialError::NoCommonProtocol), "{error:?}");
}

/// NET-3: what is sent early is heard on the connection that stands, and on no other.
#[tokio::test]
async fn early_data_waits_for_the_handshake() {
    let mut node = Node::new(1).await;
    let keeper = Stranger::from(raw::builder(&[9; 32], raw::IDLE).max_tls_tickets(32)).await;
    let (quic, _send, mut recv) = keeper.write(&node, &framed(b"hello")).await;
    let conn = node.connected().await.conn;
    assert_eq!(node.frame().await.0, b"hello");
    // The ticket comes with or before the first frame.
    node.net.send(conn, b"welcome".to_vec());
    recv.read_exact(&mut [0; 11]).await.unwrap();
    quic.close(0u32.into(), b"");
    node.closed().await;

    let options = ConnectOptions::new();
    let address = node.addr();
    let connecting = keeper
        .endpoint
        .connect_with_opts(address, raw::ALPN, options);
    let early = connecting.await.unwrap().into_0rtt().expect("a ticket");
    let (mut send, _recv) = early.open_bi().await.unwrap();
    send.write_all(&framed(b"again")).await.unwrap();
    assert!(node.event_now().is_none());
    let ZeroRttStatus::Accepted(quic) = early.handshake_completed().await.unwrap() else {
        panic!("early data was rejected");
    };
    let connected = node.connected().await;
    assert_eq!(connected.peer, keeper.id());
    assert_eq!(group(&quic), NamedGroup::X25519MLKEM768);
    assert_eq!(node.frame().await.0, b"again");
}
