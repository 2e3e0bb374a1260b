//! Where the time of a run went.

use std::time::{Duration, Instant};

/// Counts the time of one stage after the other.
pub(super) struct Stopwatch {
    since: Instant,
    laps: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    /// Starts.
    pub(super) fn start() -> Self {
        Self { since: Instant::now(), laps: Vec::new() }
    }

    /// Ends a stage, and begins the next one.
    pub(super) fn lap(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.laps.push((stage, now - self.since));
        self.since = now;
    }

    /// `in 3 min 16 s: building 33 s, measuring 2 min 43 s`; stages that took no second are left out.
    pub(super) fn words(&self) -> String {
        let total = self.laps.iter().map(|(_, time)| *time).sum();
        let stages = self.laps.iter().filter(|(_, time)| time.as_secs() > 0);
        let stages: Vec<String> = stages.map(|(stage, time)| format!("{stage} {}", spoken(*time))).collect();
        let stages = if stages.is_empty() { String::new() } else { format!(": {}", stages.join(", ")) };
        format!("in {}{stages}", spoken(total))
    }
}

/// `9.5 s`, `33 s`, `2 min 43 s`.
pub(super) fn spoken(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_that_took_time_are_named_with_it() {
        let laps = vec![
            ("building", Duration::from_secs(33)),
            ("profiling", Duration::from_millis(20)),
            ("measuring", Duration::from_secs(163)),
        ];
        let watch = Stopwatch { since: Instant::now(), laps };
        assert_eq!(watch.words(), "in 3 min 16 s: building 33 s, measuring 2 min 43 s");
    }
}
