//! Records again with other options when the first recording says that it must.

use super::advice::MOST_TRUNCATED;
use super::{Recording, SampleError, SampleOptions, record};
use crate::process::{Launch, Limits};
use crate::profile::Quality;

/// The rate at which threads that live for a fraction of a millisecond begin to show (`reference/sampling.md` G1:
/// 3 samples at 999 Hz, 1601 at 4999 Hz).
const HIGH_FREQUENCY: u64 = 4999;

/// The rate for large stack copies: the buffer holds only 8 samples of 64 KiB.
const LOW_FREQUENCY: u64 = 499;

/// Above this share of incomplete stacks, half measures will not do: copy as much as the kernel allows.
const MANY_TRUNCATED: f64 = 0.30;

/// Records with the given options, once more at 4999 Hz if the samples cover less than 70 % of the CPU time, and once more
/// with a larger stack copy (and a lower rate) if over 2 % of the stacks are incomplete. Returns the best recording:
/// a rerun that failed or is no better is dropped.
pub fn record_well(launch: &Launch, limits: &Limits, options: &SampleOptions) -> Result<Recording, SampleError> {
    improve(*options, |options| record(launch, limits, options))
}

fn improve(
    options: SampleOptions,
    mut run: impl FnMut(&SampleOptions) -> Result<Recording, SampleError>,
) -> Result<Recording, SampleError> {
    let mut best = run(&options)?;
    let mut used = options;
    for next in [more_often, more_stack, more_stack] {
        // A run that failed would fail again, and what it did is all there is to see.
        if !best.finished.success() {
            break;
        }
        let Some(options) = next(&best.profile.quality, &used) else { continue };
        let again = run(&options)?;
        if again.finished.success() && better(&again.profile.quality, &best.profile.quality) {
            (best, used) = (again, options);
        }
        // What was not enough is not asked for again.
        used.stack_bytes = options.stack_bytes;
    }
    Ok(best)
}

fn more_often(quality: &Quality, used: &SampleOptions) -> Option<SampleOptions> {
    let low = quality.coverage().is_some_and(|coverage| coverage < Quality::LEAST_COVERAGE);
    (low && used.frequency < HIGH_FREQUENCY).then_some(SampleOptions { frequency: HIGH_FREQUENCY, ..*used })
}

fn more_stack(quality: &Quality, used: &SampleOptions) -> Option<SampleOptions> {
    let share = quality.truncated_share();
    let wanted = if share > MANY_TRUNCATED { SampleOptions::MAX_STACK } else { 32 << 10 };
    let stack_bytes = wanted.max(used.stack_bytes.saturating_mul(2)).min(SampleOptions::MAX_STACK);
    // Where the high rate was needed to see the threads at all, going back down would lose them again.
    let frequency = if used.frequency >= HIGH_FREQUENCY { used.frequency } else { used.frequency.min(LOW_FREQUENCY) };
    (share > MOST_TRUNCATED && used.stack_bytes < stack_bytes).then_some(SampleOptions { frequency, stack_bytes })
}

/// Fewer defects that matter; equal ones keep the earlier recording.
fn better(new: &Quality, old: &Quality) -> bool {
    let missing = |q: &Quality| q.coverage().map_or(0.0, |coverage| (Quality::LEAST_COVERAGE - coverage).max(0.0));
    let cut = |q: &Quality| (q.truncated_share() - MOST_TRUNCATED).max(0.0);
    missing(new) + cut(new) < missing(old) + cut(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Finished;
    use crate::profile::{Engine, ProfileBuilder};

    fn recording(samples: u64, truncated: u64, frequency: u64, code: i32) -> Recording {
        let cpu_ns = Some(1_000_000_000);
        let quality = Quality { engine: Engine::PerfEvent, samples, frequency, lost: 0, truncated, cpu_ns, wall_ns: 1 };
        let finished = Finished {
            code: Some(code),
            signal: None,
            timed_out: false,
            pid: 1,
            wall: std::time::Duration::from_secs(1),
            usage: None,
            first_thread: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            survivors: 0,
        };
        Recording { profile: ProfileBuilder::new().finish(quality), finished, observed: None, faults: None }
    }

    /// Replays recordings and notes the options that each was asked with.
    fn replay(recordings: Vec<Recording>) -> (Vec<(u64, u32)>, Recording) {
        let mut asked = Vec::new();
        let mut left = recordings.into_iter();
        let best = improve(SampleOptions::default(), |options| {
            asked.push((options.frequency, options.stack_bytes));
            Ok(left.next().unwrap())
        });
        (asked, best.unwrap())
    }

    #[test]
    fn a_good_recording_is_the_only_one() {
        assert_eq!(replay(vec![recording(990, 5, 999, 0)]).0, [(999, 16384)]);
    }

    #[test]
    fn thread_churn_is_sampled_again_at_a_higher_rate() {
        let (asked, best) = replay(vec![recording(3, 0, 999, 0), recording(1600, 0, 4999, 0)]);
        assert_eq!(asked, [(999, 16384), (4999, 16384)]);
        assert_eq!(best.profile.quality.samples, 1600);
    }

    #[test]
    fn cut_stacks_are_sampled_again_with_more_stack() {
        let (asked, best) = replay(vec![recording(990, 700, 999, 0), recording(500, 0, 499, 0)]);
        assert_eq!(asked, [(999, 16384), (499, 65528)]);
        assert_eq!(best.profile.quality.truncated, 0);
        let (asked, _) = replay(vec![recording(990, 50, 999, 0), recording(500, 20, 499, 0), recording(500, 0, 499, 0)]);
        assert_eq!(asked[1..], [(499, 32768), (499, 65528)]);
    }

    #[test]
    fn a_rerun_that_fails_or_is_no_better_is_dropped() {
        let (_, best) = replay(vec![recording(990, 700, 999, 0), recording(500, 0, 499, 3)]);
        assert_eq!(best.profile.quality.samples, 990);
        let (_, best) = replay(vec![recording(990, 100, 999, 0), recording(500, 400, 499, 0), recording(500, 450, 499, 0)]);
        assert_eq!(best.profile.quality.samples, 990);
    }

    #[test]
    fn a_run_that_failed_is_not_repeated() {
        assert_eq!(replay(vec![recording(3, 3, 999, 101)]).0.len(), 1);
    }
}
