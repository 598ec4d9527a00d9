//! Peers that do not take, or do not stop.

use std::time::Duration;

use tenet_net::{CloseReason, Ended, Limits, Loss, raw};

use crate::harness::{Node, Stranger, framed, pair};

const PART: usize = 64 << 10;

/// NET-15: whoever keeps its credits holds back the sender, and itself holds 1 MiB.
#[tokio::test]
async fn a_reader_that_does_not_read_on_stops_the_sender() {
    let (mut a, ab, mut b, ba) = pair(Limits::default()).await;
    for i in 0..40u8 {
        a.net.send(ab, vec![i; PART]);
    }
    let mut credits = Vec::new();
    for i in 0..16u8 {
        let (frame, credit) = b.frame().await;
        assert_eq!(frame, vec![i; PART]);
        credits.push(credit);
    }
    // The other direction goes on, and gives the next part time to come if it could.
    for _ in 0..20 {
        b.net.send(ba, b"wait".to_vec());
        assert_eq!(a.frame().await.0, b"wait");
    }
    assert!(b.event_now().is_none());
    for i in 16..40u8 {
        credits.remove(0);
        let (frame, credit) = b.frame().await;
        assert_eq!(frame, vec![i; PART]);
        credits.push(credit);
    }
}

/// NET-15
#[tokio::test]
async fn small_frames_are_counted_too() {
    let (a, ab, mut b, ba) = pair(Limits::default()).await;
    let mut a = a;
    for _ in 0..300 {
        a.net.send(ab, vec![1]);
    }
    let mut credits = Vec::new();
    for _ in 0..256 {
        credits.push(b.frame().await.1);
    }
    for _ in 0..20 {
        b.net.send(ba, b"wait".to_vec());
        assert_eq!(a.frame().await.0, b"wait");
    }
    assert!(b.event_now().is_none());
    drop(credits);
    for _ in 256..300 {
        b.frame().await;
    }
}

/// A node that dialled a peer which opens its ears to nothing.
async fn deaf(
    limits: Limits,
) -> (
    Node,
    tenet_net::ConnId,
    Stranger,
    iroh::endpoint::Connection,
) {
    let mut node = Node::with(1, limits).await;
    let peer = Stranger::new(9).await;
    node.net.dial(peer.id(), peer.addresses());
    let quic = peer.accept().await;
    let conn = node.connected().await.conn;
    node.net.authenticated(conn);
    (node, conn, peer, quic)
}

/// NET-15
#[tokio::test]
async fn an_outbox_that_is_not_taken_is_bounded() {
    let (mut node, conn, _peer, _quic) = deaf(Limits::default()).await;
    for _ in 0..8 {
        node.net.send(conn, vec![7; 1 << 20]);
    }
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Stalled));
}

/// NET-15
#[tokio::test]
async fn a_write_without_progress_ends() {
    let limits = Limits {
        stall_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let (mut node, conn, _peer, _quic) = deaf(limits).await;
    node.net.send(conn, vec![7; 1 << 20]);
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Stalled));
}

#[tokio::test]
async fn a_close_does_not_wait_for_the_deaf() {
    let limits = Limits {
        flush_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let (mut node, conn, _peer, _quic) = deaf(limits).await;
    node.net.send(conn, vec![7; 1 << 20]);
    node.net.close(conn, CloseReason::Done);
    assert_eq!(node.closed().await, Ended::ByUs(CloseReason::Done));
}

/// A peer that stops our stream breaks the protocol; it does not hang us.
#[tokio::test]
async fn a_stopped_stream_ends_the_connection() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let (_quic, _send, mut recv) = stranger.write(&node, &framed(b"hello")).await;
    let conn = node.connected().await.conn;
    node.frame().await;
    node.net.authenticated(conn);
    recv.stop(0u32.into()).unwrap();
    loop {
        node.net.send(conn, b"are you there?".to_vec());
        tokio::task::yield_now().await;
        if let Some(tenet_net::Event::Closed { reason, .. }) = node.event_now() {
            return assert_eq!(reason, Ended::ByUs(CloseReason::Violation));
        }
    }
}

/// Frames that came before the end are handed over before the end is told.
#[tokio::test]
async fn what_came_before_the_end_is_not_lost() {
    let mut node = Node::new(1).await;
    let stranger = Stranger::new(9).await;
    let mut bytes = framed(b"hello");
    for i in 0..50u8 {
        bytes.extend(framed(&[i; 100]));
    }
    let (quic, send, _recv) = stranger.write(&node, &bytes).await;
    let conn = node.connected().await.conn;
    let (_, credit) = node.frame().await;
    // Everything is there, unread, when the peer goes.
    let mut send = send;
    send.finish().unwrap();
    send.stopped().await.unwrap();
    quic.close(0u32.into(), b"");
    node.net.authenticated(conn);
    drop(credit);
    for i in 0..50u8 {
        assert_eq!(node.frame().await.0, [i; 100]);
    }
    assert_eq!(node.closed().await, Ended::ByPeer(CloseReason::Done));
}

/// NET-6
#[tokio::test]
async fn a_peer_that_vanishes_is_noticed() {
    let limits = Limits {
        idle_time: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut node = Node::with(1, limits).await;
    let address = node.addr();
    let peer = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let left = runtime.block_on(async {
            let peer = Stranger::new(9).await;
            let quic = peer.endpoint.connect(address, raw::ALPN).await.unwrap();
            let (mut send, mut recv) = quic.open_bi().await.unwrap();
            send.write_all(&framed(b"hello")).await.unwrap();
            recv.read_exact(&mut [0; 11]).await.unwrap();
            (peer, quic, send, recv)
        });
        // As if killed: nothing of it runs again, and nothing says goodbye.
        std::mem::forget(left);
        runtime.shutdown_background();
    });
    let conn = node.connected().await.conn;
    node.frame().await;
    node.net.authenticated(conn);
    node.net.send(conn, b"welcome".to_vec());
    assert_eq!(node.closed().await, Ended::Lost(Loss::Silence));
    peer.join().unwrap();
}
