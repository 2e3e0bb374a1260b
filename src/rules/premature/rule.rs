//! What is written about `PE-101`.

use crate::rules::rule::Rule;

/// `PE-101`.
pub(in crate::rules) static RULE: Rule = Rule {
    id: "PE-101",
    name: "optimization-without-baseline",
    summary: "A change for speed without a measurement from before, or with a claim that does not hold",
    meaning: "A commit says that it is for speed (or what it adds looks so), but no valid measurement from before reaches\n\
              the function; or the commit claims a number (\"2x faster\"), and the measurement says otherwise.",
    evidence: "1. Intent: the subject, a `perf:` commit, a numeric claim; only commits that touch the function's file count.\n\
               2. No base measurement, one that does not fit (toolchain, profile, host), or none that runs the function:\n\
               a warning; an info if only tokens suggest the intent, or if the change is a better algorithm.\n\
               3. A claim about time that the commit makes for itself: in its subject or, under a subject about speed, in a\n\
               line such as \"Speedup: 2x\". What is negated, past, hypothetical or said of something else is no claim.\n\
               It is held against the measured interval of the best workload, read in the writer's favour: only the\n\
               function's share of the workload has to get faster. Contradicted, or identical machine code: an error (a\n\
               warning if other commits touch the same files, if `cfg` may leave the code out, or if it says \"up to\").\n\
               Kept, too close to tell, about some input only, or about something else: an info.",
    fires: &[
        "`perf: avoid clone in Router::match_route`, and no benchmark runs `match_route`",
        "\"about 2x faster\", measured 0.99x [0.97, 1.02] in a benchmark that spends 90 % in the function",
        "the stored baseline was made with another rustc, and the base could not be built again",
        "`#[inline(always)]` and `get_unchecked` added under the subject \"cleanup\" (an info)",
    ],
    silent: &[
        "a `perf:` commit whose function is measured at base",
        "\"improve performance docs\", \"add latency metric\", \"use optimistic locking\"",
        "an optimization that adds its own benchmark: the base is built and measured with it",
        "a revert, a merge, a simplification that removes `.clone()` and claims nothing",
        "\"30 % fewer allocations\": no clock can check that, so it is not held against one",
    ],
    fix: "Measure first: `cargo perf-expert verify` builds the base and measures it by itself. If no workload runs the\n\
          function, add a benchmark that does. If a claim does not hold, correct it, or add the input for which it does.",
    suppress: "// perf-expert: allow(PE-101): measured in the downstream crate, see #123\n\
               or, in [workspace.metadata.perf-expert]: allow = [{ rule = \"PE-101\", path = \"src/gen/*\", reason = \"…\" }]",
    thresholds: &[
        ("claim", "90 % of the promised gain, times the function's share, must lie within the interval"),
        ("smallest claim that is checked", "the margin of the run (2 %)"),
        ("tokens alone", "log2 likelihood ratios that sum to 5.5 (precision about 30 %)"),
    ],
};
