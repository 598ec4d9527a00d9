//! Five people in a group, of whom one is taken out while two are away; then somebody asks to come in by a link.

use serde_json::Value;

use super::person::{Held, Person, expect, field, text};
use super::story::{Story, texts};

/// Texts that cannot stand anywhere by chance.
pub(super) const TO_ALL: &str = "The five of us walk at twelve.";
/// See [`TO_ALL`].
pub(super) const TO_FOUR: &str = "The four of us walk at one.";

/// What Frank answers to the question that he is asked; see [`TO_ALL`].
pub(super) const REMARK: &str = "Eve told me of the walk at two.";
/// See [`TO_ALL`].
pub(super) const FROM_FRANK: &str = "Frank walks at three.";

/// What the link asks.
const QUESTION: &str = "Who sent you?";

/// What the group is called.
const GROUP: &str = "Walkers";

impl Story {
    /// Alice knows all of them; of the others nobody knows anybody but her.
    pub(super) fn five(&mut self) -> Held {
        self.dave.begin()?;
        self.eve.begin()?;
        for person in [&mut self.carol, &mut self.dave, &mut self.eve] {
            person.start()?;
            let link = text(
                &self.alice.tell(&["invite", "--name", person.name])?,
                "link",
            )?;
            person.tell_with(&["accept", "-", "--name", "Alice"], &link)?;
        }
        let names = self.others().map(|person| person.name);
        let found: Vec<&str> = ["group", "new", GROUP].into_iter().chain(names).collect();
        self.alice.tell(&found)?;
        for person in self.others() {
            let came = |rows: &[Value]| rows.iter().any(|row| field(row, "name") == GROUP);
            person.await_list(&["group", "list"], "the group", came)?;
        }
        self.bob.tell(&["send", GROUP, TO_ALL])?;
        let heard = |rows: &[Value]| texts(rows) == [TO_ALL];
        for person in self.others().into_iter().chain([&self.alice]) {
            person.await_list(&["history", GROUP], "what Bob said to all", heard)?;
        }
        Ok(())
    }

    /// Dave and Eve are away while Carol is taken out, who hears of it and of nothing later.
    pub(super) fn removed(&mut self) -> Held {
        self.dave.kill();
        self.eve.kill();
        self.alice.tell(&["group", "remove", GROUP, "Carol"])?;
        self.alice.tell(&["send", GROUP, TO_FOUR])?;
        let heard = |rows: &[Value]| texts(rows) == [TO_ALL, TO_FOUR];
        let history = ["history", GROUP];
        self.bob
            .await_list(&history, "what Alice said to the others", heard)?;
        let (alice, carol) = (self.alice.did.clone(), self.carol.did.clone());
        let told = move |rows: &[Value]| {
            let last = rows.last().unwrap_or(&Value::Null);
            let change = field(last, "change");
            let whom = field(change, "whom").get(0).unwrap_or(&Value::Null);
            field(change, "what") == "removed"
                && *field(last, "author") == *alice
                && *field(whom, "did") == *carol
        };
        self.carol.await_list(&history, "who took her out", told)?;
        self.carol.refused(&["send", GROUP, "And me?"], "")
    }

    /// Who was away comes back: four see the same lines in the same order, and the same members.
    pub(super) fn same_views(&mut self) -> Held {
        self.dave.start()?;
        self.eve.start()?;
        let (alice, members) = (&self.alice, ["group", "members", GROUP]);
        let history = ["history", GROUP];
        for person in [&self.bob, &self.dave, &self.eve] {
            person.await_list(&history, "the same as Alice", |rows| {
                let here = alice.list(&history).unwrap_or_default();
                texts(rows) == [TO_ALL, TO_FOUR] && ids(rows) == ids(&here)
            })?;
            person.await_list(&members, "the four members", |rows| {
                let here = alice.list(&members).unwrap_or_default();
                rows.len() == 4 && roles(rows) == roles(&here)
            })?;
        }
        let left = self.carol.list(&history)?;
        expect(texts(&left) == [TO_ALL], || {
            format!("Carol has {:?}", texts(&left))
        })
    }

    /// Frank knows nobody. He sees what group a link leads into, asks with an answer, and Alice lets him in.
    pub(super) fn asked_in(&mut self) -> Held {
        self.frank.begin()?;
        self.frank.start()?;
        let (alice, frank) = (&self.alice, &self.frank);
        let invite = ["group", "invite", GROUP, "--consent"];
        let invite: Vec<&str> = invite.into_iter().chain(["--question", QUESTION]).collect();
        let link = text(&alice.tell(&invite)?, "link")?;
        let shown = frank.tell_with(&["group", "preview", "-"], &link)?;
        let holds = field(&shown, "name") == GROUP && field(&shown, "question") == QUESTION;
        expect(holds, || format!("the link shows {shown}"))?;
        let asked = frank.tell_with(&["accept", "-", "--remark", REMARK], &link)?;
        expect(field(&asked, "state") == "requested", || {
            format!("Frank did not ask: {asked}")
        })?;
        let waits = |rows: &[Value]| {
            rows.iter()
                .any(|row| *field(row, "did") == *frank.did && field(row, "remark") == REMARK)
        };
        alice.await_list(&["group", "requests", GROUP], "who asks", waits)?;
        alice.tell(&["group", "accept", GROUP, frank.name])?;
        let is_in = |rows: &[Value]| rows.iter().any(|row| field(row, "role") == "member");
        frank.await_list(&["group", "list"], "that he is in", is_in)?;
        frank.tell(&["send", GROUP, FROM_FRANK])?;
        let heard = |rows: &[Value]| texts(rows) == [TO_ALL, TO_FOUR, FROM_FRANK];
        for person in [alice, &self.bob, &self.dave, &self.eve] {
            person.await_list(&["history", GROUP], "what Frank said", heard)?;
        }
        // What was said before somebody came is not for them.
        let came = texts(&frank.list(&["history", GROUP])?) == [FROM_FRANK];
        expect(came, || "Frank has what was said before".into())
    }

    fn others(&self) -> [&Person; 4] {
        [&self.bob, &self.carol, &self.dave, &self.eve]
    }
}

fn ids(rows: &[Value]) -> Vec<&Value> {
    rows.iter().map(|row| field(row, "id")).collect()
}

fn roles(rows: &[Value]) -> Vec<(&Value, &Value)> {
    let role = |row| (field(row, "did"), field(row, "role"));
    rows.iter().map(role).collect()
}
