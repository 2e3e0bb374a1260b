//! The differential flame graph: two profiles of one workload on one scale, the time of an iteration.

use inferno::differential;
use inferno::flamegraph::{Options, from_lines};

use super::flamegraph::FlamegraphError;
use super::folded;
use super::model::Profile;
use crate::figures;

/// A side: its profile, and how long the sampled part of an iteration takes there, nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What was sampled.
    pub profile: &'a Profile,
    /// How long an iteration takes.
    pub ns: f64,
}

/// Longer times are drawn in nanoseconds, shorter ones in picoseconds: a single sample must not be rounded away.
const SHORT_NS: f64 = 1e6;

/// Draws the SVG. Widths are the time of the slower side, so that whatever was added or is gone there is in sight; red takes longer
/// at head, blue shorter, in the function's own code. The same input gives the same bytes.
pub fn svg(id: &str, base: Side<'_>, head: Side<'_>) -> Result<Vec<u8>, FlamegraphError> {
    if base.profile.samples() == 0 || head.profile.samples() == 0 {
        return Err(FlamegraphError::Empty);
    }
    let slower_at_head = head.ns >= base.ns;
    let (unit, per_ns) = if base.ns.min(head.ns) < SHORT_NS { ("ps", 1000.0) } else { ("ns", 1.0) };
    let folded = |side: Side<'_>| folded::scaled(side.profile, side.ns * per_ns / side.profile.samples() as f64);
    let (of_base, of_head) = (folded(base), folded(head));
    let (before, after) = if slower_at_head { (&of_base, &of_head) } else { (&of_head, &of_base) };
    let mut both = Vec::new();
    differential::from_readers(differential::Options::default(), before.as_bytes(), after.as_bytes(), &mut both)
        .map_err(FlamegraphError::Render)?;
    let text = String::from_utf8_lossy(&both);
    let mut options = Options::default();
    let wide = if slower_at_head { "head" } else { "base" };
    options.title = format!("{id}: head compared with base, widths of {wide}");
    options.subtitle = Some(subtitle(&base, &head, wide));
    options.count_name = format!("{unit} per iteration");
    options.deterministic = true;
    // From head's side, whichever side is drawn.
    options.negate_differentials = !slower_at_head;
    let mut out = Vec::new();
    from_lines(&mut options, text.lines(), &mut out).map_err(FlamegraphError::Render)?;
    Ok(out)
}

fn subtitle(base: &Side<'_>, head: &Side<'_>, wide: &str) -> String {
    let side = |side: &Side<'_>| {
        format!("{} ({})", figures::quantity(side.ns, "ns"), figures::counted(side.profile.samples() as usize, "sample"))
    };
    format!(
        "sampled time of an iteration: base {}, head {}; width: time at {wide}; red: itself longer at head, blue: shorter",
        side(base),
        side(head)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(base: (&str, f64), head: (&str, f64)) -> String {
        let (of_base, of_head) = (folded::read(base.0).unwrap(), folded::read(head.0).unwrap());
        let (base, head) = (Side { profile: &of_base, ns: base.1 }, Side { profile: &of_head, ns: head.1 });
        String::from_utf8(svg("parse/large", base, head).unwrap()).unwrap()
    }

    #[test]
    fn widths_are_the_time_of_the_slower_side_and_differences_that_of_an_iteration() {
        // 60 of 100 samples of 10 ms, then 80 of 200 of 20 ms: `sort` went from 6 to 8 ms, `hash` from 4 to 12.
        let text = drawn(("main;sort 60\nmain;hash 40\n", 10e6), ("main;sort 80\nmain;hash 120\n", 20e6));
        for part in [
            "widths of head",
            "base 10.00 ms (100 samples), head 20.00 ms (200 samples)",
            "sort (8,000,000 ns per iteration, 40.00%; +10.00%)",
            "hash (12,000,000 ns per iteration, 60.00%; +40.00%)",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn an_improvement_shows_what_is_gone_in_blue() {
        let text = drawn(("main;sort 50\nmain;gone 50\n", 20e6), ("main;sort 100\n", 10e6));
        assert!(
            text.contains("widths of base") && text.contains("gone (10,000,000 ns per iteration, 50.00%; -50.00%)"),
            "{text}"
        );
        assert!(text.contains("sort (10,000,000 ns per iteration, 50.00%; 0.00%)"), "{text}");
    }

    #[test]
    fn equal_profiles_differ_nowhere_and_short_times_are_not_rounded_away() {
        let text = drawn(("main;sort 60\nmain;hash 40\n", 20.0), ("main;sort 60\nmain;hash 40\n", 20.0));
        assert!(text.contains("sort (12,000 ps per iteration, 60.00%; 0.00%)"), "{text}");
        assert_eq!(text, drawn(("main;sort 60\nmain;hash 40\n", 20.0), ("main;sort 60\nmain;hash 40\n", 20.0)));
    }

    #[test]
    fn without_samples_there_is_no_picture() {
        let (some, none) = (folded::read("main 3\n").unwrap(), folded::read("").unwrap());
        let drawn = svg("x", Side { profile: &none, ns: 1.0 }, Side { profile: &some, ns: 1.0 });
        assert!(matches!(drawn, Err(FlamegraphError::Empty)));
    }
}
