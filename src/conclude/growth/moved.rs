//! Work that moved: what one place lost and another on the same stacks took over, as where the compiler inlines differently.

use crate::heat::{Grown, Place};
use crate::stats::Interval;

/// For each place, the one that it changed places with: on the same stacks, as much the other way, as far as the intervals tell.
pub(super) fn partners(named: &[Grown], meet: impl Fn(&Place, &Place) -> bool) -> Vec<Option<usize>> {
    let partner = |one: &Grown| {
        let cancels = |other: &&(usize, &Grown)| cancel(&one.difference, &other.1.difference) && meet(&one.place, &other.1.place);
        let left = |(_, other): &(usize, &Grown)| (one.difference.median + other.difference.median).abs();
        let all = named.iter().enumerate().filter(|(_, other)| other.place != one.place);
        all.filter(|other| cancels(&other)).min_by(|a, b| left(a).total_cmp(&left(b))).map(|(at, _)| at)
    };
    named.iter().map(partner).collect()
}

/// True where the two have opposite signs and may add up to nothing.
fn cancel(one: &Interval, other: &Interval) -> bool {
    one.median * other.median < 0.0 && one.low + other.low <= 0.0 && one.high + other.high >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heat::{Share, Through};

    fn grown(owner: &str, difference: f64) -> Grown {
        Grown {
            place: Place { owner: Some(owner.into()), callee: None },
            is_part: false,
            difference: Interval { low: difference - 50.0, median: difference, high: difference + 50.0 },
            base: Share::new(0, 0),
            head: Share::new(0, 0),
            through: Through::Nothing,
        }
    }

    #[test]
    fn what_changed_places_on_one_stack_is_paired_and_nothing_else() {
        let named = [grown("caller", 900.0), grown("callee", -880.0), grown("other", -910.0), grown("small", -200.0)];
        let on_one_stack = |one: &Place, other: &Place| {
            let owners = [one.owner.as_deref(), other.owner.as_deref()];
            !owners.contains(&Some("other"))
        };
        assert_eq!(partners(&named, on_one_stack), [Some(1), Some(0), None, None]);
        assert_eq!(partners(&named, |_, _| true)[0], Some(2), "the one that leaves least");
        assert_eq!(partners(&named[2..], |_, _| true), [None, None], "the same way");
    }
}
