//! What cannot be done better: a tree over exactly those who live to the end, each sent the event once.

use std::rc::Rc;

use super::{
    crowd::Crowd,
    network::{Actions, Input, Moment, Speaker},
};

/// One device of the tree.
pub struct Ideal {
    me: usize,
    tree: Rc<Vec<usize>>,
    width: usize,
    bytes: usize,
    has: bool,
}

/// The devices of a tree of so many copies each, of an event of so many bytes. Nobody dies in it.
pub fn devices(crowd: &Crowd, width: usize, bytes: usize) -> Vec<Ideal> {
    let tree: Rc<Vec<usize>> = Rc::new(crowd.living().collect());
    let device = |me| Ideal {
        me,
        tree: Rc::clone(&tree),
        width,
        bytes,
        has: false,
    };
    (0..crowd.points.len()).map(device).collect()
}

impl Ideal {
    /// Forgets the event, so that another one may come, over the connections that stand now.
    pub fn forget(&mut self) {
        self.has = false;
    }
}

impl Speaker for Ideal {
    type Message = ();

    fn handle(&mut self, _: Input<()>, _: Moment<'_>) -> Actions<()> {
        let mut send = Vec::new();
        if !std::mem::replace(&mut self.has, true) {
            // Ascending, so each finds itself by halves.
            let at = self.tree.binary_search(&self.me).expect("in the tree");
            let children = (1..=self.width).map(|child| at * self.width + child);
            let children = children.filter_map(|child| self.tree.get(child));
            send.extend(children.map(|child| (*child, (), self.bytes, true)));
        }
        Actions {
            send,
            wake: None,
            has: true,
        }
    }
}
