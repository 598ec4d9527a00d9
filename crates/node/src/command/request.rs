//! Requests: deciding about who knocked.

use tenet_apps::contacts::{Request, request::Decision};
use tenet_delivery::redial;
use tenet_identity::did;

use super::{CommandError, Reply, line};
use crate::{engine::Engine, storage::Storage};

/// The least number of digits by which a request may be named.
const LEAST_DIGITS: usize = 4;

impl<S: Storage> Engine<S> {
    /// NODE-102: lets in who knocked, when they knock again; they are dialled to tell them.
    pub(super) fn accept_request(&mut self, now: u64, id: &str) -> Result<Reply, CommandError> {
        let mut request = self.request_named(id)?;
        request.decision = Decision::Accepted;
        let endpoint = request.place.id;
        self.must_last();
        self.store.put_request(&request)?;
        self.addresses
            .insert(endpoint, request.place.addresses.clone());
        for news in [redial::Input::Want, redial::Input::News] {
            self.redial.handle(news(endpoint), now, &mut self.rng);
        }
        self.have_knock_again(endpoint);
        Ok(Reply::Request(Box::new(request)))
    }

    /// Lets them not in; when they knock again they are told.
    pub(super) fn reject_request(
        &mut self,
        now: u64,
        id: &str,
        remark: Option<String>,
    ) -> Result<Reply, CommandError> {
        let remark = line(remark)?;
        let mut request = self.request_named(id)?;
        request.decision = Decision::Rejected { remark };
        let endpoint = request.place.id;
        self.must_last();
        self.store.put_request(&request)?;
        self.forget_unwanted(now, endpoint)?;
        self.have_knock_again(endpoint);
        Ok(Reply::Request(Box::new(request)))
    }

    fn request_named(&self, id: &str) -> Result<Request, CommandError> {
        let id = id.trim();
        let digits = id.to_ascii_lowercase();
        let mut found = self.store.requests()?;
        found.retain(|request| {
            let begins = request.id.to_string().starts_with(&digits);
            (digits.len() >= LEAST_DIGITS && begins) || did::encode(&request.identity) == id
        });
        // Of somebody who came by several links the one is meant that is still to be answered, and of several
        // such the one that was heard last: whoever is let in by one asks no more by the others.
        if found
            .iter()
            .all(|request| did::encode(&request.identity) == id)
        {
            found.sort_by_key(|request| (request.decision == Decision::Waiting, request.last));
            found = found.pop().into_iter().collect();
        }
        match (found.pop(), found.is_empty()) {
            (Some(request), true) => Ok(request),
            (Some(_), false) => Err(CommandError::Usage(format!(
                "several requests go by {id}; give more of the id"
            ))),
            (None, _) => Err(CommandError::NotFound(format!(
                "no request has the id {id}; `tenet requests` lists them"
            ))),
        }
    }
}
