//! Our own plans: one machine a device, with messages as long as they are.

use std::{collections::BTreeSet, rc::Rc};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{Action, text::Text};
use tenet_delivery::fanout::{
    line::Line,
    message::Message,
    plan::Task,
    point::{Point, Span, Turn},
    spread::{self, Output, Spread},
};
use tenet_log::{ids::EventId, roster::SessionKind, session::Session};
use tenet_store::Store;

use super::{
    crowd::Crowd,
    network::{Actions, Input, Moment, Speaker},
};
use crate::{machine::BEGINNING, node::Node};

/// What all devices share: who there is, and the event.
pub struct World {
    crowd: Crowd,
    /// A message of a hundred letters, in its wire form.
    pub event: Vec<u8>,
}

/// One device.
pub struct Planned {
    me: usize,
    world: Rc<World>,
    /// What it does with the event.
    pub spread: Spread,
    /// What of the line it has looked at.
    seen: Option<(Span, Line)>,
    /// Whom it could not reach.
    lost: BTreeSet<usize>,
}

impl World {
    /// Of a crowd.
    pub fn new(crowd: &Crowd) -> Rc<Self> {
        let crowd = crowd.clone();
        let event = message(
            "a hundred letters, as a message between people often has them, give or take a few of them, on average",
        );
        Rc::new(Self { crowd, event })
    }

    /// Its devices, who pick the heads of a part anew up to so many times.
    pub fn devices(self: &Rc<Self>, rounds: usize) -> Vec<Planned> {
        let points = self.crowd.points.iter().enumerate();
        let devices = points.map(|(me, point)| Planned {
            me,
            world: Rc::clone(self),
            spread: Spread::new(*point, rounds),
            seen: None,
            lost: BTreeSet::new(),
        });
        devices.collect()
    }
}

/// The wire form of a text in a session of many.
fn message(text: &str) -> Vec<u8> {
    let own = Node::new(0, 0, BEGINNING).own();
    let mut store = Store::in_memory().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (key, card) = (&own.key, &own.card);
    let founded = Session::found(
        &mut store,
        key,
        card,
        SessionKind::Group,
        &[],
        BEGINNING,
        &mut rng,
    );
    let (mut session, _) = founded.unwrap();
    let text = Text::new(text.into(), None).unwrap();
    let draft = Action::Text(text).draft().unwrap();
    let written = session.append(&mut store, key, draft, BEGINNING, &mut rng);
    written.unwrap().0.to_wire()
}

impl Planned {
    /// Forgets the event, so that another one may come.
    pub fn forget(&mut self, rounds: usize) {
        self.spread = Spread::new(self.world.crowd.points[self.me], rounds);
        self.seen = None;
    }

    fn point(&self, of: usize) -> Point {
        self.world.crowd.points[of]
    }

    /// What it is asked to see to, or all that it has to look at.
    fn look(&mut self, span: Span, here: &BTreeSet<usize>) {
        let span = match &self.seen {
            Some((seen, _)) if seen.covers(span) => return,
            Some((seen, _)) => Span {
                first: seen.first.min(span.first),
                last: seen.last.max(span.last),
            },
            None => span,
        };
        let crowd = &self.world.crowd;
        let line = crowd.seen_by(self.me, span, here, &self.lost);
        self.seen = Some((span, line));
    }

    fn input(&self, input: &Input<Message>) -> Option<spread::Input> {
        let turn = Turn::of(BEGINNING);
        let (from, message) = match input {
            Input::Say => return Some(spread::Input::Said(turn)),
            Input::Wake => return Some(spread::Input::Tick),
            Input::Lost(who) => return Some(spread::Input::Unreachable(self.point(*who))),
            Input::Heard(from, message) => (self.point(*from), message.clone()),
        };
        Some(match message {
            Message::Give(_, task) => spread::Input::Given { from, task, turn },
            Message::Offer(_, task) => spread::Input::Offered { from, task },
            Message::Want(_) => spread::Input::Wanted(from),
            Message::Have(_) => spread::Input::Had(from),
            Message::Report(_, report) => spread::Input::Reported { from, report },
            Message::Present(_) => return None,
        })
    }

    fn message(&self, output: Output) -> (Point, Message) {
        let id = EventId::from([7; 32]);
        // The event itself is not carried along ten thousand times; its length is added.
        let event = || Vec::new().into();
        match output {
            Output::Give(to, task) => (to, Message::Give(event(), task)),
            Output::Offer(to, task) => (to, Message::Offer(id, task)),
            Output::Want(to) => (to, Message::Want(id)),
            Output::Have(to) => (to, Message::Have(vec![id])),
            Output::Report(to, report) => (to, Message::Report(id, report)),
        }
    }
}

impl Speaker for Planned {
    type Message = Message;

    fn handle(&mut self, input: Input<Message>, moment: Moment<'_>) -> Actions<Message> {
        if let Input::Lost(who) = &input {
            self.lost.insert(*who);
            if let Some((span, _)) = self.seen.take() {
                self.look(span, moment.here);
            }
        }
        if let Some(span) = span(&input) {
            self.look(span, moment.here);
        }
        if let Some(input) = self.input(&input) {
            let nothing = Line::default();
            let line = self.seen.as_ref().map_or(&nothing, |(_, line)| line);
            self.spread.handle(input, line, moment.now / 1_000);
        }
        let mut send = Vec::new();
        while let Some(output) = self.spread.poll() {
            let (to, message) = self.message(output);
            let copy = matches!(message, Message::Give(..));
            let event = if copy { self.world.event.len() + 2 } else { 0 };
            let bytes = message.encode().len() + event;
            send.push((self.world.crowd.at(to), message, bytes, copy));
        }
        Actions {
            send,
            wake: self.spread.deadline().map(|at| at * 1_000),
            has: self.spread.is_here(),
        }
    }
}

/// What of the line a message is about, if the receiver has to look at it.
fn span(input: &Input<Message>) -> Option<Span> {
    let task = |task: &Option<Task>| task.as_ref().map(|task| task.span);
    match input {
        Input::Say => Some(Span::ALL),
        Input::Heard(_, Message::Give(_, it) | Message::Offer(_, it)) => task(it),
        _ => None,
    }
}
