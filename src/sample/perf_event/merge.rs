//! Puts the records of all CPUs in the order of time, so that a mapping is known before a sample in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ring::Record;

/// Records that wait for earlier ones from other CPUs.
///
/// A round reads every ring once. Whatever was stamped up to the newest time that a round saw is in some ring by the end
/// of that round, so the next round reads it at the latest: then everything up to that time can go.
#[derive(Default)]
pub(super) struct Merger {
    waiting: BinaryHeap<Reverse<Waiting>>,
    arrivals: u64,
    newest: u64,
    newest_of_last_round: u64,
    release: u64,
}

struct Waiting {
    time: u64,
    arrival: u64,
    record: Record,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.arrival).cmp(&(other.time, other.arrival))
    }
}

impl Merger {
    /// Takes a record from any ring.
    pub(super) fn push(&mut self, record: Record) {
        self.newest = self.newest.max(record.time);
        self.waiting.push(Reverse(Waiting { time: record.time, arrival: self.arrivals, record }));
        self.arrivals += 1;
    }

    /// Says that every ring has been read once more.
    pub(super) fn end_round(&mut self) {
        self.release = self.newest_of_last_round;
        self.newest_of_last_round = self.newest;
    }

    /// The next record whose turn it certainly is; with `last`, any next record.
    pub(super) fn pop(&mut self, last: bool) -> Option<Record> {
        let Reverse(next) = self.waiting.peek()?;
        if !last && next.time > self.release {
            return None;
        }
        self.waiting.pop().map(|Reverse(next)| next.record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(time: u64) -> Record {
        Record { time, kind: 0, misc: 0, body: Vec::new(), steady: None }
    }

    #[test]
    fn a_record_waits_for_the_round_after_it() {
        let mut merger = Merger::default();
        merger.push(record(5));
        merger.end_round();
        assert_eq!(merger.pop(false), None);
        merger.push(record(4));
        merger.end_round();
        assert_eq!(merger.pop(false).map(|r| r.time), Some(4));
        assert_eq!(merger.pop(false).map(|r| r.time), Some(5));
        assert_eq!(merger.pop(true), None);
    }

    proptest! {
        /// Rounds cut time into stretches; a ring that is read early in a round shows only a part of the newest stretch.
        #[test]
        fn whatever_the_rings_show_when_comes_out_in_order_and_whole(
            events in prop::collection::vec((0u64..1000, 0usize..4), 0..200),
            mut reads in prop::collection::vec(0u64..1100, 1..12),
            lags in prop::collection::vec(0u64..20, 4),
        ) {
            reads.sort_unstable();
            let mut merger = Merger::default();
            let mut out = Vec::new();
            let mut read_to = [0u64; 4];
            for (round, &end) in reads.iter().enumerate() {
                for (cpu, lag) in lags.iter().enumerate() {
                    // Rings are read one after the other: no ring shows more than up to `end`, none less than the round before.
                    let start = if round == 0 { 0 } else { reads[round - 1] };
                    let upto = end.saturating_sub(*lag).max(start);
                    let mut seen: Vec<u64> =
                        events.iter().filter(|(t, c)| *c == cpu && *t >= read_to[cpu] && *t < upto).map(|(t, _)| *t).collect();
                    seen.sort_unstable();
                    for time in seen {
                        merger.push(record(time));
                    }
                    read_to[cpu] = read_to[cpu].max(upto);
                }
                merger.end_round();
                while let Some(next) = merger.pop(false) {
                    out.push(next.time);
                }
            }
            let pushed = events.iter().filter(|(t, c)| *t < read_to[*c]).count();
            while let Some(next) = merger.pop(true) {
                out.push(next.time);
            }
            prop_assert_eq!(out.len(), pushed);
            prop_assert!(out.is_sorted());
        }
    }
}
