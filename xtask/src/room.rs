//! Whether the disk has room for what the gate builds: where it runs full, tests fail for reasons that nobody sees.

use anyhow::{Context, Result, bail};

use crate::{metadata::Metadata, process::Line};

/// What an empty target folder grows to, 3.5 GiB, and what the tests put beside it, in bytes.
const NEEDED: u64 = 6 << 30;

/// Says how much room there is, and fails where that is too little.
pub(crate) fn ensure() -> Result<()> {
    let target = Metadata::load()?.target;
    let built = match target.exists() {
        true => amount("du", &["-s", "-B1"], &target)?,
        false => 0,
    };
    let home = target.parent().unwrap_or(&target);
    let free = amount("df", &["--output=avail", "-B1"], home)?;
    let needed = NEEDED.saturating_sub(built);
    if free < needed {
        bail!(
            "{} MiB are free beside {}, and {} MiB are needed: make room, or set CARGO_TARGET_DIR to another disk",
            free >> 20,
            target.display(),
            needed >> 20
        );
    }
    println!("{} MiB are free", free >> 20);
    Ok(())
}

/// The number of bytes that a program tells of a path.
fn amount(program: &str, arguments: &[&str], path: &std::path::Path) -> Result<u64> {
    let path = path.to_string_lossy();
    let line = Line::new(program, &[arguments, &[&*path]].concat());
    number(&line.output()?).with_context(|| format!("`{line}` tells no number"))
}

/// The first number in a text.
fn number(text: &str) -> Option<u64> {
    text.split_whitespace().find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_behind_a_title_and_before_a_path() {
        assert_eq!(number("     Avail\n69640957952\n"), Some(69_640_957_952));
        assert_eq!(number("13371337\t/t\n"), Some(13_371_337));
        assert_eq!(number("Avail\n"), None);
    }
}
