//! A file through a bad way: what limits it, which remedies help, and what three cuts cost.
//!
//! The way loses every tenth packet in each direction and has a round trip of 100 ms; its width is the
//! machine's. The cuts: the way is dead for longer than a connection lives, and either process is killed.

mod namespace;
mod remedies;
mod transfer;
mod way;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::figures;
use way::{Conditions, Way};

const CONDITIONS: Conditions = Conditions {
    loss: 0.1,
    delay: Duration::from_millis(50),
};

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let way = match Way::new(CONDITIONS) {
        Ok(way) => way,
        Err(error) => {
            println!("  SKIPPED: {error:#}");
            return Ok(());
        }
    };
    remedies::compare(release, &way)?;
    let [whole, cut] = transfer::compare(release, &way)?;
    for (what, figures) in [("without cuts", &whole), ("with three cuts", &cut)] {
        println!(
            "  100 MiB {what}: {:.2} MB/s, {:.0} % of the time nothing came, {:.3} bytes of UDP a byte",
            figures.rate,
            figures.idle * 100.0,
            figures.arrived
        );
    }
    let (repeated, more) = (cut.repeated * 100.0, (cut.arrived - whole.arrived) * 100.0);
    println!(
        "  the cuts brought {more:.2} % more to the receiver, with what waited for lost packets"
    );
    figures::print("of the file, asked for again", repeated, "%", 1.0, true);
    Ok(())
}
