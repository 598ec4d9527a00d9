//! Random hours of living with others: what is rarer than writing, and people who come and go.

use tenet_apps::{
    contacts::{request::Decision, store::ContactStore},
    conversations::Matter,
};
use tenet_delivery::fetch::FetchState;
use tenet_identity::meeting::door::{self, Place};
use tenet_log::ids::EventId;
use tenet_node::command::Command;

use crate::{act::Act, machine::World, node::Node};

/// Who are friends the whole day, and who comes and goes.
const ANN: usize = 0;
const CLEO: usize = 2;

type Asked = fn(String) -> Command;

const MINUTE: u64 = 60 * 1000;

fn switch(who: String, matter: Matter, on: bool) -> Command {
    let changes = vec![(matter, on)];
    Command::Conversation { who, changes }
}

fn set(name: &str, value: &str) -> Command {
    Command::Set {
        name: name.into(),
        value: value.into(),
    }
}

fn draft(who: String, text: Option<&str>) -> Command {
    let text = text.map(str::to_owned);
    Command::Draft { who, text }
}

fn say(status: &str) -> Command {
    Command::Profile {
        name: None,
        status: Some(status.into()),
        picture: Some(Some(vec![0xff, 0xd8, u8::try_from(status.len()).unwrap()])),
    }
}

/// What leaves nothing that the other sees as a message; all of it may be done twice.
const SMALL: &[Asked] = &[
    |who| switch(who, Matter::Muted, true),
    |who| switch(who, Matter::Muted, false),
    |who| switch(who, Matter::Pinned, true),
    |who| switch(who, Matter::Pinned, false),
    |who| switch(who, Matter::Archived, true),
    |who| switch(who, Matter::Archived, false),
    |who| draft(who, Some("to be said lat")),
    |who| draft(who, None),
    |_| say("away"),
    |_| say("here again"),
    |_| say(""),
    |who| Command::Typing { who, on: true },
    |who| Command::Typing { who, on: true },
    |who| Command::Typing { who, on: false },
    |_| set("typing", "off"),
    |_| set("typing", "on"),
    |_| set("fetch_unasked", "off"),
    |_| set("fetch_unasked", "32MiB"),
    |_| set("quota", "1kB"),
    |_| set("quota", "off"),
    |_| Command::ContactCard,
    |_| Command::Reach,
];

/// What two do who know each other a little.
const ACQUAINTED: &[Asked] = &[
    |who| Command::Send {
        who,
        text: "hello".into(),
        reply: None,
        files: Vec::new(),
    },
    |who| Command::Send {
        who,
        text: "and how are you?".into(),
        reply: None,
        files: Vec::new(),
    },
    |who| Command::Read { who },
    |who| Command::Typing { who, on: true },
    |who| Command::Block { who },
    |who| Command::Unblock { who },
    |who| Command::Remove { who },
    |who| Command::Confirm { who },
];

/// How two become acquainted.
const MEETING: &[Asked] = &[
    |_| invite(true),
    |_| invite(false),
    |_| Command::OpenDoor {
        question: Some("Which street?".into()),
    },
    |_| Command::OpenDoor { question: None },
    |_| Command::CloseDoor,
];

fn invite(reusable: bool) -> Command {
    Command::Invite {
        name: None,
        reusable,
        lasts_ms: 60 * MINUTE,
        question: None,
    }
}

impl World {
    /// Something between the two friends that is rarer than writing.
    pub(super) fn small_deed(&mut self, node: usize, with: usize) {
        if self.nodes[node].engine().is_none() || !knows(&self.nodes[node], &self.nodes[with]) {
            return;
        }
        let command = self.choose(SMALL);
        let forwarded = self.forwardable(node, with);
        let act = match self.draw(8) {
            0 if self.nodes.len() > CLEO => Act::Introduce { to: with, of: CLEO },
            1 | 2 if forwarded.is_some() => Act::Forward {
                id: forwarded.unwrap(),
                to: with,
            },
            _ => Act::Do { with, command },
        };
        self.ask(node, act);
    }

    fn forwardable(&mut self, node: usize, with: usize) -> Option<EventId> {
        let history = self.nodes[node].history(self.nodes[with].identity());
        let known = history.iter().map(|shown| shown.message.id);
        let known: Vec<_> = known
            .filter(|id| {
                self.model
                    .messages
                    .get(id)
                    .is_some_and(|message| !message.unsent)
            })
            .collect();
        let at = self.draw(known.len() as u64);
        known.get(usize::try_from(at).unwrap()).copied()
    }

    /// Something between Ann and somebody who comes and goes.
    pub(super) fn acquaintance(&mut self) {
        let (node, with) = match self.draw(2) {
            0 => (ANN, CLEO),
            _ => (CLEO, ANN),
        };
        if self.nodes.len() <= CLEO || self.nodes[node].engine().is_none() {
            return;
        }
        if self.waits(node, with) {
            let command: Asked = match self.draw(3) {
                0 => |id| Command::RejectRequest { id, remark: None },
                _ => |id| Command::AcceptRequest { id },
            };
            return self.ask(node, Act::Try { with, command });
        }
        let known = self.nodes[node].disk().contact(self.nodes[with].identity());
        if known.unwrap().is_some() {
            let command = self.choose(ACQUAINTED);
            return self.ask(node, Act::Try { with, command });
        }
        if self.draw(2) == 0 {
            let other = &self.nodes[with];
            let place = Place {
                endpoint: other.endpoint(),
                addresses: vec![other.address],
            };
            let link = Box::new(door::link(other.identity(), place).unwrap());
            return self.ask(node, Act::Knock { link });
        }
        let command = self.choose(MEETING);
        self.ask(node, Act::Try { with, command });
    }

    /// Brings everything to where it can rest: what waits for an answer gets one, who is blocked is
    /// heard, and what was not fetched is.
    ///
    /// # Panics
    /// Where that never comes.
    pub(super) fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..120 {
            for node in 0..self.nodes.len() {
                self.settle_files(node);
            }
            let mut settled = true;
            for (node, with) in [(ANN, CLEO), (CLEO, ANN)] {
                settled &= self.nodes.len() <= CLEO || self.settle_pair(node, with);
            }
            let until = self.now + MINUTE;
            while self.step_until(until) {}
            // Twice: what was still to be asked may have begun something.
            let settled = settled && self.nodes.iter().all(has_all_files);
            quiet = if settled { quiet + 1 } else { 0 };
            if quiet == 3 {
                return;
            }
        }
        panic!("it does not settle: {}", self.state());
    }

    fn settle_files(&mut self, node: usize) {
        if has_all_files(&self.nodes[node]) {
            return;
        }
        for command in [|_| set("quota", "off"), |_| set("fetch_unasked", "32MiB")] as [Asked; 2] {
            self.ask(
                node,
                Act::Do {
                    with: node,
                    command,
                },
            );
        }
        for id in without_files(&self.nodes[node]) {
            self.ask(node, Act::Fetch { id });
        }
    }

    /// Whether nothing waits between two; else it is answered.
    fn settle_pair(&mut self, node: usize, with: usize) -> bool {
        let (this, other) = (&self.nodes[node], &self.nodes[with]);
        if this.engine().is_none() {
            return false;
        }
        let disk = this.disk();
        let contact = disk.contact(other.identity()).unwrap();
        let blocked = contact.is_some_and(|contact| contact.blocked);
        let knocks = disk.knockings().unwrap().iter().any(|link| link.is_open());
        let mut requests = disk.requests().unwrap().into_iter();
        let accepted = requests.any(|request| {
            request.identity == other.identity() && request.decision == Decision::Accepted
        });
        let command: Asked = match (blocked, self.waits(node, with)) {
            (true, _) => |who| Command::Unblock { who },
            (_, true) => |id| Command::AcceptRequest { id },
            // Else whoever knocks at a door that was shut would never hear an answer.
            _ if knocks => {
                let open: Asked = |_| Command::OpenDoor { question: None };
                self.ask(
                    with,
                    Act::Try {
                        with: node,
                        command: open,
                    },
                );
                return false;
            }
            // Who asks no more would be looked for until the request is too old.
            _ if accepted => |id| Command::RejectRequest { id, remark: None },
            _ => return true,
        };
        self.ask(node, Act::Try { with, command });
        false
    }

    fn waits(&self, node: usize, with: usize) -> bool {
        let with = self.nodes[with].identity();
        let requests = self.nodes[node].disk().requests().unwrap();
        let mut requests = requests.iter();
        requests.any(|request| request.identity == with && request.decision == Decision::Waiting)
    }

    /// What two see of each other who know each other, or did.
    ///
    /// # Panics
    /// Where they do not see the same.
    pub fn check_acquainted(&self, one: usize, other: usize) {
        let (a, b) = (&self.nodes[one], &self.nodes[other]);
        let contact = |of: &Node, with: &Node| of.disk().contact(with.identity()).unwrap();
        let (there, here) = (contact(a, b), contact(b, a));
        let sessions = |contact: &Option<tenet_apps::contacts::Contact>| {
            let contact = contact.as_ref();
            contact.map_or_else(Default::default, |contact| contact.sessions.clone())
        };
        assert_eq!(sessions(&there), sessions(&here), "not the same sessions");
        for session in sessions(&there) {
            super::check::same_set(a, b, session);
            let shown = |of: &Node| -> Vec<_> {
                let me = of.identity();
                let all = tenet_node::query::history(of.disk(), me, &[session], None, 10_000);
                let all = all.unwrap().into_iter().map(|shown| shown.message);
                all.map(|message| (message.id, message.time, message.text))
                    .collect()
            };
            assert_eq!(shown(a), shown(b), "not the same messages");
        }
    }

    /// Each knows what the other says of themselves, and nobody seems to type who is quiet.
    ///
    /// # Panics
    /// Where that is not so.
    pub fn check_living(&self, one: usize, other: usize) {
        for (node, with) in [(one, other), (other, one)] {
            let (this, with) = (&self.nodes[node], &self.nodes[with]);
            let contact = this.disk().contact(with.identity()).unwrap().unwrap();
            let profile = with.engine().unwrap().profile();
            assert_eq!(contact.nickname, profile.name);
            assert_eq!(contact.status, profile.status, "of {}", with.name);
            assert_eq!(contact.picture, profile.picture);
        }
        for node in &self.nodes {
            let sizes = node.engine().unwrap().sizes();
            let typing = sizes.iter().find(|(name, _)| *name == "typing");
            assert_eq!(typing.unwrap().1, 0, "{} sees somebody type", node.name);
        }
    }

    fn choose(&mut self, from: &[Asked]) -> Asked {
        let at = self.draw(from.len() as u64);
        from[usize::try_from(at).unwrap()]
    }
}

fn knows(node: &Node, other: &Node) -> bool {
    !node.sessions_with(other.identity()).is_empty()
}

fn without_files(node: &Node) -> Vec<EventId> {
    let contacts = node.disk().contacts().unwrap();
    let all = contacts
        .iter()
        .flat_map(|contact| node.history(contact.identity));
    let lacks = all.filter(|shown| {
        let mut files = shown.files.iter();
        files.any(|state| *state != FetchState::Whole)
    });
    lacks.map(|shown| shown.message.id).collect()
}

fn has_all_files(node: &Node) -> bool {
    node.engine().is_some() && without_files(node).is_empty()
}
