//! Who is meant by an `@` and a name in a text (`CHAT-206`).

use std::collections::BTreeSet;

use tenet_identity::keys::IdentityId;

/// The most people that one message mentions.
pub const MAX_MENTIONS: usize = 32;

/// Who of these people is mentioned: an `@` at the beginning of a word, followed by a name of theirs
/// that ends with a word, in any case. At most [`MAX_MENTIONS`], by identity.
pub fn find<'a>(
    text: &str,
    people: impl IntoIterator<Item = (IdentityId, &'a str)>,
) -> Vec<IdentityId> {
    let folded = text.to_lowercase();
    let mut found = BTreeSet::new();
    for (identity, name) in people {
        let name = name.trim().to_lowercase();
        if !name.is_empty() && is_mentioned(&folded, &name) {
            found.insert(identity);
        }
    }
    found.into_iter().take(MAX_MENTIONS).collect()
}

fn is_mentioned(text: &str, name: &str) -> bool {
    let mut before = None;
    text.char_indices().any(|(at, letter)| {
        let begins = letter == '@' && !before.is_some_and(char::is_alphanumeric);
        before = Some(letter);
        let rest = text.get(at + letter.len_utf8()..).unwrap_or_default();
        let after = rest.strip_prefix(name);
        begins && after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<u8> {
        let people = [
            (1, "Ann"),
            (2, "Anna Lee"),
            (3, "Ärzte"),
            (4, ""),
            (1, "annie"),
        ];
        let people = people.map(|(byte, name)| (IdentityId::from([byte; 32]), name));
        let found = find(text, people);
        found
            .iter()
            .map(|identity| identity.as_bytes()[0])
            .collect()
    }

    /// CHAT-206.
    #[test]
    fn a_name_after_an_at_mentions_whoever_has_it() {
        for (text, who) in [
            ("@ann", &[1][..]),
            ("so, @Ann: and @ANNIE!", &[1]),
            ("(@anna lee)", &[2]),
            ("@ärzte, @Ann", &[1, 3]),
            ("ann", &[]),
            ("mail@ann", &[]),
            ("@anna", &[]),
            ("@ ann", &[]),
            ("@", &[]),
        ] {
            assert_eq!(found(text), who, "{text}");
        }
    }
}
