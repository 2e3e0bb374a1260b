//! What the CPU samples alone say about memory: the allocator's share and that of copying.

use serde::{Deserialize, Serialize};

use crate::profile::model::UNKNOWN;
use crate::profile::{Frame, Profile};

/// Shares of the CPU samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OnCpu {
    /// Samples.
    pub samples: u64,
    /// Sampled time over user CPU time; `None` when not known.
    pub coverage: Option<f64>,
    /// Time in user code that the samples stand for, nanoseconds; `None` where the engine samples the kernel's time as well, and in
    /// older stores.
    #[serde(default)]
    pub sampled_ns: Option<u64>,
    /// Share of the samples inside of the allocator.
    pub allocator: f64,
    /// Share of the samples inside of `memcpy`, `memmove` and `memset`.
    pub copying: f64,
    /// Share of the samples under criterion's batched loops, whose batches are allocated and dropped outside of what is timed.
    #[serde(default)]
    pub batched: f64,
}

/// Entries of allocators; what they call in the same library belongs to them.
const ALLOCATOR: [&str; 14] = [
    "malloc",
    "free",
    "cfree",
    "calloc",
    "realloc",
    "__rust_alloc",
    "__rust_dealloc",
    "__rust_realloc",
    "__rdl_alloc",
    "__rdl_dealloc",
    "_int_malloc",
    "_int_free",
    "_int_realloc",
    "malloc_consolidate",
];

/// Beginnings of their names in other allocators.
const ALLOCATOR_BEGINNINGS: [&str; 5] = ["je_", "_rjem_", "mi_", "_mi_", "tc_"];

const COPYING: [&str; 3] = ["memcpy", "memmove", "memset"];

/// What calls them, as the compiler inlines it.
const INLINED_COPYING: [&str; 3] = ["core::ptr::copy_nonoverlapping", "core::ptr::copy", "core::ptr::write_bytes"];

impl OnCpu {
    /// Reads a profile.
    pub fn of(profile: &Profile) -> Self {
        let samples = profile.samples();
        let share = |hit: fn(&[&Frame]) -> bool| {
            let hits = profile.stacks.iter().filter(|stack| hit(&profile.frames_of(stack).collect::<Vec<_>>()));
            if samples == 0 { 0.0 } else { hits.map(|stack| stack.count).sum::<u64>() as f64 / samples as f64 }
        };
        Self {
            samples,
            coverage: profile.quality.known_coverage(),
            sampled_ns: profile.quality.sampled_user_ns(),
            allocator: share(allocates),
            copying: share(copies),
            batched: share(is_batched),
        }
    }
}

/// The leaf and what it is inlined into, or called from within the C library.
fn innermost<'a>(stack: &'a [&'a Frame]) -> impl Iterator<Item = &'a Frame> {
    let end = stack.iter().position(|frame| !frame.inlined && !frame.module.starts_with("libc.")).unwrap_or(stack.len());
    stack.iter().take(end + 1).copied()
}

fn allocates(stack: &[&Frame]) -> bool {
    innermost(stack).any(|frame| {
        let name = last(&frame.function);
        ALLOCATOR.contains(&name) || ALLOCATOR_BEGINNINGS.iter().any(|start| name.starts_with(start))
    })
}

fn copies(stack: &[&Frame]) -> bool {
    let is_copy = |frame: &&Frame| {
        let name = last(&frame.function).trim_start_matches('_');
        COPYING.iter().any(|start| name.starts_with(start))
    };
    // A stripped C library does not name its variants for each processor; what the compiler inlined above them does.
    let nameless = |frame: &&&Frame| frame.function == UNKNOWN && frame.module.starts_with("libc.");
    let caller = stack.first().filter(nameless).and_then(|_| stack.get(1));
    stack.first().is_some_and(is_copy) || caller.is_some_and(|frame| INLINED_COPYING.contains(&frame.function.as_str()))
}

/// `Bencher::iter_batched`, `iter_batched_ref`, `iter_with_setup`, `iter_with_large_drop`, `iter_with_large_setup`.
fn is_batched(stack: &[&Frame]) -> bool {
    let batches = |name: &str| name.starts_with("iter_batched") || name.starts_with("iter_with_");
    stack.iter().any(|frame| frame.function.contains("criterion") && batches(last(&frame.function)))
}

fn last(function: &str) -> &str {
    function.rsplit("::").next().unwrap_or(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, module: &str) -> Frame {
        Frame { function: function.into(), file: None, line: None, module: module.into(), inlined: false }
    }

    #[test]
    fn what_the_allocator_calls_is_the_allocator_s() {
        let (inner, entry, user) = (frame("[unknown]", "libc.so.6"), frame("malloc", "libc.so.6"), frame("x::f", "x"));
        assert!(allocates(&[&inner, &entry, &user]) && allocates(&[&frame("__rustc::__rust_alloc", "x"), &user]));
        assert!(!allocates(&[&user, &entry]), "a callback of the allocator is the user's");
        let looped = frame("criterion::bencher::Bencher::iter_batched_ref", "x");
        assert!(is_batched(&[&user, &looped]) && !is_batched(&[&user, &frame("criterion::bencher::Bencher::iter", "x")]));
        let (nameless, copy) = (frame("[unknown]", "libc.so.6"), frame("core::ptr::copy_nonoverlapping", "x"));
        assert!(copies(&[&nameless, &copy, &user]) && !copies(&[&nameless, &user]) && !copies(&[&user, &copy]));
        assert!(copies(&[&frame("__memmove_avx_unaligned_erms", "libc.so.6"), &user]) && !copies(&[&user]));
    }
}
