//! A few workloads that together execute every changed item: what has to be looked at first where time is short.

/// Among `workloads`, those that execute, each, the most changes (by index, of `changes`) that none before it executes; the first of
/// equals. Greedy set cover (Chvátal 1979).
pub fn cover(workloads: &[&str], changes: usize, executes: impl Fn(&str, usize) -> bool) -> Vec<String> {
    let mut open: Vec<usize> = (0..changes).collect();
    let mut chosen = Vec::new();
    loop {
        let news = |workload: &&&str| open.iter().filter(|&&change| executes(workload, change)).count();
        // `max_by_key` returns the last of equals; reversed, the first one.
        let Some(best) = workloads.iter().rev().max_by_key(news).filter(|best| news(best) > 0) else { return chosen };
        open.retain(|&change| !executes(best, change));
        chosen.push((*best).to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_workloads_reach_every_change_that_any_reaches() {
        let executes = |workload: &str, change: usize| match workload {
            "one" => change == 0,
            "two" => change == 0 || change == 1,
            "three" => change == 3,
            _ => false,
        };
        assert_eq!(cover(&["none", "one", "two", "three"], 5, executes), ["two", "three"]);
        assert!(cover(&["none"], 5, executes).is_empty());
        assert!(cover(&["one"], 0, executes).is_empty());
        assert_eq!(cover(&["a", "b"], 2, |_, _| true), ["a"]);
    }
}
