//! What is written about a cause, as data: how it shows, why it costs, what to do instead.
//!
//! Reads and completes what `catalogue/*.toml` says; does not match it with anything. Source: `reference/evidence-rules.md` §4.2.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::pattern::{self, Pattern};
use crate::sample::offcpu::Wait;

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Asking for and giving back memory.
    Alloc,
    /// Copying, zeroing and faulting memory.
    Memory,
    /// Instructions.
    Cpu,
    /// Other threads.
    Contention,
    /// Files, pipes, terminals.
    Io,
    /// Other machines.
    Network,
    /// A database, embedded or not.
    Database,
    /// An executor of futures.
    Async,
}

impl Family {
    /// Its name in the JSON contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alloc => "alloc",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Contention => "contention",
            Self::Io => "io",
            Self::Network => "network",
            Self::Database => "database",
            Self::Async => "async",
        }
    }
}

/// Which stacks show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Those of running threads.
    Cpu,
    /// Those of threads that wait.
    Blocked,
    /// Both.
    Both,
}

/// Which cause a stack is counted for when several fit: the highest level, then the frame nearest to the leaf, then the order of
/// the catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What anything may do underneath: allocate, copy. Counts where nothing better is known.
    General,
    /// How something is done: hash, compare, format.
    #[default]
    Mechanism,
    /// What was asked for as a whole: compile an expression, parse a tree. What it does underneath is a part of it.
    Operation,
    /// Where it was done: on a thread that others wait for, whatever it is.
    Place,
}

/// How long the fix takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Effort {
    /// Less than an hour.
    S,
    /// Less than a day.
    M,
    /// More than a day.
    L,
}

impl Effort {
    /// Its letter.
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::M => "M",
            Self::L => "L",
        }
    }

    /// What an impact is divided by, to put the cheap before the dear.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::S => 1.0,
            Self::M => 2.0,
            Self::L => 4.0,
        }
    }

    /// What the letter means.
    pub fn words(self) -> &'static str {
        match self {
            Self::S => "less than an hour",
            Self::M => "less than a day",
            Self::L => "more than a day",
        }
    }
}

/// Something that is counted of a whole workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counter {
    /// Page faults without I/O per CPU second.
    Faults,
    /// Reads and writes per CPU second.
    Calls,
    /// Reads per CPU second.
    Reads,
    /// Writes per CPU second.
    Writes,
    /// Bytes per read or write.
    BytesPerCall,
    /// Bytes written per voluntary context switch: each sync that waits is one at least, so that no sync has fewer on average.
    BytesPerSync,
    /// Voluntary context switches per CPU second.
    Switches,
    /// Threads that began, or were seen where nobody was told, per second of the run.
    ThreadsPerSecond,
    /// Most threads at once.
    Threads,
    /// Threads that ran or were ready to run, on average.
    Runnable,
    /// Share of the CPU time in the kernel.
    KernelShare,
}

/// What a counter must be; both ends may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At least this.
    pub min: Option<f64>,
    /// At most this.
    pub max: Option<f64>,
}

impl Bounds {
    /// True when the value lies within.
    pub fn hold(self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// A cause as `catalogue/*.toml` describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `S05`.
    pub id: String,
    /// `siphash-small-keys`.
    pub name: String,
    /// What kind of trouble it is.
    pub class: Family,
    /// A few words.
    pub title: String,
    /// One sentence: why this costs more than it has to.
    pub why: String,
    /// Which of several causes a stack is counted for.
    #[serde(default)]
    pub level: Level,
    /// Which stacks show it.
    pub on: On,
    /// True when what std calls back in the workspace, a comparison or a closure, is part of it: its owner is who asked for it.
    #[serde(default)]
    pub callbacks: bool,
    /// Patterns of function names; any frame between the leaf and the owner may fit. `@alloc` stands for a family of `families.toml`.
    pub frames: Vec<String>,
    /// Patterns, one of which must fit a frame further out than the one that fits `frames`; none asks for nothing.
    #[serde(default)]
    pub under: Vec<String>,
    /// Patterns, none of which may fit a frame between the leaf and who asked for it in the workspace.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Patterns, none of which may fit any frame of the stack.
    #[serde(default)]
    pub nowhere: Vec<String>,
    /// What a waiting thread must wait for; none asks for nothing.
    #[serde(default)]
    pub waits: Vec<Wait>,
    /// What must be counted of the workload; what is not known is not met.
    #[serde(default)]
    pub counters: BTreeMap<Counter, Bounds>,
    /// What must be counted for the kernel's time of the workload to be its doing: samples show user code only. None of it where
    /// nothing is asked.
    #[serde(default)]
    pub kernel: BTreeMap<Counter, Bounds>,
    /// True when page faults are its doing: where they hold the workload up, the stacks of the faults say for whom, and what they
    /// take of the kernel's time counts.
    #[serde(default)]
    pub faults: bool,
    /// True when the frame that fits must not be inlined, as in a build without optimization.
    #[serde(default)]
    pub physical: bool,
    /// Share of the work time below which it is not told, whatever else holds.
    pub min_share: f64,
    /// What part of its share a fix usually wins back, from and to.
    pub recoverable: (f64, f64),
    /// How long the first fix takes.
    pub effort: Effort,
    /// What to do, best ratio of impact to effort first.
    pub fixes: Vec<String>,
    /// A few lines of code; `{owner}` stands for the user's function.
    pub sketch: String,
    /// Why no stack or counter of this tool can show it; `None` for what can be shown.
    #[serde(default)]
    pub needs: Option<String>,
}

impl Entry {
    /// The sketch for a function of the user's.
    pub fn sketch_for(&self, owner: &str) -> String {
        self.sketch.trim_end().replace("{owner}", owner)
    }

    /// The long text of `cargo perf-expert explain`.
    pub fn explain(&self) -> String {
        let mut text = format!("{} {}\n\n{}.\n", self.id, self.name, self.title);
        section(&mut text, "Why it costs", std::slice::from_ref(&self.why));
        section(&mut text, "How it shows", &self.signs());
        let numbered: Vec<String> = (1..).zip(&self.fixes).map(|(at, fix)| format!("{at}. {fix}")).collect();
        section(&mut text, &format!("What to do instead (effort {}: {})", self.effort.name(), self.effort.words()), &numbered);
        let (low, high) = self.recoverable;
        let gain = format!("{:.0} to {:.0} % of its share is usually won back (estimate)", low * 100.0, high * 100.0);
        section(&mut text, "What it brings", &[gain]);
        let sketch: Vec<String> = self.sketch_for("your_function").lines().map(str::to_owned).collect();
        section(&mut text, "Sketch", &sketch);
        text
    }

    fn signs(&self) -> Vec<String> {
        if let Some(needs) = &self.needs {
            return vec![format!("not by this tool: {needs}")];
        }
        let stacks = match self.on {
            On::Cpu => "stacks of running threads",
            On::Blocked => "stacks of waiting threads",
            On::Both => "stacks of running and of waiting threads",
        };
        let mut signs = vec![format!("at least {:.0} % of the work time, by {stacks} with one of:", self.min_share * 100.0)];
        signs.extend(self.frames.iter().map(|frame| format!("  {frame}")));
        let lists = [("called by one of:", &self.under), ("and none of:", &self.unless), ("and nowhere one of:", &self.nowhere)];
        for (title, patterns) in lists.into_iter().filter(|(_, patterns)| !patterns.is_empty()) {
            signs.push(title.into());
            signs.extend(patterns.iter().map(|frame| format!("  {frame}")));
        }
        signs.extend(self.counters.iter().map(|(counter, bounds)| format!("and {}", counter.words(*bounds))));
        if self.faults {
            signs.push("or, where page faults hold the workload up, the stacks of the faults, whatever they show".into());
        }
        if !self.kernel.is_empty() {
            signs.push("the kernel's time counts in proportion to its calls (an estimate) with:".into());
            signs.extend(self.kernel.iter().map(|(counter, bounds)| format!("  {}", counter.words(*bounds))));
        }
        signs
    }
}

impl Counter {
    /// `at least 60000 page faults per CPU second`.
    fn words(self, bounds: Bounds) -> String {
        let what = match self {
            Self::Faults => "page faults per CPU second",
            Self::Calls => "reads and writes per CPU second",
            Self::Reads => "reads per CPU second",
            Self::Writes => "writes per CPU second",
            Self::BytesPerCall => "bytes per read or write",
            Self::BytesPerSync => "bytes written per sync, counted by the times that it waited",
            Self::Switches => "voluntary switches per CPU second",
            Self::ThreadsPerSecond => "threads per second",
            Self::Threads => "threads at once",
            Self::Runnable => "threads running or ready to run, on average",
            Self::KernelShare => "of the CPU time in the kernel (as a fraction)",
        };
        let ends = [("at least", bounds.min), ("at most", bounds.max)];
        let ends: Vec<String> = ends.iter().filter_map(|(word, end)| Some(format!("{word} {}", (*end)?))).collect();
        format!("{} {what}", ends.join(" and "))
    }
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    let _ = writeln!(text, "\n{title}:");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// One file of the catalogue.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) cause: Vec<Entry>,
    #[serde(default)]
    pub(super) families: BTreeMap<String, Vec<String>>,
}

/// What a list of patterns stands for, families written out; the name of a family that nobody wrote down is an error.
pub(super) fn written_out(list: &[String], families: &BTreeMap<String, Vec<String>>) -> Result<Vec<Pattern>, String> {
    let mut all = Vec::new();
    for text in list {
        match text.strip_prefix('@') {
            Some(family) => {
                let members = families.get(family).ok_or_else(|| format!("no family is called `{family}`"))?;
                all.extend(members.iter().flat_map(|member| pattern::patterns(member)));
            }
            None => all.extend(pattern::patterns(text)),
        }
    }
    Ok(all)
}
