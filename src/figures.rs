//! Numbers and ids as people read them: shares, changes, times, sizes, commits.
//!
//! Does not know what a number means, and never invents one: what was not measured has no figure here.

/// A fraction as a percentage with the digits that carry information: `41 %`, `7.9 %`, `0.04 %`.
pub fn share(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent > 0.0 && percent < 0.005 {
        return "<0.01 %".into();
    }
    format!("{} %", digits(percent, decimals(percent)))
}

/// A share's interval in percent: `[38, 44]`.
pub fn share_interval(low: f64, high: f64) -> String {
    let places = decimals(high * 100.0);
    format!("[{}, {}]", digits(low * 100.0, places), digits(high * 100.0, places))
}

/// A share with its interval: `41 % [38, 44]`.
pub fn share_with_interval(fraction: f64, low: f64, high: f64) -> String {
    format!("{} {}", share(fraction), share_interval(low, high))
}

/// The same, without an interval whose ends read as the share itself: `41 %`.
pub fn share_between(fraction: f64, low: f64, high: f64) -> String {
    if share(low) == share(high) { share(fraction) } else { share_with_interval(fraction, low, high) }
}

/// A ratio head / base as a signed change: `+7.9 %`.
pub fn change(ratio: f64) -> String {
    format!("{} %", signed(ratio))
}

/// A ratio with its interval as signed changes: `+7.9 % [+5.8, +9.6]`.
pub fn change_with_interval((ratio, low, high): (f64, f64, f64)) -> String {
    format!("{} {}", change(ratio), change_interval(low, high))
}

/// An interval of ratios as signed changes: `[+5.8, +9.6]`.
pub fn change_interval(low: f64, high: f64) -> String {
    format!("[{}, {}]", signed(low), signed(high))
}

/// A factor with the digits that carry information: `1.0015x`, `1.69x`, `14x`, `over 100x`.
pub fn factor(value: f64) -> String {
    let near_one = (value - 1.0).abs() < 0.01 && value.to_bits() != 1.0_f64.to_bits();
    match value {
        v if !v.is_finite() => "unbounded".into(),
        // Such a bound rests on the last per mille of a share, which no profile resolves.
        v if v > 100.0 => "over 100x".into(),
        v if v >= 9.95 => format!("{v:.0}x"),
        v if near_one => format!("{v:.4}x"),
        v => format!("{v:.2}x"),
    }
}

/// A value in its unit, scaled: nanoseconds to `12.31 µs`, bytes to `1.50 MiB`, rates to `4.69 GiB/s`, anything else as it is.
pub fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "ns" => scaled(value, 1000.0, &["ns", "µs", "ms", "s"]),
        "bytes" => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        "1/s" => scaled(value, 1000.0, &["/s", "k/s", "M/s", "G/s"]),
        "B/s" => scaled(value, 1024.0, &["B/s", "KiB/s", "MiB/s", "GiB/s"]),
        "count" if value.fract() == 0.0 => format!("{value:.0}"),
        "count" => significant(value),
        rate if rate.ends_with("/s") => scaled(value, 1000.0, &["", "k", "M", "G"]) + rate,
        "fraction" => share(value),
        other => format!("{} {other}", significant(value)),
    }
}

/// A value with its interval, in its unit: `23.10 ms [23.00 ms, 23.30 ms]`.
pub fn quantity_with_interval((value, low, high): (f64, f64, f64), unit: &str) -> String {
    format!("{} [{}, {}]", quantity(value, unit), quantity(low, unit), quantity(high, unit))
}

/// A difference with its interval, in the unit that fits the difference: `+4.1 ms [+3.2, +5.0]`.
pub fn difference((value, low, high): (f64, f64, f64), unit: &str) -> String {
    let whole = quantity(value.abs(), unit);
    let Some((number, scale)) = whole.split_once(' ') else { return whole };
    let (number, sign) = (number.parse::<f64>().unwrap_or(0.0), if value < 0.0 { "-" } else { "+" });
    let factor = if value == 0.0 || number <= 0.0 { 1.0 } else { number / value.abs() };
    let places = match number {
        n if n >= 100.0 => 0,
        n if n >= 10.0 => 1,
        _ => 2,
    };
    let end = |end: f64| format!("{:+.places$}", end * factor);
    format!("{sign}{number:.places$} {scale} [{}, {}]", end(low), end(high))
}

/// `1 workload`, `3 workloads`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A commit's id as people write it: `3f2c1aa`.
pub fn commit(id: &str) -> &str {
    id.get(..7).unwrap_or(id)
}

/// A name as one word of a POSIX shell's command line: `parse/large`, `'fold 2'`.
pub fn word(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/_-.:,+@%=".contains(c);
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

fn decimals(percent: f64) -> usize {
    match percent.abs() {
        p if p >= 10.0 || p.to_bits() == 0 => 0,
        p if p >= 1.0 => 1,
        _ => 2,
    }
}

fn digits(percent: f64, places: usize) -> String {
    let text = format!("{percent:.places$}");
    if text.trim_start_matches('-').bytes().all(|b| b == b'0' || b == b'.') { "0".into() } else { text }
}

fn signed(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    let text = if percent.abs() >= 100.0 { format!("{percent:+.0}") } else { format!("{percent:+.1}") };
    if text == "-0.0" { "+0.0".into() } else { text }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let (mut value, whole, mut units) = (value, value.fract() == 0.0 && value.abs() < step, units.iter());
    let mut unit = units.next().copied().unwrap_or_default();
    // 999.95 would be written as "1000" in four significant digits: step up first.
    while value.abs() >= step * 0.999_95 {
        let Some(next) = units.next() else { break };
        value /= step;
        unit = next;
    }
    let number = if whole { format!("{value:.0}") } else { significant(value) };
    if unit.starts_with('/') || unit.ends_with("k/s") || unit == "M/s" || unit == "G/s" {
        format!("{number}{unit}")
    } else {
        format!("{number} {unit}")
    }
}

/// Four significant digits.
fn significant(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_typed() {
        for (name, typed) in [("parse/large", "parse/large"), ("fold 2", "'fold 2'"), ("it's*", r"'it'\''s*'"), ("", "''")] {
            assert_eq!(word(name), typed);
        }
    }

    #[test]
    fn shares_keep_the_digits_that_carry_information() {
        assert_eq!(share(0.41), "41 %");
        assert_eq!(share(0.079), "7.9 %");
        assert_eq!(share(0.0004), "0.04 %");
        assert_eq!(share(0.000_01), "<0.01 %");
        assert_eq!(share(0.0), "0 %");
        assert_eq!(share_with_interval(0.0, 0.0, 0.0091), "0 % [0, 0.91]");
        assert_eq!(share_with_interval(0.412, 0.38, 0.444), "41 % [38, 44]");
    }

    #[test]
    fn changes_are_signed() {
        assert_eq!(change_with_interval((1.079, 1.058, 1.096)), "+7.9 % [+5.8, +9.6]");
        assert_eq!(change(0.999_99), "+0.0 %");
        assert_eq!(change(3.5), "+250 %");
        assert_eq!(change(0.88), "-12.0 %");
    }

    #[test]
    fn quantities_are_scaled_to_four_significant_digits() {
        assert_eq!(quantity(12_314.0, "ns"), "12.31 µs");
        assert_eq!(quantity(999_960.0, "ns"), "1.000 ms");
        assert_eq!(quantity(420.0, "ns"), "420 ns");
        assert_eq!(quantity(420.25, "ns"), "420.2 ns");
        assert_eq!(quantity(5e6, "ns"), "5.000 ms");
        assert_eq!(quantity(1_572_864.0, "bytes"), "1.500 MiB");
        assert_eq!(quantity(15_300.0, "1/s"), "15.30k/s");
        assert_eq!(quantity(5_036_256_482.0, "B/s"), "4.690 GiB/s");
        assert_eq!(quantity(660_821_562.0, "elements/s"), "660.8 Melements/s");
        assert_eq!(quantity(12.0, "elements/s"), "12 elements/s");
        assert_eq!(quantity(3.0, "count"), "3");
        assert_eq!(quantity(2.5e12, "ns"), "2500 s");
    }

    #[test]
    fn a_difference_and_its_interval_have_one_unit() {
        assert_eq!(difference((4_100_000.0, 3_200_000.0, 5_000_000.0), "ns"), "+4.10 ms [+3.20, +5.00]");
        assert_eq!(difference((-52_340.0, -60_100.0, -44_000.0), "ns"), "-52.3 µs [-60.1, -44.0]");
        assert_eq!(difference((120.4, 0.2, 1900.0), "ns"), "+120 ns [+0, +1900]");
    }

    #[test]
    fn a_factor_near_one_keeps_its_difference() {
        assert_eq!(factor(1.0015), "1.0015x");
        assert_eq!(factor(1.694), "1.69x");
        assert_eq!(factor(9.96), "10x");
        assert_eq!(factor(14.3), "14x");
        assert_eq!(factor(143.27), "over 100x");
        assert_eq!(factor(1.0), "1.00x");
        assert_eq!(factor(f64::INFINITY), "unbounded");
    }
}
