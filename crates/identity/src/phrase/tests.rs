#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::{did, encoding};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const ABOUT: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon about";

/// The published BIP-39 vectors (passphrase `TREZOR`): entropy, words, seed.
#[test]
fn english_vectors() {
    let vectors = [
        (
            "00000000000000000000000000000000",
            ABOUT.to_owned(),
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e\
             1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        ),
        (
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank yellow".into(),
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80\
             937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
        ),
        (
            "ffffffffffffffffffffffffffffffff",
            format!("{}wrong", "zoo ".repeat(11)),
            "ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a58962\
             0c6f15b11c61dee327651a14c34e18231052e48c069",
        ),
        (
            "000000000000000000000000000000000000000000000000",
            format!("{}agent", "abandon ".repeat(17)),
            "035895f2f481b1b0f01fcf8c289c794660b289981a78f8106447707fdd9666ca06da5a9a565181599b79f\
             53b844d8a71dd9f439c52a3d7b3e8a79c906ac845fa",
        ),
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            format!("{}art", "abandon ".repeat(23)),
            "bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3c\
             ca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
        ),
    ];
    for (entropy, words, seed) in vectors {
        check_vector(Language::English, entropy, &words, "TREZOR", seed);
    }
}

/// Published Japanese BIP-39 vectors; words and passphrase need normalization.
#[test]
fn japanese_vectors() {
    let passphrase = "㍍ガバヴァぱばぐゞちぢ十人十色";
    let vectors = [
        (
            "00000000000000000000000000000000",
            format!("{}あおぞら", "あいこくしん　".repeat(11)),
            "a262d6fb6122ecf45be09c50492b31f92e9beb7d9a845987a02cefda57a15f9c467a17872029a9e92299b\
             5cbdf306e3a0ee620245cbd508959b6cb7ca637bd55",
        ),
        (
            "80808080808080808080808080808080",
            "そとづら　あまど　おおう　あこがれる　いくぶん　けいけん　あたえる　いよく　そとづら　\
             あまど　おおう　あかちゃん"
                .to_owned(),
            "e51736736ebdf77eda23fa17e31475fa1d9509c78f1deb6b4aacfbd760a7e2ad769c714352c95143b5c12\
             41985bcb407df36d64e75dd5a2b78ca5d2ba82a3544",
        ),
    ];
    for (entropy, words, seed) in vectors {
        check_vector(Language::Japanese, entropy, &words, passphrase, seed);
    }
}

fn check_vector(language: Language, entropy: &str, words: &str, passphrase: &str, seed: &str) {
    let entropy = HEXLOWER.decode(entropy.as_bytes()).unwrap();
    let made = Phrase::from_entropy(language, &entropy).unwrap();
    let read = Phrase::parse(words).unwrap();
    assert_eq!(made, read);
    assert_eq!(read.language(), language);
    assert_eq!(*read.entropy(), entropy);
    assert_eq!(HEXLOWER.encode(read.seed(passphrase).as_slice()), seed);
}

/// Computed by an independent program from BIP-39, BLAKE3, Ed25519 and did:key alone.
///
/// PHR-3.
#[test]
fn pinned_dids() {
    let phrase = Phrase::parse(ABOUT).unwrap();
    let did =
        |passphrase, index| did::encode(&identity_key(&phrase.seed(passphrase), index).public());
    assert_eq!(
        did("", 0),
        "did:key:z6MkwAFJKPUCzgJvet4bKgQCC7J7EgMbiAEgDbCQbqayAWrN"
    );
    assert_eq!(
        did("", 1),
        "did:key:z6MknKg78NfYtsvPQMXDBirNZm2WfUKpogSyGUtyzDv5MdzQ"
    );
    assert_eq!(
        did("TREZOR", 0),
        "did:key:z6Mkmyfk7NHGeuyXqFpE9EMV49CJEch3YaJVLYFQvCdU3Qs2"
    );
}

/// PHR-1.
#[test]
fn makes_and_reads_every_length_in_every_language() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    for language in Language::ALL {
        for length in Length::ALL {
            let phrase = Phrase::generate(&mut rng, language, length).unwrap();
            let text = phrase.text();
            assert_eq!(text.split(' ').count(), length.words());
            assert_eq!(phrase.entropy().len() * 3, length.words() * 4);
            let read = Phrase::parse(&text).unwrap();
            assert_eq!(
                (read.language(), &read),
                (language, &phrase),
                "{language} {length:?}"
            );
            assert!(text.capacity() == 1024, "the text was copied while it grew");
        }
    }
}

/// PHR-2.
#[test]
fn reads_any_case_and_spacing() {
    let typed = format!("  {}\n", ABOUT.to_uppercase().replace(' ', " \t "));
    assert_eq!(
        Phrase::parse(&typed).unwrap(),
        Phrase::parse(ABOUT).unwrap()
    );
    let composed = Phrase::parse(&"ábaco ".repeat(12)).unwrap_err();
    assert_eq!(composed, Error::Checksum);
}

/// PHR-4.
#[test]
fn names_the_wrong_word_and_a_likely_one() {
    let typed = ABOUT.replacen("abandon", "abandn", 1);
    let error = Phrase::parse(&typed).unwrap_err();
    assert_eq!(
        error.to_string(),
        "word 1, \"abandn\", is not in the english word list; did you mean \"abandon\"?"
    );
    let typed = ABOUT.replace("about", "xylophone");
    let error = Phrase::parse(&typed).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Word {
                position: 12,
                suggestion: None,
                ..
            }
        ),
        "{error:?}"
    );
    let typed = format!("{}Ábacoo", "ábaco ".repeat(11));
    let Error::Word {
        position: 12,
        language: Language::Spanish,
        suggestion,
        ..
    } = Phrase::parse(&typed).unwrap_err()
    else {
        panic!("not the twelfth Spanish word");
    };
    assert_eq!(suggestion, Some("a\u{301}baco"));
    let typed = format!("{}龘", "的 ".repeat(11));
    let error = Phrase::parse(&typed).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Word {
                position: 12,
                suggestion: None,
                ..
            }
        ),
        "{error:?}"
    );
}

/// PHR-4.
#[test]
fn tells_a_wrong_checksum_from_a_wrong_count() {
    assert_eq!(Phrase::parse(&"abandon ".repeat(12)), Err(Error::Checksum));
    assert_eq!(Phrase::parse(""), Err(Error::Count { got: 0 }));
    assert_eq!(Phrase::parse("abandon about"), Err(Error::Count { got: 2 }));
    assert_eq!(
        Phrase::parse(&"abandon ".repeat(13)),
        Err(Error::Count { got: 13 })
    );
    assert_eq!(
        Phrase::parse(&"abandon ".repeat(27)),
        Err(Error::Count { got: 27 })
    );
    let short = Phrase::from_entropy(Language::English, &[0; 15]);
    assert_eq!(short, Err(Error::Entropy { got: 15 }));
}

/// Words that both Chinese lists hold say another entropy in each, but the same seed.
///
/// PHR-2.
#[test]
fn the_seed_does_not_depend_on_which_chinese_list_it_was_read_from() {
    let traditional = Language::TraditionalChinese.list();
    let mut rng = ChaCha20Rng::from_seed([2; 32]);
    let shared = (0..2048).find_map(|_| {
        let phrase =
            Phrase::generate(&mut rng, Language::SimplifiedChinese, Length::Twelve).unwrap();
        let both = phrase
            .text()
            .split(' ')
            .all(|word| traditional.find_word(word).is_some());
        both.then_some(phrase)
    });
    let phrase = shared.expect("one of 2048 phrases uses shared words only");
    assert_eq!(
        Phrase::parse(&phrase.text()).unwrap().seed(""),
        phrase.seed("")
    );
}

#[test]
fn language_snapshot() {
    let numbers: Vec<u8> = Language::ALL.iter().flat_map(encoding::encode).collect();
    assert_eq!(HEXLOWER.encode(&numbers), "00010203040506070809");
    for language in Language::ALL {
        assert_eq!(language.code().to_lowercase().parse(), Ok(language));
        assert_eq!(language.to_string().parse(), Ok(language));
    }
    assert!(
        "xx".parse::<Language>()
            .unwrap_err()
            .to_string()
            .contains("zh-Hant")
    );
}

#[test]
fn prints_no_word() {
    assert_eq!(
        format!("{:?}", Phrase::parse(ABOUT).unwrap()),
        "Phrase(12 words, english)"
    );
}

proptest! {
    #[test]
    fn round_trips(entropy in prop::collection::vec(any::<u8>(), 32), length in 0..5_usize,
                   language in 0..10_usize) {
        let entropy = &entropy[..16 + 4 * length];
        let phrase = Phrase::from_entropy(Language::ALL[language], entropy).unwrap();
        prop_assert_eq!(&**phrase.entropy(), entropy);
        let read = Phrase::parse(&phrase.text()).unwrap();
        prop_assert_eq!(read.text(), phrase.text());
    }

    #[test]
    fn never_panics(text in ".{0,200}", words in prop::collection::vec("[a-zá的]{1,9}", 0..30)) {
        let _ = Phrase::parse(&text);
        let _ = Phrase::parse(&words.join(" "));
    }
}
