//! Times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
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

/// A moment in local time, whole.
pub fn full(time: u64) -> String {
    let at = i64::try_from(time)
        .ok()
        .and_then(|time| Timestamp::from_millisecond(time).ok());
    at.map_or_else(
        || "?".into(),
        |at| {
            let at = at.to_zoned(TimeZone::system());
            at.strftime("%Y-%m-%d %H:%M").to_string()
        },
    )
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

/// The beginning of what a person names: a day, a minute, or so long ago.
///
/// # Errors
/// What could have been typed.
pub fn since(text: &str) -> Result<u64, String> {
    moment(text, now(), &TimeZone::system()).map(|(begin, _)| begin)
}

/// The end of what a person names.
///
/// # Errors
/// As [`since`].
pub fn until(text: &str) -> Result<u64, String> {
    moment(text, now(), &TimeZone::system()).map(|(_, end)| end)
}

/// From when until when what was named lasts, in Unix milliseconds.
fn moment(text: &str, now: u64, zone: &TimeZone) -> Result<(u64, u64), String> {
    let text = text.trim();
    if let Some(ago) = length(text) {
        let at = now.saturating_sub(ago);
        return Ok((at, at));
    }
    let local = |civil: DateTime| {
        let zoned = civil.to_zoned(zone.clone()).ok()?;
        u64::try_from(zoned.timestamp().as_millisecond()).ok()
    };
    let span = match text.parse::<Date>() {
        Ok(day) if !text.contains(':') => {
            let next = day.tomorrow().ok().map(|next| next.at(0, 0, 0, 0));
            local(day.at(0, 0, 0, 0)).zip(next.and_then(local))
        }
        _ => {
            let at = text.parse::<DateTime>().ok().and_then(local);
            at.map(|at| (at, at))
        }
    };
    span.ok_or_else(|| {
        "a day like 2026-11-20, a time like 2026-11-20T14:00, or 90m, 12h, 3d, 2w".into()
    })
}

/// A length of time in milliseconds: a number and `s`, `m`, `h`, `d` or `w`.
pub fn length(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    count.checked_mul(seconds * 1000)
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
    fn a_day_is_whole_and_a_time_is_a_moment() {
        let now = 1_795_183_800_000; // 2026-11-20 14:10 UTC
        let at = |text| moment(text, now, &TimeZone::UTC).ok();
        let midnight = now - (14 * 60 + 10) * 60_000;
        assert_eq!(at("2026-11-20"), Some((midnight, midnight + 86_400_000)));
        assert_eq!(at("2026-11-20T14:10"), Some((now, now)));
        assert_eq!(at("2026-11-20 14:10:01"), Some((now + 1000, now + 1000)));
        assert_eq!(at("3d"), Some((now - 3 * 86_400_000, now - 3 * 86_400_000)));
        assert_eq!(
            [at("soon"), at("2026-13-01"), at(""), at("d"), at("-1d")],
            [None; 5]
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
