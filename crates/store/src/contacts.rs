//! Contacts, settings and the device's secrets: records under their keys.

use tenet_apps::{
    contacts::{
        Answered, Contact, Invite, Knocking, Request, record::RecordError, store::ContactStore,
    },
    own::OwnStore,
    settings::{SettingStore, Settings},
};
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
    secrets::Secrets,
};
use tenet_log::{
    ids::SessionId,
    store::{Durability, StoreError, Transactions},
};
use zeroize::Zeroizing;

use crate::{Store, error::store_error, records::Kind};

const DAMAGED: StoreError = StoreError::Damaged("a record does not decode");

impl ContactStore for Store {
    fn contact(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError> {
        self.read(Kind::Contact, identity.as_bytes(), Contact::decode)
    }

    fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.read_all(Kind::Contact, &[], Contact::decode)
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), StoreError> {
        self.put_record(
            Kind::Contact,
            contact.identity.as_bytes(),
            &contact.encode(),
        )
    }

    fn remove_contact(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        self.remove_record(Kind::Contact, identity.as_bytes())
    }

    fn former(&self, identity: IdentityId) -> Result<Option<Contact>, StoreError> {
        self.read(Kind::Former, identity.as_bytes(), Contact::decode)
    }

    fn put_former(&mut self, contact: &Contact) -> Result<(), StoreError> {
        let key = contact.identity.as_bytes();
        self.put_record(Kind::Former, key, &contact.encode())
    }

    fn remove_former(&mut self, identity: IdentityId) -> Result<(), StoreError> {
        self.remove_record(Kind::Former, identity.as_bytes())
    }

    fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError> {
        self.read(Kind::Invite, id.as_bytes(), Invite::decode)
    }

    fn invites(&self) -> Result<Vec<Invite>, StoreError> {
        self.read_all(Kind::Invite, &[], Invite::decode)
    }

    fn put_invite(&mut self, invite: &Invite) -> Result<(), StoreError> {
        self.put_record(Kind::Invite, invite.id().as_bytes(), &invite.encode())
    }

    fn remove_invite(&mut self, id: InviteId) -> Result<(), StoreError> {
        self.remove_record(Kind::Invite, id.as_bytes())
    }

    fn knocking(&self, id: InviteId) -> Result<Option<Knocking>, StoreError> {
        self.read(Kind::Knocking, id.as_bytes(), Knocking::decode)
    }

    fn knockings(&self) -> Result<Vec<Knocking>, StoreError> {
        self.read_all(Kind::Knocking, &[], Knocking::decode)
    }

    fn put_knocking(&mut self, knocking: &Knocking) -> Result<(), StoreError> {
        self.put_record(Kind::Knocking, knocking.id().as_bytes(), &knocking.encode())
    }

    fn remove_knocking(&mut self, id: InviteId) -> Result<(), StoreError> {
        self.remove_record(Kind::Knocking, id.as_bytes())
    }

    fn answered(&self, invite: InviteId, device: DeviceId) -> Result<Option<Answered>, StoreError> {
        self.read(
            Kind::Answered,
            &answered_key(invite, device),
            Answered::decode,
        )
    }

    fn all_answered(&self, invite: InviteId) -> Result<Vec<Answered>, StoreError> {
        self.read_all(Kind::Answered, invite.as_bytes(), Answered::decode)
    }

    fn put_answered(&mut self, answered: &Answered) -> Result<(), StoreError> {
        let key = answered_key(answered.invite, answered.device);
        self.put_record(Kind::Answered, &key, &answered.encode())
    }

    fn remove_answered(&mut self, invite: InviteId, device: DeviceId) -> Result<(), StoreError> {
        self.remove_record(Kind::Answered, &answered_key(invite, device))
    }

    fn request(
        &self,
        invite: InviteId,
        identity: IdentityId,
    ) -> Result<Option<Request>, StoreError> {
        let key = request_key(invite, identity);
        self.read(Kind::Request, &key, Request::decode)
    }

    fn requests(&self) -> Result<Vec<Request>, StoreError> {
        self.read_all(Kind::Request, &[], Request::decode)
    }

    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let key = request_key(request.invite, request.identity);
        self.put_record(Kind::Request, &key, &request.encode())
    }

    fn remove_request(&mut self, invite: InviteId, identity: IdentityId) -> Result<(), StoreError> {
        self.remove_record(Kind::Request, &request_key(invite, identity))
    }
}

impl SettingStore for Store {
    fn settings(&self) -> Result<Settings, StoreError> {
        match self.record(Kind::Settings, &[])? {
            Some(bytes) => Settings::decode(&bytes).map_err(|_| DAMAGED),
            None => Ok(Settings::default()),
        }
    }

    fn put_settings(&mut self, settings: &Settings) -> Result<(), StoreError> {
        self.put_record(Kind::Settings, &[], &settings.encode())
    }
}

impl OwnStore for Store {
    fn former_devices(&self) -> Result<Vec<DeviceId>, StoreError> {
        let records = self.records(Kind::FormerDevice, &[])?.into_iter();
        let device = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map(DeviceId::from);
        let devices: Result<Vec<DeviceId>, _> = records.map(device).collect();
        devices.map_err(|_| DAMAGED)
    }

    fn put_former_device(&mut self, device: DeviceId) -> Result<(), StoreError> {
        self.put_record(Kind::FormerDevice, device.as_bytes(), device.as_bytes())
    }

    fn bygone(&self) -> Result<Vec<SessionId>, StoreError> {
        let records = self.records(Kind::Bygone, &[])?.into_iter();
        let session = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map(SessionId::from);
        let sessions: Result<Vec<SessionId>, _> = records.map(session).collect();
        sessions.map_err(|_| DAMAGED)
    }

    fn set_bygone(&mut self, session: SessionId, bygone: bool) -> Result<(), StoreError> {
        let key = session.as_bytes();
        match bygone {
            true => self.put_record(Kind::Bygone, key, key),
            false => self.remove_record(Kind::Bygone, key),
        }
    }
}

impl Store {
    /// The device's secrets; `None` in a store that has none yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn secrets(&self) -> Result<Option<Secrets>, StoreError> {
        let bytes = self.record(Kind::Secrets, &[])?.map(Zeroizing::new);
        bytes
            .map(|bytes| Secrets::from_bytes(&bytes).map_err(|_| DAMAGED))
            .transpose()
    }

    /// Writes the device's secrets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_secrets(&mut self, secrets: &Secrets) -> Result<(), StoreError> {
        self.put_record(Kind::Secrets, &[], &secrets.to_bytes())
    }

    /// Makes a copy of a device's store one that no device has used yet (`STORE-701`): the secrets are these, and
    /// what only the other device owes, asked or promised is gone; all that was said and noted stays.
    ///
    /// # Errors
    /// [`StoreError`]; the copy is of no use then.
    pub fn leave_device(&mut self, secrets: &Secrets) -> Result<(), StoreError> {
        self.db
            .pragma_update(None, "secure_delete", "ON")
            .map_err(store_error)?;
        self.begin()?;
        self.execute("DELETE FROM outbox", [])?;
        // That somebody has a message stays known.
        self.execute("DELETE FROM dispatch WHERE acknowledged = 0", [])?;
        for kind in [
            Kind::Invite,
            Kind::Knocking,
            Kind::Answered,
            Kind::Request,
            Kind::Port,
            Kind::FormerDevice,
        ] {
            self.remove_records(kind)?;
        }
        self.put_secrets(secrets)?;
        self.commit(Durability::Power)?;
        // So that the old secrets are not in the log beside it.
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.db.query_row(fold, [], |_| Ok(())).map_err(store_error)
    }

    /// What this person calls themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn own_name(&self) -> Result<String, StoreError> {
        let bytes = self.record(Kind::OwnName, &[])?.unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| DAMAGED)
    }

    /// Writes what this person calls themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_own_name(&mut self, name: &str) -> Result<(), StoreError> {
        self.put_record(Kind::OwnName, &[], name.as_bytes())
    }

    /// The UDP port that this home keeps; `None` before it was first chosen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn port(&self) -> Result<Option<u16>, StoreError> {
        let bytes = self.record(Kind::Port, &[])?;
        bytes
            .map(|bytes| {
                bytes
                    .try_into()
                    .map(u16::from_be_bytes)
                    .map_err(|_| DAMAGED)
            })
            .transpose()
    }

    /// Writes the UDP port that this home keeps.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_port(&mut self, port: u16) -> Result<(), StoreError> {
        self.put_record(Kind::Port, &[], &port.to_be_bytes())
    }

    fn read<T>(
        &self,
        kind: Kind,
        key: &[u8],
        decode: fn(&[u8]) -> Result<T, RecordError>,
    ) -> Result<Option<T>, StoreError> {
        let bytes = self.record(kind, key)?.map(Zeroizing::new);
        bytes
            .map(|bytes| decode(&bytes).map_err(|_| DAMAGED))
            .transpose()
    }

    fn read_all<T>(
        &self,
        kind: Kind,
        prefix: &[u8],
        decode: fn(&[u8]) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.records(kind, prefix)?;
        rows.into_iter()
            .map(|bytes| decode(&Zeroizing::new(bytes)).map_err(|_| DAMAGED))
            .collect()
    }
}

fn answered_key(invite: InviteId, device: DeviceId) -> Vec<u8> {
    [invite.as_bytes().as_slice(), device.as_bytes()].concat()
}

fn request_key(invite: InviteId, identity: IdentityId) -> Vec<u8> {
    [invite.as_bytes().as_slice(), identity.as_bytes()].concat()
}
