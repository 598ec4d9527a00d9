//! What was done to a group, as a line among its messages.

use tenet_rpc::api::{MessageChange, MessageContact};

use super::group::{newcomers_words, policy_words, role_word};
use crate::output::{shown_indented, shown_short};
use crate::time;

/// What somebody did, to be put behind their name.
pub(super) fn words(change: &MessageChange) -> String {
    let whom = people(&change.whom);
    let role = change.role.map_or("", role_word);
    let device = change.device.as_deref().unwrap_or_default();
    let device: String = device.chars().take(8).collect();
    let text = change.text.as_deref().unwrap_or_default();
    match change.what.as_str() {
        "founded" if change.whom.is_empty() => "founded the group".into(),
        "founded" => format!("founded the group with {whom}"),
        "joined" => format!("joined with the device {device}…"),
        "joined_by_link" => "joined by a link".into(),
        "device_removed" => format!("took out their own device {device}…"),
        "device_revoked" => format!("brought word that the device {device}… of {whom} is revoked"),
        "left" => "left".into(),
        "added" => format!("added {whom} as {role}"),
        "promoted" | "demoted" => format!("made {whom} {role}"),
        "removed" if change.blocked => format!("removed {whom}, whom no link lets in again"),
        "removed" => format!("removed {whom}"),
        "muted" => match change.until {
            Some(until) => format!("muted {whom} until {}", time::full(until)),
            None => format!("muted {whom}"),
        },
        "unmuted" => format!("let {whom} speak again"),
        "unblocked" => format!("lets links let {whom} in again"),
        "refused" if text.is_empty() => format!("did not let {whom} in, who asked"),
        "refused" => format!("did not let {whom} in, who asked: {}", shown_short(text)),
        "link_opened" if change.consent => {
            format!("opened a link by which others ask to come in as {role}")
        }
        "link_opened" => format!("opened a link that lets others in as {role}"),
        "link_closed" => "closed a link".into(),
        "policy" => {
            let policy = change.policy.as_ref().map(policy_words);
            let history = change.history.map(newcomers_words);
            let all: Vec<String> = policy.into_iter().chain(history).collect();
            let all = all.join("\n").replace('\n', "\n    ");
            format!("changed who may do what:\n    {all}")
        }
        "named" => format!("called the group {}", shown_short(text)),
        "described" if text.is_empty() => "took away what the group is about".into(),
        "described" => format!(
            "said what the group is about:\n    {}",
            shown_indented(text, 4)
        ),
        "pictured" => "gave the group a picture".into(),
        "picture_removed" => "took the group's picture away".into(),
        "pinned" => "pinned a message: tenet group pins".into(),
        "unpinned" => "pinned a message no more".into(),
        "withdrew" if text.is_empty() => format!("withdrew a message of {whom}"),
        "withdrew" => format!("withdrew a message of {whom}: {}", shown_short(text)),
        "dissolved" => "dissolved the group".into(),
        _ => "did something that this version does not know".into(),
    }
}

/// Names as one says them.
fn people(whom: &[MessageContact]) -> String {
    let names: Vec<String> = whom.iter().map(|one| shown_short(&one.name)).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
