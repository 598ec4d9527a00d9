//! Two who know each other.

use std::{net::UdpSocket, sync::Arc, time::Duration};

use tenet_net::{
    BindError, CloseReason, Config, DialError, Ended, EndpointId, Event, Limits, MAX_FRAME, Net,
    PathKind, Side,
};

use crate::harness::{Node, PATIENCE, pair};

#[tokio::test]
async fn two_endpoints_connect_and_talk() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    a.dial(&b);
    let at_a = a.connected().await;
    assert_eq!((at_a.peer, at_a.side), (b.id(), Side::Dialler));
    assert_eq!(at_a.remote, Some(b.net.addresses()[0]));
    a.net.send(at_a.conn, b"hello".to_vec());
    let at_b = b.connected().await;
    assert_eq!((at_b.peer, at_b.side), (a.id(), Side::Dialled));
    assert_eq!(at_b.remote, Some(a.net.addresses()[0]));
    assert_eq!(at_a.exporter, at_b.exporter);
    assert_ne!(at_a.exporter, [0; 32]);
    assert_eq!(b.frame().await.0, b"hello");
    b.net.authenticated(at_b.conn);
    b.net.send(at_b.conn, b"welcome".to_vec());
    assert_eq!(a.frame().await.0, b"welcome");
    a.net.authenticated(at_a.conn);
    for i in 0..1000u32 {
        a.net.send(at_a.conn, i.to_be_bytes().to_vec());
    }
    for i in 0..1000u32 {
        assert_eq!(b.frame().await.0, i.to_be_bytes());
    }
    a.net.close(at_a.conn, CloseReason::Done);
    assert_eq!(b.closed().await, Ended::ByPeer(CloseReason::Done));
    assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Done));
}

#[tokio::test]
async fn exporters_differ_from_connection_to_connection() {
    let (mut a, b) = (Node::new(1).await, Node::new(2).await);
    a.dial(&b);
    let first = a.connected().await.exporter;
    a.dial(&b);
    assert_ne!(a.connected().await.exporter, first);
}

#[tokio::test]
async fn they_talk_over_ipv6() {
    let limits = Limits::default();
    if UdpSocket::bind("[::1]:0").is_err() {
        return eprintln!("SKIPPED: this machine has no IPv6 loopback");
    }
    let mut a = Node::at(1, limits, "[::1]:0", false).await;
    let mut b = Node::at(2, limits, "[::1]:0", false).await;
    a.dial(&b);
    let at_a = a.connected().await;
    assert!(at_a.remote.is_some_and(|at| at.is_ipv6()));
    a.net.send(at_a.conn, b"hello".to_vec());
    b.connected().await;
    assert_eq!(b.frame().await.0, b"hello");
}

#[tokio::test]
async fn the_largest_frame_arrives_whole() {
    let (a, ab, mut b, _) = pair(Limits::default()).await;
    let frame: Vec<u8> = (0..MAX_FRAME).map(|i| (i % 251) as u8).collect();
    a.net.send(ab, frame.clone());
    a.net.send(ab, vec![1]);
    assert_eq!(b.frame().await.0, frame);
    assert_eq!(b.frame().await.0, [1]);
}

#[tokio::test]
async fn what_was_queued_is_delivered_before_the_end() {
    let (mut a, ab, mut b, _) = pair(Limits::default()).await;
    for i in 0..100u8 {
        a.net.send(ab, vec![i; 10_000]);
    }
    a.net.close(ab, CloseReason::Duplicate);
    a.net.send(ab, b"too late".to_vec());
    for i in 0..100u8 {
        assert_eq!(b.frame().await.0, vec![i; 10_000]);
    }
    assert_eq!(b.closed().await, Ended::ByPeer(CloseReason::Duplicate));
    assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Duplicate));
}

#[tokio::test]
async fn a_frame_that_no_peer_takes_is_the_caller_s_mistake() {
    for frame in [vec![], vec![0; MAX_FRAME + 1]] {
        let (mut a, ab, mut b, _) = pair(Limits::default()).await;
        a.net.send(ab, frame);
        assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Internal));
        assert_eq!(b.closed().await, Ended::ByPeer(CloseReason::Internal));
    }
}

#[tokio::test]
async fn both_may_dial_at_once() {
    let (mut a, mut b) = (Node::new(1).await, Node::new(2).await);
    a.dial(&b);
    b.dial(&a);
    tokio::join!(dial_and_be_dialled(&mut a), dial_and_be_dialled(&mut b));
    for node in [&a, &b] {
        assert_eq!(node.net.paths().len(), 2);
    }
}

/// Speaks on the connection that this side dialled and listens on the other, in whatever order they
/// come to stand: who is dialled hears of a connection with its first bytes.
async fn dial_and_be_dialled(node: &mut Node) {
    let (mut dialler, mut heard) = (None, None);
    while dialler.is_none() || heard.is_none() {
        match node.event().await {
            Event::Connected {
                conn,
                side: Side::Dialler,
                ..
            } => {
                node.net.send(conn, b"hello".to_vec());
                dialler = Some(conn);
            }
            Event::Frame { conn, frame, .. } => {
                assert_eq!(frame, b"hello");
                heard = Some(conn);
            }
            // Addresses of this machine come and go with the networks that other tests make.
            Event::Connected { .. } | Event::AddressesChanged { .. } => {}
            event => panic!("{event:?} instead of a connection or what came over one"),
        }
    }
    assert_ne!(dialler, heard);
}

#[tokio::test]
async fn one_dial_of_a_peer_is_under_way_at_a_time() {
    let (mut a, b) = (Node::new(1).await, Node::new(2).await);
    for _ in 0..5 {
        a.dial(&b);
    }
    a.connected().await;
    a.net.clone().shutdown().await;
    assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Shutdown));
    assert!(a.event_now().is_none());
}

#[tokio::test]
async fn a_dial_that_cannot_succeed_says_why() {
    let limits = Limits {
        dial_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let (mut a, b) = (Node::with(1, limits).await, Node::new(2).await);
    a.net.dial(b.id(), vec![]);
    assert!(matches!(a.dial_failed().await, DialError::NoAddress));
    a.net.dial(b.id(), vec!["0.0.0.0:1".parse().unwrap()]);
    assert!(matches!(a.dial_failed().await, DialError::NoAddress));
    a.dial(&a);
    assert!(matches!(a.dial_failed().await, DialError::OwnEndpoint));
    // 2 is no y-coordinate of the curve.
    let mut no_point = [0; 32];
    no_point[0] = 2;
    a.net.dial(EndpointId::from(no_point), b.net.addresses());
    assert!(matches!(a.dial_failed().await, DialError::BadEndpoint));
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    a.net.dial(b.id(), vec![mute.local_addr().unwrap()]);
    assert!(matches!(a.dial_failed().await, DialError::NoAnswer));
    // None of it stands in the way of the right address.
    a.dial(&b);
    a.connected().await;
}

#[tokio::test]
async fn one_good_address_among_bad_ones_is_enough() {
    let (mut a, b) = (Node::new(1).await, Node::new(2).await);
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut addresses = vec![mute.local_addr().unwrap()];
    addresses.extend(b.net.addresses());
    a.net.dial(b.id(), addresses);
    assert_eq!(a.connected().await.peer, b.id());
}

/// NET-17: the machine moved, and the local network says where to before the dial has given up.
#[tokio::test]
async fn an_address_that_is_named_during_a_dial_is_tried_at_once() {
    // Longer than the test waits for anything.
    let limits = Limits {
        dial_time: PATIENCE * 10,
        ..Limits::default()
    };
    let (mut a, mut b) = (Node::with(1, limits).await, Node::new(2).await);
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    a.net.dial(b.id(), vec![mute.local_addr().unwrap()]);
    // Its first packet is on its way: what follows is not merely part of the first attempt.
    mute.set_read_timeout(Some(PATIENCE)).unwrap();
    let mute = tokio::task::spawn_blocking(move || {
        mute.recv_from(&mut [0; 2048]).unwrap();
        mute
    })
    .await
    .unwrap();
    a.dial(&b);
    let at_a = a.connected().await;
    a.net.send(at_a.conn, b"hello".to_vec());
    assert_eq!(b.connected().await.peer, a.id());
    assert_eq!(b.frame().await.0, b"hello");
    // One connection came of it, and the other attempt is heard of at neither side.
    a.net.clone().shutdown().await;
    assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Shutdown));
    assert!(a.event_now().is_none());
    assert_eq!(b.closed().await, Ended::ByPeer(CloseReason::Shutdown));
    assert!(b.event_now().is_none());
    drop(mute);
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let a = Node::new(1).await;
    let port = Some(a.net.port());
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let limits = Limits::default();
    let config = Config {
        secret: [2; 32].into(),
        listen,
        port,
        lan: false,
        limits,
    };
    let error = Net::bind(config, Arc::new(|_| ())).await.err().unwrap();
    assert!(matches!(error, BindError::PortTaken { .. }));
    assert!(error.to_string().contains(&a.net.port().to_string()));
}

#[tokio::test]
async fn a_port_is_had_again_after_shutdown() {
    let a = Node::new(1).await;
    let port = Some(a.net.port());
    a.net.clone().shutdown().await;
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let limits = Limits::default();
    let config = Config {
        secret: [1; 32].into(),
        listen,
        port,
        lan: false,
        limits,
    };
    let again = Net::bind(config, Arc::new(|_| ())).await.unwrap();
    assert_eq!(again.endpoint(), a.id());
    assert_eq!(Some(again.port()), port);
}

#[tokio::test]
async fn everywhere_is_told_by_addresses_that_can_be_dialled() {
    let mut a = Node::at(1, Limits::default(), "", false).await;
    let mut b = Node::at(2, Limits::default(), "", false).await;
    for node in [&a, &b] {
        let addresses = node.net.addresses();
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(|at| !at.ip().is_unspecified()));
        assert!(addresses.iter().all(|at| at.port() == node.net.port()));
    }
    a.dial(&b);
    let conn = a.connected().await.conn;
    a.net.send(conn, b"hello".to_vec());
    b.connected().await;
}

#[tokio::test]
async fn shutdown_delivers_what_was_queued_and_says_goodbye() {
    let (mut a, ab, mut b, _) = pair(Limits::default()).await;
    a.net.send(ab, b"goodbye".to_vec());
    a.net.clone().shutdown().await;
    assert_eq!(a.closed().await, Ended::ByUs(CloseReason::Shutdown));
    assert_eq!(b.frame().await.0, b"goodbye");
    assert_eq!(b.closed().await, Ended::ByPeer(CloseReason::Shutdown));
    a.dial(&b);
    assert!(matches!(a.dial_failed().await, DialError::Stopped));
}

#[tokio::test]
async fn a_path_shows_where_packets_go() {
    let (a, ab, b, _) = pair(Limits::default()).await;
    let [path] = a.net.paths().try_into().unwrap();
    assert_eq!(
        (path.conn, path.peer, path.kind),
        (ab, b.id(), PathKind::Direct)
    );
    assert_eq!(path.remote, Some(b.net.addresses()[0]));
    assert!((1..1_000_000).contains(&path.rtt));
}

/// The sink may answer from inside: nothing is locked there.
#[tokio::test]
async fn a_sink_may_call_the_network() {
    let cell: Arc<std::sync::OnceLock<Net>> = Arc::default();
    let ours = Arc::clone(&cell);
    let sink = Arc::new(move |event| match (event, ours.get()) {
        (Event::Connected { conn, .. }, Some(net)) => net.authenticated(conn),
        (Event::Frame { conn, frame, .. }, Some(net)) => {
            assert_eq!(net.paths().len(), 1);
            net.send(conn, frame);
            net.close(conn, CloseReason::Done);
        }
        _ => {}
    });
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let limits = Limits::default();
    let config = Config {
        secret: [2; 32].into(),
        listen,
        port: None,
        lan: false,
        limits,
    };
    let echo = Net::bind(config, sink).await.unwrap();
    cell.set(echo.clone()).ok().unwrap();
    let mut a = Node::new(1).await;
    a.net.dial(echo.endpoint(), echo.addresses());
    let conn = a.connected().await.conn;
    a.net.send(conn, b"hello".to_vec());
    assert_eq!(a.frame().await.0, b"hello");
    assert_eq!(a.closed().await, Ended::ByPeer(CloseReason::Done));
}
