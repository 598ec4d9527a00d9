//! How a message looks to a person.

use tenet_rpc::api::{Message, MessageFile, State};

use super::{timer, told};
use crate::output::{shown_indented, shown_short};
use crate::time;

/// A message on a line, or on several if its text has several; its id if wanted (`CLI-9`).
pub(super) fn words(message: &Message, ids: bool) -> String {
    let id = if ids {
        format!("{} ", message.id)
    } else {
        String::new()
    };
    id + &dated(message, &time::short(message.time))
}

/// As [`words`], with the time as it is given.
pub(super) fn dated(message: &Message, time: &str) -> String {
    let name = shown_short(&message.name);
    match &message.change {
        Some(_) => format!("{time} * {name} {}", said(message)),
        None => format!("{time} {name}: {}", said(message)),
    }
}

/// What a message says, with its files and what became of it.
pub(super) fn said(message: &Message) -> String {
    if let Some(change) = &message.change {
        return told::words(change);
    }
    let mut words = match (&message.text, message.timer) {
        (Some(text), _) => shown_indented(text, 4),
        (None, Some(seconds)) => format!("({} from now on)", timer::words(seconds)),
        (None, None) if message.withdrawn.is_some() => withdrawn(message),
        (None, None) if message.missing => "(what it says has not come yet)".into(),
        (None, None) => "(taken back)".into(),
    };
    if let Some(contact) = &message.contact {
        let name = shown_short(&contact.name);
        words += &format!("\n    contact {name}, {}", contact.did);
    }
    if let Some(invitation) = &message.invitation {
        let group = shown_short(&invitation.group);
        let id: String = message.id.chars().take(12).collect();
        words += &match message.mine {
            true => format!("\n    invitation into {group}"),
            false => format!("\n    invitation into {group}: tenet group join {id}"),
        };
    }
    for file in &message.files {
        words += &format!("\n    {}", file_words(file));
    }
    if message.forwarded {
        words += " (forwarded)";
    }
    if let Some(expires) = message.expires {
        words += &format!(" (until {})", time::short(expires));
    }
    if message.edited && !message.unsent {
        words += " (edited)";
    }
    for (emoji, people) in &message.reactions {
        words += &format!(" {}{}", shown_short(emoji), count(people.len()));
    }
    if message.mine && message.state != State::Read {
        words += &match message.reach {
            Some(reach) if reach.of > 1 && message.state == State::Delivered => {
                format!(" [{} to {} of {}]", message.state, reach.devices, reach.of)
            }
            _ => format!(" [{}]", message.state),
        };
    }
    if let Some(reason) = &message.reason {
        words += &format!(" {}", shown_short(reason));
    }
    words
}

fn withdrawn(message: &Message) -> String {
    let Some(withdrawn) = &message.withdrawn else {
        return String::new();
    };
    let by = shown_short(&withdrawn.name);
    match withdrawn.reason.as_str() {
        "" => format!("(withdrawn by {by})"),
        reason => format!("(withdrawn by {by}: {})", shown_short(reason)),
    }
}

pub(super) fn file_words(file: &MessageFile) -> String {
    let size = size(file.size);
    let name = shown_short(&file.name);
    let shows = match (file.width, file.height, file.duration_ms) {
        (Some(width), Some(height), _) => format!(", {width}×{height}"),
        (_, _, Some(ms)) => format!(", {}:{:02}", ms / 60_000, ms / 1000 % 60),
        _ => String::new(),
    };
    let words = format!("file {name}, {size}{shows}");
    match (file.state.as_str(), file.have) {
        ("here", _) => words,
        (state, Some(have)) if file.size > 0 => {
            let percent = (have.saturating_mul(100) / file.size).min(100);
            format!("{words} ({state}, {percent} %)")
        }
        (state, _) => format!("{words} ({state})"),
    }
}

/// A size as people say it, in powers of 1000 as file managers do.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(value < 9.95);
    format!(
        "{value:.digits$} {}",
        UNITS.get(unit).copied().unwrap_or_default()
    )
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
    fn sizes_are_said_shortly() {
        let said = [0, 999, 1000, 9_949, 10_500, 999_600, 32 << 20, u64::MAX].map(size);
        let expected = [
            "0 bytes",
            "999 bytes",
            "1.0 kB",
            "9.9 kB",
            "10 kB",
            "1.0 MB",
            "34 MB",
            "18446744 TB",
        ];
        assert_eq!(said, expected);
    }

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
