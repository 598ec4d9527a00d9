//! A bare iroh echo: the measure for what frames cost on top.
//!
//! ```text
//! raw_echo serve                                → {"id":…,"addr":…}
//! raw_echo client ID ADDR N                     → {"n":…,"p50_us":…,"p99_us":…}
//! raw_echo client ID ADDR N --throughput MB     → as above, and {"mb":…,"mb_per_s":…}
//! ```
//!
//! Same TLS, same transport settings as `tenet-net`; one stream, 64 bytes a round.

#![allow(clippy::print_stdout, clippy::indexing_slicing)]

use std::{error::Error, net::SocketAddr, time::Instant};

use iroh::{
    Endpoint, EndpointAddr, EndpointId, TransportAddr,
    endpoint::{Connection, RecvStream, SendStream},
};
use tenet_net::raw;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ROUND: usize = 64;
const PART: usize = 64 << 10;
const ECHO: u8 = b'e';
const SINK: u8 = b's';

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

async fn endpoint(seed: u8) -> Result<Endpoint> {
    Ok(raw::builder(&[seed; 32], raw::IDLE)
        .bind_addr("127.0.0.1:0")?
        .bind()
        .await?)
}

async fn serve() -> Result<()> {
    let endpoint = endpoint(1).await?;
    let address = endpoint.bound_sockets()[0];
    println!(
        "{}",
        serde_json::json!({"id": endpoint.id().to_string(), "addr": address})
    );
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            if let Ok(connection) = incoming.await {
                // The client going away is the normal end.
                let _gone = answer(connection).await;
            }
        });
    }
    Ok(())
}

async fn answer(connection: Connection) -> Result<()> {
    raw::widen(&connection);
    loop {
        // A stream of each kind after the other: the transport allows one at a time.
        let (mut send, mut recv) = connection.accept_bi().await?;
        let mut kind = [0];
        recv.read_exact(&mut kind).await?;
        if kind[0] == ECHO {
            let mut round = [0; ROUND];
            while recv.read_exact(&mut round).await.is_ok() {
                send.write_all(&round).await?;
            }
        } else {
            while recv.read_chunk(PART).await?.is_some() {}
            send.write_all(&kind).await?;
        }
        send.finish()?;
    }
}

async fn client(id: &str, address: &str, n: usize, throughput: Option<usize>) -> Result<()> {
    let endpoint = endpoint(2).await?;
    let id: EndpointId = id.parse()?;
    let address: SocketAddr = address.parse()?;
    let at = EndpointAddr::from_parts(id, [TransportAddr::Ip(address)]);
    let connection = endpoint.connect(at, raw::ALPN).await?;
    raw::widen(&connection);
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_all(&[ECHO]).await?;
    rounds(&mut send, &mut recv, n).await?;
    send.finish()?;
    while recv.read_chunk(PART).await?.is_some() {}
    if let Some(mb) = throughput {
        let (mut send, mut recv) = connection.open_bi().await?;
        send.write_all(&[SINK]).await?;
        pour(&mut send, &mut recv, mb).await?;
    }
    connection.close(0u32.into(), b"");
    endpoint.close().await;
    Ok(())
}

async fn rounds(send: &mut SendStream, recv: &mut RecvStream, n: usize) -> Result<()> {
    let mut round = [7; ROUND];
    let mut micros = Vec::with_capacity(n);
    for _ in 0..n {
        let start = Instant::now();
        send.write_all(&round).await?;
        recv.read_exact(&mut round).await?;
        micros.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    micros.sort_by(f64::total_cmp);
    let at = |part: f64| micros.get((micros.len() as f64 * part) as usize).copied();
    println!(
        "{}",
        serde_json::json!({"n": n, "p50_us": at(0.5), "p99_us": at(0.99)})
    );
    Ok(())
}

async fn pour(send: &mut SendStream, recv: &mut RecvStream, mb: usize) -> Result<()> {
    let part = vec![7; PART];
    let start = Instant::now();
    for _ in 0..mb * 1_000_000 / PART {
        send.write_all(&part).await?;
    }
    send.finish()?;
    recv.read_exact(&mut [0]).await?;
    let rate = mb as f64 / start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({"mb": mb, "mb_per_s": rate}));
    Ok(())
}
