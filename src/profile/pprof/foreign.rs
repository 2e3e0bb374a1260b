//! What another tool's message counts, of which revision, and how much memory it would take.
//!
//! Does not read stacks (`decode`).

use std::collections::BTreeMap;

use super::PprofError;

/// Names of what samples of CPU time are called (Go, pprof-rs, Parca, Pyroscope, the JVM's agents).
const CPU: [&str; 8] = ["samples", "sample", "cpu", "cpu_samples", "process_cpu", "on_cpu", "itimer", "cycles"];

/// Names of the events that are sampled, as a message's period states them.
const CPU_PERIODS: [&str; 9] = ["", "cpu", "samples", "cycles", "cpu-clock", "task-clock", "cpu-cycles", "process_cpu", "itimer"];

/// Labels that name a commit, most telling first. `service_git_ref` is Pyroscope's.
const COMMITS: [&str; 9] =
    ["commit", "git_commit", "git.commit", "vcs.ref.head.revision", "revision", "git_sha", "service_git_ref", "git_ref", "sha"];

/// Labels that name a release, which a tag may be called after.
const VERSIONS: [&str; 5] = ["version", "service_version", "service.version", "app_version", "release"];

/// Most memory that a message may take when it is read, by estimate, bytes.
const MAX_MEMORY: u64 = 3 << 30;

/// Bytes of the largest of the message's parts in memory, rounded up (`protos::Mapping`).
const PART: u64 = 112;

/// The field of the samples in `profile.proto`.
const SAMPLE: u64 = 2;

/// Which value of a sample is taken, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) index: usize,
    /// `cpu/nanoseconds`.
    pub(super) name: String,
    /// Weights are no samples. The number is what one sample weighs, 0 where that is not said.
    pub(super) weight: Option<u64>,
}

/// Chooses by name: a count of CPU samples, else CPU time, else cycles. Bytes, locks and waiting are no CPU samples.
pub(super) fn column(types: &[(&str, &str)], period_type: (&str, &str), period: i64) -> Result<Column, PprofError> {
    let listed = || {
        let named: Vec<String> = types.iter().map(|(ty, unit)| format!("{ty}/{unit}")).collect();
        if named.is_empty() { "nothing".to_owned() } else { named.join(", ") }
    };
    if !CPU_PERIODS.contains(&period_type.0) {
        return Err(PprofError::NotCpu(format!("{} sampled by {}/{}", listed(), period_type.0, period_type.1)));
    }
    let is_count = |unit: &str| matches!(unit, "count" | "samples" | "");
    let is_time = |unit: &str| matches!(unit, "nanoseconds" | "microseconds" | "milliseconds" | "seconds");
    let known = || types.iter().enumerate().filter(|(_, (ty, _))| CPU.contains(ty));
    let column = |(index, (ty, unit)): (usize, &(&str, &str)), weight| Column { index, name: format!("{ty}/{unit}"), weight };
    if let Some(found) = known().find(|(_, (ty, unit))| *ty != "cycles" && is_count(unit)) {
        return Ok(column(found, None));
    }
    if let Some(found) = known().find(|(_, (_, unit))| is_time(unit)) {
        let same_unit = period_type.1 == found.1.1;
        let one = u64::try_from(period).unwrap_or(0);
        return Ok(column(found, Some(if same_unit { one } else { 0 })));
    }
    match known().next() {
        Some(found) => Ok(column(found, Some(0))),
        None => Err(PprofError::NotCpu(listed())),
    }
}

/// A revision that samples are labelled with.
pub(super) type Label<'a> = (&'a str, &'a str);

/// The label that most samples carry, and how many distinct values its key has. A commit is preferred to a version.
pub(super) fn revision<'a>(labels: impl Iterator<Item = Vec<Label<'a>>>) -> Option<(Label<'a>, usize)> {
    let mut counts: BTreeMap<Label<'a>, u64> = BTreeMap::new();
    for label in labels.flatten() {
        *counts.entry(label).or_insert(0) += 1;
    }
    let wanted = COMMITS.iter().chain(&VERSIONS);
    let key = wanted.into_iter().find(|key| counts.keys().any(|(known, value)| known == *key && !value.is_empty()))?;
    let of_key = || counts.iter().filter(|((known, value), _)| known == key && !value.is_empty());
    let (&label, _) = of_key().max_by_key(|(_, count)| **count)?;
    Some((label, of_key().count()))
}

/// True for a label that may name a revision.
pub(super) fn names_revision(key: &str) -> bool {
    COMMITS.contains(&key) || VERSIONS.contains(&key)
}

/// Refuses a message whose parts would fill memory: the wire format spends two bytes where memory needs a hundred.
pub(super) fn check_size(bytes: &[u8]) -> Result<(), PprofError> {
    let damaged = || PprofError::Protobuf("it ends in the middle of a field".into());
    let (mut rest, mut memory) = (bytes, 0u64);
    while !rest.is_empty() {
        let (tag, after) = varint(rest).ok_or_else(damaged)?;
        let (content, after) = match tag & 7 {
            0 => (0, varint(after).ok_or_else(damaged)?.1),
            1 => (0, after.get(8..).ok_or_else(damaged)?),
            2 => {
                let (len, after) = varint(after).ok_or_else(damaged)?;
                let len_here = usize::try_from(len).map_err(|_| damaged())?;
                (len, after.get(len_here..).ok_or_else(damaged)?)
            }
            5 => (0, after.get(4..).ok_or_else(damaged)?),
            wire => return Err(PprofError::Protobuf(format!("field {} has wire type {wire}", tag >> 3))),
        };
        // A packed number of one byte becomes eight; only samples hold such lists.
        let spread = if tag >> 3 == SAMPLE { 8 } else { 2 };
        memory = memory.saturating_add(PART).saturating_add(content.saturating_mul(spread));
        if memory > MAX_MEMORY {
            return Err(PprofError::TooLarge);
        }
        rest = after;
    }
    Ok(())
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(types: &[(&str, &str)], period: (&str, &str)) -> Option<(String, Option<u64>)> {
        column(types, period, 10).ok().map(|column| (column.name, column.weight))
    }

    #[test]
    fn a_count_of_cpu_samples_comes_before_time_and_nothing_else_is_taken() {
        let cpu = ("cpu", "nanoseconds");
        assert_eq!(chosen(&[("samples", "count"), cpu], cpu), Some(("samples/count".into(), None)));
        assert_eq!(chosen(&[cpu, ("samples", "count")], ("", "")), Some(("samples/count".into(), None)));
        assert_eq!(chosen(&[cpu], cpu), Some(("cpu/nanoseconds".into(), Some(10))));
        assert_eq!(chosen(&[cpu], ("cpu", "milliseconds")), Some(("cpu/nanoseconds".into(), Some(0))));
        assert_eq!(chosen(&[("cycles", "count")], ("cycles", "count")), Some(("cycles/count".into(), Some(0))));
        for other in [("alloc_space", "bytes"), ("inuse_objects", "count"), ("contentions", "count"), ("wall", "nanoseconds")] {
            assert_eq!(chosen(&[other], ("", "")), None, "{other:?}");
        }
        assert_eq!(chosen(&[("samples", "count")], ("space", "bytes")), None);
        assert_eq!(chosen(&[], ("", "")), None);
    }

    #[test]
    fn the_commit_of_most_samples_is_taken_and_others_are_counted() {
        let labels = [vec![("version", "1.0"), ("commit", "a")], vec![("commit", "b")], vec![("commit", "b")], vec![]];
        assert_eq!(revision(labels.into_iter()), Some((("commit", "b"), 2)));
        assert_eq!(revision([vec![("thread", "x")]].into_iter()), None);
    }

    #[test]
    fn small_messages_that_would_fill_memory_are_refused() {
        let empty_samples = [0x12, 0x00].repeat(40_000_000);
        assert!(matches!(check_size(&empty_samples), Err(PprofError::TooLarge)));
        assert!(matches!(check_size(&[0x13]), Err(PprofError::Protobuf(_))));
        assert!(matches!(check_size(&[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(PprofError::Protobuf(_))));
        assert!(check_size(&[0x12, 0x00, 0x48, 0x05]).is_ok());
    }
}
