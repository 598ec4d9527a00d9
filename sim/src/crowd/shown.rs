//! What a device shows of a session.

use anyhow::{Result, ensure};
use tenet_apps::chat::told::Told;
use tenet_identity::keys::IdentityId;
use tenet_log::ids::{EventId, SessionId};
use tenet_node::{
    Engine,
    groups::Group,
    query::{self, Shown},
};

use super::check::ALL;
use crate::node::Node;

/// How many messages are seen at a time.
const PAGE: usize = 6;

/// A message as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: EventId,
    pub(super) author: IdentityId,
    pub(super) text: Option<String>,
    pub(super) told: Option<Told>,
    pub(super) missing: bool,
    pub(super) edited: bool,
    pub(super) reactions: Vec<(String, IdentityId)>,
}

/// What a person sees of a session who begins at its end and turns page after page.
pub(super) fn leafed_through(node: &Node, session: SessionId) -> Result<Vec<Shown>> {
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = query::history(node.disk(), node.identity(), &[session], before, PAGE)?;
        let Some(first) = page.first() else {
            pages.reverse();
            return Ok(pages.into_iter().flatten().collect());
        };
        before = Some(first.message.id);
        pages.push(page);
        ensure!(
            pages.len() < ALL / PAGE,
            "the pages of {session} go in a circle"
        );
    }
}

pub(super) fn line(shown: &Shown) -> Line {
    let message = &shown.message;
    let reactions = message.reactions.iter();
    let reactions =
        reactions.flat_map(|(emoji, who)| who.iter().map(|who| (emoji.as_str().to_owned(), *who)));
    Line {
        id: message.id,
        author: message.identity,
        text: message.text.clone(),
        told: message.told.clone(),
        missing: message.missing,
        edited: message.edited,
        reactions: reactions.collect(),
    }
}

/// What is told of a session to everybody in it alike.
pub(super) fn told(node: &Node, session: SessionId) -> Option<Group> {
    let groups = node.engine().map(Engine::groups).unwrap_or_default();
    let group = groups.into_iter().find(|one| one.session == session);
    group.map(|group| Group {
        role: None,
        ..group
    })
}
