//! The echo of `raw_echo` through `Net`: frames, outbox, credits and all.
//!
//! ```text
//! frame_echo serve                                → {"id":…,"addr":…}
//! frame_echo client ID ADDR N                     → {"n":…,"p50_us":…,"p99_us":…}
//! frame_echo client ID ADDR N --throughput MB     → as above, and {"mb":…,"mb_per_s":…}
//! ```

#![allow(clippy::print_stdout, clippy::indexing_slicing)]

use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

use tenet_net::{CloseReason, Config, ConnId, EndpointId, Event, EventSink, Limits, Net};
use tokio::sync::mpsc;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A frame of this length is echoed; of longer ones every sixteenth is acknowledged by one byte.
const ROUND: usize = 64;
const PART: usize = 64 << 10;
const ACKNOWLEDGED: usize = 16;
/// Parts on their way at once: half of what an outbox holds.
const AHEAD: usize = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => serve().await,
        ["client", id, address, n] => client(id, address, n.parse()?, None).await,
        ["client", id, address, n, "--throughput", mb] => {
            client(id, address, n.parse()?, Some(mb.parse()?)).await
        }
        _ => Err("usage: serve | client ID ADDR N [--throughput MB]".into()),
    }
}

async fn bind(seed: u8, sink: EventSink) -> Result<Net> {
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let limits = Limits::default();
    let secret = [seed; 32].into();
    Ok(Net::bind(
        Config {
            secret,
            listen,
            port: None,
            lan: false,
            limits,
        },
        sink,
    )
    .await?)
}

async fn serve() -> Result<()> {
    let cell: Arc<OnceLock<Net>> = Arc::default();
    let ours = Arc::clone(&cell);
    let parts = std::sync::atomic::AtomicUsize::new(0);
    let net = bind(
        1,
        Arc::new(move |event| {
            let Some(net) = ours.get() else { return };
            match event {
                Event::Connected { conn, .. } => net.authenticated(conn),
                Event::Frame { conn, frame, .. } if frame.len() == ROUND => net.send(conn, frame),
                Event::Frame { conn, .. } => {
                    let part = parts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                    if part.is_multiple_of(ACKNOWLEDGED) {
                        net.send(conn, vec![0]);
                    }
                }
                _ => {}
            }
        }),
    )
    .await?;
    let _first = cell.set(net.clone());
    let id = net.endpoint().to_string();
    println!(
        "{}",
        serde_json::json!({"id": id, "addr": net.addresses()[0]})
    );
    std::future::pending().await
}

async fn client(id: &str, address: &str, n: usize, throughput: Option<usize>) -> Result<()> {
    let (tell, mut events) = mpsc::unbounded_channel();
    let cell: Arc<OnceLock<Net>> = Arc::default();
    let ours = Arc::clone(&cell);
    let clock = std::sync::Mutex::new((Instant::now(), Vec::with_capacity(n)));
    let net = bind(
        2,
        Arc::new(move |event| match event {
            // Answered from inside the sink, as the raw client answers from inside its loop.
            Event::Frame { conn, frame, .. } if frame.len() == ROUND => {
                let (Ok(mut clock), Some(net)) = (clock.lock(), ours.get()) else {
                    return;
                };
                let now = Instant::now();
                let start = std::mem::replace(&mut clock.0, now);
                clock.1.push((now - start).as_nanos() as f64 / 1000.0);
                if clock.1.len() < n {
                    net.send(conn, frame);
                } else {
                    let _there = tell.send(Told::Rounds(std::mem::take(&mut clock.1)));
                }
            }
            Event::Frame { .. } => drop(tell.send(Told::Acknowledged)),
            Event::Connected { conn, .. } => drop(tell.send(Told::Connected(conn))),
            event => drop(tell.send(Told::Other(format!("{event:?}")))),
        }),
    )
    .await?;
    let _first = cell.set(net.clone());
    net.dial(id.parse::<EndpointId>()?, vec![address.parse()?]);
    let Some(Told::Connected(conn)) = events.recv().await else {
        return Err("no answer".into());
    };
    net.authenticated(conn);
    net.send(conn, vec![7; ROUND]);
    match events.recv().await {
        Some(Told::Rounds(micros)) => report(micros),
        other => return Err(unexpected(other)),
    }
    if let Some(mb) = throughput {
        pour(&net, conn, &mut events, mb).await?;
    }
    net.close(conn, CloseReason::Done);
    net.shutdown().await;
    Ok(())
}

enum Told {
    Connected(ConnId),
    Rounds(Vec<f64>),
    Acknowledged,
    Other(String),
}

fn unexpected(told: Option<Told>) -> Box<dyn Error + Send + Sync> {
    match told {
        Some(Told::Other(event)) => event.into(),
        _ => "out of order".into(),
    }
}

fn report(mut micros: Vec<f64>) {
    // The first one was started before the connection was there.
    micros.remove(0);
    micros.sort_by(f64::total_cmp);
    let at = |part: f64| micros.get((micros.len() as f64 * part) as usize).copied();
    println!(
        "{}",
        serde_json::json!({"n": micros.len(), "p50_us": at(0.5), "p99_us": at(0.99)})
    );
}

async fn pour(
    net: &Net,
    conn: ConnId,
    events: &mut mpsc::UnboundedReceiver<Told>,
    mb: usize,
) -> Result<()> {
    let parts = (mb * 1_000_000 / PART).next_multiple_of(ACKNOWLEDGED);
    let (mut sent, mut acknowledged) = (0, 0);
    let start = Instant::now();
    while acknowledged < parts {
        while sent < parts && sent < acknowledged + AHEAD {
            net.send(conn, vec![7; PART]);
            sent += 1;
        }
        match events.recv().await {
            Some(Told::Acknowledged) => acknowledged += ACKNOWLEDGED,
            other => return Err(unexpected(other)),
        }
    }
    let rate = (parts * PART) as f64 / 1e6 / start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"mb": mb, "mb_per_s": rate}));
    Ok(())
}
