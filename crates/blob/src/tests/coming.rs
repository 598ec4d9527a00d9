//! What is coming: sizes that are claimed, and what a crash leaves.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};

use super::{Place, bytes};
use crate::seal::SEGMENT;
use crate::{BlobHash, Error, GROUP, Ranges, Sealed, State, unwatched};

const LIMIT: u64 = 1 << 40;

/// Takes these ranges of what `here` has.
fn fetch(here: &Place, there: &Place, sealed: &Sealed, ranges: &Ranges) {
    let incoming = there
        .folder
        .receive(&sealed.hash, sealed.sealed_size, LIMIT);
    let slice = here.slice(&sealed.hash, ranges);
    let incoming = incoming.unwrap().unwrap();
    incoming.take(ranges, &slice[..], &mut unwatched).unwrap();
}

#[test]
fn a_size_that_cannot_be_takes_no_disk() {
    // BLOB-12.
    let place = Place::new();
    let hash = BlobHash::from_bytes([1; 32]);
    let receive = |size, limit| place.folder.receive(&hash, size, limit);
    assert!(matches!(receive(15, LIMIT), Err(Error::Impossible(15))));
    assert!(matches!(
        receive(SEGMENT as u64 + 20, LIMIT),
        Err(Error::Impossible(_))
    ));
    assert!(matches!(
        receive(1000, 999),
        Err(Error::TooLarge {
            size: 1000,
            limit: 999
        })
    ));
    assert!(place.names().is_empty());
}

#[test]
fn a_large_claim_takes_no_disk() {
    // BLOB-12.
    let place = Place::new();
    let hash = BlobHash::from_bytes([1; 32]);
    let incoming = place.folder.receive(&hash, LIMIT, LIMIT).unwrap().unwrap();
    assert_eq!(incoming.missing().bytes(LIMIT), LIMIT);
    assert!(place.folder.usage().unwrap() < 10_000);
}

#[test]
fn a_hole_takes_no_disk() {
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(64 * SEGMENT));
    let last = Ranges::of(sealed.sealed_size - 1..sealed.sealed_size);
    fetch(&here, &there, &sealed, &last);
    let part = fs::metadata(there.folder.part_path(&sealed.hash)).unwrap();
    assert_eq!(part.len(), sealed.sealed_size);
    assert!(part.blocks() * 512 <= 4 * GROUP);
}

#[test]
fn of_two_sizes_the_proven_one_holds() {
    // BLOB-12.
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(6 * SEGMENT));
    let (hash, size) = (sealed.hash, sealed.sealed_size);
    let lie = size + 1000;
    let receive = |size| there.folder.receive(&hash, size, LIMIT);
    let first = receive(lie).unwrap().unwrap();
    assert!(
        matches!(receive(size), Err(Error::Size { claimed, found }) if claimed == size && found == lie),
        "while the other is being received"
    );
    let slice = here.slice(&hash, &first.missing());
    let refused = first.take(&first.missing(), &slice[..], &mut unwatched);
    assert!(
        matches!(refused, Err(Error::Size { claimed, found }) if claimed == lie && found == size)
    );
    let mut lying = lie.to_le_bytes().to_vec();
    lying.extend(&slice[8..]);
    assert!(
        first
            .take(&first.missing(), &lying[..], &mut unwatched)
            .is_err()
    );
    drop(first);
    // Nobody is at it and nothing proves it: it is given up.
    fetch(&here, &there, &sealed, &Ranges::of(size - 1..size));
    assert!(matches!(receive(lie), Err(Error::Size { found, .. }) if found == size));
    let there = there.again();
    let receive = |size| there.folder.receive(&hash, size, LIMIT);
    assert!(matches!(receive(lie), Err(Error::Size { found, .. }) if found == size));
    fetch(&here, &there, &sealed, &Ranges::whole(size));
    receive(size).unwrap().unwrap().finish().unwrap();
    assert!(matches!(receive(lie), Err(Error::Size { found, .. }) if found == size));
}

#[test]
fn nothing_untrue_is_believed_after_a_power_cut() {
    // BLOB-13: any block of the two files may be old, zero or missing.
    let (here, mut there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(6 * SEGMENT));
    let rest = fs::read(here.folder.whole_path(&sealed.hash)).unwrap();
    let whole = Ranges::whole(sealed.sealed_size);
    let tree = fs::read(here.folder.tree_path(&sealed.hash)).unwrap();
    let files = [("part", rest.len()), ("tree", tree.len())];
    for (ending, length) in files {
        let step = if ending == "part" { 16381 } else { 7 };
        for at in (0..length).step_by(step) {
            for cut in [false, true] {
                fetch(&here, &there, &sealed, &whole);
                let path = there.outside().join("blobs");
                let path = path.join(format!("{}.{ending}", sealed.hash));
                let file = OpenOptions::new().write(true).open(path).unwrap();
                if cut {
                    file.set_len(at as u64).unwrap();
                } else {
                    file.write_all_at(&[0; 16][..16.min(length - at)], at as u64)
                        .unwrap();
                }
                there = there.again();
                check_and_complete(&here, &there, &sealed, &rest);
            }
        }
    }
}

/// What is said to be present is true, and the rest can be had.
fn check_and_complete(here: &Place, there: &Place, sealed: &Sealed, rest: &[u8]) {
    let incoming = there
        .folder
        .receive(&sealed.hash, sealed.sealed_size, LIMIT);
    let incoming = incoming.unwrap().unwrap();
    let part = fs::read(there.folder.part_path(&sealed.hash)).unwrap();
    for range in incoming.present().iter() {
        let range = range.start as usize..rest.len().min(range.end as usize);
        assert_eq!(part[range.clone()], rest[range]);
    }
    let missing = incoming.missing();
    let slice = here.slice(&sealed.hash, &missing);
    incoming.take(&missing, &slice[..], &mut unwatched).unwrap();
    incoming.finish().unwrap();
    assert_eq!(
        fs::read(there.folder.whole_path(&sealed.hash)).unwrap(),
        rest
    );
    there.slice(&sealed.hash, &Ranges::whole(sealed.sealed_size));
    there.folder.remove(&sealed.hash).unwrap();
}

#[test]
fn what_is_coming_is_swept_and_removed_too() {
    // BLOB-15.
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(6 * SEGMENT));
    let (hash, size) = (sealed.hash, sealed.sealed_size);
    let whole = Ranges::whole(size);
    fetch(&here, &there, &sealed, &whole);
    let there = there.again();
    assert_eq!(there.names().len(), 2);
    let incoming = there.folder.receive(&hash, size, LIMIT).unwrap().unwrap();
    there.folder.sweep(|_| false).unwrap();
    assert!(there.names().is_empty());
    assert_eq!(there.folder.state(&hash).unwrap(), State::Absent);
    fetch(&here, &there, &sealed, &Ranges::of(0..1));
    assert!(
        matches!(incoming.finish(), Err(Error::Missing)),
        "it is not the one that is coming now"
    );
    let again = there.folder.receive(&hash, size, LIMIT).unwrap().unwrap();
    assert_eq!(again.verified(), GROUP);
}

#[test]
fn files_that_somebody_removed_are_begun_again() {
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(6 * SEGMENT));
    for path in [
        there.folder.tree_path(&sealed.hash),
        there.folder.part_path(&sealed.hash),
    ] {
        fetch(&here, &there, &sealed, &Ranges::of(0..1));
        fs::remove_file(path).unwrap();
        fetch(&here, &there, &sealed, &Ranges::whole(sealed.sealed_size));
        let incoming = there
            .folder
            .receive(&sealed.hash, sealed.sealed_size, LIMIT);
        incoming.unwrap().unwrap().finish().unwrap();
        there.slice(&sealed.hash, &Ranges::of(0..u64::MAX));
        there.folder.remove(&sealed.hash).unwrap();
    }
}

#[test]
fn what_is_sealed_here_need_not_come() {
    let (here, there) = (Place::new(), Place::new());
    let file = bytes(6 * SEGMENT);
    let sealed = here.seal(&file);
    fetch(&here, &there, &sealed, &Ranges::of(0..1));
    there.seal(&file);
    assert_eq!(here.names(), there.names());
    let size = sealed.sealed_size;
    let state = there.folder.state(&sealed.hash).unwrap();
    assert_eq!(state, State::Whole { size });
}
