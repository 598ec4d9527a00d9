//! What is to be run: everything that a run depends on, as words of a command line.

use std::{collections::BTreeSet, fmt};

use anyhow::{Context, Result, bail};

use super::Fault;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which step of the ladder.
    pub step: u8,
    /// What everything follows from.
    pub seed: u64,
    /// At most so many nodes.
    pub nodes: usize,
    /// At most so many deeds.
    pub deeds: usize,
    /// Deeds that are left out, by their numbers.
    pub skip: BTreeSet<usize>,
    /// What does not happen.
    pub without: BTreeSet<Fault>,
}

impl Plan {
    /// The whole of a step.
    pub fn whole(step: u8, seed: u64) -> Self {
        Self {
            step,
            seed,
            nodes: usize::MAX,
            deeds: usize::MAX,
            skip: BTreeSet::new(),
            without: BTreeSet::new(),
        }
    }

    /// Reads the words that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// Words that say nothing.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut plan = Self::whole(5, 1);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} of what?"))?;
            match word.as_str() {
                "--step" => plan.step = value.parse()?,
                "--seed" => plan.seed = value.parse()?,
                "--nodes" => plan.nodes = value.parse()?,
                "--deeds" => plan.deeds = value.parse()?,
                "--skip" => plan.skip = skipped(value)?,
                "--without" => {
                    for name in value.split(',') {
                        plan.without.insert(Fault::parse(name)?);
                    }
                }
                _ => bail!("no word `{word}`"),
            }
        }
        Ok(plan)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--step {} --seed {}", self.step, self.seed)?;
        if self.nodes < usize::MAX {
            write!(f, " --nodes {}", self.nodes)?;
        }
        if self.deeds < usize::MAX {
            write!(f, " --deeds {}", self.deeds)?;
        }
        if !self.skip.is_empty() {
            write!(f, " --skip {}", spans(&self.skip))?;
        }
        if !self.without.is_empty() {
            let names: Vec<_> = self.without.iter().map(|fault| fault.name()).collect();
            write!(f, " --without {}", names.join(","))?;
        }
        Ok(())
    }
}

/// Reads `3,7-9`.
fn skipped(words: &str) -> Result<BTreeSet<usize>> {
    let mut all = BTreeSet::new();
    for part in words.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        all.extend(from.parse()?..=to.parse::<usize>()?);
    }
    Ok(all)
}

/// Writes `3,7-9`.
fn spans(numbers: &BTreeSet<usize>) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let words = spans.iter().map(|(from, to)| match from == to {
        true => from.to_string(),
        false => format!("{from}-{to}"),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let text = "--step 5 --seed 7 --nodes 4 --deeds 60 --skip 1,3-5,9 --without kill";
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        assert_eq!(Plan::parse(&words).unwrap().to_string(), text);
    }
}
