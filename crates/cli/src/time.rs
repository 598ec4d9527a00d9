//! Times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Now, in Unix milliseconds.
pub fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A moment in local time, short: without the day if it is today, without the year if it is this
/// one.
pub fn short(time: u64) -> String {
    short_in(time, now(), TimeZone::system())
}

/// A span as its two largest units: `2 days 3 hours`.
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in units {
        let count = rest / length;
        rest %= length;
        match count {
            0 => {}
            1 => parts.push(format!("1 {name}")),
            _ => parts.push(format!("{count} {name}s")),
        }
    }
    parts.truncate(2);
    if parts.is_empty() {
        "no time".into()
    } else {
        parts.join(" ")
    }
}

fn short_in(time: u64, now: u64, zone: TimeZone) -> String {
    let local = |time| {
        let time = i64::try_from(time).ok()?;
        Some(
            Timestamp::from_millisecond(time)
                .ok()?
                .to_zoned(zone.clone()),
        )
    };
    let (Some(time), Some(now)) = (local(time), local(now)) else {
        return "?".into();
    };
    let form = if time.date() == now.date() {
        "%H:%M"
    } else if time.year() == now.year() {
        "%b %d %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    time.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_no_more_than_needed() {
        let now = 1_795_183_800_000; // 2026-11-20 14:10 UTC
        let short = |time| short_in(time, now, TimeZone::UTC);
        assert_eq!(short(now - 60_000), "14:09");
        assert_eq!(short(now - 86_400_000), "Nov 19 14:10");
        assert_eq!(short(now - 366 * 86_400_000), "2025-11-19 14:10");
        assert_eq!(short(u64::MAX), "?");
        assert_eq!(
            short_in(now, now, TimeZone::fixed(jiff::tz::offset(2))),
            "16:10"
        );
    }

    #[test]
    fn a_span_has_two_units() {
        assert_eq!(span(0), "no time");
        assert_eq!(span(1), "1 second");
        assert_eq!(span(61_000), "1 minute 1 second");
        assert_eq!(span(7 * 86_400_000), "7 days");
        assert_eq!(span(90_061_000), "1 day 1 hour");
    }
}
