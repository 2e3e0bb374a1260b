//! The nearest name to a mistyped one.

/// Position of the candidate with the smallest edit distance, if that is at most a third of the query's length.
pub(super) fn nearest<'a>(query: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let limit = query.chars().count() / 3;
    let distances = candidates.into_iter().map(|candidate| distance(query, candidate)).enumerate();
    distances.filter(|&(_, distance)| distance <= limit).min_by_key(|&(_, distance)| distance).map(|(position, _)| position)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let mut previous: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut current = vec![i + 1];
        for ((y, &diagonal), &above) in b.chars().zip(&previous).zip(previous.iter().skip(1)) {
            let left = current.last().copied().unwrap_or(i + 1);
            current.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_insertions_deletions_and_substitutions() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn something_entirely_different_has_no_nearest_name() {
        assert_eq!(nearest("banana", ["parse", "render"]), None);
        assert_eq!(nearest("prase", ["render", "parse"]), None, "two substitutions in five letters are too many");
        assert_eq!(nearest("parsse", ["render", "parse"]), Some(1));
    }
}
