//! Changes of a file that move nothing, carried out while it is read.

use std::io::{self, Read};

/// One change: so many bytes at a place become others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where it begins, in bytes from the beginning of the file.
    pub offset: u64,
    /// What is there afterwards.
    pub with: With,
}

/// What a patch puts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum With {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many zeros.
    Zeros(u64),
}

/// The changes of one file: in order, none over another, all within the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patches(Vec<Patch>);

/// Reads a file as it is after its patches.
pub struct Patched<R> {
    source: R,
    at: u64,
    patches: std::vec::IntoIter<Patch>,
    next: Option<Patch>,
}

impl Patches {
    /// Brings patches into order and joins zeros; `None` where two would write the same place.
    pub(crate) fn of(mut patches: Vec<Patch>) -> Option<Self> {
        patches.sort_by_key(|patch| patch.offset);
        let mut apart: Vec<Patch> = Vec::new();
        for patch in patches {
            let Some(last) = apart.last_mut() else {
                apart.push(patch);
                continue;
            };
            let end = last.end();
            match (&mut last.with, &patch.with) {
                (With::Zeros(count), With::Zeros(_)) if patch.offset <= end => {
                    *count = end.max(patch.end()).checked_sub(last.offset)?;
                }
                _ if patch.offset < end => return None,
                _ => apart.push(patch),
            }
        }
        Some(Self(apart))
    }

    /// The changes, in order.
    pub fn as_slice(&self) -> &[Patch] {
        &self.0
    }

    /// Reads `source`, which stands at the beginning of the file, as it is after these changes.
    pub fn apply<R: Read>(self, source: R) -> Patched<R> {
        let mut patches = self.0.into_iter();
        let next = patches.next();
        Patched {
            source,
            at: 0,
            patches,
            next,
        }
    }
}

impl Patch {
    pub(crate) fn end(&self) -> u64 {
        let length = match &self.with {
            With::Bytes(bytes) => bytes.len() as u64,
            With::Zeros(count) => *count,
        };
        self.offset.saturating_add(length)
    }

    /// Writes what falls onto `buffer`, which begins at `start` of the file.
    fn lay_on(&self, start: u64, buffer: &mut [u8]) {
        let skipped = usize::try_from(self.offset.saturating_sub(start)).unwrap_or(usize::MAX);
        let begun = start.saturating_sub(self.offset);
        let onto = buffer.iter_mut().skip(skipped);
        match &self.with {
            With::Bytes(bytes) => {
                let begun = usize::try_from(begun).unwrap_or(usize::MAX);
                let bytes = bytes.iter().skip(begun);
                onto.zip(bytes).for_each(|(to, from)| *to = *from);
            }
            With::Zeros(count) => {
                let left = usize::try_from(count.saturating_sub(begun)).unwrap_or(usize::MAX);
                onto.take(left).for_each(|to| *to = 0);
            }
        }
    }
}

impl<R: Read> Read for Patched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let read = buffer.get_mut(..count).unwrap_or_default();
        let end = self.at.saturating_add(count as u64);
        while let Some(patch) = self.next.take_if(|patch| patch.offset < end) {
            patch.lay_on(self.at, read);
            if patch.end() > end {
                self.next = Some(patch);
                break;
            }
            self.next = self.patches.next();
        }
        self.at = end;
        Ok(count)
    }
}
