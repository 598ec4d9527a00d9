//! A new device that asks for its card: the other end of `engine::linking`, before there is an engine.
//!
//! ```text
//! shell dials the link's endpoint ── connected(exporter) ──▶ Send(Ask)
//! frame(Share) ──▶ Send(Open), Show      frame(Given) ──▶ Linked      frame(Refused) ──▶ error
//! ```

use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, DeviceKey},
    meeting::{
        knock::Bond,
        link::Link,
        linking::{self, Ask, Message, Newcomer, Open},
        short::Short,
    },
    name,
};

use crate::frame::{Frame, FrameError};

/// A new device on its way in: a machine that gives what to do for what happens, in order.
///
/// If the connection ends, dial again and call [`Self::connected`] again: the same commitment gets the same
/// answer.
pub struct Joiner {
    link: Link,
    device: DeviceId,
    newcomer: Newcomer,
    nonce: [u8; 32],
    exporter: [u8; 32],
}

/// What to do.
#[derive(Debug)]
pub enum Step {
    /// Send these bytes as one frame.
    Send(Vec<u8>),
    /// Show this to the person: the other screen shows it too.
    Show(Short),
    /// It is done: this is the device's card, and what its person is called.
    Linked(Box<DeviceCard>, String),
}

/// Why a device is not let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// What came is no frame.
    #[error("the other device sent what is no frame: {0}")]
    Frame(#[from] FrameError),
    /// What came does not hold.
    #[error("the other device is not the one that the link names: {0}")]
    Linking(#[from] linking::Error),
    /// What came is no answer.
    #[error("the other device sent something else than an answer")]
    Unexpected,
    /// The link is not good any more.
    #[error("the link is not good any more; make a new one there: tenet device link")]
    Ended,
    /// Another device was faster.
    #[error(
        "another device has used this link already: if it was not yours, revoke it there \
         (tenet device list), and make a new link"
    )]
    Used,
    /// The person at the other device said no.
    #[error("it was refused at the other device")]
    Refused,
}

impl Joiner {
    /// A device with this key and name that takes a link; `nonce` is random.
    pub fn new(link: Link, key: &DeviceKey, name: String, nonce: [u8; 32]) -> Self {
        let device = key.public();
        let newcomer = Newcomer {
            device,
            name,
            commitment: linking::commitment(&nonce, device),
        };
        Self {
            link,
            device,
            newcomer,
            nonce,
            exporter: [0; 32],
        }
    }

    /// A connection with the link's endpoint stands.
    ///
    /// # Errors
    /// [`JoinError::Linking`] for a name that is not allowed.
    pub fn connected(&mut self, exporter: [u8; 32]) -> Result<Step, JoinError> {
        self.exporter = exporter;
        let ask = Ask::new(&self.bond(), self.link.invite().id(), &self.newcomer)?;
        Ok(say(&Message::Ask(ask)))
    }

    /// A frame came on it.
    ///
    /// # Errors
    /// [`JoinError`]; all are for good.
    pub fn frame(&mut self, key: &DeviceKey, bytes: &[u8]) -> Result<Vec<Step>, JoinError> {
        let Frame::Link(bytes) = Frame::decode(bytes)? else {
            return Err(JoinError::Unexpected);
        };
        match Message::from_bytes(&bytes)? {
            Message::Share(share) => {
                let bond = self.bond();
                let (card, theirs) = share.check(&bond, &self.newcomer)?;
                let own = (card.device(), theirs);
                let short = linking::shown(&bond, own, (self.device, self.nonce));
                let open = Open::new(&bond, key, self.nonce);
                Ok(vec![say(&Message::Open(open)), Step::Show(short)])
            }
            Message::Given(card, called) => {
                let card = linking::given(card, self.link.ext().identity, self.device)?;
                name::check(&called).map_err(linking::Error::from)?;
                Ok(vec![Step::Linked(Box::new(card), called)])
            }
            Message::Refused(1) => Err(JoinError::Used),
            Message::Refused(2) => Err(JoinError::Refused),
            Message::Refused(_) => Err(JoinError::Ended),
            Message::Ask(_) | Message::Open(_) => Err(JoinError::Unexpected),
        }
    }

    fn bond(&self) -> Bond<'_> {
        let ext = self.link.ext();
        Bond {
            exporter: self.exporter,
            secret: &ext.secret,
            inviter: ext.identity,
            endpoint: ext.endpoint,
        }
    }
}

fn say(message: &Message) -> Step {
    Step::Send(Frame::Link(message.to_bytes().into()).encode())
}
