//! Requests on streams of their own (NET-20, NET-21).

use bytes::Bytes;
use tenet_net::{AskError, Event, Limits, MAX_REQUEST};

use crate::harness::{Node, pair};

async fn asked(node: &mut Node) -> (Vec<u8>, tenet_net::Answering) {
    match node.event().await {
        Event::Asked {
            request, answering, ..
        } => (request, answering),
        other => panic!("{other:?}"),
    }
}

async fn whole(answer: &mut tenet_net::Answer) -> Result<Vec<u8>, AskError> {
    let mut all = Vec::new();
    while let Some(chunk) = answer.chunk(1 << 16).await? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

#[tokio::test]
async fn both_sides_ask_and_are_answered() {
    let (mut a, at_a, mut b, at_b) = pair(Limits::default()).await;
    let mut answer = a.net.ask(at_a, b"one").await.unwrap();
    let (request, mut answering) = asked(&mut b).await;
    assert_eq!(request, b"one");
    // More than the window of a stream: it is read while it is written.
    let piece = Bytes::from(vec![7; 1 << 20]);
    let writing = tokio::spawn(async move {
        for _ in 0..5 {
            answering.write(piece.clone()).await.unwrap();
        }
        answering.finish();
    });
    assert_eq!(whole(&mut answer).await.unwrap(), vec![7; 5 << 20]);
    writing.await.unwrap();
    let mut answer = b.net.ask(at_b, b"two").await.unwrap();
    let (request, answering) = asked(&mut a).await;
    assert_eq!(request, b"two");
    answering.finish();
    assert_eq!(whole(&mut answer).await.unwrap(), b"");
}

/// NET-21.
#[tokio::test]
async fn no_is_told_from_a_break() {
    let (a, at_a, mut b, _) = pair(Limits::default()).await;
    let mut answer = a.net.ask(at_a, b"secret").await.unwrap();
    asked(&mut b).await.1.refuse();
    assert_eq!(whole(&mut answer).await, Err(AskError::Refused));
    let mut answer = a.net.ask(at_a, b"broken").await.unwrap();
    let (_, mut answering) = asked(&mut b).await;
    answering.write(Bytes::from_static(b"half")).await.unwrap();
    drop(answering);
    assert_eq!(whole(&mut answer).await, Err(AskError::Broken));
}

/// NET-21.
#[tokio::test]
async fn whoever_wants_no_more_stops_the_answer() {
    let (a, at_a, mut b, _) = pair(Limits::default()).await;
    let answer = a.net.ask(at_a, b"all").await.unwrap();
    let (_, mut answering) = asked(&mut b).await;
    drop(answer);
    let piece = Bytes::from(vec![7; 1 << 20]);
    while answering.write(piece.clone()).await.is_ok() {}
}

/// NET-20.
#[tokio::test]
async fn a_request_is_bounded() {
    let (a, at_a, mut b, _) = pair(Limits::default()).await;
    for length in [0, MAX_REQUEST + 1] {
        let refused = a.net.ask(at_a, &vec![1; length]).await;
        assert_eq!(refused.err(), Some(AskError::Length(length)));
    }
    let _answer = a.net.ask(at_a, &[1; MAX_REQUEST]).await.unwrap();
    assert_eq!(asked(&mut b).await.0.len(), MAX_REQUEST);
}

/// NET-20: frames go on while answers wait to be read.
#[tokio::test]
async fn an_answer_that_nobody_reads_stops_no_frame() {
    let (mut a, at_a, mut b, at_b) = pair(Limits::default()).await;
    let _answer = a.net.ask(at_a, b"all").await.unwrap();
    let (_, mut answering) = asked(&mut b).await;
    let piece = Bytes::from(vec![7; 1 << 20]);
    let writing =
        tokio::spawn(async move { while answering.write(piece.clone()).await.is_ok() {} });
    for n in 0..100u32 {
        a.net.send(at_a, n.to_be_bytes().to_vec());
        assert_eq!(b.frame().await.0, n.to_be_bytes());
        b.net.send(at_b, n.to_be_bytes().to_vec());
        assert_eq!(a.frame().await.0, n.to_be_bytes());
    }
    writing.abort();
}
