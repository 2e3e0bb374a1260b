//! "Did you mean": the known name that is nearest to what was typed.

/// The candidate with the fewest edits (Levenshtein, ignoring case), if it is near enough to be a slip: at most a third of
/// the longer name's letters, the bound that rustc uses.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let near = |candidate: &'a str| {
        let known = candidate.to_lowercase();
        let bound = typed.chars().count().max(known.chars().count()).div_ceil(3);
        let edits = distance(&typed, &known);
        // `-` for `_`, or a longer name that begins as typed, is a slip too.
        let begins = typed.chars().count() >= 3 && known.starts_with(&typed);
        (edits <= bound || begins).then_some((edits, candidate))
    };
    candidates.into_iter().filter_map(near).min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// Insertions, deletions and replacements that turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(line + 1);
        for ((pair, &to), left_cost) in row.windows(2).zip(&right).zip(line + 1..) {
            let &[diagonal, above] = pair else { continue };
            let before = next.last().copied().unwrap_or(left_cost);
            next.push((diagonal + usize::from(from != to)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slips_find_their_name_and_strangers_do_not() {
        let names = ["margin", "max-time", "profile-time", "workload"];
        assert_eq!(nearest("margni", names), Some("margin"));
        assert_eq!(nearest("max_time", names), Some("max-time"));
        assert_eq!(nearest("WORKLOADS", names), Some("workload"));
        assert_eq!(nearest("prof", names), Some("profile-time"));
        assert_eq!(nearest("colour", names), None);
    }

    #[test]
    fn known_distances() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
    }

    proptest! {
        #[test]
        fn the_distance_is_a_metric(a in "[a-c]{0,6}", b in "[a-c]{0,6}", c in "[a-c]{0,6}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c));
        }
    }
}
