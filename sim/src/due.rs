//! When nodes want to be called, and which have something to do.

use crate::machine::World;

impl World {
    /// When a node wants to be called, by the true time.
    fn deadline(&self, node: usize) -> Option<u64> {
        let node = &self.nodes[node];
        let at = node.engine()?.deadline()?;
        Some(at.saturating_sub(node.ahead))
    }

    /// Notes anew when a node wants to be called.
    pub(super) fn rearm(&mut self, node: usize) {
        let at = self.deadline(node);
        if let Some(before) = std::mem::replace(&mut self.due_of[node], at) {
            self.due.remove(&(before, node));
        }
        self.due.extend(at.map(|at| (at, node)));
        let engine = self.nodes[node].engine();
        match engine.is_some_and(|engine| engine.work_deadline().is_some()) {
            true => self.at_work.insert(node),
            false => self.at_work.remove(&node),
        };
    }

    /// Sets a node's clock: so far ahead of the true time, in milliseconds.
    pub fn set_clock(&mut self, node: usize, ahead: u64) {
        self.nodes[node].ahead = ahead;
        self.rearm(node);
    }
}
