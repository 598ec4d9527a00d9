//! Conversations' trait: records by session.

use tenet_apps::conversations::{ConversationStore, Standing};
use tenet_log::{ids::SessionId, store::StoreError};

use crate::{Store, records::Kind};

impl ConversationStore for Store {
    fn standing(&self, session: SessionId) -> Result<Standing, StoreError> {
        match self.record(Kind::Standing, session.as_bytes())? {
            Some(bytes) => Standing::decode(&bytes).ok_or(StoreError::Damaged(
                "how a conversation stands does not decode",
            )),
            None => Ok(Standing::default()),
        }
    }

    fn put_standing(&mut self, session: SessionId, standing: &Standing) -> Result<(), StoreError> {
        self.put_record(Kind::Standing, session.as_bytes(), &standing.encode())
    }

    fn clear_standings(&mut self) -> Result<(), StoreError> {
        self.remove_records(Kind::Standing)
    }

    fn draft(&self, session: SessionId) -> Result<Option<String>, StoreError> {
        let text = self.record(Kind::Draft, session.as_bytes())?;
        text.map(|text| {
            String::from_utf8(text).map_err(|_| StoreError::Damaged("a draft is no text"))
        })
        .transpose()
    }

    fn put_draft(&mut self, session: SessionId, text: Option<&str>) -> Result<(), StoreError> {
        match text {
            Some(text) => self.put_record(Kind::Draft, session.as_bytes(), text.as_bytes()),
            None => self.remove_record(Kind::Draft, session.as_bytes()),
        }
    }
}
