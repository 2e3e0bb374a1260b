//! Durations, sizes and fractions as people write them: `30s`, `1m30s`, `200MiB`, `2%`.

use std::time::Duration;

const TIMES: [(&str, f64); 7] = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
/// A century is more than anyone waits for, and keeps the arithmetic inside of `u64` nanoseconds.
const LONGEST: f64 = 100.0 * 365.25 * 86400.0 * 1e9;

const SIZES: [(&str, f64); 12] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("k", 1e3),
    ("M", 1e6),
];

/// Reads `30s`, `1m30s`, `500ms`, `1.5h`. A bare number has no meaning here: seconds and milliseconds are too easily mixed up.
pub fn duration(text: &str) -> Option<Duration> {
    let nanos = sum(text, &TIMES)?;
    (nanos <= LONGEST).then(|| Duration::from_nanos(nanos.round() as u64))
}

/// Reads `200MiB`, `1.5GB`, `4096B` or a bare number of bytes.
pub fn size(text: &str) -> Option<u64> {
    let bytes = match text.trim().parse::<u64>() {
        Ok(bytes) => return Some(bytes),
        Err(_) => sum(text, &SIZES)?,
    };
    // 2^53: beyond it a float no longer counts single bytes.
    (bytes <= 9_007_199_254_740_992.0).then(|| bytes.round() as u64)
}

/// Reads `2%` or `0.02` as the fraction 0.02.
pub fn fraction(text: &str) -> Option<f64> {
    let text = text.trim();
    let value = match text.strip_suffix('%') {
        Some(percent) => number(percent.trim_end())? / 100.0,
        None => number(text)?,
    };
    (0.0..=1.0).contains(&value).then_some(value)
}

fn sum(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (value, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        total += number(value)? * factor;
        rest = after.trim_start();
    }
    Some(total)
}

/// Digits and one point only: no sign, exponent, `inf` or `nan`.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|value: &f64| plain && value.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, millis) in [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("1.5h", 5_400_000), (" 2 m 1 s ", 121_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "30", "s", "-3s", "1e3s", "30 seconds", "nan s", "999999999999h", "1..5s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(size("200MiB"), Some(200 << 20));
        assert_eq!((size("1.5GB"), size("4096"), size("7 B")), (Some(1_500_000_000), Some(4096), Some(7)));
        assert_eq!((size("-1"), size("MiB"), size("1PiB"), size("")), (None, None, None, None));
    }

    #[test]
    fn fractions_with_and_without_percent() {
        assert_eq!((fraction("2%"), fraction("0.02"), fraction("0.5 %")), (Some(0.02), Some(0.02), Some(0.005)));
        assert_eq!((fraction("2"), fraction("-1%"), fraction("%"), fraction("inf")), (None, None, None, None));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_harm(text in "\\PC{0,12}") {
            let _any = (duration(&text), size(&text), fraction(&text));
        }

        #[test]
        fn parts_add_up(m in 0_u64..1000, s in 0_u64..60, ms in 0_u64..1000) {
            let expected = Duration::from_millis(m * 60_000 + s * 1000 + ms);
            prop_assert_eq!(duration(&format!("{m}m{s}s{ms}ms")), Some(expected));
        }
    }
}
