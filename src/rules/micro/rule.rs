//! What is written about `PE-201`.

use crate::rules::rule::Rule;

/// `PE-201`.
pub(crate) static RULE: Rule = Rule {
    id: "PE-201",
    name: "speculative-micro-optimization",
    summary: "Costly code was added where measured time shows that it cannot pay",
    meaning: "The change adds something that is costlier to own than plain code (`unsafe`, unchecked access, SIMD,\n\
              `#[inline(always)]`, a lookup table, another hasher, rayon, a cache) to a function that runs, but in which\n\
              next to no time is spent. By Amdahl's law, removing a share p of the time gains at most 1/(1-p).",
    evidence: "1. The token is a net addition, counted on Rust's tokens on both sides; code that only moved is not counted.\n\
               2. The function is cold: the upper end of its share is below 1 %, and it is proven to run.\n\
               Unsafe code that only speed explains (unchecked access, raw copies, uninitialized memory, vector\n\
               instructions) is an error in a cold function. Any other costly token there is a warning, and so is a\n\
               plain `unsafe`: it may call what has no safe form. In a function that no workload exercises, or whose\n\
               share is uncertain, it is an info. Cheap or moderate tokens (`SmallVec`, bit tricks) speak only if a\n\
               commit says that the change is for speed.",
    fires: &[
        "`get_unchecked` in a config parser that holds 0.03 % of the time",
        "`#[inline(always)]` on `fn build_error_message`",
        "`FxHashMap` in place of `HashMap` for a table of twelve command-line arguments",
        "`par_iter()` over 64 items in a function that holds 0.2 % of the time",
    ],
    silent: &[
        "the same tokens in a function that is hot or warm, or whose workload got measurably faster",
        "`with_capacity`, `sort_unstable`, a borrow instead of a clone: they cost nothing to keep",
        "`unsafe` for FFI, pinning, the environment, raw descriptors or ownership across a pointer",
        "`unsafe { … }` blocks written into a function that was `unsafe` before",
        "`#[cold]` on an error constructor: it helps the caller",
        "unsafe code that moved from one function to another",
    ],
    fix: "Keep the plain form, and work where the time is: the message names the top function of the same workload.\n\
          If the function matters in a workload that is not measured here, add that workload.",
    suppress: "// perf-expert: allow(PE-201): startup path, 30 % of the cold start in prod-bench\n\
               or, in [workspace.metadata.perf-expert]: allow = [{ rule = \"PE-201\", fn = \"crate::cold::*\", reason = \"…\" }]",
    thresholds: &[
        ("cold", "upper end of the 95 % Wilson interval below 1 %, and executed (needs ~400 samples)"),
        ("table", "an array of numbers with at least 16 elements, indexed by something that is not a literal"),
    ],
};
