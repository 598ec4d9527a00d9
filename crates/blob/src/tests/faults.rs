//! A disk that fails, or a process that is killed, at every change of the disk in turn.

use std::fs;
use std::io::Read;

use super::{KEY, Place, bytes};
use crate::disk::faults;
use crate::seal::SEGMENT;
use crate::{Error, FreshKey, Ranges, State, unwatched};

const LIMIT: u64 = 1 << 30;

#[test]
fn sealing_on_a_disk_that_fails_anywhere() {
    // BLOB-10, BLOB-11, BLOB-15.
    let file = bytes(18 * SEGMENT);
    for changes in 0.. {
        let place = Place::new();
        let key = FreshKey::from_random(KEY);
        let (sealed, failed) = faults::after(changes, || {
            place.folder.seal(&file[..], key, &mut unwatched)
        });
        let place = place.again();
        match sealed {
            Ok(sealed) => {
                if failed {
                    // It was durable; what failed was the removal of names that are gone.
                    continue;
                }
                let mut opened = Vec::new();
                let mut reader = place.folder.read(&sealed.hash, &sealed.key).unwrap();
                reader.read_to_end(&mut opened).unwrap();
                assert_eq!(opened, file);
                assert!(changes > 10, "there was something to fail");
                return;
            }
            Err(error) => assert!(matches!(error, Error::Full), "{error}"),
        }
        // Nothing, or all of it: the last changes are the names.
        let names = place.names();
        assert!(names.is_empty() || names.len() == 2, "{changes}: {names:?}");
    }
}

#[test]
fn receiving_on_a_disk_that_fails_anywhere() {
    // BLOB-13.
    let here = Place::new();
    let sealed = here.seal(&bytes(5 * SEGMENT));
    let rest = fs::read(here.folder.whole_path(&sealed.hash)).unwrap();
    let receive = |there: &Place| -> Result<(), Error> {
        let incoming = there
            .folder
            .receive(&sealed.hash, sealed.sealed_size, LIMIT)?;
        let Some(incoming) = incoming else {
            return Ok(());
        };
        let missing = incoming.missing();
        let slice = here.slice(&sealed.hash, &missing);
        incoming.take(&missing, &slice[..], &mut unwatched)?;
        incoming.finish()
    };
    for changes in 0.. {
        for again in [false, true] {
            let there = Place::new();
            let (received, failed) = faults::after(changes, || receive(&there));
            assert_eq!(failed, received.is_err());
            if let Err(error) = &received {
                assert!(matches!(error, Error::Full), "{error}");
            }
            // The same process goes on when there is room, or another does.
            let there = if again { there.again() } else { there };
            receive(&there).unwrap();
            let whole = fs::read(there.folder.whole_path(&sealed.hash)).unwrap();
            assert_eq!(whole, rest);
            assert_eq!(there.names(), here.names());
            there.slice(&sealed.hash, &Ranges::whole(sealed.sealed_size));
            if received.is_ok() && again {
                assert!(changes > 10, "there was something to fail");
                return;
            }
        }
    }
}

#[test]
fn saving_on_a_disk_that_fills_up_anywhere() {
    // BLOB-16.
    let place = Place::new();
    let file = bytes(3 * SEGMENT);
    let sealed = place.seal(&file);
    for changes in 0.. {
        let folder = place.outside().join(format!("saved {changes}"));
        fs::create_dir(&folder).unwrap();
        let (saved, failed) = faults::after(changes, || {
            place.folder.save(
                &sealed.hash,
                &sealed.key,
                &folder.join("file"),
                &mut unwatched,
            )
        });
        if let Ok(saved) = saved {
            // Also where the last thing failed: bringing its name onto the medium.
            assert_eq!(fs::read(saved).unwrap(), file);
            if failed {
                continue;
            }
            assert!(changes > 5, "there was something to fail");
            return;
        }
        // A name that was given is that of a whole file, or of the empty one that took it.
        if let Ok(named) = fs::read(folder.join("file")) {
            assert!(named.is_empty() || named == file);
        }
    }
}

#[test]
fn a_batch_on_a_disk_that_fails_anywhere() {
    // BLOB-11.
    for changes in 0.. {
        let place = Place::new();
        let ((sealed, committed), _) = faults::after(changes, || {
            let mut batch = place.folder.batch().unwrap();
            let mut sealed = Vec::new();
            for number in 0..9 {
                let key = FreshKey::from_random([number; 32]);
                let file = bytes(usize::from(number) * 9_000);
                if let Ok(one) = batch.seal(&file[..], key, &mut unwatched) {
                    sealed.push((number, one));
                }
            }
            let committed = batch.commit();
            (sealed, committed)
        });
        let place = place.again();
        for (number, one) in &sealed {
            let state = place.folder.state(&one.hash).unwrap();
            if state == State::Absent {
                assert!(committed.is_err() || sealed.len() < 9);
                continue;
            }
            let mut opened = Vec::new();
            let mut reader = place.folder.read(&one.hash, &one.key).unwrap();
            reader.read_to_end(&mut opened).unwrap();
            assert_eq!(opened, bytes(usize::from(*number) * 9_000));
        }
        assert!(!place.names().iter().any(|name| name.contains("incoming")));
        if committed.is_ok() && sealed.len() == 9 {
            assert!(changes > 20, "there was something to fail");
            return;
        }
    }
}
