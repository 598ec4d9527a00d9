//! Sealing, reading, saving, sweeping.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use proptest::prelude::*;

use super::{KEY, Place, bytes};
use crate::seal::{SEGMENT, sealed_size};
use crate::{BlobHash, BlobKey, Error, Folder, FreshKey, GROUP, Opened, Sealed, State, unwatched};

fn read(place: &Place, sealed: &Sealed) -> Opened {
    place.folder.read(&sealed.hash, &sealed.key).unwrap()
}

#[test]
fn a_file_comes_out_as_it_went_in() {
    // BLOB-2, BLOB-3, BLOB-5.
    let place = Place::new();
    for size in [0, 1, SEGMENT - 16, SEGMENT, SEGMENT + 1, 40 * SEGMENT + 5] {
        let file = bytes(size);
        let sealed = place.seal(&file);
        assert_eq!(sealed.plain_size, size as u64);
        assert_eq!(Some(sealed.sealed_size), sealed_size(size as u64));
        let rest = fs::read(place.folder.whole_path(&sealed.hash)).unwrap();
        assert_eq!(rest.len() as u64, sealed.sealed_size);
        assert_eq!(BlobHash::from(blake3::hash(&rest)), sealed.hash);
        let mut opened = Vec::new();
        read(&place, &sealed).read_to_end(&mut opened).unwrap();
        assert_eq!(opened, file, "{size} bytes");
        let state = place.folder.state(&sealed.hash).unwrap();
        assert_eq!(
            state,
            State::Whole {
                size: sealed.sealed_size
            }
        );
    }
}

/// The form of what rests and travels: it is never to change.
#[test]
fn the_sealed_form_is_this() {
    // BLOB-2, BLOB-5, BLOB-7: one of one segment, one of three.
    let place = Place::new();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let small = place.seal(b"a file");
    let rest = fs::read(place.folder.whole_path(&small.hash)).unwrap();
    assert_eq!(hex(&rest), "5168df0958252f594526e78ad9ad5d82baaa398606b9");
    let large = place.seal(&bytes(2 * SEGMENT + 100));
    let tree = fs::read(place.folder.tree_path(&large.hash)).unwrap();
    assert_eq!(
        hex(large.hash.as_bytes()),
        "da61a53c5fad143d3cdc683a96aafd45a334a0d953d71e037df74e3d72349718"
    );
    assert_eq!(tree.len(), 8 + 2 * 64);
    assert_eq!(
        hex(&tree[..72]),
        "9400020000000000cf8357507b44b7620ca124f8d9ea06454afe6532f7499fee4b7058b3dd8d8d46e89a44d013ce5ec9643cea0d806d54e4b36ee216e5d53d0e226e8900f6163fab"
    );
    assert_eq!(
        hex(&tree[72..]),
        "4cbcff89af5b7dee37b194d2d55c26880e06b4cc940bf924d39ad1294e4887901f631aa538906897bfe7021f7d6f53cdedbdd2a1e35d12d487f6345869e5c9b7"
    );
}

#[test]
fn reading_begins_anywhere() {
    let place = Place::new();
    let file = bytes(5 * SEGMENT + 77);
    let mut opened = read(&place, &place.seal(&file));
    assert_eq!(opened.size(), file.len() as u64);
    for at in [3 * SEGMENT - 1, 0, SEGMENT, file.len() - 1, file.len()] {
        opened.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut rest = Vec::new();
        opened.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, &file[at..]);
    }
    opened.seek(SeekFrom::End(-7)).unwrap();
    let mut end = [0; 7];
    opened.read_exact(&mut end).unwrap();
    assert_eq!(end, file[file.len() - 7..]);
    assert!(opened.seek(SeekFrom::Current(-1 << 40)).is_err());
    opened.seek(SeekFrom::Start(u64::MAX)).unwrap();
    assert_eq!(opened.read(&mut end).unwrap(), 0);
}

/// What a change of the sealed file gives a reader: everything until there, and then an error.
fn read_changed(change: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Option<Error>) {
    let place = Place::new();
    let sealed = place.seal(&bytes(3 * SEGMENT + 10));
    let path = place.folder.whole_path(&sealed.hash);
    let mut rest = fs::read(&path).unwrap();
    change(&mut rest);
    fs::write(&path, rest).unwrap();
    let mut opened = match place.folder.read(&sealed.hash, &sealed.key) {
        Ok(opened) => opened,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut given = Vec::new();
    let ended = opened.read_to_end(&mut given);
    let error = ended.err().map(|error| error.downcast::<Error>().unwrap());
    (given, error)
}

#[test]
fn what_was_changed_is_not_given_out() {
    // BLOB-4.
    let segment = SEGMENT + 16;
    let file = bytes(3 * SEGMENT + 10);
    let (given, error) = read_changed(|rest| rest[segment + 5] ^= 1);
    assert_eq!(given, file[..SEGMENT], "what is before it is");
    assert!(matches!(error, Some(Error::Damaged { offset }) if offset == segment as u64));
    let (given, error) = read_changed(|rest| {
        let (left, right) = rest.split_at_mut(segment);
        left.swap_with_slice(&mut right[..segment]);
    });
    assert!(given.is_empty());
    assert!(matches!(error, Some(Error::Damaged { offset: 0 })));
    for length in [
        0,
        15,
        16,
        segment,
        2 * segment,
        3 * segment,
        3 * segment + 20,
    ] {
        let (given, error) = read_changed(|rest| rest.truncate(length));
        assert!(given.is_empty(), "the shortened is found at once");
        assert!(matches!(error, Some(Error::Damaged { .. })), "{length}");
    }
    for more in [1, 16, 17, segment] {
        let (given, error) = read_changed(|rest| rest.extend(bytes(more)));
        assert!(given.is_empty(), "the longer too");
        assert!(matches!(error, Some(Error::Damaged { .. })), "{more}");
    }
}

#[test]
fn another_key_opens_nothing() {
    let place = Place::new();
    let sealed = place.seal(b"a file");
    let other = BlobKey::from_bytes([8; 32]);
    let refused = place.folder.read(&sealed.hash, &other);
    assert!(matches!(refused, Err(Error::Damaged { offset: 0 })));
    let absent = BlobHash::from_bytes([1; 32]);
    let refused = place.folder.read(&absent, &other);
    assert!(matches!(refused, Err(Error::Missing)));
    assert_eq!(place.folder.state(&absent).unwrap(), State::Absent);
}

#[test]
fn the_same_again_is_kept_once() {
    let place = Place::new();
    let file = bytes(3 * SEGMENT);
    place.seal(&file);
    let names = place.names();
    place.seal(&file);
    assert_eq!(place.names(), names);
    assert_eq!(names.len(), 2);
}

#[test]
fn all_of_it_is_for_one_person_and_nothing_is_in_plain() {
    // BLOB-10.
    let place = Place::new();
    let line = "nobody should find this line in the folder\n";
    place.seal(line.repeat(6000).as_bytes());
    let folder = place.outside().join("blobs");
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    for name in place.names() {
        let path = folder.join(name);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let rest = fs::read(path).unwrap();
        assert!(!rest.windows(20).any(|some| some == &line.as_bytes()[..20]));
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let place = place.again();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    drop(place);
}

#[test]
fn a_batch_is_here_when_it_is_committed() {
    // BLOB-11.
    let place = Place::new();
    let mut batch = place.folder.batch().unwrap();
    let seal = |batch: &mut crate::Batch, number: usize| {
        let key = FreshKey::from_random([number as u8; 32]);
        let file = bytes(number * SEGMENT / 4);
        batch.seal(&file[..], key, &mut unwatched).unwrap()
    };
    let sealed: Vec<_> = (0..20).map(|number| seal(&mut batch, number)).collect();
    for one in &sealed {
        assert_eq!(place.folder.state(&one.hash).unwrap(), State::Absent);
    }
    batch.commit().unwrap();
    for (number, one) in sealed.iter().enumerate() {
        let mut opened = Vec::new();
        read(&place, one).read_to_end(&mut opened).unwrap();
        assert_eq!(opened, bytes(number * SEGMENT / 4));
    }
    let names = place.names();
    let mut dropped = place.folder.batch().unwrap();
    seal(&mut dropped, 77);
    assert_ne!(place.names(), names);
    place.folder.sweep(|_| true).unwrap();
    assert_ne!(place.names(), names, "what is being sealed is not swept");
    drop(dropped);
    assert_eq!(place.names(), names);
}

#[test]
fn sealing_that_is_cancelled_or_fails_leaves_nothing() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let place = Place::new();
    let key = || FreshKey::from_random(KEY);
    let file = bytes(40 * SEGMENT);
    let refused = place
        .folder
        .seal(&file[..], key(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(refused, Err(Error::Cancelled)));
    let source = (&file[..]).chain(Failing);
    let refused = place.folder.seal(source, key(), &mut unwatched);
    assert!(matches!(refused, Err(Error::Source(_))));
    assert!(place.names().is_empty());
}

#[test]
fn saving_never_overwrites() {
    // BLOB-16, BLOB-17.
    let place = Place::new();
    let file = bytes(3 * SEGMENT + 3);
    let sealed = place.seal(&file);
    let wanted = place.outside().join("photo.jpg");
    fs::write(&wanted, "mine").unwrap();
    let save = || {
        place
            .folder
            .save(&sealed.hash, &sealed.key, &wanted, &mut unwatched)
    };
    let saved = save().unwrap();
    assert_eq!(saved, place.outside().join("photo (2).jpg"));
    assert_eq!(fs::read(&saved).unwrap(), file);
    assert_eq!(fs::metadata(&saved).unwrap().mode() & 0o777, 0o600);
    assert_eq!(save().unwrap(), place.outside().join("photo (3).jpg"));
    assert_eq!(fs::read(&wanted).unwrap(), b"mine");
    assert_eq!(fs::read_dir(place.outside()).unwrap().count(), 4);
}

#[test]
fn saving_that_is_cancelled_or_fails_leaves_nothing() {
    // BLOB-16.
    let place = Place::new();
    let sealed = place.seal(&bytes(3 * SEGMENT));
    let folder = place.outside().join("saved");
    fs::create_dir(&folder).unwrap();
    let wanted = folder.join("file");
    let mut told = 0;
    let refused = place
        .folder
        .save(&sealed.hash, &sealed.key, &wanted, &mut |bytes| {
            told = bytes;
            match bytes > SEGMENT as u64 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
    assert!(matches!(refused, Err(Error::Cancelled)));
    assert_eq!(told, 2 * SEGMENT as u64);
    let path = place.folder.whole_path(&sealed.hash);
    let mut rest = fs::read(&path).unwrap();
    rest[SEGMENT + 20] ^= 1;
    fs::write(&path, rest).unwrap();
    let refused = place
        .folder
        .save(&sealed.hash, &sealed.key, &wanted, &mut unwatched);
    assert!(matches!(refused, Err(Error::Damaged { .. })));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn what_nothing_names_is_swept() {
    // BLOB-15.
    let place = Place::new();
    let kept = place.seal(&bytes(3 * SEGMENT));
    let other = place.seal(&bytes(5 * SEGMENT));
    let folder = place.outside().join("blobs");
    let absent = BlobHash::from_bytes([1; 32]);
    for name in ["incoming-7", "incoming-7.tree", &format!("{absent}.tree")] {
        fs::write(folder.join(name), "left by a crash").unwrap();
    }
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    let place = place.again();
    assert_eq!(place.names().len(), 5, "a start removes what a crash left");
    let before = place.folder.usage().unwrap();
    assert!(before >= 8 * SEGMENT as u64);
    place.folder.sweep(|hash| *hash == kept.hash).unwrap();
    assert_eq!(place.folder.state(&other.hash).unwrap(), State::Absent);
    assert_eq!(place.names().len(), 3);
    assert!(place.folder.usage().unwrap() <= before - 5 * SEGMENT as u64);
    place.folder.remove(&kept.hash).unwrap();
    place.folder.remove(&kept.hash).unwrap();
    assert_eq!(place.names(), ["notes.txt"]);
    assert_eq!(place.folder.usage().unwrap(), 0);
}

#[test]
fn a_folder_that_cannot_be_is_told() {
    let place = Place::new();
    let file = place.outside().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        Folder::open(&file.join("blobs")),
        Err(Error::Disk(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_size_comes_out_and_any_flip_is_found(size in 0..4 * GROUP as usize, flip: prop::sample::Index) {
        let place = Place::new();
        let file = bytes(size);
        let sealed = place.seal(&file);
        let mut opened = Vec::new();
        read(&place, &sealed).read_to_end(&mut opened).unwrap();
        prop_assert_eq!(&opened, &file);
        let path = place.folder.whole_path(&sealed.hash);
        let mut rest = fs::read(&path).unwrap();
        let flipped = flip.index(rest.len());
        rest[flipped] ^= 4;
        fs::write(&path, rest).unwrap();
        let mut opened = Vec::new();
        let failed = match place.folder.read(&sealed.hash, &sealed.key) {
            Err(_) => true,
            Ok(mut reader) => reader.read_to_end(&mut opened).is_err(),
        };
        prop_assert!(failed);
        prop_assert!(file.starts_with(&opened));
    }
}
