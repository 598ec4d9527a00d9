//! What a device has of a session, held against what it would have if it took all of it in anew.
//!
//! ```text
//! set ─▶ operations folded at once, in the log's order ─▶ is what is kept of them that?
//!    └─▶ an empty store takes all, in the log's order ──▶ the same roster, heads and standings?
//! ```
//!
//! Two devices may err alike: those of a session of five often hear of the same things in the same order.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use tenet_log::{
    ids::{EventId, SessionId},
    session::{Receipt, Session},
    standing::Standing,
    store::{LogStore, Position, Stored},
};

use super::{check::ALL, reading::is_read_right};
use crate::{disk::Disk, node::Node};

/// Whether what the store keeps of a session's operations is what they come to.
pub(super) fn is_kept(node: &Node, session: SessionId) -> Result<()> {
    ensure!(
        Session::is_kept_right(node.disk(), session)?,
        "node {} keeps of {session} something else than its operations come to",
        node.place()
    );
    Ok(())
}

/// Whether who takes all in anew, in the log's order, holds what a node does, whose events came in any order.
pub(super) fn is_alike(node: &Node, session: SessionId) -> Result<()> {
    let disk = node.disk();
    let mut all = disk.since(session, Position::default(), ALL)?;
    all.sort_by_key(|stored| stored.event.order());
    let mut store = Disk::new();
    let taken = take(&mut store, &all)?;
    let held = Session::load(disk, session)?.context("a session that is held")?;
    is_read_right(disk, &held)?;
    let differ = differing(&all, &store.since(session, Position::default(), ALL)?);
    ensure!(
        differ.is_empty(),
        "who takes all in anew has other standings: {differ:?}"
    );
    ensure!(
        taken.roster() == held.roster(),
        "who takes all in anew has another roster"
    );
    let heads = |of: &Session| {
        let mut heads: Vec<EventId> = of.frontier().heads().map(|head| head.id).collect();
        heads.sort_unstable();
        heads
    };
    ensure!(
        heads(&taken) == heads(&held),
        "who takes all in anew has another frontier"
    );
    Ok(())
}

fn take(store: &mut Disk, all: &[Stored]) -> Result<Session> {
    let (founding, others) = all.split_first().context("a session without a founding")?;
    // No clock is behind what it is shown.
    let now = all
        .last()
        .map_or(0, |last| last.event.header().time.millis());
    let (mut session, _) = Session::open(store, &founding.event)?;
    for stored in others {
        let receipt = session.receive(store, &stored.event, now)?;
        ensure!(
            matches!(receipt, Receipt::Admitted(_)),
            "who takes all in anew does not take {:?}: {receipt:?}",
            stored.event.id()
        );
    }
    Ok(session)
}

/// Events that stand otherwise, with how in either.
fn differing(one: &[Stored], other: &[Stored]) -> Vec<(EventId, Standing, Option<Standing>)> {
    let other = other.iter().map(|it| (it.event.id(), it.standing));
    let other: BTreeMap<_, _> = other.collect();
    let both = one.iter().map(|it| {
        let id = it.event.id();
        (id, it.standing, other.get(&id).copied())
    });
    both.filter(|(_, here, there)| Some(*here) != *there)
        .collect()
}
