//! Serving and receiving between two folders.

use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::{Place, bytes};
use crate::seal::SEGMENT;
use crate::{BlobHash, Error, GROUP, Incoming, Ranges, State, unwatched};

const LIMIT: u64 = 1 << 30;

fn begin(place: &Place, hash: &BlobHash, size: u64) -> Incoming {
    place.folder.receive(hash, size, LIMIT).unwrap().unwrap()
}

fn groups(range: std::ops::Range<u64>) -> Ranges {
    Ranges::of(range.start * GROUP..range.end * GROUP)
}

#[test]
fn a_blob_goes_from_one_folder_to_another() {
    // BLOB-8, BLOB-14.
    let (here, there) = (Place::new(), Place::new());
    for size in [0, 1, SEGMENT - 16, SEGMENT, 7 * SEGMENT + 9] {
        let file = bytes(size);
        let sealed = here.seal(&file);
        let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
        let all = incoming.missing();
        let slice = here.slice(&sealed.hash, &all);
        let mut told = 0;
        let mut watch = |verified| {
            told = verified;
            ControlFlow::Continue(())
        };
        incoming.take(&all, &slice[..], &mut watch).unwrap();
        assert_eq!(told, sealed.sealed_size);
        assert_eq!(incoming.verified(), sealed.sealed_size);
        incoming.finish().unwrap();
        assert_eq!(
            fs::read(there.folder.whole_path(&sealed.hash)).unwrap(),
            fs::read(here.folder.whole_path(&sealed.hash)).unwrap()
        );
        let nothing = there
            .folder
            .receive(&sealed.hash, sealed.sealed_size, LIMIT);
        assert!(nothing.unwrap().is_none(), "it is here");
        assert_eq!(
            there.slice(&sealed.hash, &all),
            slice,
            "it can be served on"
        );
    }
    assert_eq!(here.names(), there.names());
}

/// The form of a slice: its size, the pairs on the way, and the group.
#[test]
fn a_slice_is_this() {
    // BLOB-8.
    let place = Place::new();
    let sealed = place.seal(&bytes(3 * SEGMENT));
    let rest = fs::read(place.folder.whole_path(&sealed.hash)).unwrap();
    let tree = fs::read(place.folder.tree_path(&sealed.hash)).unwrap();
    // Four groups, the last of 48 bytes; in the file the pairs are left, right, root.
    let (left, root) = (&tree[8..72], &tree[136..200]);
    let mut slice = sealed.sealed_size.to_le_bytes().to_vec();
    slice.extend(root);
    slice.extend(left);
    slice.extend(&rest[GROUP as usize..2 * GROUP as usize]);
    assert_eq!(
        place.slice(&sealed.hash, &Ranges::of(70_000..70_001)),
        slice
    );
}

#[test]
fn ranges_come_in_any_order_and_from_several_at_once() {
    // BLOB-14.
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(33 * SEGMENT));
    let parts = [groups(20..34), groups(0..3), groups(3..20), groups(5..9)];
    std::thread::scope(|scope| {
        for part in &parts {
            let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
            let slice = here.slice(&sealed.hash, part);
            scope.spawn(move || incoming.take(part, &slice[..], &mut unwatched).unwrap());
        }
    });
    let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
    assert!(incoming.missing().is_empty());
    assert_eq!(
        incoming.verified(),
        sealed.sealed_size,
        "none counted twice"
    );
    let other = begin(&there, &sealed.hash, sealed.sealed_size);
    incoming.finish().unwrap();
    other.finish().unwrap();
    assert_eq!(here.names(), there.names());
}

#[test]
fn what_came_can_be_served_before_the_rest_is_there() {
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(9 * SEGMENT));
    let part = groups(4..6);
    let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
    let refused = there.folder.serve(&sealed.hash, &part);
    assert!(matches!(refused, Err(Error::Missing)));
    let slice = here.slice(&sealed.hash, &part);
    incoming.take(&part, &slice[..], &mut unwatched).unwrap();
    assert_eq!(there.slice(&sealed.hash, &part), slice);
    for more in [groups(4..7), Ranges::whole(sealed.sealed_size)] {
        let refused = there.folder.serve(&sealed.hash, &more);
        assert!(matches!(refused, Err(Error::Missing)));
    }
}

#[test]
fn ranges_behind_the_end_are_nothing() {
    let place = Place::new();
    let sealed = place.seal(b"a file");
    assert_eq!(place.slice(&sealed.hash, &groups(5..9)).len(), 8);
    let all = place.slice(&sealed.hash, &Ranges::of(0..u64::MAX));
    assert_eq!(all.len(), 8 + 6 + 16);
}

#[test]
fn a_lie_at_any_byte_is_found() {
    // BLOB-9.
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(2 * SEGMENT - 40));
    let all = Ranges::whole(sealed.sealed_size);
    let slice = here.slice(&sealed.hash, &all);
    let rest = fs::read(here.folder.whole_path(&sealed.hash)).unwrap();
    // Every byte of size, pairs and edges; every 997th of the groups.
    let positions = (0..slice.len()).filter(|at| *at < 300 || at % 997 == 0);
    for at in positions.chain([slice.len() - 1]) {
        let mut lie = slice.clone();
        lie[at] ^= 1;
        let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
        let error = incoming.take(&all, &lie[..], &mut unwatched).unwrap_err();
        match (at, &error) {
            (0..8, Error::Size { claimed, .. }) => assert_eq!(*claimed, sealed.sealed_size),
            (8.., Error::Mismatch { offset }) => {
                let group = (at.saturating_sub(8 + 64) as u64) / GROUP * GROUP;
                assert_eq!(*offset, group, "byte {at}");
            }
            _ => panic!("byte {at}: {error}"),
        }
        let kept = incoming.verified();
        assert_eq!(kept, incoming.present().bytes(sealed.sealed_size));
        let part = fs::read(there.folder.part_path(&sealed.hash)).unwrap();
        assert_eq!(part, rest[..part.len()], "nothing untrue is written");
        assert_eq!(part.len() as u64, kept);
        assert!(matches!(incoming.finish(), Err(Error::Incomplete)));
        there.folder.remove(&sealed.hash).unwrap();
    }
}

#[test]
fn a_sender_that_stops_anywhere_loses_nothing_that_was_proven() {
    // BLOB-13, BLOB-14.
    let (here, mut there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(5 * SEGMENT));
    let all = Ranges::whole(sealed.sealed_size);
    let slice = here.slice(&sealed.hash, &all);
    for end in (0..400).chain((400..slice.len()).step_by(9973)) {
        let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
        let error = incoming.take(&all, &slice[..end], &mut unwatched);
        assert!(matches!(error, Err(Error::Ended { .. })), "{end}");
        let present = incoming.present();
        drop(incoming);
        if end % 2 == 0 {
            there = there.again();
        }
        // Another process proves the same, and asks for the rest alone.
        let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
        assert_eq!(incoming.present(), present, "{end}");
        if end % 50 == 0 || end > 400 {
            let missing = incoming.missing();
            let rest = here.slice(&sealed.hash, &missing);
            incoming.take(&missing, &rest[..], &mut unwatched).unwrap();
            incoming.finish().unwrap();
            assert_eq!(here.names(), there.names());
        }
        there.folder.remove(&sealed.hash).unwrap();
    }
}

/// What three cuts cost: less than a group each, and what leads to it.
#[test]
fn a_cut_repeats_no_more_than_the_group_that_was_coming() {
    // BLOB-13.
    let (here, mut there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(40 * SEGMENT));
    let size = sealed.sealed_size;
    let needed = here.slice(&sealed.hash, &Ranges::whole(size)).len();
    let mut came = 0;
    for cut in [Some(0.3), Some(0.5), Some(0.7), None] {
        let incoming = begin(&there, &sealed.hash, size);
        let missing = incoming.missing();
        let slice = here.slice(&sealed.hash, &missing);
        let end = cut.map_or(slice.len(), |part| (slice.len() as f64 * part) as usize);
        let taken = incoming.take(&missing, &slice[..end], &mut unwatched);
        assert_eq!(taken.is_ok(), cut.is_none());
        came += end;
        if cut.is_none() {
            incoming.finish().unwrap();
        }
        there = there.again();
    }
    let repeated = came - needed;
    let path = 8 + 64 * 6;
    assert!(repeated < 3 * (GROUP as usize + path), "{repeated}");
    assert_eq!(here.names(), there.names());
}

#[test]
fn receiving_stops_when_it_is_told_to() {
    let (here, there) = (Place::new(), Place::new());
    let sealed = here.seal(&bytes(5 * SEGMENT));
    let all = Ranges::whole(sealed.sealed_size);
    let slice = here.slice(&sealed.hash, &all);
    let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
    let stopped = incoming.take(&all, &slice[..], &mut |verified| {
        if verified >= 2 * GROUP {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(incoming.verified(), 2 * GROUP);
    let present = incoming.present();
    let state = there.folder.state(&sealed.hash).unwrap();
    let size = sealed.sealed_size;
    assert_eq!(state, State::Partial { size, present });
}

#[test]
fn damage_of_the_sender_is_found_at_the_sender() {
    let place = Place::new();
    let sealed = place.seal(&bytes(5 * SEGMENT));
    let path = place.folder.whole_path(&sealed.hash);
    let mut rest = fs::read(&path).unwrap();
    rest[3 * GROUP as usize + 5] ^= 1;
    fs::write(&path, &rest).unwrap();
    let slice = place.folder.serve(&sealed.hash, &groups(0..9)).unwrap();
    let error = slice.write(io::sink()).unwrap_err();
    assert!(matches!(error, Error::Damaged { offset } if offset == 3 * GROUP));
    let slice = place.folder.serve(&sealed.hash, &groups(0..3)).unwrap();
    slice.write(io::sink()).unwrap();
    rest.truncate(100);
    fs::write(&path, &rest).unwrap();
    let refused = place.folder.serve(&sealed.hash, &groups(0..3));
    assert!(refused.is_ok_and(|slice| slice.write(io::sink()).is_err()));
}

#[test]
fn a_receiver_that_goes_away_is_not_our_damage() {
    struct Gone(io::ErrorKind);
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let place = Place::new();
    let sealed = place.seal(b"a file");
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::StorageFull] {
        let slice = place.folder.serve(&sealed.hash, &groups(0..1)).unwrap();
        let error = slice.write(Gone(kind)).unwrap_err();
        assert!(matches!(error, Error::Sink(error) if error.kind() == kind));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn noise_is_refused_and_nothing_panics(size in 16..6 * GROUP, noise: Vec<u8>, named: bool) {
        let there = Place::new();
        let hash = BlobHash::from_bytes([1; 32]);
        let Ok(Some(incoming)) = there.folder.receive(&hash, size, LIMIT) else {
            return Ok(());
        };
        let mut came = if named { size.to_le_bytes().to_vec() } else { Vec::new() };
        came.extend(noise);
        let all = Ranges::whole(size);
        prop_assert!(incoming.take(&all, &came[..], &mut unwatched).is_err());
        prop_assert_eq!(incoming.verified(), 0);
    }

    #[test]
    fn any_ranges_arrive(size in 1..12 * SEGMENT, ends in prop::collection::vec((0..12_u64, 1..4_u64), 1..5)) {
        let (here, there) = (Place::new(), Place::new());
        let sealed = here.seal(&bytes(size));
        let incoming = begin(&there, &sealed.hash, sealed.sealed_size);
        for (first, count) in ends {
            let ranges = groups(first..first + count);
            let slice = here.slice(&sealed.hash, &ranges);
            incoming.take(&ranges, &slice[..], &mut unwatched).unwrap();
            let wanted = ranges.common(&Ranges::whole(sealed.sealed_size));
            prop_assert!(incoming.present().covers(&wanted));
        }
        let missing = incoming.missing();
        let slice = here.slice(&sealed.hash, &missing);
        incoming.take(&missing, &slice[..], &mut unwatched).unwrap();
        incoming.finish().unwrap();
        prop_assert_eq!(here.names(), there.names());
    }
}
