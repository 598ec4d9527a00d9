//! The virtual network: connections between endpoints, frames in order, delays, cuts.

use std::collections::{BTreeMap, BTreeSet};

use tenet_node::input::ConnId;

/// All ends of all connections.
#[derive(Default)]
pub struct Network {
    ends: BTreeMap<ConnId, End>,
    of: BTreeMap<usize, BTreeSet<ConnId>>,
    next: u64,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Whose.
    pub node: usize,
    /// The other end.
    pub other: ConnId,
    /// When the last thing under way to this end arrives: nothing overtakes it.
    pub clear_at: u64,
    /// From when on nothing arrives here any more.
    pub deaf_from: u64,
    /// Whether what is sent here still travels.
    pub speaks: bool,
}

impl Network {
    /// A new connection: the dialling end and the dialled end.
    pub fn connect(&mut self, dialler: usize, dialled: usize, now: u64) -> (ConnId, ConnId) {
        let (one, other) = (ConnId(self.next), ConnId(self.next + 1));
        self.next += 2;
        let end = |node, other| End {
            node,
            other,
            clear_at: now,
            deaf_from: u64::MAX,
            speaks: true,
        };
        self.ends.insert(one, end(dialler, other));
        self.ends.insert(other, end(dialled, one));
        self.of.entry(dialler).or_default().insert(one);
        self.of.entry(dialled).or_default().insert(other);
        (one, other)
    }

    /// The end of a connection has arrived at this end: it is forgotten, and with it the other one, where
    /// that was closed and not cut.
    pub fn ended(&mut self, conn: ConnId) {
        let Some(end) = self.remove(conn) else { return };
        let other = self.ends.get(&end.other);
        if other.is_some_and(|other| !other.speaks && other.deaf_from == u64::MAX) {
            self.remove(end.other);
        }
    }

    fn remove(&mut self, conn: ConnId) -> Option<End> {
        let end = self.ends.remove(&conn)?;
        if let Some(of) = self.of.get_mut(&end.node) {
            of.remove(&conn);
        }
        Some(end)
    }

    /// An end and the other one, if it is open.
    pub fn both_ends(&self, conn: ConnId) -> Vec<ConnId> {
        let end = self.ends.get(&conn).filter(|end| end.speaks);
        end.map_or_else(Vec::new, |end| vec![conn, end.other])
    }

    /// Whose an end is.
    pub fn node_of(&self, conn: ConnId) -> usize {
        self.ends[&conn].node
    }

    /// The node at the other end, while anything is known of it.
    pub fn other(&self, conn: ConnId) -> Option<usize> {
        let other = self.ends.get(&self.ends.get(&conn)?.other)?;
        Some(other.node)
    }

    /// Something leaves this end: whose node hears it when, unless nothing gets through.
    pub fn carry(&mut self, from: ConnId, now: u64, delay: u64) -> Option<(usize, ConnId, u64)> {
        let from = self.ends.get(&from).filter(|end| end.speaks)?;
        let to = from.other;
        let end = self.ends.get_mut(&to)?;
        end.clear_at = end.clear_at.max(now + delay);
        Some((end.node, to, end.clear_at))
    }

    /// Whether something that was sent to this end arrives.
    pub fn arrives(&self, at: ConnId, now: u64) -> bool {
        self.ends.get(&at).is_some_and(|end| now < end.deaf_from)
    }

    /// Nothing more is sent by this end; what is under way from it arrives.
    pub fn hush(&mut self, conn: ConnId) {
        if let Some(end) = self.ends.get_mut(&conn) {
            end.speaks = false;
        }
    }

    /// Nothing is sent or heard at this end from `at` on.
    pub fn cut(&mut self, conn: ConnId, at: u64) {
        if let Some(end) = self.ends.get_mut(&conn) {
            end.speaks = false;
            end.deaf_from = end.deaf_from.min(at);
        }
    }

    /// The open ends of a node, with their other ends.
    pub fn ends_of(&self, node: usize) -> Vec<(ConnId, End)> {
        let of = self.of.get(&node).into_iter().flatten();
        let of = of.filter_map(|conn| Some((*conn, *self.ends.get(conn)?)));
        of.filter(|(_, end)| end.speaks).collect()
    }

    /// Both ends of every open connection.
    pub fn open(&self) -> Vec<(ConnId, ConnId)> {
        let open = self
            .ends
            .iter()
            .filter(|(conn, end)| end.speaks && **conn < end.other);
        open.map(|(conn, end)| (*conn, end.other)).collect()
    }
}
