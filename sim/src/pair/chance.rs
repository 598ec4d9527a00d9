//! Random days: whatever persons, networks and power supplies do, in whatever order.

use crate::{
    act::Act,
    files::CLIP,
    machine::{Kill, Moment, World},
};

const EMOJI: [&str; 3] = ["👍", "☀", "🎉"];

impl World {
    /// Two people become contacts and do this many random things, while connections and processes
    /// end at random moments.
    pub fn random_day(&mut self, deeds: u32) {
        if self.draw(4) == 0 {
            // Both give the other a link at the same time.
            self.ask(1, Act::Invite { to: 0 });
        }
        self.ask(0, Act::Invite { to: 1 });
        for deed in 0..deeds {
            for _ in 0..self.draw(6) {
                self.step();
            }
            match self.draw(20) {
                0 => self.cut_one(),
                1 | 2 => self.plan_a_kill(),
                _ => self.random_deed(deed),
            }
        }
        self.rest_after_kills();
    }

    /// So much time with so many deeds in it, at random moments, and rest at its end; processes and
    /// connections end at any moment.
    pub fn random_hour(&mut self, number: u64, lasts: u64, deeds: u64) {
        let end = self.now + lasts;
        for deed in 0..deeds {
            let pause = self.draw(2 * lasts / deeds);
            let until = (self.now + pause).min(end);
            while self.step_until(until) {}
            match self.draw(20) {
                0 | 1 => self.cut_one(),
                2 => self.plan_a_kill(),
                3 => {
                    let node = self.someone();
                    if self.nodes[node].engine().is_some() {
                        self.kill(node);
                    }
                }
                4..=7 => {
                    let node = usize::from(self.draw(2) == 0);
                    self.small_deed(node, 1 - node);
                }
                8..=10 => self.acquaintance(),
                _ => self.random_deed(u32::try_from(number * deeds + deed).unwrap()),
            }
        }
        while self.step_until(end) {}
        self.kills.clear();
        self.settle();
        self.rest();
    }

    /// Comes to rest. A process that is to die in a batch that never comes lives on.
    pub fn rest_after_kills(&mut self) {
        self.kills.clear();
        self.rest();
    }

    /// A random node.
    fn someone(&mut self) -> usize {
        usize::try_from(self.draw(self.nodes.len() as u64)).unwrap()
    }

    fn plan_a_kill(&mut self) {
        let node = self.someone();
        let batch = self.nodes[node].batches + self.draw(3);
        let moment = match self.draw(5) {
            0 | 1 => Moment::Before,
            left => Moment::After(usize::try_from(left).unwrap() - 2),
        };
        self.kills.push(Kill {
            node,
            batch,
            moment,
        });
    }

    fn random_deed(&mut self, number: u32) {
        let node = usize::from(self.draw(2) == 0);
        let other = 1 - node;
        let running = self.nodes[node].engine().is_some();
        if !running
            || self.nodes[node]
                .sessions_with(self.nodes[other].identity())
                .is_empty()
        {
            return;
        }
        let history = self.nodes[node].history(self.nodes[other].identity());
        let ids: Vec<_> = history
            .iter()
            .filter(|shown| self.model.messages.contains_key(&shown.message.id))
            .map(|shown| shown.message.id)
            .collect();
        let mut text = format!("{number} of {node}");
        if self.draw(4) == 0 {
            text += [" @bert", " @ann", " @nobody"][self.draw(3) as usize];
        }
        if self.draw(3) == 0 {
            text.push(CLIP);
        }
        let id = (!ids.is_empty()).then(|| ids[self.draw(ids.len() as u64) as usize]);
        let act = match (self.draw(10), id) {
            (4, Some(id)) => Act::Send {
                to: other,
                text,
                reply: Some(id),
            },
            (5, Some(id)) if self.may_change(node, id) => Act::Edit { id, text },
            (6, Some(id)) if self.may_change(node, id) => Act::Unsend { id },
            (7 | 8, Some(id)) => {
                let emoji = EMOJI[self.draw(3) as usize];
                let remove = self.model.messages[&id].reactions.contains(&(emoji, node));
                Act::React { id, emoji, remove }
            }
            (9, _) => Act::Read { with: other },
            (3, _) if number.is_multiple_of(8) => Act::Confirm { with: other },
            (2, _) if number.is_multiple_of(4) => Act::Timer {
                with: other,
                seconds: [0, 5, 90, 600][self.draw(4) as usize],
            },
            _ => Act::Send {
                to: other,
                text,
                reply: None,
            },
        };
        self.ask(node, act);
    }

    /// Whether a message is this node's own, and no act that could take it back is under way.
    fn may_change(&self, node: usize, id: tenet_log::ids::EventId) -> bool {
        let message = &self.model.messages[&id];
        message.author == node && !message.unsent
    }
}
