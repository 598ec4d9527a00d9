//! Bytes signed by an identity: kept as they came, so that their signature goes on holding.
//!
//! ```text
//! statement = [ body (byte string: deterministic CBOR), signature (64 bytes) ]
//! id        = derive(id domain, body)          signature over signature domain ‖ id
//! ```

use minicbor::{Decode, Decoder, Encode, Encoder};

use super::{Error, MAX_BODY_BYTES, VERSION};
use crate::{
    checked::Version,
    domain::derive,
    encoding,
    keys::{IdentityId, IdentityKey, Signature, verify},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    body: Vec<u8>,
    signature: Signature,
}

impl Statement {
    pub(super) fn sign(
        key: &IdentityKey,
        id: &'static str,
        signature: &'static str,
        body: Vec<u8>,
    ) -> Self {
        let signature = key.sign(signature, &derive(id, &[&body]));
        Self { body, signature }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let statement: Self = encoding::decode(bytes)?;
        statement.check_size()?;
        Ok(statement)
    }

    /// Reads the body, unknown fields skipped (ENC-3); its version first, as another has other fields.
    pub(super) fn read<'b, T: Decode<'b, ()>>(&'b self) -> Result<T, Error> {
        self.check_size()?;
        let Version { version } = encoding::decode(&self.body)?;
        if version != VERSION {
            return Err(Error::Version { version });
        }
        Ok(encoding::decode(&self.body)?)
    }

    pub(super) fn verify(
        &self,
        by: &IdentityId,
        id: &'static str,
        signature: &'static str,
    ) -> Result<(), Error> {
        let id = derive(id, &[&self.body]);
        Ok(verify(by.as_bytes(), signature, &id, &self.signature)?)
    }

    fn check_size(&self) -> Result<(), Error> {
        match self.body.len() {
            got if got > MAX_BODY_BYTES => Err(Error::TooLarge { got }),
            _ => Ok(()),
        }
    }
}

impl<C> Encode<C> for Statement {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(2)?.bytes(&self.body)?;
        self.signature.encode(encoder, context)
    }
}

impl<'b, C> Decode<'b, C> for Statement {
    /// CARD-1. Exactly two elements: what is outside the body is not signed, so nothing may be there.
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = decoder.position();
        if decoder.array()? != Some(2) {
            return Err(minicbor::decode::Error::message("not a signed statement").at(at));
        }
        let body = decoder.bytes()?.to_vec();
        Ok(Self {
            body,
            signature: Signature::decode(decoder, context)?,
        })
    }
}

/// Gives a newtype over [`Statement`] its form.
macro_rules! travels_as_statement {
    ($name:ident) => {
        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                context: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                self.0.encode(encoder, context)
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                context: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                $crate::card::statement::Statement::decode(decoder, context).map(Self)
            }
        }
    };
}

pub(super) use travels_as_statement;
