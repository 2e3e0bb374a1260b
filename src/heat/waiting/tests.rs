//! Laws of naming: nothing without a difference, what waits longer by its name, and next to nothing by chance.

use proptest::prelude::*;

use super::*;
use crate::stats::SplitMix64;
use crate::stats::normal::quantile;

const CHANGED: Through = Through::Change(3);
const RUN: Scale = Scale { base: 1.0, ratio: Interval { low: 1.0, median: 1.0, high: 1.0 } };
/// A look every 5 ms.
const LOOK: f64 = 5e6;

fn place(wait: Wait, owner: &str) -> WaitPlace {
    WaitPlace { wait, owner: Some(owner.into()) }
}

/// A run of a second of work time that waits so long in each place.
fn turn(waits: Waits<'_>) -> Turn {
    let mut turn = Turn { kernel: Some(5e7), all: 1e9, ..Turn::default() };
    for (wait, owner, ns) in waits {
        turn.add(place(*wait, owner), Through::Nothing, Some("call"), *ns, ns / LOOK);
    }
    turn
}

type Waits<'w> = &'w [(Wait, &'w str, f64)];

/// Eight pairs of runs, which never take the same time.
fn pairs(base: Waits<'_>, head: Waits<'_>) -> Vec<Pair> {
    let about = |waits: Waits<'_>, by: u32| {
        let waits: Vec<_> = waits.iter().map(|(wait, owner, ns)| (*wait, *owner, ns * (1.0 + 0.01 * f64::from(by)))).collect();
        turn(&waits)
    };
    (0..8).map(|number| [about(base, number % 3), about(head, number % 2)]).collect()
}

#[test]
fn who_waits_longer_is_named_with_how_much_and_the_rest_is_not() {
    let base = [(Wait::Socket, "fetch", 4e8)];
    let head = [(Wait::Socket, "fetch", 4e8), (Wait::Durability, "append", 1.2e8)];
    let found = waiting(&pairs(&base, &head), &RUN).unwrap();
    let [append] = found.named.as_slice() else { panic!("{found:?}") };
    assert_eq!((append.place.clone(), append.callee.as_deref()), (place(Wait::Durability, "append"), Some("call")));
    let Interval { low, median, high } = append.moved.difference;
    assert!(low > 1.1e8 && (median - 1.2e8).abs() < 2e6 && high < 1.3e8 && append.moved.base.to_bits() == 0, "{append:?}");
    assert!(found.moved && found.kernel.is_none() && found.tested == 4, "{found:?}");
}

#[test]
fn kinds_of_one_owner_are_told_apart() {
    let found = waiting(&pairs(&[(Wait::Lock, "get", 3e8)], &[(Wait::Sleep, "get", 3e8)]), &RUN).unwrap();
    let named: Vec<_> = found.named.iter().map(|one| (one.place.wait, one.moved.difference.median > 0.0)).collect();
    assert!(named.contains(&(Wait::Lock, false)) && named.contains(&(Wait::Sleep, true)), "{named:?}");
    assert!(!found.moved, "all in all it waits as long: {found:?}");
}

#[test]
fn it_goes_through_the_changed_item_that_holds_most_of_the_difference() {
    let mut pairs = pairs(&[], &[]);
    for (number, [base, head]) in pairs.iter_mut().enumerate() {
        let by = 1.0 + 0.01 * number as f64;
        base.add(place(Wait::Lock, "get"), Through::Nothing, None, 1e8 * by, 20.0);
        head.add(place(Wait::Lock, "get"), Through::Nothing, None, 1e8, 20.0);
        head.add(place(Wait::Lock, "get"), CHANGED, None, 2e8 * by, 40.0);
        head.add(place(Wait::Lock, "get"), Through::Change(9), None, 1e7, 2.0);
    }
    let found = waiting(&pairs, &RUN).unwrap();
    assert_eq!(found.named.first().map(|one| (one.through, one.callee.clone())), Some((CHANGED, None)), "{found:?}");
}

#[test]
fn what_few_looks_have_shown_and_what_is_short_is_not_named() {
    let few = |looks: f64, ns: f64| {
        let mut pairs = pairs(&[], &[]);
        for [_, head] in &mut pairs {
            head.add(place(Wait::Sleep, "nap"), CHANGED, None, ns, looks);
        }
        waiting(&pairs, &RUN).unwrap().named.len()
    };
    assert_eq!((few(1.0, 2e8), few(2.0, 2e8), few(100.0, 5e6)), (0, 1, 0));
}

#[test]
fn what_nobody_saw_may_have_been_waited_in_any_place() {
    let with_unseen = |side: usize, ns: f64| {
        let mut pairs = pairs(&[], &[(Wait::Sleep, "nap", 1e8)]);
        for pair in &mut pairs {
            pair[side].unnamed = ns;
        }
        waiting(&pairs, &RUN).unwrap()
    };
    let [some, much] = [3e7, 1.5e8].map(|ns| with_unseen(0, ns));
    assert!(some.named[0].moved.difference.low < 7e7 && some.named[0].moved.difference.low > 6e7, "{some:?}");
    assert!(much.named.is_empty() && much.moved && much.all.difference.high < 0.0, "{much:?}");
    assert!(with_unseen(1, 1.5e8).named[0].moved.difference.high > 2.4e8);
}

#[test]
fn too_few_pairs_say_nothing() {
    let pairs = pairs(&[], &[(Wait::Sleep, "nap", 5e8)]);
    assert!(waiting(&pairs[..FEWEST_PAIRS - 1], &RUN).is_none());
    assert_eq!(waiting(&pairs[..FEWEST_PAIRS], &RUN).unwrap().named.len(), 1);
}

#[test]
fn a_share_that_stays_while_an_iteration_takes_longer_has_grown_unless_that_is_unsure() {
    let waits = [(Wait::Socket, "fetch", 0.5e9)];
    let scale = |off: f64| Scale { base: 1e-3, ratio: Interval { low: 1.3 - off, median: 1.3, high: 1.3 + off } };
    let sure = waiting(&pairs(&waits, &waits), &scale(0.02)).unwrap();
    let [fetch] = sure.named.as_slice() else { panic!("{sure:?}") };
    assert!((fetch.moved.difference.median - 0.15e6).abs() < 2e3 && fetch.moved.head > 1.2 * fetch.moved.base, "{fetch:?}");
    assert!(waiting(&pairs(&waits, &waits), &scale(0.3)).unwrap().named.is_empty());
    // Many times as long, however often.
    let unsure = Scale { base: 1e-3, ratio: Interval { low: 4.0, median: 9.0, high: 11.0 } };
    assert_eq!(waiting(&pairs(&waits, &waits), &unsure).unwrap().named.len(), 1);
}

#[test]
fn time_in_the_kernel_is_told_where_every_run_knows_it() {
    let mut pairs = pairs(&[], &[]);
    for (number, [_, head]) in pairs.iter_mut().enumerate() {
        head.kernel = Some(9e7 + 1e5 * number as f64);
    }
    let kernel = waiting(&pairs, &RUN).unwrap().kernel.unwrap();
    assert!((kernel.difference.median - 4e7).abs() < 1e6 && kernel.difference.low > 3e7, "{kernel:?}");
    pairs[3][1].kernel = None;
    assert!(waiting(&pairs, &RUN).unwrap().kernel.is_none());
}

/// A machine whose disk, locks and looks do what they like, alike for both sides: the waits of one run.
fn noisy(random: &mut SplitMix64, weather: f64) -> Turn {
    let mut normal = || quantile(random.unit().clamp(1e-9, 1.0 - 1e-9));
    let mut turn = Turn { kernel: Some(5e7 * (0.2 * normal()).exp()), all: 1e9, ..Turn::default() };
    for number in 0..12 {
        let kind = [Wait::Durability, Wait::Lock, Wait::Socket, Wait::Sleep][number % 4];
        // Spreads from 5 % to twofold between runs; one in twenty stalls for a tenth of a second.
        let spread = [0.05, 0.2, 0.7][number % 3];
        let stall = if normal() > 1.645 { 1e8 } else { 0.0 };
        let ns = 4e8 / (number + 1) as f64 * (spread * normal()).exp() * weather + stall;
        // Looks are counts: what they show is off by as much as counts are.
        let looks = ns / LOOK;
        let seen = (looks + looks.sqrt() * normal()).max(0.0).round();
        if seen > 0.0 {
            turn.add(place(kind, &format!("owner{number}")), Through::Nothing, None, seen * LOOK, seen);
        }
    }
    turn
}

#[test]
fn by_chance_alone_hardly_anything_is_named() {
    let mut random = SplitMix64::new(23);
    let trials = 1000;
    let named = (0..trials).filter(|_| {
        let pairs: Vec<Pair> = (0..8)
            .map(|number| {
                // The machine gets slower and faster, for both of a pair nearly alike.
                let weather = 1.0 + 0.1 * f64::from(number);
                [noisy(&mut random, weather), noisy(&mut random, weather)]
            })
            .collect();
        let found = waiting(&pairs, &RUN).unwrap();
        !found.named.is_empty() || found.kernel.is_some() || found.moved
    });
    let named = named.count();
    assert!(named <= 10, "named in {named} of {trials}");
}

#[test]
fn half_more_in_one_place_is_found_among_noisy_ones() {
    let mut random = SplitMix64::new(7);
    let found = (0..50).filter(|_| {
        let mut pairs: Vec<Pair> = (0..8).map(|_| [noisy(&mut random, 1.0), noisy(&mut random, 1.0)]).collect();
        for [_, head] in &mut pairs {
            head.add(place(Wait::Durability, "append"), CHANGED, None, 2e8 * (0.8 + 0.4 * random.unit()), 40.0);
        }
        let named = waiting(&pairs, &RUN).unwrap().named;
        named.iter().any(|one| one.place == place(Wait::Durability, "append") && one.through == CHANGED)
    });
    assert!(found.count() >= 48);
}

proptest! {
    #[test]
    fn equal_runs_name_nothing(waits in prop::collection::vec((0usize..3, 0.0..1e9f64), 0..12)) {
        let mut one = turn(&[]);
        for (number, (kind, ns)) in waits.iter().enumerate() {
            let kind = [Wait::Lock, Wait::Sleep, Wait::File][*kind];
            one.add(place(kind, &format!("f{number}")), Through::Nothing, None, *ns, ns / LOOK);
        }
        let pairs: Vec<Pair> = (0..8).map(|_| [one.clone(), one.clone()]).collect();
        let found = waiting(&pairs, &RUN).unwrap();
        prop_assert!(found.named.is_empty() && found.kernel.is_none() && !found.moved);
    }

    #[test]
    fn the_other_way_round_everything_is_negative(
        times in prop::collection::vec((0.0..1e9f64, 0.0..1e9f64), 8)) {
        let pair = |base: f64, head: f64| [turn(&[(Wait::Lock, "get", base)]), turn(&[(Wait::Lock, "get", head)])];
        let there: Vec<Pair> = times.iter().map(|(base, head)| pair(*base, *head)).collect();
        let back: Vec<Pair> = times.iter().map(|(base, head)| pair(*head, *base)).collect();
        let (there, back) = (waiting(&there, &RUN).unwrap(), waiting(&back, &RUN).unwrap());
        prop_assert_eq!(there.named.len(), back.named.len());
        prop_assert!((there.all.difference.median + back.all.difference.median).abs() < 1.0);
        prop_assert!((there.all.difference.low + back.all.difference.high).abs() < 1.0);
    }
}
