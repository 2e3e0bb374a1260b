//! The profile of one workload: every distinct frame and stack once, with counts.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// What stands for a function or module that nothing names.
pub const UNKNOWN: &str = "[unknown]";

/// What took the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// `perf_event_open` from this process.
    #[serde(rename = "perf_event")]
    PerfEvent,
    /// pprof-rs inside of the program: the preloaded agent, or the profiler for criterion benches.
    PprofAgent,
    /// Read from a file that another tool wrote.
    Imported,
    /// Nothing sampled.
    None,
}

impl Engine {
    /// Its word in the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::PerfEvent => "perf_event",
            Self::PprofAgent => "pprof-agent",
            Self::Imported => "imported",
            Self::None => "none",
        }
    }
}

/// One source-level frame; a physical frame with inlined calls becomes several of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// Normalized function name (`profile::normalize`); `[unknown]` when nothing names the address.
    pub function: String,
    /// Absolute source file, as DWARF gives it.
    pub file: Option<String>,
    /// Line in `file` of this frame's position: the sampled line at the leaf, the call line further out. `None` for line 0.
    pub line: Option<u32>,
    /// Name of the mapped file (`parse-3f2c1aa`, `libc.so.6`, `[vdso]`).
    pub module: String,
    /// True when the compiler inlined this function into the next outer frame.
    pub inlined: bool,
}

/// Index into [`Profile::frames`].
pub type FrameId = u32;

/// A distinct call stack and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Frames, leaf first, inline frames expanded.
    pub frames: Vec<FrameId>,
    /// Samples that showed exactly this stack.
    pub count: u64,
}

/// How far the samples can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// What took the samples.
    pub engine: Engine,
    /// Samples taken.
    pub samples: u64,
    /// Samples per second of CPU time that the engine was set to: what was asked for, within what it can do here.
    pub frequency: u64,
    /// Samples that were due and not taken: the ring was full, or the agent was busy with another thread.
    pub lost: u64,
    /// Samples whose stack did not reach a root.
    pub truncated: u64,
    /// CPU time of the target in the modes that the engine samples (user; for the pprof agent also the kernel's), nanoseconds, as
    /// the kernel accounts it; `None` when not accounted.
    pub cpu_ns: Option<u64>,
    /// Wall time of the sampled run, nanoseconds.
    pub wall_ns: u64,
}

impl Quality {
    /// Share of the target's user CPU time that the samples stand for (samples × period ÷ CPU time); may exceed 1 by noise.
    pub fn coverage(&self) -> Option<f64> {
        let cpu = self.cpu_ns.filter(|&ns| ns > 0)?;
        (self.frequency > 0).then(|| self.samples as f64 * 1e9 / self.frequency as f64 / cpu as f64)
    }

    /// [`Self::coverage`] where it says something; `None` where more time was sampled than the kernel's ticks have accounted: what
    /// runs in short bursts falls between them.
    pub fn known_coverage(&self) -> Option<f64> {
        self.coverage().filter(|&coverage| coverage <= Self::MOST_COVERAGE)
    }

    /// Beyond this, more samples than CPU time are no noise of two clocks any more.
    pub const MOST_COVERAGE: f64 = 1.1;

    /// Time in user code that the samples stand for, nanoseconds; `None` where the engine samples the kernel's time as well.
    pub fn sampled_user_ns(&self) -> Option<u64> {
        let of_user = self.engine == Engine::PerfEvent && self.frequency > 0;
        of_user.then(|| (self.samples as f64 * 1e9 / self.frequency as f64) as u64)
    }

    /// Below this coverage the samples miss whole threads (`reference/sampling.md` G1).
    pub const LEAST_COVERAGE: f64 = 0.70;

    /// Share of the CPU time that no sample stands for, and of which nobody knows whose it is: 0 where the coverage is good (the
    /// clock of the samples and that of the account differ by some per cent) or not known.
    pub fn unseen(&self) -> f64 {
        self.coverage().filter(|&coverage| coverage < Self::LEAST_COVERAGE).map_or(0.0, |coverage| 1.0 - coverage)
    }

    /// Samples per second of CPU time that were really taken; what was set where the CPU time is not known.
    pub fn rate(&self) -> u64 {
        let reached = self.cpu_ns.filter(|&ns| ns > 0).map(|ns| (self.samples as f64 * 1e9 / ns as f64).round() as u64);
        reached.map_or(self.frequency, |reached| reached.min(self.frequency))
    }

    /// Share of samples whose stack is incomplete.
    pub fn truncated_share(&self) -> f64 {
        if self.samples == 0 { 0.0 } else { self.truncated as f64 / self.samples as f64 }
    }
}

/// A piece of machine code that carries several functions' names (merged or folded equal functions): samples in it may
/// belong to any of them, whichever name the frame shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alias {
    /// The normalized name that frames show.
    pub function: String,
    /// The file that holds it, as in [`Frame::module`].
    pub module: String,
    /// The other normalized names at the same address, sorted.
    pub others: Vec<String>,
}

/// The stacks of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Every distinct frame.
    pub frames: Vec<Frame>,
    /// Every distinct stack; counts sum to `quality.samples`.
    pub stacks: Vec<Stack>,
    /// How far to trust it.
    pub quality: Quality,
    /// Sampled functions whose code other functions share, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// Where the counts are weights (nanoseconds, cycles) and no samples: how many records carry them. Intervals rest on these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

/// Builds a [`Profile`], interning frames and stacks.
#[derive(Debug, Default)]
pub struct ProfileBuilder {
    frames: Vec<Frame>,
    frame_ids: HashMap<Frame, FrameId>,
    stacks: HashMap<Vec<FrameId>, u64>,
    aliases: BTreeSet<Alias>,
    records: Option<u64>,
}

impl ProfileBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of a frame, the same for equal frames.
    pub fn frame(&mut self, frame: Frame) -> FrameId {
        if let Some(&id) = self.frame_ids.get(&frame) {
            return id;
        }
        let id = self.frames.len() as FrameId;
        self.frames.push(frame.clone());
        self.frame_ids.insert(frame, id);
        id
    }

    /// Adds `count` samples of a stack, leaf first.
    pub fn stack(&mut self, frames: Vec<FrameId>, count: u64) {
        *self.stacks.entry(frames).or_insert(0) += count;
    }

    /// Notes that a function shares its code with others.
    pub fn alias(&mut self, alias: Alias) {
        self.aliases.insert(alias);
    }

    /// Says that the counts are weights, carried by this many records.
    pub fn weighted(&mut self, records: u64) {
        self.records = Some(records);
    }

    /// The profile, stacks in a reproducible order (most frequent first).
    pub fn finish(self, quality: Quality) -> Profile {
        let mut stacks: Vec<Stack> = self.stacks.into_iter().map(|(frames, count)| Stack { frames, count }).collect();
        stacks.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.frames.cmp(&b.frames)));
        Profile { frames: self.frames, stacks, quality, aliases: self.aliases.into_iter().collect(), records: self.records }
    }
}

impl Profile {
    /// Samples in all stacks; the summed weight where the counts are weights.
    pub fn samples(&self) -> u64 {
        self.stacks.iter().map(|stack| stack.count).sum()
    }

    /// The frames of a stack, leaf first.
    pub fn frames_of<'a>(&'a self, stack: &'a Stack) -> impl DoubleEndedIterator<Item = &'a Frame> {
        stack.frames.iter().filter_map(|&id| self.frames.get(id as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_sampled_time_over_cpu_time() {
        let quality = Quality {
            engine: Engine::PerfEvent,
            samples: 900,
            frequency: 1000,
            lost: 0,
            truncated: 9,
            cpu_ns: Some(1_000_000_000),
            wall_ns: 1,
        };
        assert!((quality.coverage().unwrap() - 0.9).abs() < 1e-9);
        assert!((quality.truncated_share() - 0.01).abs() < 1e-9);
        assert_eq!((quality.known_coverage(), quality.sampled_user_ns()), (quality.coverage(), Some(900_000_000)));
    }

    #[test]
    fn a_coarse_account_of_cpu_time_covers_nothing() {
        let quality = |cpu_ns, engine| Quality {
            engine,
            samples: 300,
            frequency: 1000,
            lost: 0,
            truncated: 0,
            cpu_ns: Some(cpu_ns),
            wall_ns: 1,
        };
        assert_eq!(quality(200_000_000, Engine::PerfEvent).known_coverage(), None);
        assert!(quality(295_000_000, Engine::PerfEvent).known_coverage().is_some_and(|coverage| coverage > 1.0));
        assert_eq!(quality(295_000_000, Engine::PprofAgent).sampled_user_ns(), None);
    }
}
