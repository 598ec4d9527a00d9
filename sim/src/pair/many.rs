//! Sessions of many in stories: founding them, changing who is in, writing there.

use tenet_log::{ids::SessionId, roster::Op};
use tenet_node::{command::entrance::Entrance, groups::LinkInto};

use crate::{act::Act, crowd::Deed, machine::World};

impl World {
    /// Founds a session of many.
    ///
    /// # Panics
    /// Where that is refused.
    pub fn found(&mut self, node: usize, name: &str, with: Vec<String>) -> SessionId {
        let name = name.to_owned();
        self.ask(node, Act::Many(Box::new(Deed::Found { name, with })));
        self.until(|world| world.founded.is_some());
        self.founded.take().expect("it was founded")
    }

    /// Does something about links into a session.
    pub fn enter(&mut self, node: usize, what: Entrance) {
        self.ask(node, Act::Many(Box::new(Deed::Enter(what))));
    }

    /// Makes a link into a session, and gives it when it is there.
    ///
    /// # Panics
    /// Where that is refused.
    pub fn link_into(&mut self, node: usize, what: Entrance) -> LinkInto {
        self.linked = None;
        self.enter(node, what);
        self.until(|world| world.linked.is_some());
        self.linked.take().expect("it was made")
    }

    /// Who asks to come into a session, as a node would list them: names and remarks.
    ///
    /// # Panics
    /// Where the node does not run.
    pub fn asked(&mut self, node: usize, session: SessionId) -> Vec<(String, Option<String>)> {
        let now = self.clock(node);
        let engine = self.nodes[node].engine().expect("it runs");
        let asks = engine.who_asks(now, session).expect("its disk is whole");
        let asks = asks.into_iter().map(|request| request.ask);
        asks.map(|ask| (ask.name, ask.remark)).collect()
    }

    /// Changes who is in a session.
    pub fn operate(&mut self, node: usize, session: SessionId, op: Op) {
        let op = Box::new(op);
        self.ask(
            node,
            Act::Many(Box::new(Deed::Operate {
                session,
                op,
                whom: node,
            })),
        );
    }

    /// Renews the cards of a person, at a node that holds their key.
    pub fn renew_cards(&mut self, node: usize, person: usize) {
        self.ask(node, Act::Many(Box::new(Deed::RenewCards { person })));
    }

    /// Revokes the keys that a node had before, once nothing more of them comes.
    pub fn revoke_former(&mut self, node: usize, person: usize) {
        self.ask(node, Act::Many(Box::new(Deed::RevokeFormer { person })));
    }

    /// Revokes a node's device, at another one of the same person.
    pub fn revoke(&mut self, node: usize, person: usize, revoked: usize) {
        let device = self.nodes[revoked].own().device().to_string();
        self.revoke_by_id(node, person, device);
    }

    /// Revokes a device of a person, at a node of theirs.
    pub fn revoke_by_id(&mut self, node: usize, person: usize, device: String) {
        self.ask(node, Act::Many(Box::new(Deed::Revoke { person, device })));
    }

    /// Suspends a node's device, or no more, at another one of the same person.
    pub fn suspend(&mut self, node: usize, which: usize, suspended: bool) {
        let device = self.nodes[which].own().device().to_string();
        self.ask(
            node,
            Act::Many(Box::new(Deed::Suspend { device, suspended })),
        );
    }

    /// Writes in a session of many.
    pub fn say(&mut self, node: usize, session: SessionId, text: &str) {
        let text = text.to_owned();
        self.ask(node, Act::Many(Box::new(Deed::Say { session, text })));
    }
}
