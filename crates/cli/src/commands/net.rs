//! `tenet net`: the devices of contacts and how each is reached.

use tenet_rpc::api::{Net, Path, Peer};

use super::Shell;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;

pub(super) async fn run(shell: &Shell) -> Outcome {
    let net = shell
        .with(Need::Home, async |caller| caller.call(Net {}).await)
        .await?;
    for peer in &net.peers {
        shell.output.object(peer, || words(peer))?;
    }
    Ok(())
}

fn words(peer: &Peer) -> String {
    let path = match peer.path {
        Path::Direct => "direct",
        Path::Relay => "relay",
        _ => "none",
    };
    let rtt = peer
        .rtt_ms
        .map_or_else(String::new, |rtt| format!("{rtt:.1} ms"));
    let addr = peer.addr.as_deref().unwrap_or_default();
    let device = peer.device.get(..12).unwrap_or(&peer.device);
    format!(
        "{:20} {device}  {path:7} {rtt:9} {addr}",
        shown_short(&peer.name)
    )
    .trim_end()
    .to_owned()
}
