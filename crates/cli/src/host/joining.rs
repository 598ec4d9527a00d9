//! A new device on its way in: the network's side of `tenet_node::joining`.

use std::{sync::Arc, time::Duration};

use tenet_identity::{
    card::DeviceCard,
    keys::DeviceKey,
    meeting::{link::Link, short::Short},
};
use tenet_net::{Config, Event, Limits, Net, Side};
use tenet_node::joining::{JoinError, Joiner, Step};
use tenet_rpc::api;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout_at},
};
use zeroize::Zeroizing;

use super::{Options, engine};

/// How long to wait before the link's endpoint is dialled again.
const AGAIN: Duration = Duration::from_secs(1);

/// What it takes to be let in.
pub struct Joining<'a> {
    /// The link.
    pub link: &'a Link,
    /// This device's key.
    pub key: &'a DeviceKey,
    /// The seed of its endpoint's key.
    pub endpoint: &'a Zeroizing<[u8; 32]>,
    /// What it is to be called.
    pub name: String,
    /// Its share of the short string.
    pub nonce: [u8; 32],
    /// How the network is used.
    pub options: &'a Options,
    /// How long to wait until the other device is reached.
    pub patience: Duration,
}

/// Takes a device link; gives the card, what the person is called, and what both screens show.
///
/// # Errors
/// The network's, the other device's refusal, and that it was not reached in time.
pub async fn join(
    joining: Joining<'_>,
    show: impl Fn(&Short),
) -> Result<(DeviceCard, String, Short), api::Error> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let config = Config {
        secret: joining.endpoint.clone(),
        listen: joining.options.listen.clone(),
        port: None,
        lan: joining.options.lan,
        limits: Limits::default(),
    };
    let net = Net::bind(config, Arc::new(move |event| drop(tell.send(event))))
        .await
        .map_err(|error| api::Error::failure(format!("the network cannot be opened: {error}")))?;
    let outcome = talk(&net, &mut told, joining, show).await;
    net.shutdown().await;
    outcome
}

async fn talk(
    net: &Net,
    told: &mut mpsc::UnboundedReceiver<Event>,
    joining: Joining<'_>,
    show: impl Fn(&Short),
) -> Result<(DeviceCard, String, Short), api::Error> {
    let ext = joining.link.ext();
    let mut joiner = Joiner::new(
        joining.link.clone(),
        joining.key,
        joining.name,
        joining.nonce,
    );
    let mut until = Instant::now() + joining.patience;
    let mut short = None;
    let dial = || net.dial(ext.endpoint, ext.addresses.clone());
    dial();
    loop {
        let event = timeout_at(until, told.recv()).await;
        let Ok(Some(event)) = event else {
            return Err(api::Error::failure(match short {
                None => {
                    "the other device was not reached: its node must run (tenet up), and be reachable from here"
                }
                Some(_) => "nobody said yes at the other device in time",
            }));
        };
        let (conn, steps) = match event {
            Event::Connected {
                conn,
                side: Side::Dialler,
                exporter,
                ..
            } => (conn, vec![joiner.connected(exporter).map_err(refused)?]),
            Event::Frame { conn, frame, .. } => {
                let steps = joiner.frame(joining.key, &frame).map_err(refused)?;
                (conn, steps)
            }
            Event::DialFailed { .. } | Event::Closed { .. } => {
                sleep(AGAIN).await;
                dial();
                continue;
            }
            _ => continue,
        };
        for step in steps {
            match step {
                Step::Send(frame) => net.send(conn, frame),
                Step::Show(shown) => {
                    net.authenticated(conn);
                    let left = ext.expires_ms.saturating_sub(engine::now());
                    until = Instant::now() + Duration::from_millis(left);
                    if short.replace(shown) != Some(shown) {
                        show(&shown);
                    }
                }
                Step::Linked(card, name) => {
                    let short = short.ok_or_else(|| refused(JoinError::Unexpected))?;
                    return Ok((*card, name, short));
                }
            }
        }
    }
}

fn refused(error: JoinError) -> api::Error {
    api::Error::refused(error.to_string())
}
