//! The ten languages of BIP-39 word lists.

use std::{fmt, str::FromStr};

/// A language of a phrase.
///
/// In CBOR it is its number, which never changes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
)]
#[cbor(index_only)]
pub enum Language {
    /// English.
    #[default]
    #[n(0)]
    English,
    /// Japanese.
    #[n(1)]
    Japanese,
    /// Korean.
    #[n(2)]
    Korean,
    /// Spanish.
    #[n(3)]
    Spanish,
    /// Chinese in simplified characters.
    #[n(4)]
    SimplifiedChinese,
    /// Chinese in traditional characters.
    #[n(5)]
    TraditionalChinese,
    /// French.
    #[n(6)]
    French,
    /// Italian.
    #[n(7)]
    Italian,
    /// Czech.
    #[n(8)]
    Czech,
    /// Portuguese.
    #[n(9)]
    Portuguese,
}

/// The text names no language of BIP-39.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such language; there are: {}", Language::ALL.map(Language::code).join(", "))]
pub struct UnknownLanguage;

impl Language {
    /// All of them, in the order of BIP-39.
    pub const ALL: [Self; 10] = [
        Self::English,
        Self::Japanese,
        Self::Korean,
        Self::Spanish,
        Self::SimplifiedChinese,
        Self::TraditionalChinese,
        Self::French,
        Self::Italian,
        Self::Czech,
        Self::Portuguese,
    ];

    /// Its tag (BCP 47), as `en` or `zh-Hans`.
    pub const fn code(self) -> &'static str {
        self.names().0
    }

    /// Its English name in lower case, as `english` or `chinese-simplified`.
    pub const fn name(self) -> &'static str {
        self.names().1
    }

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::English => ("en", "english"),
            Self::Japanese => ("ja", "japanese"),
            Self::Korean => ("ko", "korean"),
            Self::Spanish => ("es", "spanish"),
            Self::SimplifiedChinese => ("zh-Hans", "chinese-simplified"),
            Self::TraditionalChinese => ("zh-Hant", "chinese-traditional"),
            Self::French => ("fr", "french"),
            Self::Italian => ("it", "italian"),
            Self::Czech => ("cs", "czech"),
            Self::Portuguese => ("pt", "portuguese"),
        }
    }

    pub(super) const fn list(self) -> bip39::Language {
        match self {
            Self::English => bip39::Language::English,
            Self::Japanese => bip39::Language::Japanese,
            Self::Korean => bip39::Language::Korean,
            Self::Spanish => bip39::Language::Spanish,
            Self::SimplifiedChinese => bip39::Language::SimplifiedChinese,
            Self::TraditionalChinese => bip39::Language::TraditionalChinese,
            Self::French => bip39::Language::French,
            Self::Italian => bip39::Language::Italian,
            Self::Czech => bip39::Language::Czech,
            Self::Portuguese => bip39::Language::Portuguese,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a tag or a name, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL
            .into_iter()
            .find(|language| {
                text.eq_ignore_ascii_case(language.code())
                    || text.eq_ignore_ascii_case(language.name())
            })
            .ok_or(UnknownLanguage)
    }
}
