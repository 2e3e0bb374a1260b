//! The numbers that divan prints: times and rates of four digits with a unit.

/// A printed time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Printed {
    /// Nanoseconds.
    pub(super) ns: f64,
    /// The value of its last digit, nanoseconds.
    pub(super) digit: f64,
}

/// A printed throughput.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rate {
    /// What is counted, as [`super::super::Throughput`] names it.
    pub(super) unit: &'static str,
    /// How many per second.
    pub(super) per_second: f64,
}

/// Nanoseconds per unit (divan's `time/fine_duration.rs`).
const TIMES: [(&str, f64); 8] =
    [("ps", 1e-3), ("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9)];
/// Digits that divan prints (`util/fmt.rs`), and its finest step: a picosecond.
const DIGITS: i32 = 4;
const FINEST: f64 = 1e-3;

/// Reads `1.465 µs`.
pub(super) fn duration(text: &str) -> Option<Printed> {
    let (number, unit) = text.trim().split_once(' ')?;
    let (_, scale) = TIMES.iter().find(|(name, _)| *name == unit.trim())?;
    let value: f64 = number.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)?;
    // Zeroes at the end are not printed, so the digits cannot be counted.
    let digit = 10f64.powi(value.log10().floor() as i32 + 1 - DIGITS) * scale;
    Some(Printed { ns: value * scale, digit: digit.max(FINEST) })
}

/// What the counters of divan count, by the end of their unit.
const COUNTED: [(&str, &str); 4] = [("item/s", "elements"), ("char/s", "chars"), ("B/s", "B"), ("Hz", "cycles")];

/// Reads `1.595 GB/s`, `797.9 Mitem/s`, `3 GHz`; `DIVAN_BYTES_FORMAT=decimal` is assumed.
pub(super) fn rate(text: &str) -> Option<Rate> {
    let (number, unit) = text.trim().split_once(' ')?;
    let (prefix, counted) = COUNTED.iter().find_map(|(end, counted)| Some((unit.strip_suffix(end)?, *counted)))?;
    let scale = match prefix {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        _ => return None,
    };
    let value: f64 = number.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)?;
    Some(Rate { unit: counted, per_second: value * scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_unit_are_read_with_the_value_of_their_last_digit() {
        for (text, ns, digit) in [
            ("1.465 µs", 1465.0, 1.0),
            ("2.36 µs", 2360.0, 1.0),
            ("80.2 ns", 80.2, 0.01),
            ("0.123 ns", 0.123, 1e-3),
            ("18.57 ms", 18.57e6, 1e4),
            ("1.5 s", 1.5e9, 1e6),
            ("2 m", 120e9, 60e6),
        ] {
            let read = duration(text).unwrap();
            assert!((read.ns / ns - 1.0).abs() < 1e-9 && (read.digit / digit - 1.0).abs() < 1e-6, "{text}: {read:?}");
        }
    }

    #[test]
    fn sizes_counts_and_nonsense_are_no_times() {
        for text in ["2.59 KB", "101", "", "inf ns", "-1 ns", "0 ns", "1 eon", "max alloc:"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn rates_of_every_counter_are_read() {
        let read = |text| rate(text).map(|rate| (rate.unit, rate.per_second));
        assert_eq!(read("1.5 GB/s"), Some(("B", 1.5e9)));
        assert_eq!(read("797 Mitem/s"), Some(("elements", 797e6)));
        assert_eq!(read("3 char/s"), Some(("chars", 3.0)));
        assert_eq!(read("2.5 GHz"), Some(("cycles", 2.5e9)));
        assert_eq!(read("2.59 KB"), None);
        assert_eq!(read("inf B/s"), None);
    }
}
