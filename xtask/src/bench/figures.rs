//! Figures and how they are printed.

use std::time::Duration;

/// Times in microseconds, sorted.
pub(super) struct Times(Vec<f64>);

impl Times {
    pub(super) fn new(times: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e6).collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    /// The time that this part of all does not exceed.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (part * last as f64).round() as usize;
        self.0.get(at.min(last)).copied().unwrap_or(0.0)
    }
}

/// Prints a figure, its limit, and whether it holds.
pub(super) fn print(name: &str, figure: f64, unit: &str, limit: f64, at_most: bool) {
    let holds = if at_most {
        figure <= limit
    } else {
        figure >= limit
    };
    let sign = if at_most { "<=" } else { ">=" };
    let verdict = if holds { "holds" } else { "MISSED" };
    println!("  {name:<44} {figure:>10.2} {unit:<6} {sign} {limit:<9.2} {verdict}");
}
