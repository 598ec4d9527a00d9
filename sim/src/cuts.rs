//! Connections that end without either end wanting it.

use tenet_node::input::{ConnId, Input};

use crate::machine::{GRAIN, Happening, World};

/// The longest until an end that hears nothing takes its connection for dead, in milliseconds.
const IDLE: u64 = 30_000;

impl World {
    /// Ends a random connection, at both ends about now; what is under way is lost from some
    /// moment on.
    pub fn cut_one(&mut self) {
        let open = self.network.open();
        if open.is_empty() {
            return;
        }
        let at = usize::try_from(self.draw(open.len() as u64)).unwrap();
        self.end(open[at].0);
    }

    /// Ends a connection, at both ends about now.
    pub(crate) fn end(&mut self, conn: ConnId) {
        for conn in self.network.both_ends(conn) {
            let at = self.now + self.draw_delay();
            self.network.cut(conn, at);
            let node = self.network.node_of(conn);
            self.happens_at(
                at,
                Happening::Arrives {
                    node,
                    conn,
                    input: Input::Closed { conn },
                },
            );
        }
    }

    /// Between which nodes connections stand.
    pub fn connected(&self) -> Vec<(usize, usize)> {
        let open = self.network.open().into_iter();
        open.map(|(one, other)| (self.network.node_of(one), self.network.node_of(other)))
            .collect()
    }

    /// Ends what walls divide now: nothing gets through from this moment on, and both ends notice it
    /// in their time.
    pub fn divide(&mut self) {
        for (one, other) in self.network.open() {
            let ends = [one, other].map(|conn| self.network.node_of(conn));
            if self.walls.is_joined(ends[0], ends[1]) {
                continue;
            }
            for (conn, node) in [one, other].into_iter().zip(ends) {
                self.network.cut(conn, self.now);
                let noticed = (1 + self.draw(IDLE / GRAIN)) * GRAIN;
                let input = Input::Closed { conn };
                self.happens_in(noticed, Happening::Arrives { node, conn, input });
            }
        }
    }
}
