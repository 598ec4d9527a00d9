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
    /// What does not happen.
    pub without: BTreeSet<Fault>,
    /// What happens though it is not mended yet.
    pub with: BTreeSet<Fault>,
}

impl Plan {
    /// The whole of a step.
    pub fn whole(step: u8, seed: u64) -> Self {
        Self {
            step,
            seed,
            nodes: usize::MAX,
            deeds: usize::MAX,
            without: BTreeSet::new(),
            with: BTreeSet::new(),
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
                "--without" => {
                    for name in value.split(',') {
                        plan.without.insert(Fault::parse(name)?);
                    }
                }
                "--with" => {
                    for name in value.split(',') {
                        plan.with.insert(Fault::parse(name)?);
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
        for (word, faults) in [("without", &self.without), ("with", &self.with)] {
            if !faults.is_empty() {
                let names: Vec<_> = faults.iter().map(|fault| fault.name()).collect();
                write!(f, " --{word} {}", names.join(","))?;
            }
        }
        Ok(())
    }
}
