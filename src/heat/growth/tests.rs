//! Laws of naming: nothing without a difference, what grew by its name, and next to nothing by chance.

use proptest::prelude::*;

use super::*;
use crate::stats::SplitMix64;

const CHANGED: Through = Through::Change(3);

fn place(owner: &str, callee: Option<&str>) -> Place {
    Place { owner: Some(owner.into()), callee: callee.map(Into::into) }
}

fn places(counts: &[(&str, Option<&str>, u64)]) -> Places {
    let mut places = Places::default();
    for (owner, callee, count) in counts {
        places.add(place(owner, *callee), Through::Nothing, *count);
    }
    places
}

fn times(ratio: f64) -> Times {
    Times { base: 1000.0, ratio: Interval { low: ratio * 0.995, median: ratio, high: ratio * 1.005 }, untimed: false }
}

/// `samples` out of these weights.
fn drawn(weights: &[f64], samples: u64, random: &mut SplitMix64) -> Places {
    let total: f64 = weights.iter().sum();
    let mut places = Places::default();
    for _ in 0..samples {
        let mut left = random.unit() * total;
        let at = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let at = at.unwrap_or(0);
        places.add(place(&format!("owner{}", at / 3), Some(&format!("callee{at}"))), Through::Nothing, 1);
    }
    places
}

/// Shares as real profiles have them: few large, many small.
fn weights(n: usize) -> Vec<f64> {
    (1..=n).map(|rank| 1.0 / rank as f64).collect()
}

#[test]
fn what_grew_is_named_with_how_much_and_the_rest_is_not() {
    let base = places(&[("sort", None, 5000), ("hash", None, 3000), ("io", None, 2000)]);
    // 30 % more in `sort`, nothing elsewhere: 1150 in place of 1000.
    let head = places(&[("sort", None, 5652), ("hash", None, 2609), ("io", None, 1739)]);
    let found = growth(&base, &head, &times(1.15));
    let [sort] = found.named.as_slice() else { panic!("{found:?}") };
    assert_eq!((sort.place.owner.as_deref(), sort.is_part, sort.through), (Some("sort"), false, Through::Nothing));
    assert!(
        (sort.difference.median - 150.0).abs() < 1.0 && sort.difference.low > 80.0 && sort.difference.high < 220.0,
        "{sort:?}"
    );
}

#[test]
fn the_callee_that_holds_most_of_it_is_named_under_its_owner() {
    let base = places(&[("count", Some("sort"), 2000), ("count", None, 4000), ("io", None, 4000)]);
    let head = places(&[("count", Some("sort"), 5000), ("count", None, 4000), ("io", None, 4000)]);
    let found = growth(&base, &head, &times(1.3));
    assert_eq!(found.named.len(), 1, "{found:?}");
    assert_eq!(found.named[0].place, place("count", Some("sort")));
}

#[test]
fn what_takes_the_place_of_something_else_in_one_owner_is_named_as_well() {
    let base = places(&[("get", Some("hash"), 5000), ("io", None, 5000)]);
    let head = places(&[("get", Some("tree"), 5000), ("io", None, 5000)]);
    let found = growth(&base, &head, &times(1.0));
    let names: Vec<_> = found.named.iter().map(|one| (one.place.callee.as_deref(), one.difference.median > 0.0)).collect();
    assert_eq!(names.len(), 2, "{found:?}");
    assert!(names.contains(&(Some("tree"), true)) && names.contains(&(Some("hash"), false)), "{names:?}");
}

#[test]
fn what_inlined_functions_of_one_loop_take_from_each_other_is_named_only_with_a_change_on_it() {
    let named = |through: Through| {
        let side = |add: u64, mul: u64| {
            let mut side = places(&[("io", None, 5000)]);
            side.add(place("sum", Some("add")), through, add);
            side.add(place("sum", Some("mul")), through, mul);
            side
        };
        growth(&side(3000, 2000), &side(2000, 3000), &times(1.0)).named.len()
    };
    assert_eq!((named(Through::Nothing), named(CHANGED)), (0, 2));
}

#[test]
fn it_goes_through_the_changed_item_that_holds_most_of_the_difference() {
    let (mut base, mut head) = (places(&[("io", None, 5000)]), places(&[("io", None, 5000)]));
    base.add(place("sort", None), Through::Nothing, 2000);
    head.add(place("sort", None), Through::Nothing, 2000);
    head.add(place("sort", None), CHANGED, 3000);
    head.add(place("sort", None), Through::Change(9), 10);
    let found = growth(&base, &head, &times(10_010.0 / 7000.0));
    assert_eq!(found.named.first().map(|one| one.through), Some(CHANGED), "{found:?}");
}

#[test]
fn set_up_that_is_not_timed_is_not_said_to_have_grown() {
    // 40 of 100 samples are set-up; the routine takes twice as long and is timed alone.
    let base = places(&[("setup", None, 4000), ("routine", None, 6000)]);
    let head = places(&[("setup", None, 2500), ("routine", None, 7500)]);
    let times = Times { untimed: true, ..times(2.0) };
    let found = growth(&base, &head, &times);
    assert_eq!(found.named.iter().map(|one| one.place.owner.as_deref()).collect::<Vec<_>>(), [Some("routine")]);
    let trusting = growth(&base, &head, &Times { untimed: false, ..times });
    assert_eq!(trusting.named.len(), 2, "the scale alone would blame the set-up");
}

#[test]
fn by_chance_alone_hardly_anything_is_named() {
    let mut random = SplitMix64::new(11);
    for (n, samples) in [(20, 400), (100, 1500), (300, 3000)] {
        let (weights, trials) = (weights(n), 200);
        let exact = Times { base: 1.0, ratio: Interval { low: 1.0, median: 1.0, high: 1.0 }, untimed: false };
        let named = (0..trials).filter(|_| {
            let (base, head) = (drawn(&weights, samples, &mut random), drawn(&weights, samples, &mut random));
            !growth(&base, &head, &exact).named.is_empty()
        });
        let named = named.count();
        assert!(named <= 2, "{n} places, {samples} samples: named in {named} of {trials}");
    }
}

#[test]
fn a_third_more_in_one_function_is_found_among_many() {
    let mut random = SplitMix64::new(5);
    let before = weights(60);
    let mut after = before.clone();
    after[0] *= 1.3;
    let (old, new): (f64, f64) = (before.iter().sum(), after.iter().sum());
    let found = (0..50).filter(|_| {
        let (base, head) = (drawn(&before, 4500, &mut random), drawn(&after, 4500, &mut random));
        let named = growth(&base, &head, &times(new / old)).named;
        named.first().is_some_and(|one| one.place.owner.as_deref() == Some("owner0") && one.difference.median > 0.0)
    });
    let found = found.count();
    assert!(found >= 45, "{found} of 50");
}

proptest! {
    #[test]
    fn equal_profiles_name_nothing(counts in prop::collection::vec(0u64..5000, 1..40)) {
        let mut places = Places::default();
        for (number, count) in counts.iter().enumerate() {
            places.add(place(&format!("f{}", number / 2), Some(&format!("g{number}"))), Through::Nothing, *count);
        }
        prop_assert!(growth(&places, &places, &times(1.0)).named.is_empty());
    }

    #[test]
    fn the_other_way_round_everything_is_negative(
        a in prop::collection::vec(0u64..3000, 6), b in prop::collection::vec(0u64..3000, 6)) {
        let of = |counts: &[u64]| {
            let mut places = Places::default();
            for (number, count) in counts.iter().enumerate() {
                places.add(place(&format!("f{number}"), None), Through::Nothing, *count);
            }
            places
        };
        let exact = Times { base: 1.0, ratio: Interval { low: 1.0, median: 1.0, high: 1.0 }, untimed: false };
        let there = growth(&of(&a), &of(&b), &exact).named;
        let back = growth(&of(&b), &of(&a), &exact).named;
        let sorted = |named: &[Grown], sign: f64| {
            let mut all: Vec<_> = named.iter().map(|one| (one.place.clone(), (sign * one.difference.median * 1e9).round() as i64)).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(&there, 1.0), sorted(&back, -1.0));
    }
}
