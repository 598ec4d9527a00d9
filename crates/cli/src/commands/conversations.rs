//! `tenet conversations` and `tenet conversation …`.

use tenet_rpc::api::{self, Conversation, ConversationSet};

use super::{Shell, message};
use crate::args::{ConversationCommand, Conversations};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;

pub(super) async fn list(shell: &Shell, args: &Conversations) -> Outcome {
    let wanted = api::Conversations { all: args.all };
    let list = shell
        .with(Need::Home, async |caller| caller.call(wanted).await)
        .await?;
    let mut all = list.conversations.iter();
    all.try_for_each(|conversation| shell.output.object(conversation, || words(conversation)))
}

pub(super) async fn change(shell: &Shell, command: ConversationCommand) -> Outcome {
    use ConversationCommand as C;
    let (on, none) = (Some(true), ConversationSet::default());
    let off = Some(false);
    let (who, set) = match command {
        C::Mute(args) => (args.who, ConversationSet { muted: on, ..none }),
        C::Unmute(args) => (args.who, ConversationSet { muted: off, ..none }),
        C::Pin(args) => (args.who, ConversationSet { pinned: on, ..none }),
        C::Unpin(args) => (
            args.who,
            ConversationSet {
                pinned: off,
                ..none
            },
        ),
        C::Archive(args) => (
            args.who,
            ConversationSet {
                archived: on,
                ..none
            },
        ),
        C::Unarchive(args) => (
            args.who,
            ConversationSet {
                archived: off,
                ..none
            },
        ),
    };
    let set = ConversationSet { who, ..set };
    let conversation = shell
        .with(Need::Home, async |caller| caller.call(set).await)
        .await?;
    shell.output.object(&conversation, || words(&conversation))
}

/// A line about a conversation, and its last message on the next.
pub(super) fn words(conversation: &Conversation) -> String {
    let mut words = shown_short(&conversation.name);
    match conversation.unread {
        0 => {}
        1000 => words += ", 999+ unread",
        unread => words += &format!(", {unread} unread"),
    }
    let flags = [
        (conversation.pinned, "pinned"),
        (conversation.muted, "muted"),
        (conversation.archived, "archived"),
        (conversation.typing, "typing"),
    ];
    for (_, flag) in flags.iter().filter(|(on, _)| *on) {
        words += &format!(", {flag}");
    }
    if let Some(draft) = &conversation.draft {
        words += &format!("\n    draft: {}", shown_short(draft));
    }
    if let Some(last) = &conversation.last {
        words += &format!(
            "\n    {}",
            message::words(last, false).replace('\n', "\n    ")
        );
    }
    words
}
