//! How a message looks to a person.

use tenet_rpc::api::{Message, State};

use crate::output::{shown_indented, shown_short};
use crate::time;

/// A message on a line, or on several if its text has several; its id if wanted (`CLI-9`).
pub(super) fn words(message: &Message, ids: bool) -> String {
    let text = match &message.text {
        Some(text) => shown_indented(text, 4),
        None => "(taken back)".into(),
    };
    let id = if ids {
        format!("{} ", message.id)
    } else {
        String::new()
    };
    let time = time::short(message.time);
    let mut words = format!("{id}{time} {}: {text}", shown_short(&message.name));
    if message.edited && !message.unsent {
        words += " (edited)";
    }
    for (emoji, people) in &message.reactions {
        words += &format!(" {}{}", shown_short(emoji), count(people.len()));
    }
    if message.mine && message.state != State::Read {
        words += &format!(" [{}]", message.state);
    }
    if let Some(reason) = &message.reason {
        words += &format!(" {}", shown_short(reason));
    }
    words
}

fn count(people: usize) -> String {
    if people == 1 {
        String::new()
    } else {
        format!("×{people}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_message_cannot_look_like_two() {
        let message = Message {
            id: "0123456789abcdef".into(),
            name: "Bo\nb".into(),
            text: Some("hello\n12:00 ffff Alice: I owe you".into()),
            mine: true,
            edited: true,
            reactions: [("👍".to_owned(), vec!["a".into(), "b".into()])].into(),
            ..Message::default()
        };
        let words = words(&message, true);
        assert!(words.starts_with("0123456789abcdef "), "{words}");
        let expected = " Bo b: hello\n    12:00 ffff Alice: I owe you (edited) 👍×2 [queued]";
        assert!(words.ends_with(expected), "{words}");
    }
}
