//! Each rule of sessions of many, told once. An owner, a moderator and a member begin.

use tenet_identity::keys::IdentityId;

use super::{
    model::Model,
    tangle::{link_key, members},
    world::{Device, NOW, Node, Person, Raw, found_on},
};
use crate::{
    clock::{Hlc, MAX_AHEAD_MS},
    event::Event,
    roster::{
        self, Addition, History, Joining, MAX_IN_VAIN, Member, Muting, Op, Opening, Policy,
        Removal, Role, Setting,
    },
    session::{AppendError, Receipt, Refusal},
    standing::Standing,
};

/// Ann owns it, Bob moderates, Cid is a member; Dan and Eve are not in it. All three write.
struct Scene {
    people: Vec<Person>,
    node: Node,
}

const ANN: usize = 0;
const BOB: usize = 1;
const CID: usize = 2;
const DAN: usize = 3;
const EVE: usize = 4;

impl Scene {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let people: Vec<Person> = (1..=5).map(Person::new).collect();
        let founding = found_on(&people[ANN], &members(&people[..3]), policy);
        let mut node = Node::open(&founding);
        node.join(&people[BOB].devices[0]);
        node.join(&people[CID].devices[0]);
        Self { people, node }
    }

    fn device(&self, who: usize) -> &Device {
        &self.people[who].devices[0]
    }

    fn id(&self, who: usize) -> IdentityId {
        self.people[who].key.public()
    }

    /// Whom no link lets in.
    fn shut_out(&self) -> Vec<IdentityId> {
        self.node.session.shut_out(&self.node.store).unwrap()
    }

    fn role(&self, who: usize) -> Option<Role> {
        self.node
            .session
            .roster()
            .members
            .get(&self.id(who))
            .copied()
    }

    fn does(&mut self, who: usize, op: &Op) -> bool {
        let event = self.event(who, op);
        self.node.holds(&event)
    }

    fn event(&mut self, who: usize, op: &Op) -> Event {
        self.node.operate(&self.people[who].devices[0], op)
    }

    fn says(&mut self, who: usize) -> Event {
        self.node.say(&self.people[who].devices[0], "word")
    }

    fn add(&self, who: usize, role: Role) -> Op {
        Op::Add(Addition {
            identity: self.id(who),
            role,
            floor: None,
        })
    }

    fn promote(&self, who: usize, role: Role) -> Op {
        let identity = self.id(who);
        Op::Promote(Member { identity, role })
    }

    fn demote(&self, who: usize, role: Role) -> Op {
        let identity = self.id(who);
        Op::Demote(Member { identity, role })
    }

    fn remove(&self, who: usize) -> Op {
        Op::Remove(Removal {
            identity: self.id(who),
            shut_out: false,
        })
    }

    fn mute(&self, who: usize, until: Option<Hlc>) -> Op {
        let identity = self.id(who);
        Op::Mute(Muting { identity, until })
    }

    fn open_link(&mut self, by: usize, role: Role, until: Option<Hlc>) -> Event {
        let opening = Opening {
            until,
            ..Opening::new(link_key().public(), role)
        };
        self.event(by, &Op::OpenLink(opening))
    }

    fn by_link(&self, who: usize, link: &Event) -> Op {
        let card = self.device(who).card.clone();
        Op::JoinLink(Joining::by(&link_key(), link.id(), card))
    }

    /// The same at another place, which goes its own way from here on.
    fn apart(&self) -> Self {
        Self {
            people: (1..=5).map(Person::new).collect(),
            node: self.node.clone(),
        }
    }

    /// Both hear all of each other, and agree.
    fn meet(&mut self, other: &mut Self) {
        self.node.take_all(&other.node);
        other.node.take_all(&self.node);
        assert_eq!(self.node.picture(), other.node.picture());
        assert_eq!(self.node.reloaded().state(), self.node.state());
    }
}

/// A while after all that is said here by the clock.
fn later(millis: u64) -> Hlc {
    Hlc::from_millis(NOW + millis)
}

#[test]
fn ros_501_direct_sessions_know_no_operations_of_many() {
    let (ann, bob) = (Person::new(1), Person::new(2));
    let mut node = Node::open(&super::world::found(&[&ann, &bob]));
    node.join(&bob.devices[0]);
    let identity = bob.key.public();
    let ops = [
        Op::Remove(Removal {
            identity,
            shut_out: false,
        }),
        Op::Demote(Member {
            identity: ann.key.public(),
            role: Role::Member,
        }),
        Op::Dissolve,
    ];
    for op in ops {
        let event = node.operate(&ann.devices[0], &op);
        assert!(!node.holds(&event));
        assert!(!node.session.roster().allows(ann.key.public(), &op));
    }
    assert!(node.is_in(&bob.devices[0]));
}

/// SYNC-11: two chains of a device were ended by one operation; that is no more than one, and what is told beside it goes
/// bare.
#[test]
fn sync_11_who_is_told_more_than_its_end_hears_no_word() {
    let mut scene = Scene::new();
    let add = scene.add(DAN, Role::Member);
    assert!(scene.does(BOB, &add));
    for _ in 0..2 {
        scene.node.join(&scene.people[DAN].devices[0]);
    }
    let remove = scene.remove(DAN);
    assert!(scene.does(BOB, &remove));
    let (device, identity) = (scene.device(DAN).key.public(), scene.id(DAN));
    let floor_of = |scene: &Scene| {
        scene
            .node
            .session
            .floor_of(&scene.node.store, identity, device)
            .unwrap()
    };
    let before = floor_of(&scene);
    assert_ne!(before, Some(Hlc::MAX));
    let mut other = scene.apart();
    assert!(other.does(BOB, &add));
    let demote = scene.demote(BOB, Role::Member);
    assert!(scene.does(ANN, &demote));
    scene.node.take_all(&other.node);
    let floor = floor_of(&scene);
    assert_eq!(floor, Some(Hlc::MAX));
}

/// A session that Dan is in, and the same apart, where he was muted meanwhile.
fn muted_apart() -> (Scene, Scene) {
    let mut scene = Scene::new();
    let add = scene.add(DAN, Role::Member);
    assert!(scene.does(BOB, &add));
    scene.node.join(&scene.people[DAN].devices[0]);
    let mut other = scene.apart();
    let mute = other.mute(DAN, None);
    assert!(other.does(BOB, &mute));
    (scene, other)
}

/// A clock was ahead, and what was said by it is void: whatever the device writes next follows it all the same.
#[test]
fn log_7_nothing_is_dated_before_what_its_chain_holds() {
    let (mut scene, other) = muted_apart();
    let day = 24 * 60 * 60 * 1000;
    let dan = &scene.people[DAN].devices[0];
    let early = scene.node.say_at(dan, "early", NOW + day);
    scene.node.take_all(&other.node);
    assert!(!scene.node.counts(&early));
    let leave = scene.event(DAN, &Op::Leave);
    assert_eq!(leave.header().prev, Some(early.id()));
    assert!(leave.header().time > early.header().time);
}

/// What is too early and void is not built on, but what lies below it is, and that may be later than all else.
#[test]
fn log_7_nothing_is_dated_before_what_lies_below_a_tip_that_it_leaves_out() {
    let (mut scene, other) = muted_apart();
    let dan = &scene.people[DAN].devices[0];
    let soon = scene.node.say_at(dan, "soon", NOW + MAX_AHEAD_MS / 2);
    let early = scene.node.say_at(dan, "early", NOW + 2 * MAX_AHEAD_MS);
    scene.node.take_all(&other.node);
    assert!(!scene.node.counts(&early));
    let says = scene.says(ANN);
    assert!(says.header().deps.contains(&soon.id()));
    assert!(says.header().time > soon.header().time);
}

#[test]
fn ros_502_roles_are_given_raised_lowered_and_taken() {
    let mut scene = Scene::new();
    let add = scene.add(DAN, Role::Observer);
    assert!(scene.does(BOB, &add));
    assert_eq!(scene.role(DAN), Some(Role::Observer));
    scene.node.join(&scene.people[DAN].devices[0]);
    let up = scene.promote(DAN, Role::Member);
    assert!(scene.does(BOB, &up));
    let down = scene.demote(DAN, Role::Observer);
    assert!(scene.does(BOB, &down));
    assert_eq!(scene.role(DAN), Some(Role::Observer));
    let out = scene.remove(DAN);
    assert!(scene.does(BOB, &out));
    assert_eq!(scene.role(DAN), None);
    assert!(!scene.node.is_in(scene.device(DAN)));
    let again = scene.add(DAN, Role::Member);
    assert!(scene.does(BOB, &again));
    assert!(!scene.node.is_in(scene.device(DAN)), "it has to join anew");
    scene.node.join(&scene.people[DAN].devices[0]);
    let says = scene.says(DAN);
    assert!(scene.node.counts(&says));
}

#[test]
fn ros_502_of_givings_apart_the_highest_stays_of_takings_the_lowest() {
    let mut one = Scene::new();
    let mut other = one.apart();
    let add = one.add(DAN, Role::Observer);
    assert!(one.does(BOB, &add));
    let add = other.add(DAN, Role::Member);
    assert!(other.does(ANN, &add));
    one.meet(&mut other);
    assert_eq!(one.role(DAN), Some(Role::Member));
    let promote = one.promote(EVE, Role::Owner);
    assert!(!one.does(ANN, &promote), "nobody promotes a stranger");
    let down = one.demote(BOB, Role::Observer);
    assert!(one.does(ANN, &down));
    let down = other.demote(BOB, Role::Member);
    assert!(other.does(BOB, &down));
    one.meet(&mut other);
    assert_eq!(one.role(BOB), Some(Role::Observer));
}

#[test]
fn ros_503_of_policies_the_last_of_settings_the_highest_authors() {
    let set = |value: u8| {
        Op::Set(Setting {
            key: "name".into(),
            value: vec![value],
        })
    };
    let mut one = Scene::new();
    let name = |scene: &Scene| scene.node.session.roster().settings["name"].clone();
    assert!(!one.does(CID, &set(0)), "a member may not");
    assert!(one.does(BOB, &set(1)));
    let mut other = one.apart();
    assert!(one.does(ANN, &set(2)));
    other.says(CID);
    assert!(other.does(BOB, &set(3)));
    one.meet(&mut other);
    assert_eq!(name(&one), [2], "an owner's before a moderator's");
    assert!(one.does(BOB, &set(4)));
    assert_eq!(name(&one), [4], "whoever has seen it replaces it");
    let policy = Policy {
        settings: Role::Member,
        ..Policy::default()
    };
    assert!(!one.does(BOB, &Op::Policy(policy)));
    assert!(one.does(ANN, &Op::Policy(policy)) && one.does(CID, &set(5)));
    assert_eq!(one.node.session.roster().policy, policy);
}

#[test]
fn ros_504_a_link_lets_strangers_in_until_it_is_closed() {
    let mut scene = Scene::new();
    let link = scene.open_link(BOB, Role::Member, None);
    let join = scene.by_link(DAN, &link);
    let joins = scene.event(DAN, &join);
    assert!(scene.node.holds(&joins) && scene.role(DAN) == Some(Role::Member));
    let second = &scene.people[DAN].devices[1];
    let second = scene.node.join(second);
    assert!(
        scene.node.holds(&second),
        "further devices join by themselves"
    );
    let says = scene.says(DAN);

    let mut apart = scene.apart();
    let unseen = apart.by_link(EVE, &link);
    let unseen = apart.event(EVE, &unseen);
    assert!(apart.node.holds(&unseen));
    let word = apart.says(EVE);
    assert!(scene.does(ANN, &Op::CloseLink(link.id())));
    scene.meet(&mut apart);
    assert!(!scene.node.holds(&unseen) && !scene.node.counts(&word));
    assert!(scene.node.counts(&says), "who had come in before stays");
    assert!(scene.node.session.roster().links.is_empty());
    let late = scene.by_link(EVE, &link);
    assert!(!scene.does(EVE, &late));
}

#[test]
fn ros_504_a_link_proves_itself_and_ends() {
    let mut scene = Scene::new();
    let ended = scene.open_link(BOB, Role::Member, Some(Hlc::from_millis(NOW)));
    let late = scene.by_link(DAN, &ended);
    assert!(!scene.does(DAN, &late), "after its end");
    let link = scene.open_link(BOB, Role::Member, None);
    let Op::JoinLink(stolen) = scene.by_link(DAN, &link) else {
        panic!()
    };
    let eve = scene.device(EVE).card.clone();
    let stolen = Op::JoinLink(Joining {
        card: eve,
        ..stolen
    });
    let refused = scene
        .node
        .try_operate(&scene.people[EVE].devices[0], &stolen);
    assert!(matches!(refused, Err(AppendError::Refused)));
    let raw = Raw {
        session: link.session(),
        key: &scene.people[EVE].devices[0].key,
        added_by: None,
        prev: None,
        deps: vec![&link],
        later_by: 1,
    };
    let receipt = scene.node.receive(&raw.operate(&stolen));
    assert!(matches!(receipt, Receipt::Refused(Refusal::NotOnRoster)));
    let member = scene.open_link(CID, Role::Member, None);
    assert!(!scene.node.holds(&member), "a member may open none");
    let owner = scene.open_link(BOB, Role::Moderator, None);
    assert!(!scene.node.holds(&owner), "and a moderator none so high");
}

#[test]
fn ros_504_whoever_was_shut_out_comes_in_by_no_link() {
    let mut scene = Scene::new();
    let link = scene.open_link(ANN, Role::Member, None);
    let out = scene.remove(CID);
    assert!(scene.does(BOB, &out));
    let back = scene.by_link(CID, &link);
    assert!(scene.does(CID, &back), "a removal alone shuts nobody out");
    let out = Op::Remove(Removal {
        identity: scene.id(CID),
        shut_out: true,
    });
    assert!(scene.does(BOB, &out));
    let back = scene.by_link(CID, &link);
    assert!(!scene.does(CID, &back));
    let add = scene.add(CID, Role::Member);
    assert!(scene.does(BOB, &add), "until somebody adds it");
    scene.node.join(&scene.people[CID].devices[0]);
    assert!(scene.node.is_in(scene.device(CID)));
}

#[test]
fn ros_1401_by_a_link_by_which_one_asks_nobody_comes_in() {
    let mut scene = Scene::new();
    let opening = Opening::new(link_key().public(), Role::Member).asking();
    let link = scene.event(BOB, &Op::OpenLink(opening));
    assert!(scene.node.holds(&link));
    assert!(scene.node.session.roster().links.contains_key(&link.id()));
    let (opening, open) = scene
        .node
        .session
        .opening(&scene.node.store, link.id())
        .unwrap()
        .unwrap();
    assert!(opening.asks() && open);
    let join = scene.by_link(DAN, &link);
    let refused = scene.node.try_operate(&scene.people[DAN].devices[0], &join);
    assert!(matches!(refused, Err(AppendError::Refused)));
    let raw = Raw {
        session: link.session(),
        key: &scene.people[DAN].devices[0].key,
        added_by: None,
        prev: None,
        deps: vec![&link],
        later_by: 1,
    };
    let receipt = scene.node.receive(&raw.operate(&join));
    assert!(matches!(receipt, Receipt::Refused(Refusal::NotOnRoster)));
    let add = scene.add(DAN, Role::Member);
    assert!(scene.does(BOB, &add), "somebody who may lets them in");
}

#[test]
fn ros_1402_who_is_unblocked_comes_in_by_a_link_again() {
    let mut scene = Scene::new();
    let link = scene.open_link(ANN, Role::Member, None);
    let unblock = Op::Unblock(scene.id(CID));
    assert!(
        !scene.does(BOB, &unblock),
        "of who is in nothing is to be lifted"
    );
    let out = Op::Remove(Removal {
        identity: scene.id(CID),
        shut_out: true,
    });
    let mut apart = scene.apart();
    assert!(scene.does(BOB, &out));
    assert_eq!(scene.shut_out(), [scene.id(CID)]);
    let back = scene.by_link(CID, &link);
    assert!(!scene.does(CID, &back));

    // Who had not heard of a removal has not unblocked anybody from it.
    assert!(apart.does(ANN, &out));
    assert!(apart.does(ANN, &unblock));
    assert_eq!(apart.shut_out(), []);
    scene.meet(&mut apart);
    assert_eq!(scene.shut_out(), [scene.id(CID)]);

    let out = scene.device(CID);
    let of_oneself = scene.node.clone().try_operate(out, &unblock);
    assert!(of_oneself.is_err(), "nobody lifts it from oneself");
    assert!(scene.does(BOB, &unblock));
    assert_eq!(scene.shut_out(), []);
    assert_eq!(scene.role(CID), None, "to be unblocked is not to be in");
    let back = scene.by_link(CID, &link);
    assert!(scene.does(CID, &back));
    assert_eq!(scene.role(CID), Some(Role::Member));
}

#[test]
fn ros_1403_a_refusal_answers_who_asked_and_changes_nothing_else() {
    let mut scene = Scene::new();
    let refuse = |scene: &Scene, asked, remark: Option<&str>| {
        Op::Refuse(roster::Refusal {
            identity: scene.id(DAN),
            asked,
            remark: remark.map(Into::into),
        })
    };
    let no = refuse(&scene, 7, Some("full"));
    assert!(!scene.does(CID, &no), "a member decides nothing");
    assert!(scene.does(BOB, &no));
    let early = refuse(&scene, 5, None);
    assert!(scene.does(ANN, &early));
    let answer = scene
        .node
        .session
        .refusal(&scene.node.store, scene.id(DAN))
        .unwrap()
        .unwrap();
    assert_eq!((answer.asked, answer.remark.as_deref()), (7, Some("full")));

    // Apart one says yes and one no: who was let in is in.
    let mut apart = scene.apart();
    let add = scene.add(DAN, Role::Member);
    assert!(scene.does(ANN, &add));
    let again = refuse(&apart, 9, None);
    assert!(apart.does(BOB, &again));
    scene.meet(&mut apart);
    assert_eq!(scene.role(DAN), Some(Role::Member));
    let late = refuse(&scene, 10, None);
    assert!(!scene.does(BOB, &late), "of who is in nobody asks");
}

#[test]
fn log_10_an_operation_names_what_its_right_rests_on_among_however_many() {
    let people = [
        Person::with_devices(1, 12),
        Person::with_devices(2, 12),
        Person::new(3),
    ];
    let mut node = Node::open(&found_on(
        &people[0],
        &members(&people[..2]),
        Policy::default(),
    ));
    let devices: Vec<&Device> = people[..2].iter().flat_map(|one| &one.devices).collect();
    for device in devices
        .iter()
        .filter(|device| !std::ptr::eq(**device, devices[0]))
    {
        node.join(device);
    }
    let add = node.operate(
        devices[0],
        &Op::Add(Addition {
            identity: people[2].key.public(),
            role: Role::Member,
            floor: None,
        }),
    );
    let before = node.clone();
    for device in &devices {
        let word = before.clone().say(device, "all at once");
        node.take(&word);
    }
    assert!(node.session.frontier().tips().len() > crate::event::MAX_DEPS);
    let join = node.join(&people[2].devices[0]);
    assert!(join.header().deps.contains(&add.id()) && node.is_in(&people[2].devices[0]));
}

#[test]
fn ros_505_the_right_is_needed_where_one_stood() {
    let mut scene = Scene::new();
    let add = scene.add(DAN, Role::Member);
    assert!(!scene.does(CID, &add));
    let up = scene.promote(CID, Role::Moderator);
    assert!(scene.does(ANN, &up));
    assert!(scene.does(CID, &add), "once it has seen its promotion");
    assert!(
        scene
            .node
            .session
            .roster()
            .allows(scene.id(CID), &scene.add(EVE, Role::Member))
    );
    let down = scene.demote(CID, Role::Member);
    assert!(scene.does(ANN, &down));
    assert_eq!(scene.role(DAN), Some(Role::Member), "what it did stays");
    let add = scene.add(EVE, Role::Member);
    assert!(!scene.does(CID, &add));
}

#[test]
fn ros_506_taking_needs_a_strictly_higher_role() {
    let mut scene = Scene::new();
    let up = scene.promote(CID, Role::Moderator);
    assert!(scene.does(ANN, &up));
    for op in [
        scene.remove(CID),
        scene.demote(CID, Role::Member),
        scene.mute(CID, None),
    ] {
        assert!(!scene.does(BOB, &op), "{op:?} between equals");
    }
    for op in [
        scene.remove(ANN),
        scene.demote(ANN, Role::Member),
        scene.mute(ANN, None),
    ] {
        assert!(!scene.does(BOB, &op), "{op:?} from below");
    }
    let own = scene.remove(BOB);
    assert!(!scene.does(BOB, &own), "who goes leaves");
    let gives_up = scene.demote(BOB, Role::Member);
    assert!(scene.does(BOB, &gives_up));
    assert!(scene.does(BOB, &Op::Leave));
    let gives_up = scene.demote(ANN, Role::Member);
    assert!(scene.does(ANN, &gives_up), "an owner too, even the last");
}

#[test]
fn ros_507_moderators_and_owners_are_made_by_owners() {
    let mut scene = Scene::new();
    for role in [Role::Moderator, Role::Owner] {
        let (add, up) = (scene.add(DAN, role), scene.promote(CID, role));
        assert!(!scene.does(BOB, &add) && !scene.does(BOB, &up));
    }
    let up = scene.promote(CID, Role::Owner);
    assert!(scene.does(ANN, &up));
    let gives_up = scene.demote(ANN, Role::Member);
    assert!(scene.does(ANN, &gives_up), "so ownership passes on");
    let again = scene.add(CID, Role::Member);
    assert!(!scene.does(BOB, &again), "who is in is not added");
    let same = scene.promote(ANN, Role::Member);
    assert!(
        !scene.does(CID, &same),
        "and who has a role is not raised to it"
    );
}

#[test]
fn ros_508_a_dissolved_session_is_over_for_all() {
    let mut scene = Scene::new();
    assert!(!scene.does(BOB, &Op::Dissolve));
    let before = scene.says(CID);
    let mut apart = scene.apart();
    let unseen = apart.says(CID);
    let add = apart.add(DAN, Role::Member);
    let add = apart.event(BOB, &add);
    assert!(scene.does(ANN, &Op::Dissolve));
    scene.meet(&mut apart);
    let roster = scene.node.session.roster();
    assert!(roster.dissolved && roster.members.is_empty() && roster.active().next().is_none());
    assert!(scene.node.counts(&before) && !scene.node.counts(&unseen) && !scene.node.holds(&add));
    let says = scene
        .node
        .try_say(&scene.people[ANN].devices[0], "anybody?");
    assert!(matches!(says, Err(AppendError::NotOnRoster)));
}

#[test]
fn ros_6_a_removal_voids_all_that_somebody_did_and_a_stale_one_no_month() {
    let mut scene = Scene::new();
    let up = scene.promote(CID, Role::Moderator);
    assert!(scene.does(ANN, &up));
    let (mut fresh, stale) = (scene.apart(), &mut scene);
    let month = fresh.says(CID);
    let add = fresh.add(DAN, Role::Member);
    let add = fresh.event(CID, &add);
    let guest = fresh.node.join(&fresh.people[DAN].devices[0]);
    let out = stale.remove(CID);
    assert!(stale.does(ANN, &out));
    let mut both = fresh.apart();
    stale.meet(&mut both);
    assert!(!stale.node.counts(&month) && !stale.node.holds(&add) && !stale.node.holds(&guest));
    assert_eq!(stale.role(DAN), None, "whom it had added goes with it");

    let out = fresh.remove(CID);
    assert!(fresh.does(ANN, &out));
    stale.meet(&mut fresh);
    assert!(stale.node.counts(&month) && stale.node.holds(&add) && stale.node.holds(&guest));
    assert_eq!(
        (stale.role(CID), stale.role(DAN)),
        (None, Some(Role::Member))
    );
}

#[test]
fn ros_509_a_demotion_voids_what_was_done_under_the_right_alone() {
    let mut scene = Scene::new();
    let mut apart = scene.apart();
    let laptop = apart.people[BOB].devices[1].card.clone();
    let own = apart.event(BOB, &Op::AddDevice(laptop));
    let add = apart.add(DAN, Role::Member);
    let add = apart.event(BOB, &add);
    let word = apart.says(BOB);
    let down = scene.demote(BOB, Role::Member);
    assert!(scene.does(ANN, &down));
    scene.meet(&mut apart);
    assert!(!scene.node.holds(&add) && scene.node.holds(&own) && scene.node.counts(&word));
}

#[test]
fn ros_510_of_a_giving_and_a_taking_apart_the_higher_author_decides() {
    let scene = Scene::new();
    let raised = |by: usize, role: Role, then: &dyn Fn(&Scene) -> (usize, Op)| {
        let (mut one, mut other) = (scene.apart(), scene.apart());
        let up = one.promote(CID, role);
        let up = one.event(by, &up);
        let (taker, taking) = then(&other);
        let taking = other.event(taker, &taking);
        one.meet(&mut other);
        (one.node.holds(&up), one.node.holds(&taking))
    };
    let by_bob = |scene: &Scene| (BOB, scene.remove(CID));
    assert_eq!(raised(ANN, Role::Moderator, &by_bob), (true, false));
    let by_ann = |scene: &Scene| (ANN, scene.remove(CID));
    assert_eq!(
        raised(ANN, Role::Moderator, &by_ann),
        (false, true),
        "of equals the taking"
    );
    let leaves = |_: &Scene| (CID, Op::Leave);
    assert_eq!(
        raised(ANN, Role::Moderator, &leaves),
        (false, true),
        "and one's own wish"
    );
}

#[test]
fn ros_506_who_was_let_in_in_vain_is_put_out_of_what_another_gave_apart() {
    let mut scene = Scene::new();
    let up = scene.promote(CID, Role::Owner);
    assert!(scene.does(ANN, &up));
    let (mut one, mut other) = (scene.apart(), scene.apart());
    for op in [one.add(DAN, Role::Member), one.remove(BOB)] {
        assert!(one.does(ANN, &op));
    }
    let in_vain = other.event(BOB, &scene.add(DAN, Role::Member));
    let removal = other.event(CID, &scene.remove(DAN));
    one.meet(&mut other);
    assert!(!one.node.holds(&in_vain), "Bob was out");
    assert!(one.node.holds(&removal));
    assert_eq!(one.role(DAN), None);
    // Whoever had no role is put out of nothing that comes later.
    let again = one.add(DAN, Role::Member);
    assert!(one.does(CID, &again));
    assert_eq!(one.role(DAN), Some(Role::Member));
}

#[test]
fn ros_7_in_a_circle_the_higher_role_comes_first() {
    let mut scene = Scene::new();
    let out = scene.demote(CID, Role::Observer);
    assert!(scene.does(BOB, &out));
    let mut apart = scene.apart();
    // Bob removes Cid, whom Ann makes an owner meanwhile, and who removes Bob.
    let removes = scene.remove(CID);
    let removes = scene.event(BOB, &removes);
    let up = apart.promote(CID, Role::Owner);
    assert!(apart.does(ANN, &up));
    let strikes = apart.remove(BOB);
    let strikes = apart.event(CID, &strikes);
    scene.meet(&mut apart);
    assert!(!scene.node.holds(&removes) && scene.node.holds(&strikes));
    assert_eq!(
        (scene.role(BOB), scene.role(CID)),
        (None, Some(Role::Owner))
    );
}

#[test]
fn ros_7_a_circle_of_others_gives_no_right_over_whoever_left() {
    let mut one = Scene::new();
    let mut other = one.apart();
    let chain = one.node.chain(one.device(BOB));
    // On two branches of one chain: each ends it, and neither had seen the other.
    let left = one.event(BOB, &Op::Leave);
    other.says(CID);
    let ended = other.event(BOB, &Op::RemoveDevice(chain));
    let down = one.demote(BOB, Role::Observer);
    let down = one.event(ANN, &down);
    one.meet(&mut other);
    assert!(one.node.holds(&left));
    assert!(!one.node.holds(&ended) && !one.node.holds(&down));
    Model::of(&one.node).check(&one.node);
}

#[test]
fn ros_511_a_chain_whose_operations_count_for_nothing_is_taken_no_further() {
    let mut scene = Scene::new();
    let in_vain = scene.remove(ANN);
    for _ in 0..MAX_IN_VAIN - 1 {
        assert!(!scene.does(CID, &in_vain));
    }
    let mut apart = scene.apart();
    let card = apart.people[CID].devices[1].card.clone();
    assert!(apart.does(CID, &Op::AddDevice(card)));
    for _ in 0..MAX_IN_VAIN - 1 {
        assert!(
            !apart.does(CID, &in_vain),
            "one that counted gives it as many again"
        );
    }
    // Its joining was the first; so this makes 64, one of which counts.
    assert!(!scene.does(CID, &in_vain));
    for _ in 0..MAX_IN_VAIN - 1 {
        assert!(!scene.does(CID, &in_vain));
    }
    let last = scene.node.events().pop().unwrap();
    let refused = scene
        .node
        .try_operate(&scene.people[CID].devices[0], &in_vain);
    assert!(matches!(refused, Err(AppendError::Refused)));
    let next = Raw::after(&scene.device(CID).key, &last, &[]).operate(&in_vain);
    let receipt = scene.node.receive(&next);
    assert!(matches!(receipt, Receipt::Refused(Refusal::InVain)));
    // Whoever knows more or less than the operation had seen refuses it all the same.
    let mut wiser = Node::open(&scene.node.events()[0]);
    for event in &scene.node.events()[1..] {
        wiser.take(event);
    }
    wiser.say(&scene.people[ANN].devices[0], "more");
    let up = scene.promote(BOB, Role::Owner);
    wiser.operate(&scene.people[ANN].devices[0], &up);
    assert!(matches!(
        wiser.receive(&next),
        Receipt::Refused(Refusal::InVain)
    ));
    let says = scene.says(CID);
    assert!(scene.node.counts(&says), "its words are taken");
}

#[test]
fn ros_513_observers_do_not_write() {
    let mut scene = Scene::new();
    let before = scene.says(CID);
    let mut apart = scene.apart();
    let unseen = apart.says(CID);
    let down = scene.demote(CID, Role::Observer);
    assert!(scene.does(BOB, &down));
    scene.meet(&mut apart);
    assert!(scene.node.counts(&before));
    assert_eq!(scene.node.standing(&unseen), Standing::Silenced);
    let word = scene.says(CID);
    assert_eq!(scene.node.standing(&word), Standing::Silenced);
    assert!(scene.node.is_in(scene.device(CID)), "it still reads");
    let up = scene.promote(CID, Role::Member);
    assert!(scene.does(BOB, &up));
    let word = scene.says(CID);
    assert!(scene.node.counts(&word));
    assert_eq!(scene.node.standing(&unseen), Standing::Silenced);

    let announce = Policy {
        write: Role::Moderator,
        ..Policy::default()
    };
    assert!(scene.does(ANN, &Op::Policy(announce)));
    let (member, moderator) = (scene.says(CID), scene.says(BOB));
    assert_eq!(scene.node.standing(&member), Standing::Silenced);
    assert!(scene.node.counts(&moderator));
    assert!(scene.does(ANN, &Op::Policy(Policy::default())));
    let word = scene.says(CID);
    assert!(scene.node.counts(&word));
    assert_eq!(scene.node.reloaded().state(), scene.node.state());
}

#[test]
fn ros_513_of_demotions_apart_one_that_had_seen_a_word_saves_it() {
    let mut scene = Scene::new();
    let mut apart = scene.apart();
    let heard = apart.says(CID);
    let down = scene.demote(CID, Role::Observer);
    assert!(scene.does(BOB, &down) && apart.does(ANN, &down));
    scene.meet(&mut apart);
    assert!(scene.node.counts(&heard));
    let word = scene.says(CID);
    assert_eq!(scene.node.standing(&word), Standing::Silenced);
}

#[test]
fn ros_514_a_mute_ends_by_the_time_of_the_event_itself() {
    let mut scene = Scene::new();
    let before = scene.says(CID);
    let mute = scene.mute(CID, Some(later(1_000)));
    assert!(scene.does(BOB, &mute));
    let roster = scene.node.session.roster();
    assert_eq!(roster.muted[&scene.id(CID)], Some(later(1_000)));
    let muted = scene.says(CID);
    assert_eq!(scene.node.standing(&muted), Standing::Silenced);
    assert!(scene.node.counts(&before));
    let word = scene
        .node
        .say_at(&scene.people[CID].devices[0], "x", NOW + 1_000);
    assert!(scene.node.counts(&word), "dated after it");

    let mute = scene.mute(CID, None);
    assert!(scene.does(BOB, &mute));
    let muted = scene
        .node
        .say_at(&scene.people[CID].devices[0], "x", NOW + 2_000);
    assert_eq!(scene.node.standing(&muted), Standing::Silenced);
    let unmute = Op::Unmute(scene.id(CID));
    assert!(!scene.does(CID, &unmute) && scene.does(ANN, &unmute));
    let word = scene.says(CID);
    assert!(scene.node.counts(&word));
    assert_eq!(
        scene.node.standing(&muted),
        Standing::Silenced,
        "what was void stays so"
    );
    assert!(scene.node.session.roster().muted.is_empty());
}

#[test]
fn ros_514_mutes_apart_act_as_one() {
    let mut scene = Scene::new();
    let mut apart = scene.apart();
    let heard = scene.says(CID);
    let mute = scene.mute(CID, Some(later(1_000)));
    assert!(scene.does(BOB, &mute));
    let mute = apart.mute(CID, Some(later(2_000)));
    assert!(apart.does(ANN, &mute));
    scene.meet(&mut apart);
    assert!(scene.node.counts(&heard), "one of the two had seen it");
    let word = scene
        .node
        .say_at(&scene.people[CID].devices[0], "x", NOW + 1_500);
    assert_eq!(scene.node.standing(&word), Standing::Silenced);
    let word = scene
        .node
        .say_at(&scene.people[CID].devices[0], "x", NOW + 2_000);
    assert!(scene.node.counts(&word));
}

#[test]
fn ros_515_the_addition_fixes_what_a_newcomer_gets() {
    let policy = |history| Policy {
        history,
        ..Policy::default()
    };
    for (history, named) in [
        (History::None, None),
        (History::Last(1), Some(())),
        (History::Last(1), None),
        (History::All, None),
    ] {
        let mut scene = Scene::with(policy(history));
        let (first, last) = (scene.says(CID), scene.says(CID));
        let floor = named.map(|()| last.header().time);
        let add = Op::Add(Addition {
            identity: scene.id(DAN),
            role: Role::Member,
            floor,
        });
        assert!(scene.does(BOB, &add));
        assert!(
            scene.does(ANN, &Op::Policy(policy(History::All))),
            "what comes later changes nothing"
        );
        let after = scene.says(CID);
        let roster = scene.node.session.roster();
        let reads = [&first, &last, &after].map(|event| roster.may_read(scene.id(DAN), event));
        let expected = match (history, named) {
            (History::All, _) => [true, true, true],
            (History::Last(_), Some(())) => [false, true, true],
            _ => [false, false, true],
        };
        assert_eq!(reads, expected, "{history:?}");
        assert!(roster.may_read(scene.id(BOB), &first), "whoever was there");
    }
}
