//! Those whom the engine has not recognised.

use std::{pin::pin, task::Poll, time::Duration};

use iroh::endpoint::{ConnectError, ConnectingError, ConnectionError, TransportErrorCode};
use tenet_net::{CloseReason, Ended, Event, Limits, MAX_FRAME, Rate};

use crate::harness::{Node, Stranger, close_code, framed};

fn is_refused(result: Result<iroh::endpoint::Connection, ConnectError>) -> bool {
    let error = match result {
        Err(ConnectError::Connection { source, .. }) => source,
        Err(ConnectError::Connecting {
            source: ConnectingError::ConnectionError { source, .. },
            ..
        }) => source,
        Err(error) => panic!("{error:?}"),
        Ok(_) => return false,
    };
    matches!(
        error,
        ConnectionError::ConnectionClosed(close)
            if close.error_code == TransportErrorCode::CONNECTION_REFUSED
    )
}

/// NET-8
#[tokio::test]
async fn a_long_frame_of_a_stranger_is_refused_at_its_length() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let length = u32::try_from(Limits::default().stranger_frame + 1).unwrap();
    let (quic, _send, _recv) = stranger.write(&node, &length.to_be_bytes()).await;
    assert_eq!(close_code(&quic).await, CloseReason::Oversized.code());
    node.connected().await;
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Oversized));
}

/// NET-7
#[tokio::test]
async fn a_frame_too_long_for_anyone_is_refused() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let (quic, mut send, _recv) = stranger.write(&node, &framed(b"hello")).await;
    let conn = node.connected().await.conn;
    node.net.authenticated(conn);
    node.frame().await;
    let length = u32::try_from(MAX_FRAME + 1).unwrap();
    send.write_all(&length.to_be_bytes()).await.unwrap();
    assert_eq!(close_code(&quic).await, CloseReason::Oversized.code());
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Oversized));
}

/// NET-7
#[tokio::test]
async fn an_empty_frame_is_refused() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let (quic, _send, _recv) = stranger.write(&node, &[0; 4]).await;
    assert_eq!(close_code(&quic).await, CloseReason::Violation.code());
    node.connected().await;
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Violation));
}

/// NET-7
#[tokio::test]
async fn a_stream_that_ends_within_a_frame_is_refused() {
    for bytes in [&[0u8, 0, 0, 9, 1, 2][..], &[0, 0]] {
        let mut node = Node::new(1).await;
        let stranger = Stranger::new(9).await;
        let (quic, mut send, _recv) = stranger.write(&node, bytes).await;
        send.finish().unwrap();
        assert_eq!(close_code(&quic).await, CloseReason::Violation.code());
        node.connected().await;
        assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Violation));
    }
}

#[tokio::test]
async fn a_reset_stream_is_refused() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let (quic, mut send, _recv) = stranger.write(&node, &framed(b"hello")).await;
    node.connected().await;
    node.frame().await;
    send.reset(0u32.into()).unwrap();
    assert_eq!(close_code(&quic).await, CloseReason::Violation.code());
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Violation));
}

/// NET-9
#[tokio::test]
async fn a_stranger_that_goes_on_talking_is_cut_off() {
    let limits = Limits {
        stranger_bytes: 1000,
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    let talk: Vec<u8> = (0..11).flat_map(|_| framed(&[7; 96])).collect();
    let (quic, _send, _recv) = stranger.write(&node, &talk).await;
    node.connected().await;
    for _ in 0..10 {
        assert_eq!(node.frame().await.0, [7; 96]);
    }
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Excess));
    assert_eq!(close_code(&quic).await, CloseReason::Excess.code());
}

/// NET-8: the second frame is judged after the first was handled.
#[tokio::test]
async fn a_frame_behind_the_one_that_makes_known_may_be_long() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let mut bytes = framed(b"it is me");
    bytes.extend(&framed(&[7; 50_000])[..40_000]);
    let (_quic, mut send, _recv) = stranger.write(&node, &bytes).await;
    let conn = node.connected().await.conn;
    let (frame, credit) = node.frame().await;
    assert_eq!(frame, b"it is me");
    node.net.authenticated(conn);
    drop(credit);
    send.write_all(&[7; 10_000 + 4]).await.unwrap();
    assert_eq!(node.frame().await.0, vec![7; 50_000]);
}

/// NET-10
#[tokio::test]
async fn a_mute_stranger_is_closed_and_the_engine_never_hears_of_it() {
    let limits = Limits {
        stranger_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    let quic = stranger.connect(&node).await;
    assert_eq!(close_code(&quic).await, CloseReason::Late.code());
    assert!(node.event_now().is_none());
}

/// NET-10
#[tokio::test]
async fn a_stranger_that_stays_one_is_closed() {
    let limits = Limits {
        stranger_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    let (quic, _send, _recv) = stranger.write(&node, &framed(b"hello")).await;
    node.connected().await;
    node.frame().await;
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Late));
    assert_eq!(close_code(&quic).await, CloseReason::Late.code());
}

/// NET-10, the other way round: whoever is dialled must show itself too.
#[tokio::test]
async fn a_dialled_peer_that_stays_a_stranger_is_closed() {
    let limits = Limits {
        stranger_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    node.net.dial(stranger.id(), stranger.addresses());
    let quic = stranger.accept().await;
    node.connected().await;
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Late));
    assert_eq!(close_code(&quic).await, CloseReason::Late.code());
}

/// NET-11
#[tokio::test]
async fn one_address_has_few_places_and_a_known_peer_takes_none() {
    let limits = Limits {
        strangers_on_loopback: 2,
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    let (_first, _send, _recv) = stranger.write(&node, &framed(b"hello")).await;
    let conn = node.connected().await.conn;
    node.frame().await;
    let second = stranger.connect(&node).await;
    assert!(is_refused(stranger.try_connect(&node).await));
    node.net.authenticated(conn);
    let _third = stranger.connect(&node).await;
    assert!(is_refused(stranger.try_connect(&node).await));
    // A place is free again when the node has seen its stranger leave.
    second.close(0u32.into(), b"");
    while is_refused(stranger.try_connect(&node).await) {}
}

/// NET-12
#[tokio::test]
async fn there_are_few_places_in_all() {
    let limits = Limits {
        strangers: 1,
        ..Limits::default()
    };
    let node = Node::with(1, limits).await;
    let stranger = Stranger::new(9).await;
    let _first = stranger.connect(&node).await;
    assert!(is_refused(stranger.try_connect(&node).await));
}

/// NET-13
#[tokio::test]
async fn one_address_shakes_hands_only_so_often() {
    let handshakes_on_loopback = Rate {
        burst: 3,
        per_second: 0.0,
    };
    let node = Node::with(
        1,
        Limits {
            handshakes_on_loopback,
            ..Limits::default()
        },
    )
    .await;
    let stranger = Stranger::new(9).await;
    for _ in 0..3 {
        stranger.connect(&node).await.close(0u32.into(), b"");
    }
    assert!(is_refused(stranger.try_connect(&node).await));
}

#[tokio::test]
async fn a_refused_dial_says_so() {
    let handshakes_on_loopback = Rate {
        burst: 0,
        per_second: 0.0,
    };
    let b = Node::with(
        2,
        Limits {
            handshakes_on_loopback,
            ..Limits::default()
        },
    )
    .await;
    let mut a = Node::new(1).await;
    a.dial(&b);
    assert!(matches!(
        a.dial_failed().await,
        tenet_net::DialError::Refused
    ));
}

/// NET-5
#[tokio::test]
async fn a_stranger_gets_one_stream_and_nothing_else() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let (quic, _send, _recv) = stranger.write(&node, &framed(b"hello")).await;
    node.connected().await;
    node.frame().await;
    assert_eq!(quic.max_datagram_size(), None);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        pin!(quic.open_bi()).poll(&mut task),
        Poll::Pending
    ));
    assert!(matches!(
        pin!(quic.open_uni()).poll(&mut task),
        Poll::Pending
    ));
}

/// NET-5: more than the window of a stranger is not even received.
#[tokio::test]
async fn a_stranger_s_bytes_wait_at_its_own_cost() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let quic = stranger.connect(&node).await;
    let (mut send, _recv) = quic.open_bi().await.unwrap();
    send.write_all(&framed(b"hello")).await.unwrap();
    node.connected().await;
    let (_, credit) = node.frame().await;
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    let mut taken = 0;
    while let Poll::Ready(written) = pin!(send.write(&[7; 10_000])).poll(&mut task) {
        taken += written.unwrap();
    }
    assert!(taken <= 64 << 10, "{taken}");
    drop(credit);
    assert!(matches!(node.event().await, Event::Closed { .. }));
}
