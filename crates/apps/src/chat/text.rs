//! `chat.text`: says something, with files or without, perhaps in answer to a message.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{
    encoding,
    keys::IdentityId,
    meeting::link::{Link, MAX_CHARACTERS},
    name,
};
use tenet_log::ids::EventId;

use super::{ActionError, file, file::File, mention::MAX_MENTIONS};

/// The kind of the events that say something.
pub const KIND: &str = "chat.text";

/// The longest text, in bytes of UTF-8 (`CHAT-4`).
///
/// 64 KiB is some thirty pages; what is longer is a file.
pub const MAX_BYTES: usize = 65_536;

/// A text.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Text {
    #[n(0)]
    text: String,
    #[n(1)]
    reply: Option<EventId>,
    #[n(2)]
    files: Option<Vec<File>>,
    #[n(3)]
    forwarded: Option<bool>,
    #[n(4)]
    mentions: Option<Vec<IdentityId>>,
    #[n(5)]
    card: Option<Card>,
    #[n(6)]
    invitation: Option<String>,
}

/// Somebody whom one is told of (`CHAT-18`).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Card {
    #[n(0)]
    identity: IdentityId,
    #[n(1)]
    name: String,
}

impl Text {
    /// A text, in answer to `reply` if there is one.
    ///
    /// # Errors
    /// [`ActionError::Empty`], [`ActionError::TooLong`].
    pub fn new(text: String, reply: Option<EventId>) -> Result<Self, ActionError> {
        Self::with_files(text, reply, Vec::new())
    }

    /// A text with files; it may then be empty.
    ///
    /// # Errors
    /// As [`Self::new`], and [`ActionError::TooManyFiles`].
    pub fn with_files(
        text: String,
        reply: Option<EventId>,
        files: Vec<File>,
    ) -> Result<Self, ActionError> {
        let files = file::fit(files, text.len());
        let text = Self {
            text,
            reply,
            files: (!files.is_empty()).then_some(files),
            forwarded: None,
            mentions: None,
            card: None,
            invitation: None,
        };
        text.check().map(|()| text)
    }

    /// Tells of somebody, with a text or without.
    ///
    /// # Errors
    /// [`ActionError::TooLong`].
    pub fn with_card(
        text: String,
        reply: Option<EventId>,
        card: Card,
    ) -> Result<Self, ActionError> {
        let text = Self {
            text,
            reply,
            files: None,
            forwarded: None,
            mentions: None,
            card: Some(card),
            invitation: None,
        };
        text.check().map(|()| text)
    }

    /// Invites into a group by a link, with a text or without (`CHAT-1401`).
    ///
    /// # Errors
    /// [`ActionError::TooLong`]; [`ActionError::Empty`] where the link leads into no group.
    pub fn inviting(text: String, link: &Link) -> Result<Self, ActionError> {
        let text = Self {
            text,
            reply: None,
            files: None,
            forwarded: None,
            mentions: None,
            card: None,
            invitation: link.ext().group.is_some().then(|| link.text().to_string()),
        };
        text.check().map(|()| text)
    }

    /// The link into a group to which it invites; what is none invites nowhere.
    pub fn invitation(&self) -> Option<Link> {
        let text = self.invitation.as_deref()?;
        let link = Link::parse(text).ok()?;
        link.ext().group.is_some().then_some(link)
    }

    /// The same, addressed to some of those who read it.
    #[must_use]
    pub fn mentioning(self, people: Vec<IdentityId>) -> Self {
        Self {
            mentions: Some(people).filter(|people| !people.is_empty()),
            ..self
        }
    }

    /// Whom it is addressed to among those who read it.
    pub fn mentions(&self) -> &[IdentityId] {
        self.mentions.as_deref().unwrap_or_default()
    }

    /// Of whom it tells.
    pub fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    /// The same, marked as said elsewhere before; by whom is nobody's business.
    #[must_use]
    pub fn forwarded(self) -> Self {
        Self {
            forwarded: Some(true),
            ..self
        }
    }

    /// Whether it was said elsewhere before.
    pub fn is_forwarded(&self) -> bool {
        self.forwarded == Some(true)
    }

    /// What is said: up to [`MAX_BYTES`] bytes; nothing only where there are files.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The message that this one answers.
    pub fn reply(&self) -> Option<EventId> {
        self.reply
    }

    /// Its files.
    pub fn files(&self) -> &[File] {
        self.files.as_deref().unwrap_or_default()
    }

    /// What is said, without the rest.
    pub fn into_text(self) -> String {
        self.text
    }

    pub(super) fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        let reply = self.reply.map(name);
        Self { reply, ..self }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ActionError> {
        let mut text: Self = encoding::decode(bytes)?;
        if let Some(files) = text.files.take() {
            text.files = Some(files.into_iter().map(File::bounded).collect());
        }
        if let Some(mentions) = &mut text.mentions {
            mentions.truncate(MAX_MENTIONS);
        }
        text.check().map(|()| text)
    }

    fn check(&self) -> Result<(), ActionError> {
        file::check(self.files())?;
        if let Some(card) = &self.card {
            name::check(&card.name).map_err(|_| ActionError::Name)?;
        }
        if let Some(len) = self.invitation.as_ref().map(String::len)
            && len > MAX_CHARACTERS
        {
            return Err(ActionError::TooLong { len });
        }
        let says = self.card.is_some() || self.invitation.is_some();
        match check(&self.text) {
            Err(ActionError::Empty) if !self.files().is_empty() || says => Ok(()),
            checked => checked,
        }
    }
}

impl Card {
    /// A card of somebody.
    ///
    /// # Errors
    /// [`ActionError::Name`].
    pub fn new(identity: IdentityId, name: String) -> Result<Self, ActionError> {
        name::check(&name).map_err(|_| ActionError::Name)?;
        Ok(Self { identity, name })
    }

    /// Who it is.
    pub fn identity(&self) -> IdentityId {
        self.identity
    }

    /// What they call themselves, as the sender says.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({:?}, redacted)", self.identity)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Text({} bytes, redacted; reply: {:?}, {} files)",
            self.text.len(),
            self.reply,
            self.files().len()
        )
    }
}

/// CHAT-4: what a text may be, here and in an edit.
pub(super) fn check(text: &str) -> Result<(), ActionError> {
    match text.len() {
        0 => Err(ActionError::Empty),
        1..=MAX_BYTES => Ok(()),
        len => Err(ActionError::TooLong { len }),
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

    use tenet_identity::{
        keys::IdentityKey,
        meeting::{
            door,
            link::{Ext, Group},
        },
    };
    use tenet_log::ids::BlobId;

    use super::{file::Shows, *};

    /// CHAT-4.
    #[test]
    fn sixty_four_kibibytes_fit_and_no_more() {
        assert!(Text::new("x".repeat(MAX_BYTES), None).is_ok());
        let error = Text::new("é".repeat(MAX_BYTES / 2) + "x", None).unwrap_err();
        let says = "the text has 65537 bytes, at most 65536 fit into one message; send it in \
                    parts, nothing was sent";
        assert_eq!(error.to_string(), says);
        assert!(matches!(
            Text::new(String::new(), None),
            Err(ActionError::Empty)
        ));
    }

    /// CHAT-4: a stranger's text is held to the same.
    #[test]
    fn the_limits_hold_for_what_comes_in() {
        let long = Text {
            text: "x".repeat(MAX_BYTES + 1),
            reply: None,
            files: None,
            forwarded: None,
            mentions: None,
            card: None,
            invitation: None,
        };
        let decoded = Text::decode(&encoding::encode(&long));
        assert!(matches!(decoded, Err(ActionError::TooLong { len: 65_537 })));
        let empty = Text {
            text: String::new(),
            reply: None,
            files: None,
            forwarded: None,
            mentions: None,
            card: None,
            invitation: None,
        };
        assert!(matches!(
            Text::decode(&encoding::encode(&empty)),
            Err(ActionError::Empty)
        ));
    }

    /// CHAT-2.
    #[test]
    fn fields_of_later_versions_are_skipped() {
        // {0: "hi", 7: [1]}
        let text = Text::decode(&[0xa2, 0x00, 0x62, b'h', b'i', 0x07, 0x81, 0x01]).unwrap();
        assert_eq!(text, Text::new("hi".into(), None).unwrap());
    }

    fn shown(preview: usize) -> File {
        let name = "x".repeat(file::MAX_NAME_BYTES);
        let file = File::new(name, u64::MAX, BlobId::from([1; 32]), [2; 32]).unwrap();
        file.showing(Shows {
            width: Some(u32::MAX),
            height: Some(u32::MAX),
            preview: Some(vec![3; preview].into()),
            duration_ms: Some(u64::MAX),
            voice: Some(true),
        })
    }

    /// CHAT-17: whatever is long, it fits into an event; what comes too long is no preview.
    #[test]
    fn previews_give_way_to_texts_and_names() {
        let files = || vec![shown(file::MAX_PREVIEW_BYTES); file::MAX_FILES];
        let previews = |text: &Text| {
            let shows = text.files().iter().map(File::shows);
            shows.filter(|shows| shows.preview.is_some()).count()
        };
        let short = Text::with_files("look".into(), None, files()).unwrap();
        assert_eq!(previews(&short), file::MAX_FILES);
        let long = Text::with_files("x".repeat(MAX_BYTES), None, files()).unwrap();
        assert!((1..10).contains(&previews(&long)), "{}", previews(&long));
        for text in [short, long] {
            let bytes = encoding::encode(&text);
            assert!(bytes.len() <= tenet_log::event::MAX_BODY_BYTES);
            assert_eq!(Text::decode(&bytes).unwrap(), text);
        }
        let mut large = Text::with_files("x".into(), None, vec![shown(1)]).unwrap();
        let preview = Some(vec![3; file::MAX_PREVIEW_BYTES + 1].into());
        large.files.as_mut().unwrap()[0] = shown(1).with_preview(preview);
        let decoded = Text::decode(&encoding::encode(&large)).unwrap();
        assert_eq!(previews(&decoded), 0);
        assert_eq!(decoded.files()[0].shows().width, Some(u32::MAX));
    }

    /// CHAT-18.
    #[test]
    fn a_card_needs_no_text_and_has_a_harmless_name() {
        let identity = IdentityId::from([4; 32]);
        let card = Card::new(identity, "Bob".into()).unwrap();
        let text = Text::with_card(String::new(), None, card.clone()).unwrap();
        let decoded = Text::decode(&encoding::encode(&text)).unwrap();
        assert_eq!(decoded.card(), Some(&card));
        assert!(!format!("{text:?}{card:?}").contains("Bob"));
        assert!(Card::new(identity, "B\u{1b}[2J".into()).is_err());
    }

    /// CHAT-1401: also what a stranger calls one; what is no link into a group invites nowhere.
    #[test]
    fn an_invitation_is_a_link_into_a_group() {
        let identity = IdentityKey::from_seed([4; 32]).public();
        let place = door::Place {
            endpoint: (*identity.as_bytes()).into(),
            addresses: vec!["127.0.0.1:80".parse().unwrap()],
        };
        let person = door::link(identity, place).unwrap();
        assert!(matches!(
            Text::inviting(String::new(), &person),
            Err(ActionError::Empty)
        ));
        let group = Group {
            session: [5; 32],
            opening: [6; 32],
            name: "walkers".into(),
            places: Vec::new(),
            consent: true,
        };
        let ext = Ext {
            group: Some(group),
            reusable: true,
            ..person.ext().clone()
        };
        let link = Link::new(*person.invite(), None, ext).unwrap();
        let text = Text::inviting(String::new(), &link).unwrap();
        let decoded = Text::decode(&encoding::encode(&text)).unwrap();
        assert_eq!(decoded, text);
        let shown = decoded.invitation().unwrap();
        assert_eq!(shown.ext().group, link.ext().group);
        assert!(!format!("{text:?}").contains("tenet"));
        for other in ["", "hello", person.text().as_str()] {
            let said = Text {
                invitation: Some(other.into()),
                ..Text::new("hi".into(), None).unwrap()
            };
            let said = Text::decode(&encoding::encode(&said)).unwrap();
            assert!(said.invitation().is_none());
        }
        let long = Text {
            invitation: Some("x".repeat(MAX_CHARACTERS + 1)),
            ..text
        };
        assert!(Text::decode(&encoding::encode(&long)).is_err());
    }
}
