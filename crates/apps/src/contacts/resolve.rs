//! Whom a person means: by name, DID, or the beginning of an id.

use tenet_identity::{did, keys::IdentityId};
use tenet_log::ids::SessionId;

use super::{
    Contact,
    name::{LEAST_ID_DIGITS, OWN, folded},
};

/// The most names that an error offers.
const MAX_OFFERED: usize = 3;

/// Whom a person means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Myself: the session of my own devices.
    Own,
    /// A contact.
    Contact(IdentityId),
}

/// Myself, as others could be asked for me.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// My identity.
    pub identity: IdentityId,
    /// The session of my own devices, if there is one yet.
    pub session: Option<SessionId>,
}

/// Why it is not clear whom a person means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nobody fits.
    #[error("no contact \"{who}\"{}", offer(" (perhaps ", near, "?)"))]
    NotFound {
        /// What was asked for.
        who: String,
        /// Names that are nearly that, the nearest first; at most three.
        near: Vec<String>,
    },
    /// Several fit.
    #[error("\"{who}\" could be several{}", offer(": ", candidates, ""))]
    Ambiguous {
        /// What was asked for.
        who: String,
        /// Those that fit, by name and session id.
        candidates: Vec<String>,
    },
}

/// Finds whom `who` means (`CON-10`).
///
/// In this order: a word for myself, a name exactly, a name whatever its case, a DID, a session
/// id, the beginning of one that fits a single session (at least 8 hexadecimal digits).
///
/// # Errors
/// [`ResolveError`].
pub fn resolve(who: &str, own: &Own, contacts: &[Contact]) -> Result<Who, ResolveError> {
    let who = who.trim();
    if OWN.contains(&folded(who).as_str()) {
        return Ok(Who::Own);
    }
    let exact = contacts.iter().find(|contact| contact.name == who);
    if let Some(contact) = exact {
        return Ok(Who::Contact(contact.identity));
    }
    let same: Vec<_> = contacts
        .iter()
        .filter(|contact| folded(&contact.name) == folded(who))
        .collect();
    match same.as_slice() {
        [] => {}
        [contact] => return Ok(Who::Contact(contact.identity)),
        several => return Err(ambiguous(who, several.iter().map(|contact| label(contact)))),
    }
    match did::parse(who) {
        Ok(identity) => by_identity(who, identity, own, contacts),
        Err(_) => by_session(who, own, contacts),
    }
}

fn by_identity(
    who: &str,
    identity: IdentityId,
    own: &Own,
    contacts: &[Contact],
) -> Result<Who, ResolveError> {
    if identity == own.identity {
        return Ok(Who::Own);
    }
    let known = contacts.iter().any(|contact| contact.identity == identity);
    if known {
        Ok(Who::Contact(identity))
    } else {
        Err(not_found(who, contacts))
    }
}

fn by_session(who: &str, own: &Own, contacts: &[Contact]) -> Result<Who, ResolveError> {
    let start = who.to_ascii_lowercase();
    let is_id = start.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id || start.len() < LEAST_ID_DIGITS {
        return Err(not_found(who, contacts));
    }
    let fits = |session: &SessionId| session.to_string().starts_with(&start);
    let mut found = Vec::new();
    if own.session.as_ref().is_some_and(fits) {
        found.push((Who::Own, "myself".to_owned()));
    }
    let those = contacts
        .iter()
        .filter(|contact| contact.shown().any(|session| fits(&session)));
    found.extend(those.map(|contact| (Who::Contact(contact.identity), label(contact))));
    match found.as_slice() {
        [] => Err(not_found(who, contacts)),
        [(one, _)] => Ok(*one),
        several => Err(ambiguous(
            who,
            several.iter().map(|(_, label)| label.clone()),
        )),
    }
}

fn label(contact: &Contact) -> String {
    let session = contact.session().map(|session| session.to_string());
    match session.as_ref().and_then(|session| session.get(..12)) {
        Some(start) => format!("{} ({start}…)", contact.name),
        None => contact.name.clone(),
    }
}

fn ambiguous(who: &str, candidates: impl Iterator<Item = String>) -> ResolveError {
    ResolveError::Ambiguous {
        who: who.to_owned(),
        candidates: candidates.collect(),
    }
}

fn not_found(who: &str, contacts: &[Contact]) -> ResolveError {
    let mut near: Vec<_> = contacts
        .iter()
        .filter_map(|contact| Some((distance(&folded(who), &folded(&contact.name))?, contact)))
        .collect();
    near.sort_by_key(|(distance, contact)| (*distance, contact.name.clone()));
    let names = near
        .into_iter()
        .take(MAX_OFFERED)
        .map(|(_, contact)| contact.name.clone());
    ResolveError::NotFound {
        who: who.to_owned(),
        near: names.collect(),
    }
}

/// How far two names are apart; `None` if nobody would mistake one for the other.
///
/// One that is part of the other is near; else the letters to change, insert or leave out
/// (Levenshtein) may be two, and fewer than the name has.
fn distance(one: &str, other: &str) -> Option<usize> {
    if one.is_empty() || one.len() > 4 * tenet_identity::name::MAX_BYTES {
        return None;
    }
    if one.contains(other) || other.contains(one) {
        return Some(1);
    }
    let letters: Vec<_> = other.chars().collect();
    let mut row: Vec<usize> = (0..=letters.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (pair, known) in row.windows(2).zip(&letters) {
            let &[diagonal, above] = pair else { continue };
            left = (diagonal + usize::from(*known != letter))
                .min(above + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last()
        .copied()
        .filter(|distance| *distance <= 2 && *distance < letters.len())
}

fn offer(before: &str, names: &[String], after: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("{before}{}{after}", names.join(", "))
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
    use proptest::prelude::*;

    fn contact(n: u8, name: &str, session: &str) -> Contact {
        let mut contact = Contact::new(IdentityId::from([n; 32]), name.into(), String::new(), 0);
        contact
            .sessions
            .insert(format!("{session:0<64}").parse().unwrap());
        contact
    }

    fn known() -> Vec<Contact> {
        vec![
            contact(1, "Anna", "aaaaaaaa11"),
            contact(2, "Bert", "aaaaaaaa22"),
            contact(3, "Åsa Öberg", "cccccccc33"),
        ]
    }

    fn own() -> Own {
        let session = format!("{:0<64}", "dddddddd44").parse().unwrap();
        Own {
            identity: IdentityId::from([9; 32]),
            session: Some(session),
        }
    }

    fn find(who: &str) -> Result<Who, ResolveError> {
        resolve(who, &own(), &known())
    }

    fn is(n: u8) -> Result<Who, ResolveError> {
        Ok(Who::Contact(IdentityId::from([n; 32])))
    }

    /// CON-10.
    #[test]
    fn finds_by_name_did_and_session() {
        assert_eq!(find("Anna"), is(1));
        assert_eq!(find(" anna "), is(1));
        assert_eq!(find("åSA öBERG"), is(3));
        assert_eq!(find(&format!("{:0<64}", "aaaaaaaa22")), is(2));
        assert_eq!(find("aaaaaaaa2"), is(2));
        assert_eq!(find("CCCCCCCC"), is(3));
        let identity = tenet_identity::keys::IdentityKey::from_seed([7; 32]).public();
        let known = [Contact::new(identity, "Cleo".into(), String::new(), 0)];
        let found = resolve(&did::encode(&identity), &own(), &known);
        assert_eq!(found, Ok(Who::Contact(identity)));
    }

    /// CON-10.
    #[test]
    fn finds_myself() {
        for who in [
            "self",
            "me",
            "ME",
            "dddddddd",
            &format!("{:0<64}", "dddddddd44"),
        ] {
            assert_eq!(find(who), Ok(Who::Own), "{who}");
        }
        let identity = tenet_identity::keys::IdentityKey::from_seed([7; 32]).public();
        let own = Own {
            identity,
            session: None,
        };
        assert_eq!(resolve(&did::encode(&identity), &own, &[]), Ok(Who::Own));
    }

    #[test]
    fn an_exact_name_comes_before_another_case() {
        let known = [contact(1, "anna", "a"), contact(2, "Anna", "b")];
        assert_eq!(resolve("Anna", &own(), &known), is(2));
        assert_eq!(resolve("anna", &own(), &known), is(1));
        let error = resolve("ANNA", &own(), &known).unwrap_err();
        let says = "\"ANNA\" could be several: anna (a00000000000…), Anna (b00000000000…)";
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn the_beginning_of_two_ids_is_not_enough() {
        let error = find("aaaaaaaa").unwrap_err();
        let says = "\"aaaaaaaa\" could be several: Anna (aaaaaaaa1100…), Bert (aaaaaaaa2200…)";
        assert_eq!(error.to_string(), says);
        assert!(
            matches!(find("ccccccc"), Err(ResolveError::NotFound { .. })),
            "seven digits"
        );
    }

    #[test]
    fn whom_nobody_knows_is_told_with_what_is_near() {
        let says = |who| find(who).unwrap_err().to_string();
        assert_eq!(says("Ana"), "no contact \"Ana\" (perhaps Anna?)");
        assert_eq!(says("bret"), "no contact \"bret\" (perhaps Bert?)");
        assert_eq!(says("Åsa"), "no contact \"Åsa\" (perhaps Åsa Öberg?)");
        assert_eq!(says("Zacharias"), "no contact \"Zacharias\"");
        assert_eq!(says(""), "no contact \"\"");
        let identity = tenet_identity::keys::IdentityKey::from_seed([7; 32]).public();
        let did = did::encode(&identity);
        assert_eq!(says(&did), format!("no contact \"{did}\""));
    }

    proptest! {
        #[test]
        fn never_panics(who in ".{0,300}", names in prop::collection::vec(".{0,20}", 0..4)) {
            let contacts: Vec<_> =
                names.iter().zip(0..).map(|(name, n)| contact(n, name, "ab")).collect();
            let _ = resolve(&who, &own(), &contacts).map_err(|error| error.to_string());
        }

        /// Two changes of letters lead back to the name.
        #[test]
        fn near_names_are_found(at in 0..8usize, letter in "[a-z]") {
            let name = "Margarete";
            let contacts = [contact(1, name, "ab")];
            let mut wrong: Vec<_> = name.chars().collect();
            wrong[at] = letter.chars().next().unwrap();
            wrong.remove(at.saturating_sub(1));
            let wrong: String = wrong.into_iter().collect();
            let near = match resolve(&wrong, &own(), &contacts) {
                Err(ResolveError::NotFound { near, .. }) => near,
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(near, [name]);
        }
    }
}
