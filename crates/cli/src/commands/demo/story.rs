//! What happens between Alice and Bob, and what must hold each time.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::five::{FROM_FRANK, REMARK, TO_ALL, TO_FOUR};
use super::person::{Held, Person, expect, field, text};

/// Texts that cannot stand anywhere by chance.
const FIRST: &str = "The owl flies at nine.";
const ANSWER: &str = "Then the cat sleeps at ten.";
const EDITED: &str = "The owl flies at half past nine.";
const TABLET: &str = "The hedgehog reads at eleven.";
const MEANWHILE: [&str; 3] = ["While you were away, one.", "And two.", "And three."];

/// Alice with a second device, Bob, Carol who saw a link that was not for her, Dave, Eve, and Frank who knows nobody.
#[derive(Debug)]
pub(super) struct Story {
    root: PathBuf,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) carol: Person,
    pub(super) dave: Person,
    pub(super) eve: Person,
    pub(super) frank: Person,
    tablet: Person,
    link: String,
    first: String,
}

type Step = fn(&mut Story) -> Held;

impl Story {
    /// What is told, in this order.
    pub(super) const STEPS: &[(&str, Step)] = &[
        ("two people have an identity each", Self::identities),
        ("two nodes run", Self::nodes),
        ("a link makes them contacts", Self::contacts),
        ("a message each way is delivered", Self::messages),
        (
            "an edit and a reaction are seen by the other",
            Self::changes,
        ),
        ("what was read is shown as read", Self::read),
        ("both see the same verification", Self::verification),
        (
            "a killed node gets what was sent meanwhile, once",
            Self::restart,
        ),
        (
            "both have the same messages in the same order",
            Self::same_order,
        ),
        ("a file arrives as it was sent", Self::file),
        (
            "a second device of Alice's is let in and has everything",
            Self::second_device,
        ),
        (
            "a one-time link does not work twice, and Alice learns of it",
            Self::link_reuse,
        ),
        ("five people talk in a group", Self::five),
        (
            "one is taken out while two are away, and is told by whom",
            Self::removed,
        ),
        (
            "when they are back all see the same, in the same order",
            Self::same_views,
        ),
        (
            "a stranger asks by a link, is let in, and is heard by all",
            Self::asked_in,
        ),
        (
            "nothing that was written lies in plain on the disk",
            Self::nothing_in_plain,
        ),
    ];

    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            alice: Person::new(root, "Alice"),
            bob: Person::new(root, "Bob"),
            carol: Person::new(root, "Carol"),
            dave: Person::new(root, "Dave"),
            eve: Person::new(root, "Eve"),
            frank: Person::new(root, "Frank"),
            tablet: Person::new(root, "Tablet"),
            link: String::new(),
            first: String::new(),
        }
    }

    /// What the nodes said last, for whoever has to find out.
    pub(super) fn logs(&self) -> String {
        let people = [
            &self.alice,
            &self.bob,
            &self.carol,
            &self.dave,
            &self.eve,
            &self.frank,
        ];
        let words: Vec<String> = people.map(Person::last_words).into();
        words.join("\n")
    }

    fn identities(&mut self) -> Held {
        self.alice.begin()?;
        self.bob.begin()?;
        expect(self.alice.did != self.bob.did, || "they are one".into())
    }

    fn nodes(&mut self) -> Held {
        self.alice.start()?;
        self.bob.start()
    }

    fn contacts(&mut self) -> Held {
        let invited = self.alice.tell(&["invite", "--name", "Bob"])?;
        self.link = text(&invited, "link")?;
        let accepted = self
            .bob
            .tell_with(&["accept", "-", "--name", "Alice"], &self.link)?;
        expect(field(&accepted, "state") == "connected", || {
            format!("not connected: {accepted}")
        })?;
        let contacts = self.alice.list(&["contacts"])?;
        let bob = contacts
            .iter()
            .find(|contact| *field(contact, "did") == *self.bob.did);
        let same = bob.is_some_and(|bob| field(bob, "session") == field(&accepted, "session"));
        expect(same, || "they are not in one session".into())
    }

    fn messages(&mut self) -> Held {
        let sent = self
            .alice
            .tell(&["send", "Bob", FIRST, "--wait", "delivered"])?;
        self.first = text(&sent, "id")?;
        let answer = [
            "send",
            "Alice",
            ANSWER,
            "--reply",
            &self.first,
            "--wait",
            "delivered",
        ];
        self.bob.tell(&answer)?;
        for (person, other) in [(&self.alice, &self.bob), (&self.bob, &self.alice)] {
            let messages = person.history(other)?;
            let texts = texts(&messages);
            expect(texts == [FIRST, ANSWER], || {
                format!("{} has {texts:?}", person.name)
            })?;
        }
        Ok(())
    }

    fn changes(&mut self) -> Held {
        self.alice.tell(&["edit", &self.first, EDITED])?;
        self.bob.tell(&["react", &self.first, "👍"])?;
        let bob = self.bob.did.clone();
        let changed = |messages: &[Value]| {
            messages.first().is_some_and(|first| {
                field(first, "text") == EDITED
                    && field(first, "edited") == true
                    && *field(field(first, "reactions"), "👍") == serde_json::json!([bob])
            })
        };
        self.alice
            .await_history(&self.bob, "the reaction", changed)?;
        self.bob.await_history(&self.alice, "the edit", changed)
    }

    fn read(&mut self) -> Held {
        self.bob.tell(&["read", "Alice"])?;
        let read = |messages: &[Value]| {
            messages
                .first()
                .is_some_and(|m| field(m, "state") == "read")
        };
        self.alice
            .await_history(&self.bob, "that it was read", read)
    }

    fn verification(&mut self) -> Held {
        let here = self.alice.tell(&["contact", "verify", "Bob"])?;
        let there = self.bob.tell(&["contact", "verify", "Alice"])?;
        for name in ["emoji", "digits", "number"] {
            let (ours, theirs) = (field(&here, name), field(&there, name));
            let same = !ours.is_null() && ours == theirs;
            expect(same, || format!("{name}: {ours} and {theirs}"))?;
        }
        expect(
            field(&here, "emoji")
                .as_array()
                .is_some_and(|emoji| emoji.len() == 7),
            || format!("not seven emoji: {}", field(&here, "emoji")),
        )?;
        let confirmed = self.alice.tell(&["contact", "confirm", "Bob"])?;
        expect(field(&confirmed, "verified") == true, || {
            format!("not verified: {confirmed}")
        })
    }

    fn restart(&mut self) -> Held {
        self.bob.kill();
        for text in MEANWHILE {
            self.alice.tell(&["send", "Bob", text])?;
        }
        self.bob.start()?;
        let expected: Vec<_> = [EDITED, ANSWER].into_iter().chain(MEANWHILE).collect();
        self.bob
            .await_history(&self.alice, "what was sent meanwhile", |messages| {
                texts(messages) == expected
            })?;
        let delivered = |messages: &[Value]| {
            messages
                .iter()
                .all(|message| field(message, "state") != "queued")
        };
        self.alice
            .await_history(&self.bob, "that it was delivered", delivered)
    }

    fn file(&mut self) -> Held {
        let (path, saved) = (self.root.join("owl.bin"), self.root.join("saved"));
        let content: Vec<u8> = (0..1_000_000u32)
            .flat_map(|n| n.wrapping_mul(n).to_be_bytes())
            .collect();
        let written = fs::write(&path, &content).and_then(|()| fs::create_dir(&saved));
        written.map_err(|error| error.to_string())?;
        let (path, to) = (path.display().to_string(), saved.display().to_string());
        let send = ["send", "Bob", "--file", &path, "--wait", "delivered"];
        let id = text(&self.alice.tell(&send)?, "id")?;
        self.bob.tell(&["save", &id, "--to", &to])?;
        let came = fs::read(saved.join("owl.bin")).map_err(|error| error.to_string())?;
        expect(came == content, || "another file came".into())
    }

    fn second_device(&mut self) -> Held {
        let link = text(&self.alice.tell(&["device", "link"])?, "link")?;
        let joined = self.tablet.join(&link)?;
        expect(*field(&joined, "did") == *self.alice.did, || {
            format!("it is somebody else's: {joined}")
        })?;
        self.tablet.start()?;
        let all = self.alice.history(&self.bob)?;
        let all = texts(&all);
        self.tablet
            .await_history(&self.bob, "what was said before", |messages| {
                texts(messages) == all
            })?;
        self.tablet
            .tell(&["send", "Bob", TABLET, "--wait", "delivered"])?;
        let told = |messages: &[Value]| texts(messages).last() == Some(&TABLET);
        self.alice
            .await_history(&self.bob, "what the tablet wrote", told)?;
        self.bob
            .await_history(&self.alice, "what the tablet wrote", told)
    }

    fn same_order(&mut self) -> Held {
        let ids = |messages: Vec<Value>| {
            messages
                .iter()
                .map(|message| field(message, "id").clone())
                .collect::<Vec<_>>()
        };
        let here = ids(self.alice.history(&self.bob)?);
        let there = ids(self.bob.history(&self.alice)?);
        expect(here == there, || format!("{here:?} and {there:?}"))
    }

    fn link_reuse(&mut self) -> Held {
        self.carol.begin()?;
        self.carol.refused(&["accept", "-"], &self.link)?;
        let invites = self.alice.list(&["invites", "--all"])?;
        let noticed = invites
            .iter()
            .any(|invite| field(invite, "reuse_attempts").as_u64() > Some(0));
        expect(noticed, || format!("Alice was not told: {invites:?}"))
    }

    fn nothing_in_plain(&mut self) -> Held {
        let in_the_group = [TO_ALL, TO_FOUR, REMARK, FROM_FRANK];
        let texts = [FIRST, ANSWER, EDITED, TABLET].into_iter();
        let texts = texts.chain(in_the_group);
        let texts = texts.chain(MEANWHILE);
        let needles: Vec<_> = texts.map(str::as_bytes).collect();
        search(&self.root, &needles)
    }
}

/// The texts of messages that were not taken back.
pub(super) fn texts(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .filter_map(|message| field(message, "text").as_str())
        .collect()
}

/// Looks for the needles in every file, logs included.
fn search(folder: &Path, needles: &[&[u8]]) -> Held {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            search(&path, needles)?;
        } else if path.is_file() {
            let content = fs::read(&path).map_err(failed)?;
            let found = |needle: &&[u8]| content.windows(needle.len()).any(|part| part == *needle);
            let shown = || format!("{} holds what was written", path.display());
            expect(!needles.iter().any(found), shown)?;
        }
    }
    Ok(())
}
