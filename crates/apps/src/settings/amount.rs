//! Amounts of bytes, as people type and read them.

/// Units, larger ones first, so that the largest that fits exactly is shown.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

/// Reads `20GB`, `512 MiB`, `1000`; units in any case.
pub(super) fn read(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit = unit.trim();
    let factor = if unit.is_empty() {
        1
    } else {
        let known = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit));
        known?.1
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The exact amount, in the largest unit of which it is a multiple.
pub(super) fn shown(amount: u64) -> String {
    let exact = UNITS
        .iter()
        .find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor));
    match exact {
        Some((name, factor)) => format!("{}{name}", amount / factor),
        None => format!("{amount}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_and_without_units() {
        let read = ["0", "1000", "20GB", " 512 mib ", "3 b", "1kB"].map(read);
        let amounts = [0, 1000, 20_000_000_000, 512 << 20, 3, 1000].map(Some);
        assert_eq!(read, amounts);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "GB", "1.5GB", "-1", "1XB", "99999999999TB", "1 G B"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_exactly() {
        let shown = [0, 1, 1024, 1000, 32 << 20, 20_000_000_000, 1_234_567].map(shown);
        let expected = ["0B", "1B", "1KiB", "1kB", "32MiB", "20GB", "1234567B"];
        assert_eq!(shown, expected);
    }
}
