//! What stands in an exported home, inside its sealing (`MOVE-3`).

use std::io::{self, Read, Write};

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_identity::vault::VaultKey;
use zeroize::{Zeroize, Zeroizing};

use super::Error;

/// The version that this program writes and reads.
const VERSION: u16 = 1;

/// The longest part that is read, without the bytes of a file.
const MAX_PART: usize = 512;

/// A piece of what is exported, in its order.
#[derive(Debug)]
pub(super) enum Part {
    /// An identity begins: what opens its store, and whether it is the usual one.
    Identity { key: VaultKey, current: bool },
    /// A file of it; so many bytes follow.
    File { name: String, size: u64 },
    /// Nothing more; so many identities there were.
    End { identities: u64 },
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Head {
    #[n(0)]
    version: u16,
    #[n(1)]
    copy: bool,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    kind: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    key: Option<[u8; 32]>,
    #[n(2)]
    current: Option<bool>,
    #[n(3)]
    name: Option<String>,
    #[n(4)]
    number: Option<u64>,
}

impl Form {
    const fn of(kind: u8) -> Self {
        Self {
            kind,
            key: None,
            current: None,
            name: None,
            number: None,
        }
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// Writes what comes before all parts.
pub(super) fn write_head(file: &mut impl Write, copy: bool) -> io::Result<()> {
    let version = VERSION;
    write(file, &encoding::encode(&Head { version, copy }))
}

/// Reads it: whether it is a copy.
pub(super) fn read_head(file: &mut impl Read) -> Result<bool, Error> {
    let bytes = read(file)?;
    let head: Head = encoding::decode(&bytes).map_err(|_| Error::Damaged)?;
    match head.version {
        VERSION => Ok(head.copy),
        version => Err(Error::Newer { version }),
    }
}

/// Writes a part; a file's bytes are to follow.
pub(super) fn write_part(file: &mut impl Write, part: &Part) -> io::Result<()> {
    let mut form = Form::of(match part {
        Part::Identity { .. } => 0,
        Part::File { .. } => 1,
        Part::End { .. } => 2,
    });
    match part {
        Part::Identity { key, current } => {
            form.key = Some(*key.as_bytes());
            form.current = Some(*current);
        }
        Part::File { name, size } => {
            form.name = Some(name.clone());
            form.number = Some(*size);
        }
        Part::End { identities } => form.number = Some(*identities),
    }
    write(file, &Zeroizing::new(encoding::encode(&form)))
}

/// Reads the next part; the bytes of a file are to be read after it.
pub(super) fn read_part(file: &mut impl Read) -> Result<Part, Error> {
    let bytes = read(file)?;
    let mut form: Form = encoding::decode(&bytes).map_err(|_| Error::Damaged)?;
    match (
        form.kind,
        form.key,
        form.current,
        form.name.take(),
        form.number,
    ) {
        (0, Some(key), Some(current), None, None) => Ok(Part::Identity {
            key: VaultKey::from(key),
            current,
        }),
        (1, None, None, Some(name), Some(size)) if is_ours(&name) => Ok(Part::File { name, size }),
        (2, None, None, None, Some(identities)) => Ok(Part::End { identities }),
        _ => Err(Error::Damaged),
    }
}

/// The only names that are ever written: no part of an export says where on a disk it goes.
pub(super) fn is_ours(name: &str) -> bool {
    let hash = |text: &str| {
        let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == 64 && text.as_bytes().iter().all(digit)
    };
    match name.strip_prefix("files/") {
        Some(rest) => {
            let stem = rest.strip_suffix(".tree").or(rest.strip_suffix(".part"));
            hash(stem.unwrap_or(rest))
        }
        None => matches!(name, "store.db" | "store.db-wal"),
    }
}

fn write(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(bytes)
}

fn read(file: &mut impl Read) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut length = [0; 2];
    file.read_exact(&mut length)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > MAX_PART {
        return Err(Error::Damaged);
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn parts() -> Vec<u8> {
        let mut bytes = Vec::new();
        write_head(&mut bytes, false).unwrap();
        let key = VaultKey::from([7; 32]);
        let name = "store.db".to_owned();
        for part in [
            Part::Identity { key, current: true },
            Part::File { name, size: 300 },
            Part::End { identities: 1 },
        ] {
            write_part(&mut bytes, &part).unwrap();
        }
        bytes
    }

    /// MOVE-3.
    #[test]
    fn exported_home_snapshot() {
        assert_eq!(HEXLOWER.encode(&parts()), SNAPSHOT);
        let bytes = parts();
        let file = &mut &bytes[..];
        assert!(!read_head(file).unwrap());
        let Part::Identity { key, current } = read_part(file).unwrap() else {
            panic!("no identity");
        };
        assert_eq!((key, current), (VaultKey::from([7; 32]), true));
        assert!(
            matches!(read_part(file).unwrap(), Part::File { name, size: 300 } if name == "store.db")
        );
        assert!(matches!(
            read_part(file).unwrap(),
            Part::End { identities: 1 }
        ));
        assert!(read_part(file).is_err());
    }

    const SNAPSHOT: &str = "0005a2000101f40028a30000015820070707070707070707070707070707070707070707070707070707070707070702f50011a30001036873746f72652e64620419012c0005a200020401";

    /// MOVE-4.
    #[test]
    fn no_name_leads_elsewhere() {
        let hash = "0123456789abcdef".repeat(4);
        for name in [&hash, &format!("{hash}.tree"), &format!("{hash}.part")] {
            assert!(is_ours(&format!("files/{name}")), "{name}");
        }
        for name in [
            "",
            "vault",
            "lock",
            "../store.db",
            "/store.db",
            "store.db-shm",
            "files/",
            "files/..",
            "files/../vault",
            &hash,
            &format!("files/{hash}/x"),
            &format!("files/{hash}.tree.part"),
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes: Vec<u8>) {
            let _ = read_head(&mut &bytes[..]);
            let _ = read_part(&mut &bytes[..]);
        }
    }
}
