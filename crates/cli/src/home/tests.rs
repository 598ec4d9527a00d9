//! Homes on a real disk: made, opened, refused, and what a killed process leaves behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tenet_identity::vault::VaultKey;

use super::*;

const SEED: [u8; 64] = [7; 64];

struct Place {
    paths: Paths,
    _root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        let machine = root.path().join("state/tenet/machine");
        Self {
            paths: Paths { home, machine },
            _root: root,
        }
    }

    /// A home with an identity whose store is one file.
    fn with_identity() -> Self {
        let place = Self::new();
        let home = Home::prepare(&place.paths).unwrap();
        let draft = home.draft().unwrap();
        let key = VaultKey::from([1; 32]);
        draft.vault().create(&key, None, Some(&SEED)).unwrap();
        let store = draft.folder().join("store.db");
        fs::write(&store, "store").unwrap();
        // As the whole program does by its umask.
        fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
        draft.finish().unwrap();
        place
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.paths.home.join(name), content).unwrap();
    }

    /// Every file and folder under the home, in order, with its permissions.
    fn tree(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.paths.home, "home".into(), &mut found);
        found
    }
}

fn walk(path: &Path, name: String, found: &mut Vec<String>) {
    let metadata = fs::metadata(path).unwrap();
    found.push(format!(
        "{name} {:o}",
        metadata.permissions().mode() & 0o777
    ));
    if metadata.is_dir() {
        for inner in files::list(path).unwrap() {
            let random = is_identity(&inner);
            let shown = if random {
                "<name>".into()
            } else {
                inner.to_string_lossy().into_owned()
            };
            walk(&path.join(&inner), format!("{name}/{shown}"), found);
        }
    }
}

#[test]
fn a_new_home_holds_this_and_nothing_else() {
    let place = Place::with_identity();
    let expected = [
        "home 700",
        "home/format 600",
        "home/identities 700",
        "home/identities/<name> 700",
        "home/identities/<name>/lock 600",
        "home/identities/<name>/store.db 600",
        "home/identities/<name>/vault 600",
        "home/lock 600",
    ];
    assert_eq!(place.tree(), expected);
    assert_eq!(
        fs::read_to_string(place.paths.home.join("format")).unwrap(),
        "tenet home 1\n"
    );
    let machine = fs::metadata(&place.paths.machine).unwrap();
    assert_eq!(
        (machine.len(), machine.permissions().mode() & 0o777),
        (32, 0o600)
    );
}

#[test]
fn what_was_made_opens_again() {
    let place = Place::with_identity();
    let home = Home::open(&place.paths).unwrap();
    let current = home.current().unwrap();
    assert_eq!(
        current.vault().open(None, 0).unwrap(),
        VaultKey::from([1; 32])
    );
}

/// HOME-5
#[test]
fn two_processes_never_open_one_identity() {
    let place = Place::with_identity();
    let [home, other] = [(); 2].map(|()| Home::open(&place.paths).unwrap());
    let current = home.current().unwrap();
    let held = home.hold(&current).unwrap();
    let error = other.hold(&current).unwrap_err();
    assert!(matches!(error, Error::InUse { pid: Some(pid) } if pid == std::process::id()));
    drop(held);
    other.hold(&current).unwrap();
}

/// HOME-701
#[test]
fn an_earlier_release_and_this_one_are_never_in_a_home_together() {
    let place = Place::with_identity();
    let path = place.paths.home.join("lock");
    let earlier = Lock::take(&path).unwrap();
    let error = Home::open(&place.paths).unwrap_err();
    assert!(matches!(error, Error::InUse { pid: Some(pid) } if pid == std::process::id()));
    assert!(matches!(
        Home::prepare(&place.paths),
        Err(Error::InUse { .. })
    ));
    drop(earlier);
    place.write("tenet.sock", "");
    let home = Home::open(&place.paths).unwrap();
    assert!(matches!(Lock::take(&path), Err(Error::InUse { .. })));
    assert!(!place.paths.home.join("tenet.sock").exists());
    // Who holds an identity is in the home, whatever became of who looked.
    let held = home.hold(&home.current().unwrap()).unwrap();
    drop(home);
    assert!(matches!(Lock::take(&path), Err(Error::InUse { .. })));
    drop(held);
    Lock::take(&path).unwrap();
}

/// HOME-703
#[test]
fn of_several_identities_the_first_is_meant_until_another_is_chosen() {
    let place = Place::with_identity();
    let home = Home::open(&place.paths).unwrap();
    let first = home.current().unwrap();
    let draft = home.draft().unwrap();
    fs::write(draft.folder().join("store.db"), "other").unwrap();
    let second = draft.finish().unwrap().place().clone();
    assert_eq!(home.identities().unwrap().len(), 2);
    assert_eq!(home.current().unwrap().name(), first.name());
    home.choose(&second).unwrap();
    assert_eq!(home.current().unwrap().name(), second.name());
    for damaged in ["", "0123456789abcdef", "\u{fffd}"] {
        place.write("current", damaged);
        assert!(matches!(home.current(), Err(Error::Several)), "{damaged:?}");
    }
    fs::remove_dir_all(second.folder()).unwrap();
    assert_eq!(home.current().unwrap().name(), first.name());
}

/// HOME-6: a new machine secret would close the identities that are there for good.
#[test]
fn no_further_identity_is_made_without_the_machine_secret() {
    let place = Place::with_identity();
    fs::remove_file(&place.paths.machine).unwrap();
    let home = Home::open(&place.paths).unwrap();
    assert!(matches!(home.draft(), Err(Error::MachineMissing { .. })));
    assert!(!place.paths.machine.exists());
}

#[test]
fn a_home_that_is_not_there_is_said_and_not_made() {
    let place = Place::new();
    assert!(matches!(
        Home::open(&place.paths),
        Err(Error::NoHome { .. })
    ));
    assert!(!place.paths.home.exists());
    fs::create_dir(&place.paths.home).unwrap();
    assert!(matches!(Home::open(&place.paths), Err(Error::NoIdentity)));
    drop(Home::prepare(&place.paths).unwrap());
    assert!(matches!(Home::open(&place.paths), Err(Error::NoIdentity)));
}

#[test]
fn somebody_elses_folder_is_left_alone() {
    let place = Place::new();
    fs::create_dir(&place.paths.home).unwrap();
    fs::set_permissions(&place.paths.home, fs::Permissions::from_mode(0o755)).unwrap();
    place.write("photo.jpg", "");
    let before = place.tree();
    assert!(matches!(
        Home::prepare(&place.paths),
        Err(Error::Foreign { .. })
    ));
    assert!(matches!(
        Home::open(&place.paths),
        Err(Error::Foreign { .. })
    ));
    assert_eq!(place.tree(), before);
}

#[test]
fn a_newer_home_and_a_damaged_one_are_left_alone() {
    let place = Place::with_identity();
    let before = place.tree();
    place.write("format", "tenet home 2\n");
    assert!(matches!(
        Home::open(&place.paths),
        Err(Error::Newer { version: 2 })
    ));
    assert!(matches!(
        Home::prepare(&place.paths),
        Err(Error::Newer { version: 2 })
    ));
    for damaged in ["", "tenet home 1", "tenet home x\n", "\u{fffd}"] {
        place.write("format", damaged);
        assert!(
            matches!(Home::open(&place.paths), Err(Error::Damaged { .. })),
            "{damaged:?}"
        );
    }
    assert_eq!(place.tree(), before);
}

#[test]
fn an_identity_is_there_whole_or_not_at_all() {
    let place = Place::new();
    let home = Home::prepare(&place.paths).unwrap();
    let draft = home.draft().unwrap();
    fs::write(draft.folder().join("store.db"), "half").unwrap();
    drop(draft);
    assert_eq!(
        files::list(&place.paths.home.join(IDENTITIES))
            .unwrap()
            .len(),
        0
    );

    // While it is made, others leave it alone.
    let draft = home.draft().unwrap();
    fs::write(draft.folder().join("store.db"), "half").unwrap();
    drop(Home::prepare(&place.paths).unwrap());
    assert!(draft.folder().exists());

    // Killed midway: what it wrote stays, and nobody holds it.
    let left = place.paths.home.join(IDENTITIES).join("left.draft");
    fs::rename(draft.folder(), &left).unwrap();
    drop(draft);
    place.write(".new-0123", "half");
    drop(Home::prepare(&place.paths).unwrap());
    assert!(!left.exists());
    let expected = [
        "home 700",
        "home/format 600",
        "home/identities 700",
        "home/lock 600",
    ];
    assert_eq!(place.tree(), expected);
}

#[test]
fn a_file_that_cannot_be_replaced_stays_as_it_was() {
    let place = Place::with_identity();
    let path = place.paths.home.join("format");
    let folder = place.paths.home.join("in the way");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("full"), "").unwrap();
    assert!(files::write(&folder, b"new").is_err());
    assert!(files::write(&place.paths.home.join("no/such/folder"), b"new").is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "tenet home 1\n");
    let names = files::list(&place.paths.home).unwrap();
    assert!(
        !names.iter().any(|name| files::is_temporary(name)),
        "{names:?}"
    );

    assert!(!files::write_new(&path, b"other").unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "tenet home 1\n");
}

#[test]
fn what_stands_open_to_others_is_seen_and_closed() {
    let place = Place::with_identity();
    assert_eq!(looseness(&place.paths.home).unwrap(), []);
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(&place.paths.home, 0o755);
    open(&place.paths.machine, 0o644);
    let expected = [Looseness::Mode(place.paths.home.clone(), 0o755)];
    assert_eq!(looseness(&place.paths.home).unwrap(), expected);

    let home = Home::open(&place.paths).unwrap();
    let current = home.current().unwrap();
    home.hold(&current).unwrap();
    current.vault().open(None, 0).unwrap();
    assert_eq!(looseness(&place.paths.home).unwrap(), []);
    assert_eq!(looseness(&place.paths.machine).unwrap(), []);
}
