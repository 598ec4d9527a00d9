//! Letting in another device of this identity: a link, a string that both screens show, a card.
//!
//! The identity's key is held only while the link is open, and the link only in memory: what ends with
//! this process is made anew (DLINK-7).

use tenet_identity::{
    card,
    keys::{DeviceId, IdentityKey},
    meeting::{
        knock::{self, Bond},
        link::Link,
        linking::{self, Ask, Message, Newcomer, Open, Share},
    },
};

use super::{Engine, Fault};
use crate::{
    connection::Connection,
    frame::Frame,
    input::{CloseReason, ConnId, Notice, Output},
    storage::Storage,
};

/// What is said where there is no card: see [`Message::Refused`].
const NO_LINK: u8 = 0;
const USED: u8 = 1;
const REFUSED: u8 = 2;

/// A link by which another device is let in.
pub(crate) struct Linking {
    /// The link.
    pub(crate) link: Link,
    /// What signs the card.
    pub(crate) key: IdentityKey,
    /// Whether a person compares first.
    pub(crate) ask: bool,
    /// Who asks, from the first that proved the link on.
    asker: Option<Asker>,
}

/// The device that asks, on the connection where it did last.
struct Asker {
    conn: ConnId,
    newcomer: Newcomer,
    nonce: [u8; 32],
    opened: bool,
}

impl Linking {
    /// A link that nobody has used yet.
    pub(crate) fn new(link: Link, key: IdentityKey, ask: bool) -> Self {
        Self {
            link,
            key,
            ask,
            asker: None,
        }
    }

    fn bond<'a>(&'a self, connection: &Connection) -> Bond<'a> {
        let ext = self.link.ext();
        Bond {
            exporter: connection.exporter,
            secret: &ext.secret,
            inviter: ext.identity,
            endpoint: ext.endpoint,
        }
    }
}

impl<S: Storage> Engine<S> {
    pub(super) fn on_link_message(
        &mut self,
        now: u64,
        conn: ConnId,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        match Message::from_bytes(bytes).map_err(peer_fault)? {
            Message::Ask(ask) => self.on_ask_to_link(now, conn, ask),
            Message::Open(open) => self.on_open_link(now, conn, open),
            _ => Err(Fault::Peer("it gave a card that nobody asked for".into())),
        }
    }

    /// DLINK-1, DLINK-2: whoever does not prove the link hears the same whether there is one or not.
    fn on_ask_to_link(&mut self, now: u64, conn: ConnId, ask: Ask) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let open = self.linking.as_mut().filter(|linking| {
            linking.link.invite().id() == ask.invite() && !linking.link.expired_at(now)
        });
        let Some(linking) = open else {
            return self.refuse_link(conn, NO_LINK);
        };
        let bond = linking.bond(connection);
        let Ok(newcomer) = ask.check(&bond) else {
            return self.refuse_link(conn, NO_LINK);
        };
        let nonce = match &linking.asker {
            None => knock::nonce(&mut self.rng),
            // It lost the connection, or its process: the same commitment gets the same answer.
            Some(asker) if asker.newcomer == newcomer => asker.nonce,
            Some(_) => return self.refuse_link(conn, USED),
        };
        let share = Share::new(&bond, &newcomer, &self.own.card, nonce);
        linking.asker = Some(Asker {
            conn,
            newcomer,
            nonce,
            opened: false,
        });
        // It may wait for a person.
        self.output(Output::Authenticated { conn });
        self.say_in_linking(conn, &Message::Share(share));
        Ok(())
    }

    fn on_open_link(&mut self, now: u64, conn: ConnId, open: Open) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let linking = self.linking.as_ref();
        let asking = linking.and_then(|it| Some((it, it.asker.as_ref()?)));
        let Some((linking, asker)) = asking.filter(|(_, asker)| asker.conn == conn) else {
            return self.refuse_link(conn, NO_LINK);
        };
        let bond = linking.bond(connection);
        let theirs = open.check(&bond, &asker.newcomer).map_err(peer_fault)?;
        let device = asker.newcomer.device;
        let ours = (self.own.device(), asker.nonce);
        let notice = Notice::DeviceAsks {
            device,
            name: asker.newcomer.name.clone(),
            short: linking::shown(&bond, ours, (device, theirs)),
            waits: linking.ask,
        };
        let waits = linking.ask;
        self.notify(notice);
        if let Some(asker) = self.linking.as_mut().and_then(|it| it.asker.as_mut()) {
            asker.opened = true;
        }
        match waits {
            true => Ok(()),
            false => self.give_card(now).map(|_| ()),
        }
    }

    /// DLINK-4: gives the card to the device that asks; none is there, or it is gone, else.
    pub(crate) fn give_card(&mut self, now: u64) -> Result<Option<DeviceId>, Fault> {
        let Some((conn, newcomer)) = self.asks_to_link() else {
            return Ok(None);
        };
        let Some(linking) = self.linking.take() else {
            return Ok(None);
        };
        let card = card::issue(&linking.key, newcomer.device, &newcomer.name, now)
            .map_err(|error| Fault::Own(error.to_string()))?;
        let name = self.profile().name;
        self.say_in_linking(conn, &Message::Given(card.to_unverified(), name));
        self.notify(Notice::DeviceAdded {
            identity: card.identity(),
            device: newcomer.device,
        });
        Ok(Some(newcomer.device))
    }

    /// The device that waits for its card now.
    pub(crate) fn asks_to_link(&self) -> Option<(ConnId, Newcomer)> {
        let asker = self.linking.as_ref()?.asker.as_ref()?;
        let there = asker.opened && self.connections.0.contains_key(&asker.conn);
        there.then(|| (asker.conn, asker.newcomer.clone()))
    }

    /// A person said no: the link is of no use any more.
    pub(crate) fn end_linking(&mut self, now: u64) {
        let asker = self.linking.take().and_then(|linking| linking.asker);
        if let Some(Asker { conn, .. }) = asker {
            self.say_in_linking(conn, &Message::Refused(REFUSED));
            self.close(now, conn, CloseReason::NotWelcome);
        }
    }

    fn refuse_link(&mut self, conn: ConnId, why: u8) -> Result<(), Fault> {
        self.say_in_linking(conn, &Message::Refused(why));
        Err(Fault::Close(CloseReason::NotWelcome))
    }

    fn say_in_linking(&mut self, conn: ConnId, message: &Message) {
        self.send(conn, &Frame::Link(message.to_bytes().into()));
    }
}

fn peer_fault(error: linking::Error) -> Fault {
    Fault::Peer(error.to_string())
}
