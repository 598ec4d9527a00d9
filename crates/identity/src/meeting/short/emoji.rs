//! The table of the emoji that a short string is made of.

/// An emoji and what to call it aloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emoji {
    /// The emoji, one character that needs no variation selector.
    pub symbol: char,
    /// Its English name.
    pub name: &'static str,
}

impl Default for Emoji {
    /// The first of the table.
    fn default() -> Self {
        let [first, ..] = EMOJI;
        first
    }
}

/// The 64 emoji by their six bits; the table never changes.
///
/// Chosen to be in every font since 2016, hard to confuse by look or by name, and at home
/// everywhere: no faces, flags, hands or religious signs.
pub const EMOJI: [Emoji; 64] = [
    emoji('🐵', "monkey"),
    emoji('🐮', "cow"),
    emoji('🐸', "frog"),
    emoji('🦉', "owl"),
    emoji('🐺', "wolf"),
    emoji('🦀', "crab"),
    emoji('🐌', "snail"),
    emoji('🐞', "ladybird"),
    emoji('🐬', "dolphin"),
    emoji('🐫', "camel"),
    emoji('🐭', "mouse"),
    emoji('🐘', "elephant"),
    emoji('🐧', "penguin"),
    emoji('🐢', "turtle"),
    emoji('🦋', "butterfly"),
    emoji('🐍', "snake"),
    emoji('🌹', "rose"),
    emoji('🌻', "sunflower"),
    emoji('🌵', "cactus"),
    emoji('🌴', "palm tree"),
    emoji('🍄', "mushroom"),
    emoji('🍎', "apple"),
    emoji('🍋', "lemon"),
    emoji('🍇', "grapes"),
    emoji('🍒', "cherries"),
    emoji('🍌', "banana"),
    emoji('🌽', "maize"),
    emoji('🥕', "carrot"),
    emoji('🍞', "bread"),
    emoji('🧀', "cheese"),
    emoji('🥚', "egg"),
    emoji('🍕', "pizza"),
    emoji('🔑', "key"),
    emoji('🔔', "bell"),
    emoji('💡', "light bulb"),
    emoji('📖', "book"),
    emoji('🔨', "hammer"),
    emoji('☔', "umbrella"),
    emoji('⏰', "alarm clock"),
    emoji('📞', "telephone"),
    emoji('📷', "camera"),
    emoji('🎸', "guitar"),
    emoji('🎺', "trumpet"),
    emoji('🎈', "balloon"),
    emoji('🎁', "present"),
    emoji('👑', "crown"),
    emoji('👓', "glasses"),
    emoji('⚓', "anchor"),
    emoji('🚲', "bicycle"),
    emoji('🚂', "locomotive"),
    emoji('🚀', "rocket"),
    emoji('⛵', "sailing boat"),
    emoji('🚜', "tractor"),
    emoji('🚌', "bus"),
    emoji('🏠', "house"),
    emoji('⛺', "tent"),
    emoji('🌙', "moon"),
    emoji('⭐', "star"),
    emoji('⛄', "snowman"),
    emoji('🔥', "fire"),
    emoji('🌈', "rainbow"),
    emoji('🌋', "volcano"),
    emoji('🌊', "wave"),
    emoji('🌍', "globe"),
];

const fn emoji(symbol: char, name: &'static str) -> Emoji {
    Emoji { symbol, name }
}
