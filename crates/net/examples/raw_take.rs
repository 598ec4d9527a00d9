//! Bulk over a bare endpoint, one way or another: what a bad path leaves of it.
//!
//! ```text
//! raw_take give ADDR CONGESTION                      → {"id":…}, then for each connection that ended
//!                                                      {"cwnd":…,"rtt_ms":…,"sent":…,"lost":…}
//! raw_take take ADDR ID AT CONNECTIONS STREAMS PIECE SECONDS  → {"mb":…,"mb_per_s":…}
//! ```
//!
//! Same TLS and transport settings as `tenet-net`. CONGESTION is `ours`, `cubic`, `reno` or `bbr3`.
//! STREAMS are those of each connection; on each, pieces of PIECE bytes are asked for, one after
//! another. What comes in the first quarter of SECONDS is not counted.

#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use iroh::{
    Endpoint, EndpointAddr, EndpointId, TransportAddr,
    endpoint::{Connection, SendStream},
};
use noq_proto::congestion::{Bbr3Config, CubicConfig, NewRenoConfig};
use tenet_net::raw;
use tokio::time::sleep;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PART: usize = 64 << 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["give", at, congestion] => give(at, congestion).await,
        ["take", from, id, at, connections, streams, piece, seconds] => {
            let endpoint = endpoint(2, from, "ours").await?;
            let taking = Taking {
                connections: connections.parse()?,
                streams: streams.parse()?,
                piece: piece.parse()?,
            };
            take(&endpoint, id, at, &taking, seconds.parse()?).await
        }
        _ => Err(
            "usage: give ADDR CONGESTION | take ADDR ID AT CONNECTIONS STREAMS PIECE SECONDS"
                .into(),
        ),
    }
}

async fn endpoint(seed: u8, at: &str, congestion: &str) -> Result<Endpoint> {
    let mut transport = raw::transport(raw::IDLE);
    transport = match congestion {
        "ours" => transport,
        "cubic" => transport.congestion_controller_factory(Arc::new(CubicConfig::default())),
        "reno" => transport.congestion_controller_factory(Arc::new(NewRenoConfig::default())),
        "bbr3" => transport.congestion_controller_factory(Arc::new(Bbr3Config::default())),
        other => return Err(format!("no congestion control `{other}`").into()),
    };
    let builder = raw::builder(&[seed; 32], raw::IDLE).transport_config(transport.build());
    Ok(builder.bind_addr(at)?.bind().await?)
}

async fn give(at: &str, congestion: &str) -> Result<()> {
    let endpoint = endpoint(1, at, congestion).await?;
    println!("{}", serde_json::json!({"id": endpoint.id().to_string()}));
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            if let Ok(connection) = incoming.await {
                // The taker going away is the normal end.
                let _gone = answer(&connection).await;
                report(&connection);
            }
        });
    }
    Ok(())
}

async fn answer(connection: &Connection) -> Result<()> {
    raw::widen(connection);
    loop {
        let (send, mut recv) = connection.accept_bi().await?;
        tokio::spawn(async move {
            let mut size = [0; 8];
            if recv.read_exact(&mut size).await.is_ok() {
                // The taker may have enough.
                let _enough = pour(send, u64::from_be_bytes(size)).await;
            }
        });
    }
}

async fn pour(mut send: SendStream, mut left: u64) -> Result<()> {
    let part = vec![7; PART];
    while left > 0 {
        let now = left.min(PART as u64);
        send.write_all(part.get(..now as usize).unwrap_or_default())
            .await?;
        left -= now;
    }
    send.finish()?;
    Ok(())
}

/// What congestion control came to on the path that was used.
fn report(connection: &Connection) {
    let paths = connection.paths();
    let stats = paths.iter().map(|path| path.stats());
    if let Some(path) = stats.max_by_key(|path| path.sent_packets) {
        let rtt_ms = path.rtt.as_secs_f64() * 1e3;
        let figures = serde_json::json!({"cwnd": path.cwnd, "rtt_ms": rtt_ms,
            "sent": path.sent_packets, "lost": path.lost_packets});
        println!("{figures}");
    }
}

struct Taking {
    connections: usize,
    streams: usize,
    piece: u64,
}

async fn take(
    endpoint: &Endpoint,
    id: &str,
    at: &str,
    taking: &Taking,
    seconds: f64,
) -> Result<()> {
    let id: EndpointId = id.parse()?;
    let address: SocketAddr = at.parse()?;
    let taken = Arc::new(AtomicU64::new(0));
    let mut connections = Vec::new();
    for _ in 0..taking.connections {
        let at = EndpointAddr::from_parts(id, [TransportAddr::Ip(address)]);
        let connection = endpoint.connect(at, raw::ALPN).await?;
        raw::widen(&connection);
        for _ in 0..taking.streams {
            let (connection, taken, piece) = (connection.clone(), Arc::clone(&taken), taking.piece);
            tokio::spawn(async move { pull(&connection, piece, &taken).await });
        }
        connections.push(connection);
    }
    let quarter = Duration::from_secs_f64(seconds / 4.0);
    sleep(quarter).await;
    let before = taken.load(Ordering::Relaxed);
    sleep(quarter * 3).await;
    let bytes = (taken.load(Ordering::Relaxed) - before) as f64;
    let rate = bytes / 1e6 / (quarter * 3).as_secs_f64();
    println!(
        "{}",
        serde_json::json!({"mb": bytes / 1e6, "mb_per_s": rate})
    );
    for connection in connections {
        connection.close(0u32.into(), b"");
    }
    endpoint.close().await;
    Ok(())
}

/// Asks for one piece after another and counts what comes.
async fn pull(connection: &Connection, piece: u64, taken: &AtomicU64) -> Result<()> {
    loop {
        let (mut send, mut recv) = connection.open_bi().await?;
        send.write_all(&piece.to_be_bytes()).await?;
        send.finish()?;
        while let Some(chunk) = recv.read_chunk(PART).await? {
            taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
    }
}
