//! An engine alone, and rogues who talk to it frame by frame.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{Action, file::File, text::Text};
use tenet_identity::{
    hello::{Binding, Hello, Role},
    meeting::{
        invite::{InviteId, Secret},
        knock::{self, Answer, Bond, Knock, Knocker, Message, Open, Plea},
        link::Link,
    },
};
use tenet_log::{
    event::{Event, Unverified},
    roster::Op,
    session::{Draft, Session},
    store::LogStore,
    sync::{self, Direction, EncodedEvent, Tag},
};
use tenet_node::{
    Engine, Own,
    command::{Command, CommandError, Reply},
    frame::{Frame, VERSION},
    input::{CloseReason, ConnId, Input, Notice, Output, Ticket},
};

use crate::{disk::Disk, machine::BEGINNING, node::Node};

/// An engine alone; its outputs are looked at, not carried out.
pub struct Bench {
    /// The engine.
    pub engine: Engine<Disk>,
    /// Its clock.
    pub now: u64,
    next: u64,
}

/// One connection, seen from the rogue's end.
#[derive(Clone, Copy)]
pub struct Line {
    /// By the engine's number.
    pub conn: ConnId,
    /// What both ends know.
    pub exporter: [u8; 32],
    /// The engine's end.
    pub role: Role,
}

/// What an engine did with something.
#[derive(Default)]
pub struct Done {
    /// Frames that it sent.
    pub said: Vec<Frame>,
    /// Connections that it closed, and why.
    pub closed: Vec<(ConnId, CloseReason)>,
    /// What it told.
    pub told: Vec<Notice>,
    /// What it answered.
    pub replies: Vec<Result<Reply, CommandError>>,
    /// What it fetches, gives and refuses.
    pub moved: Vec<Output>,
}

impl Bench {
    /// An engine that has just started, of the person with this number.
    pub fn new(number: usize) -> Self {
        let own = Node::new(number, 0, BEGINNING).own();
        let engine = Engine::open(Disk::new(), own, [7; 32], BEGINNING).unwrap();
        let mut bench = Self {
            engine,
            now: BEGINNING,
            next: 1,
        };
        bench.tell(Input::AddressesChanged {
            addresses: vec!["10.0.0.1:4000".parse().unwrap()],
        });
        bench
    }

    /// One input, one batch: all that comes of it.
    pub fn outputs(&mut self, input: Input) -> Vec<Output> {
        self.engine.handle(self.now, input).unwrap();
        self.engine.commit(self.now)
    }

    /// One input, one batch.
    pub fn tell(&mut self, input: Input) -> Done {
        let mut done = Done::default();
        for output in self.outputs(input) {
            match output {
                Output::Send { frame, .. } => done.said.push(Frame::decode(&frame).unwrap()),
                Output::Close { conn, reason } => done.closed.push((conn, reason)),
                Output::Notice(notice) => done.told.push(notice),
                Output::Reply { result, .. } => done.replies.push(result),
                Output::Authenticated { .. } | Output::Dial { .. } => {}
                output @ (Output::Fetch { .. }
                | Output::StopFetch { .. }
                | Output::Discard { .. }
                | Output::Answer { .. }
                | Output::Pipe { .. }
                | Output::Refuse { .. }) => done.moved.push(output),
            }
        }
        done
    }

    /// Lets time pass until the engine does something that can be seen.
    ///
    /// # Panics
    /// Where it never will.
    pub fn wait(&mut self) -> Done {
        for _ in 0..10 {
            self.now = self.engine.deadline().expect("nothing is forgotten");
            let done = self.tell(Input::Tick);
            if !(done.said.is_empty() && done.told.is_empty() && done.moved.is_empty()) {
                return done;
            }
        }
        panic!("nothing happens");
    }

    /// A command and its answer.
    pub fn ask(&mut self, command: Command) -> Result<Reply, CommandError> {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.tell(Input::Command { ticket, command })
            .replies
            .pop()
            .unwrap()
    }

    /// A link of the engine's person.
    pub fn link(&mut self, reusable: bool) -> Link {
        let command = Command::Invite {
            name: None,
            reusable,
            lasts_ms: 1_000_000,
            question: None,
        };
        match self.ask(command).unwrap() {
            Reply::Invited { link, .. } => *link,
            other => panic!("{other:?}"),
        }
    }

    /// A new connection with a rogue; `role` is the engine's.
    pub fn connect(&mut self, rogue: &Rogue, role: Role) -> (Line, Done) {
        let exporter = [u8::try_from(self.next + 1).unwrap(); 32];
        self.connect_over(rogue, role, exporter)
    }

    /// A new connection whose keys give these bytes.
    pub fn connect_over(&mut self, rogue: &Rogue, role: Role, exporter: [u8; 32]) -> (Line, Done) {
        self.next += 1;
        let conn = ConnId(self.next);
        let peer = rogue.own.endpoint;
        let done = self.tell(Input::Connected {
            conn,
            peer,
            role,
            exporter,
        });
        (
            Line {
                conn,
                exporter,
                role,
            },
            done,
        )
    }

    /// A frame on a connection.
    pub fn frame(&mut self, line: Line, frame: &Frame) -> Done {
        self.tell(Input::Frame {
            conn: line.conn,
            bytes: frame.encode(),
        })
    }

    /// How many sessions, events of them, and contacts it has stored.
    pub fn stored(&self) -> (usize, usize, usize) {
        use tenet_apps::contacts::store::ContactStore;
        let store = self.engine.store();
        let sessions = store.sessions().unwrap();
        let events = sessions
            .iter()
            .map(|id| store.since(*id, Default::default(), 10_000));
        let events = events.map(|events| events.unwrap().len()).sum();
        (sessions.len(), events, store.contacts().unwrap().len())
    }

    /// What the engine shows at its end of a connection, as a rogue binds it.
    fn binding(&self, rogue: &Rogue, line: Line) -> Binding {
        let (ours, theirs) = (self.engine.own().endpoint, rogue.own.endpoint);
        let (dialler, dialled, role) = match line.role {
            Role::Dialled => (theirs, ours, Role::Dialler),
            Role::Dialler => (ours, theirs, Role::Dialled),
        };
        Binding {
            exporter: line.exporter,
            role,
            dialler,
            dialled,
        }
    }
}

impl Done {
    /// Why the connection was closed, if it was.
    pub fn reason(&self, line: Line) -> Option<CloseReason> {
        self.closed
            .iter()
            .find(|(conn, _)| *conn == line.conn)
            .map(|(_, reason)| *reason)
    }

    /// The message of a knock that was said.
    pub fn knock(&self) -> Option<Message> {
        self.said.iter().find_map(|frame| match frame {
            Frame::Knock(bytes) => Some(Message::from_bytes(bytes).unwrap()),
            _ => None,
        })
    }
}

/// Somebody who can say whatever a device could.
pub struct Rogue {
    /// Its keys.
    pub own: Own,
    /// Its share of short strings.
    pub nonce: [u8; 32],
    /// Its own honest copy of a session that it came into.
    pub session: Option<Session>,
    /// Where that is kept.
    pub disk: Disk,
    /// Draws salts.
    pub rng: ChaCha20Rng,
}

impl Rogue {
    /// The device of the person with this number.
    pub fn new(number: usize) -> Self {
        Self::of(number, number)
    }

    /// A device of this person; `place` tells it from all others.
    pub fn of(person: usize, place: usize) -> Self {
        Self {
            own: Node::of(person, place, 0, BEGINNING).own(),
            nonce: [u8::try_from(place).unwrap(); 32],
            session: None,
            disk: Disk::new(),
            rng: ChaCha20Rng::seed_from_u64(place as u64),
        }
    }

    /// Its hello on a connection.
    pub fn hello(&self, bench: &Bench, line: Line) -> Frame {
        let binding = bench.binding(self, line);
        let hello = Hello::new(&self.own.key, &self.own.card, &[VERSION], &binding);
        Frame::Hello(hello.to_bytes().into())
    }

    /// Itself, as it knocks.
    pub fn knocker(&self) -> Knocker {
        Knocker {
            card: self.own.card.clone(),
            name: self.own.name.clone(),
            commitment: knock::commitment(&self.nonce, self.own.device()),
            plea: Plea::default(),
        }
    }

    /// A knock with a secret at an invite.
    pub fn knock(&self, bench: &Bench, line: Line, invite: InviteId, secret: &Secret) -> Frame {
        let bond = Bond {
            exporter: line.exporter,
            secret,
            inviter: bench.engine.own().identity(),
            endpoint: bench.engine.own().endpoint,
        };
        let knock = Knock::new(&bond, invite, &self.knocker()).unwrap();
        said(&Message::Knock(knock))
    }

    /// A knock with a link as it is.
    pub fn knock_with(&self, bench: &Bench, line: Line, link: &Link) -> Frame {
        self.knock(bench, line, link.invite().id(), &link.ext().secret)
    }

    /// Joins what an answer founds, in its own copy.
    pub fn join(&mut self, bench: &Bench, line: Line, link: &Link, answer: Answer) -> Event {
        let bond = Bond {
            exporter: line.exporter,
            secret: &link.ext().secret,
            inviter: bench.engine.own().identity(),
            endpoint: bench.engine.own().endpoint,
        };
        let answerer = answer.check(&bond, &self.knocker()).unwrap();
        let founding = Unverified::decode(&answerer.founding)
            .unwrap()
            .verify()
            .unwrap();
        self.enter(bench.now, &founding)
    }

    /// Opens what an event founds, as its own copy.
    pub fn look_into(&mut self, founding: &Event) {
        let (session, _) = Session::open(&mut self.disk, founding).unwrap();
        self.session = Some(session);
    }

    /// Takes what another one said, in its own copy.
    pub fn take(&mut self, event: &Event, now: u64) {
        let session = self.session.as_mut().unwrap();
        session.receive(&mut self.disk, event, now).unwrap();
    }

    /// Joins what an event founds, in its own copy.
    pub fn enter(&mut self, now: u64, founding: &Event) -> Event {
        self.look_into(founding);
        self.operate(now, &Op::Join(self.own.card.clone()))
    }

    /// Changes who is in its session, in its own copy.
    pub fn operate(&mut self, now: u64, op: &Op) -> Event {
        let session = self.session.as_mut().unwrap();
        let operated = session.operate(&mut self.disk, &self.own.key, op, now);
        operated.unwrap().0
    }

    /// Becomes a contact in all honesty; the connection stands afterwards.
    pub fn befriend(&mut self, bench: &mut Bench, link: &Link) -> Line {
        let (line, _) = bench.connect(self, Role::Dialled);
        bench.frame(line, &self.hello(bench, line));
        let done = bench.frame(line, &self.knock_with(bench, line, link));
        let Some(Message::Answer(answer)) = done.knock() else {
            panic!("no answer")
        };
        let join = self.join(bench, line, link, answer);
        let open = Open::new(self.nonce, join.to_wire()).unwrap();
        let done = bench.frame(line, &said(&Message::Open(open)));
        assert!(matches!(done.knock(), Some(Message::Done)));
        bench.frame(line, &Frame::Meet(vec![self.tag(line)]));
        line
    }

    /// Shows who it is on a new connection, and which session both share.
    pub fn meet(&self, bench: &mut Bench, line: Line) -> Done {
        bench.frame(line, &self.hello(bench, line));
        bench.frame(line, &Frame::Meet(vec![self.tag(line)]))
    }

    /// Its tag for its session on a connection.
    pub fn tag(&self, line: Line) -> Tag {
        let direction = match line.role {
            Role::Dialled => Direction::FromDialler,
            Role::Dialler => Direction::FromDialled,
        };
        let secret = self.session.as_ref().unwrap().roster().secret;
        sync::tag(&secret, &line.exporter, direction)
    }

    /// A message of its session as a frame.
    pub fn sync(&self, line: Line, message: sync::Message) -> Frame {
        Frame::Sync(self.tag(line), message)
    }

    /// Events of its session as a frame.
    pub fn events(&self, line: Line, events: &[&Event]) -> Frame {
        let events = events
            .iter()
            .map(|event| EncodedEvent::from(event.to_wire()))
            .collect();
        self.sync(line, sync::Message::Events(events))
    }

    /// Writes something in its own copy.
    pub fn write(&mut self, now: u64, text: &str) -> Event {
        self.write_with(now, text, Vec::new())
    }

    /// Writes something with files in its own copy.
    pub fn write_with(&mut self, now: u64, text: &str, files: Vec<File>) -> Event {
        let text = Text::with_files(text.into(), None, files).unwrap();
        self.act(now, &Action::Text(text))
    }

    /// Writes anything in its own copy.
    pub fn act(&mut self, now: u64, action: &Action) -> Event {
        self.say(now, action.draft().unwrap())
    }

    /// Writes anything at all in its own copy.
    pub fn say(&mut self, now: u64, draft: Draft) -> Event {
        let session = self.session.as_mut().unwrap();
        session
            .append(&mut self.disk, &self.own.key, draft, now, &mut self.rng)
            .unwrap()
            .0
    }
}

/// A message of a knock as a frame.
pub fn said(message: &Message) -> Frame {
    Frame::Knock(message.to_bytes().into())
}
