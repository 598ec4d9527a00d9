//! Nothing is in plain in any file, whatever is going on (STORE-1 to STORE-3).

use std::path::Path;

use tenet_apps::contacts::{Contact, store::ContactStore};
use tenet_identity::keys::IdentityId;
use tenet_log::store::{Durability, Transactions};

use super::{KEY, NOW, Talk, open};

const TEXT: &str = "Rendezvous-at-the-old-observatory";
const NAME: &str = "Wilhelmina-Featherstone";

#[test]
fn no_file_shows_a_text_a_name_or_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let mut talk = Talk::found(&mut store);
    for _ in 0..50 {
        talk.commit(&mut store, TEXT).unwrap();
    }
    let who = IdentityId::from([5; 32]);
    store.begin().unwrap();
    store.put_own_name(NAME).unwrap();
    store
        .put_contact(&Contact::new(who, NAME.into(), NAME.into(), NOW))
        .unwrap();
    store.commit(Durability::Power).unwrap();
    search(folder.path(), &talk);
    // A batch too large for memory spills pages while it is open, and each input is undone.
    store.begin().unwrap();
    for _ in 0..200 {
        store.savepoint().unwrap();
        talk.say(&mut store, &TEXT.repeat(1000));
        store.keep().unwrap();
    }
    store.savepoint().unwrap();
    talk.say(&mut store, &TEXT.repeat(1000));
    search(folder.path(), &talk);
    store.undo().unwrap();
    talk.reload(&store);
    store.commit(Durability::Power).unwrap();
    store.checkpoint().unwrap();
    store.db.execute_batch("VACUUM").unwrap();
    search(folder.path(), &talk);
    drop(store);
    search(folder.path(), &talk);
}

#[test]
fn the_cipher_is_the_one_that_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut statement = store.db.prepare("PRAGMA cipher_settings").unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let settings: Vec<String> = rows.map(Result::unwrap).collect();
    for expected in [
        "PRAGMA cipher_page_size = 4096;",
        "PRAGMA cipher_use_hmac = 1;",
        "PRAGMA cipher_plaintext_header_size = 0;",
        "PRAGMA cipher_hmac_algorithm = HMAC_SHA256;",
        "PRAGMA cipher_kdf_algorithm = PBKDF2_HMAC_SHA512;",
    ] {
        assert!(settings.iter().any(|line| line == expected), "{settings:?}");
    }
    let text = |pragma| -> String {
        store
            .db
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap()
    };
    assert_eq!(text("cipher"), "AES-256-CBC");
    assert!(text("cipher_version").starts_with("4."));
    let in_memory: i64 = store
        .db
        .pragma_query_value(None, "temp_store", |row| row.get(0))
        .unwrap();
    assert_eq!(in_memory, 2);
}

fn search(folder: &Path, talk: &Talk) {
    let session = talk.id();
    let needles = [
        TEXT.as_bytes(),
        NAME.as_bytes(),
        &KEY,
        session.as_bytes(),
        &[5; 32],
        b"chat.text",
    ];
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        assert!(!bytes.starts_with(b"SQLite format 3"), "{}", path.display());
        for needle in needles.iter().flat_map(|needle| needle.chunks_exact(8)) {
            let found = bytes.windows(8).any(|window| window == needle);
            assert!(
                !found,
                "{} shows {:?}",
                path.display(),
                String::from_utf8_lossy(needle)
            );
        }
    }
    assert!(files > 0);
}
