//! Who does what after what.

use tenet_log::ids::EventId;

use crate::{act::Act, machine::World};

/// What is done at one place of a script; messages are named by the text that they began with.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Make a link for somebody.
    Invite(usize),
    /// Write to somebody.
    Send(usize, &'static str),
    /// Answer a message.
    Reply(usize, &'static str, &'static str),
    /// Change a message.
    Edit(&'static str, &'static str),
    /// Take a message back.
    Unsend(&'static str),
    /// React to a message.
    React(&'static str, &'static str),
    /// Take a reaction away.
    Unreact(&'static str, &'static str),
    /// Have read everything of somebody.
    Read(usize),
    /// Have compared the short strings with somebody.
    Confirm(usize),
    /// Let what is said with somebody from now on disappear after so many seconds.
    Timer(usize, u64),
}

/// What must be seen before something is done.
#[derive(Clone, Copy, Debug)]
pub enum After {
    /// Nothing.
    Nothing,
    /// Somebody is a contact.
    Contact(usize),
    /// A message of this label is shown.
    Message(&'static str),
}

/// One place of a script: who, after what, does what.
#[derive(Clone, Copy, Debug)]
pub struct Line(pub usize, pub After, pub Deed);

/// Who does what after what. What hangs on a message that came to nothing is left out.
pub struct Script {
    lines: Vec<(Line, bool)>,
}

impl Script {
    /// A script of lines, each of which is done once its condition holds; a person does the lines
    /// of the own part in order.
    pub fn new(lines: &[Line]) -> Self {
        Self {
            lines: lines.iter().map(|line| (*line, false)).collect(),
        }
    }

    /// Does what can be done now; says whether everything is done.
    pub fn go_on(&mut self, world: &mut World) -> bool {
        for node in 0..world.nodes.len() {
            let own = self
                .lines
                .iter_mut()
                .filter(|(line, done)| line.0 == node && !done);
            for (Line(_, after, deed), done) in own {
                if is_gone(world, after, deed) {
                    // And with it what hangs on this line.
                    if let Deed::Send(_, label) | Deed::Reply(_, _, label) = deed {
                        world.model.lost.insert((*label).to_owned());
                    }
                } else {
                    if !holds(world, node, after) {
                        break;
                    }
                    let Some(act) = act(world, deed) else { break };
                    world.ask(node, act);
                }
                *done = true;
            }
        }
        self.lines.iter().all(|(_, done)| *done)
    }

    /// What is still to be done.
    pub fn left(&self) -> Vec<Line> {
        self.lines
            .iter()
            .filter(|(_, done)| !done)
            .map(|(line, _)| *line)
            .collect()
    }
}

/// Whether a line hangs on a message that came to nothing.
fn is_gone(world: &World, after: &After, deed: &Deed) -> bool {
    let gone = |label: &str| world.model.lost.contains(label);
    let by_deed = match deed {
        Deed::Reply(_, to, _) => gone(to),
        Deed::Edit(label, _)
        | Deed::Unsend(label)
        | Deed::React(label, _)
        | Deed::Unreact(label, _) => gone(label),
        _ => false,
    };
    by_deed || matches!(after, After::Message(label) if gone(label))
}

fn holds(world: &World, node: usize, after: &After) -> bool {
    let this = &world.nodes[node];
    if this.engine().is_none() {
        return false;
    }
    match after {
        After::Nothing => true,
        After::Contact(other) => !this
            .sessions_with(world.nodes[*other].identity())
            .is_empty(),
        After::Message(label) => world.model.by_label(label).is_some_and(|id| {
            let others = world
                .nodes
                .iter()
                .filter(|other| other.identity() != this.identity());
            let mut shown = others.flat_map(|other| this.history(other.identity()));
            shown.any(|shown| shown.message.id == id)
        }),
    }
}

/// `None` while a message that it names is not answered for.
fn act(world: &World, deed: &Deed) -> Option<Act> {
    let id = |label: &str| -> Option<EventId> { world.model.by_label(label) };
    Some(match *deed {
        Deed::Invite(to) => Act::Invite { to },
        Deed::Send(to, text) => Act::Send {
            to,
            text: text.to_owned(),
            reply: None,
        },
        Deed::Reply(to, message, text) => Act::Send {
            to,
            text: text.to_owned(),
            reply: Some(id(message)?),
        },
        Deed::Edit(message, text) => Act::Edit {
            id: id(message)?,
            text: text.to_owned(),
        },
        Deed::Unsend(message) => Act::Unsend { id: id(message)? },
        Deed::React(message, emoji) => Act::React {
            id: id(message)?,
            emoji,
            remove: false,
        },
        Deed::Unreact(message, emoji) => Act::React {
            id: id(message)?,
            emoji,
            remove: true,
        },
        Deed::Read(with) => Act::Read { with },
        Deed::Confirm(with) => Act::Confirm { with },
        Deed::Timer(with, seconds) => Act::Timer { with, seconds },
    })
}
