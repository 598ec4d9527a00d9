//! What I call people: names that are unique among my contacts and mislead nobody.
//!
//! A stranger chooses its own nickname, and my commands take names. So a suggested name is never
//! one that already means somebody or something else.

use tenet_identity::{did, keys::IdentityId, name};

use super::Contact;

/// Words that mean myself where a name is expected.
pub const OWN: [&str; 2] = ["self", "me"];

/// The fewest hexadecimal digits that are taken for the beginning of an id.
pub const LEAST_ID_DIGITS: usize = 8;

/// Why a name cannot be given to a contact (`CON-2`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No name at all.
    #[error("a contact's name cannot be empty")]
    Empty,
    /// Too long, or with characters that spoil a line.
    #[error(transparent)]
    Form(#[from] name::Error),
    /// It looks like a DID or an id, or is one of the words for myself.
    #[error("\"{0}\" cannot be a contact's name: it means something else in commands")]
    Reserved(String),
    /// Another contact has it.
    #[error("another contact is called \"{0}\" already; rename that one first or choose another")]
    Taken(String),
}

/// The name under which a name is compared: case does not count.
pub fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Checks a name for the contact `of` and gives it without white space around it.
///
/// # Errors
/// [`NameError`].
pub fn check(name: &str, of: IdentityId, contacts: &[Contact]) -> Result<String, NameError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    name::check(name)?;
    if is_reserved(name) {
        return Err(NameError::Reserved(name.to_owned()));
    }
    let folded_name = folded(name);
    let other = contacts
        .iter()
        .find(|contact| contact.identity != of && folded(&contact.name) == folded_name);
    match other {
        Some(other) => Err(NameError::Taken(other.name.clone())),
        None => Ok(name.to_owned()),
    }
}

/// A name for a new contact: what I wished, or what they call themselves, with a number where that
/// is taken, or something made from their DID where it will not do at all.
pub fn suggest(
    wished: Option<&str>,
    nickname: &str,
    of: IdentityId,
    contacts: &[Contact],
) -> String {
    let fallback = from_did(of);
    let bases = [wished.unwrap_or_default(), nickname, &fallback];
    let numbers = 1..=contacts.len().saturating_add(2);
    let candidates = bases.into_iter().flat_map(|base| {
        numbers.clone().map(move |n| {
            if n == 1 {
                base.to_owned()
            } else {
                numbered(base, n)
            }
        })
    });
    let free = candidates
        .into_iter()
        .find_map(|name| check(&name, of, contacts).ok());
    // One more number than there are contacts: one of them is free.
    free.unwrap_or(fallback)
}

fn numbered(base: &str, n: usize) -> String {
    let base = base.trim();
    if base.is_empty() {
        return String::new();
    }
    let suffix = format!(" {n}");
    let most = name::MAX_BYTES.saturating_sub(suffix.len());
    let mut start = String::new();
    for character in base.chars() {
        if start.len() + character.len_utf8() > most {
            break;
        }
        start.push(character);
    }
    start.truncate(start.trim_end().len());
    start + &suffix
}

/// Whether a name was made from a DID, because nobody had said another.
pub fn is_made_up(name: &str, of: IdentityId) -> bool {
    let number = |rest: &str| rest.strip_prefix(' ')?.parse::<usize>().ok();
    let rest = name.strip_prefix(&from_did(of));
    rest.is_some_and(|rest| rest.is_empty() || number(rest).is_some())
}

/// The end of a DID: its beginning is the same for everybody.
fn from_did(of: IdentityId) -> String {
    let did = did::encode(&of);
    let skipped = did.len().saturating_sub(6);
    format!("contact {}", did.get(skipped..).unwrap_or_default())
}

fn is_reserved(name: &str) -> bool {
    let name = folded(name);
    let digits = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    OWN.contains(&name.as_str())
        || name.starts_with("did:")
        || name.starts_with("tenet:")
        || (digits && name.len() >= LEAST_ID_DIGITS)
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
    use proptest::prelude::*;

    fn id(n: u8) -> IdentityId {
        IdentityId::from([n; 32])
    }

    fn contacts(names: &[&str]) -> Vec<Contact> {
        let contact = |(n, name): (usize, &&str)| {
            Contact::new(id(n as u8), (*name).to_owned(), String::new(), 0)
        };
        names.iter().enumerate().map(contact).collect()
    }

    /// CON-2.
    #[test]
    fn a_clash_is_numbered() {
        let known = contacts(&["Bert", "Åsa", "bert 2"]);
        let suggest = |nickname| suggest(None, nickname, id(99), &known);
        assert_eq!(suggest("Anna"), "Anna");
        assert_eq!(suggest(" Bert "), "Bert 3");
        assert_eq!(suggest("BERT"), "BERT 3");
        assert_eq!(suggest("åsa"), "åsa 2");
    }

    /// CON-2.
    #[test]
    fn what_i_wish_comes_before_what_they_call_themselves() {
        let known = contacts(&["Bert"]);
        assert_eq!(suggest(Some("Bertie"), "Bert", id(99), &known), "Bertie");
        assert_eq!(suggest(Some("bert"), "X", id(99), &known), "bert 2");
        assert_eq!(suggest(Some(""), "X", id(99), &known), "X");
        assert_eq!(suggest(Some("a\nb"), "X", id(99), &known), "X");
    }

    /// CON-2: a stranger's nickname must not stand for somebody else.
    #[test]
    fn a_misleading_nickname_is_not_taken_over() {
        let other = did::encode(&id(1));
        let of = id(99);
        for nickname in [other.as_str(), "", "  ", "a\u{202e}b", "TENET:x", "\n"] {
            let name = suggest(None, nickname, of, &[]);
            assert_eq!(
                name,
                format!(
                    "contact {}",
                    &did::encode(&of)[did::encode(&of).len() - 6..]
                )
            );
        }
        assert_eq!(suggest(None, "Me", of, &[]), "Me 2");
        assert_eq!(suggest(None, "deadbeef", of, &[]), "deadbeef 2");
    }

    /// OWN-5.
    #[test]
    fn a_name_that_was_made_up_is_known_as_such() {
        let of = id(99);
        let made_up = suggest(None, "", of, &[]);
        assert!(is_made_up(&made_up, of) && is_made_up(&numbered(&made_up, 2), of));
        for name in [
            "Bert".to_owned(),
            format!("{made_up}'s"),
            format!("{made_up}7"),
        ] {
            assert!(!is_made_up(&name, of), "{name}");
        }
        assert!(!is_made_up(&made_up, id(98)));
    }

    #[test]
    fn a_refused_name_says_why() {
        let known = contacts(&["Bert", "Åsa"]);
        let check = |name: &str| check(name, id(1), &known);
        assert_eq!(check(" Åsa "), Ok("Åsa".into()), "its own");
        assert_eq!(check(" "), Err(NameError::Empty));
        assert_eq!(check("BERT"), Err(NameError::Taken("Bert".into())));
        for name in ["self", "ME", "did:key:z6Mk", "0123abcdef", "ABCDEF01"] {
            assert_eq!(check(name), Err(NameError::Reserved(name.into())));
        }
        assert_eq!(
            check("abcdef0"),
            Ok("abcdef0".into()),
            "seven digits are a name"
        );
        assert!(matches!(check(&"x".repeat(65)), Err(NameError::Form(_))));
    }

    proptest! {
        /// Whatever a stranger calls itself, the name is allowed, unique and short.
        #[test]
        fn suggestions_are_always_allowed(nickname in ".{0,70}", again in 0..5u8) {
            let mut known = Vec::new();
            for n in 0..=again {
                let name = suggest(None, &nickname, id(n), &known);
                prop_assert_eq!(check(&name, id(n), &known), Ok(name.clone()));
                known.push(Contact::new(id(n), name, nickname.clone(), 0));
            }
        }
    }
}
