//! What the machine gives: a clock and room on the disk.

use std::path::Path;

use tenet_rpc::api::Check;

use super::{ill, well};
use crate::time;

/// When this version was written (2026-11-01): no right clock is before it.
const WRITTEN: u64 = 1_793_491_200_000;
/// A device card is good for a year: a clock ten years on is wrong, or this program too old.
const TOO_LATE: u64 = WRITTEN + 10 * 365 * 86_400_000;
/// Below this much room a person should do something: a guess, a year of busy writing.
const ROOM: u64 = 100 * 1024 * 1024;

pub(super) fn clock() -> Check {
    judge_clock(time::now())
}

/// Room where the home is, or would be.
pub(super) fn disk(home: &Path) -> Option<Check> {
    let there = home.ancestors().find(|path| path.exists())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(judge_room(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

fn judge_clock(now: u64) -> Check {
    let detail = format!("it is {}", time::short(now));
    if (WRITTEN..TOO_LATE).contains(&now) {
        well("clock", detail)
    } else {
        let advice = "set the clock: others refuse what is dated wrongly";
        ill("clock", format!("{detail}, which cannot be"), advice)
    }
}

fn judge_room(bytes: u64) -> Check {
    let detail = format!("{} MiB free", bytes / 1024 / 1024);
    if bytes >= ROOM {
        well("disk", detail)
    } else {
        ill(
            "disk",
            detail,
            "make room: what cannot be stored is refused, nothing stored is lost",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_said() {
        assert!(judge_clock(WRITTEN + 1).ok);
        assert!(!judge_clock(0).ok);
        assert!(!judge_clock(TOO_LATE).ok);
    }

    #[test]
    fn little_room_is_said() {
        assert!(judge_room(ROOM).ok);
        assert!(!judge_room(ROOM - 1).ok);
    }
}
