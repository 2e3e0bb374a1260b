//! The lines of libtest's text output.

/// A timed benchmark.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::measure::harness) struct BenchLine {
    /// Its path.
    pub(in crate::measure::harness) name: String,
    /// Median time of an iteration, nanoseconds.
    pub(in crate::measure::harness) ns: f64,
    /// The value of the last printed digit, nanoseconds.
    pub(in crate::measure::harness) digit: f64,
    /// Throughput, megabytes per second, as printed.
    pub(in crate::measure::harness) megabytes: Option<f64>,
}

impl BenchLine {
    /// Bytes per iteration. Printed are whole megabytes per second, cut: half a unit is added, and where that is more than a
    /// hundredth, the figure says too little.
    pub(in crate::measure::harness) fn bytes(&self) -> Option<f64> {
        let rate = self.megabytes.filter(|&rate| rate >= 50.0)? + 0.5;
        Some(rate * 1e6 * self.ns / 1e9)
    }
}

/// All results of an output.
pub(in crate::measure::harness) fn results(text: &str) -> Vec<BenchLine> {
    text.lines().filter_map(result).collect()
}

/// The names of tests and benchmarks that ran and passed.
pub(in crate::measure::harness) fn ran(text: &str) -> impl Iterator<Item = &str> {
    let passed = |end: &str| end.trim() == "ok" || end.trim_start().starts_with("bench:");
    text.lines().filter_map(named).filter(move |(_, end)| passed(end)).map(|(name, _)| name)
}

fn named(line: &str) -> Option<(&str, &str)> {
    let (name, end) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    Some((name.trim_end(), end))
}

fn result(line: &str) -> Option<BenchLine> {
    let (name, end) = named(line)?;
    let (time, rest) = end.trim_start().strip_prefix("bench:")?.split_once(" ns/iter")?;
    let time = time.trim().replace(',', "");
    let decimals = time.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let ns: f64 = time.parse().ok().filter(|ns: &f64| ns.is_finite() && *ns >= 0.0)?;
    let rate = rest.rsplit_once(" = ").and_then(|(_, rate)| rate.trim().strip_suffix(" MB/s"));
    Some(BenchLine {
        name: name.to_owned(),
        ns,
        digit: 10f64.powi(-i32::try_from(decimals).ok()?),
        megabytes: rate.and_then(|rate| rate.replace(',', "").parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_lines_of_libtest_and_bencher_are_read() {
        let libtest = results(include_str!("../../../../fixtures/libtest/1.95.0-bench.txt"));
        let names: Vec<&str> = libtest.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["deep::count", "mix"]);
        assert!(libtest.iter().all(|line| line.ns > 1000.0 && (line.digit - 0.01).abs() < 1e-12));
        let bencher = results(include_str!("../../../../fixtures/libtest/bencher-0.1.5.txt"));
        assert_eq!(bencher.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["count", "mix", "mix_more"]);
        assert!(bencher.iter().all(|line| (line.digit - 1.0).abs() < 1e-12));
    }

    #[test]
    fn the_printed_rate_gives_the_bytes_back() {
        let line = results("test a ... bench:       8,192.00 ns/iter (+/- 1) = 1000 MB/s").remove(0);
        assert!((line.bytes().unwrap() / 8192.0 - 1.0).abs() < 1e-3);
        let slow = results("test a ... bench:  1,000,000 ns/iter (+/- 1) = 3 MB/s").remove(0);
        assert_eq!(slow.bytes(), None, "one digit says too little");
    }

    #[test]
    fn only_what_ran_counts_as_run() {
        let text = "test a ... ok\ntest b ... ignored\ntest c ... FAILED\ntest d ... bench:  5 ns/iter (+/- 0)\n";
        assert_eq!(ran(text).collect::<Vec<_>>(), ["a", "d"]);
        assert!(results("test b ... bench: many ns/iter (+/- 0)\ntest x ... bench: -1 ns/iter").is_empty());
    }
}
