//! What is waited longer, in words, the same for every page.

use crate::analysis::{MovedTime, Outcome, WAITING, WaitingGrowth, WaitingPlace, WorkloadResult};
use crate::figures;
use crate::report::growth::word;
use crate::report::names::readable;

/// One line per place that waits longer or less long, at most `most`, and one for the kernel; why nobody can tell; nothing for a
/// workload that was not watched.
pub(super) fn lines(workload: &WorkloadResult, most: usize) -> Vec<String> {
    // That nothing else differs is news only where the change explains nothing.
    let is_open = workload.explained != Some(true);
    let Some(waiting) = &workload.waiting else {
        let why = workload.unmeasured.get(WAITING).filter(|_| is_open);
        return why.map(|why| format!("who waits longer is not known: {why}")).into_iter().collect();
    };
    let mut lines: Vec<String> = waiting.places.iter().take(most).map(|one| place(one, waiting)).collect();
    let more = waiting.places.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("{more} more waits differ"));
    }
    if waiting.places.is_empty() && waiting.moved {
        lines.push(format!("{} waiting, in no function that stands out", difference(&waiting.all, waiting)));
    }
    lines.extend(waiting.kernel.as_ref().map(|kernel| {
        format!("{} of CPU time in the kernel, in no function (system calls, page faults)", difference(kernel, waiting))
    }));
    let moved = matches!(workload.outcome, Outcome::Slower | Outcome::Faster);
    if lines.is_empty() && moved && is_open {
        lines.push(nothing(waiting));
    }
    lines.extend(waiting.note.clone());
    lines
}

fn nothing(waiting: &WaitingGrowth) -> String {
    let of_runs = figures::counted(waiting.pairs as usize, "pair");
    format!("no wait and no time in the kernel differs by more than chance ({of_runs} of watched runs)")
}

/// `+12.0 ms [+11.2, +12.9] per run`.
fn difference(time: &MovedTime, waiting: &WaitingGrowth) -> String {
    format!("{} per {}", figures::difference((time.difference, time.low, time.high), "ns"), waiting.per)
}

/// `+12.0 ms [+11.2, +12.9] per run waiting for fsync in std::fs::File::sync_all under store::append (changed, src/store.rs:40)`.
fn place(place: &WaitingPlace, waiting: &WaitingGrowth) -> String {
    let doing = doing(&place.wait);
    let callee = place.function.as_ref().map(|name| format!(" in `{}`", readable(name))).unwrap_or_default();
    let kind = place.through_kind.map_or("changed", word);
    let is_owner = place.owner.is_some() && place.owner == place.through;
    let at = place.file.as_ref().zip(place.line).map(|(file, line)| format!("{file}:{line}"));
    let marks: Vec<String> = is_owner.then(|| kind.to_owned()).into_iter().chain(at).collect();
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    let owner = match &place.owner {
        Some(owner) => format!(" under `{owner}`{marks}"),
        None => ", in no function of the workspace".into(),
    };
    let through = match &place.through {
        Some(_) if is_owner => String::new(),
        Some(item) => format!(", through `{item}` ({kind})"),
        None => ", through no changed item (unexplained)".into(),
    };
    format!("{} {doing}{callee}{owner}{through}", difference(&place.time, waiting))
}

/// What a thread does that waits for this.
fn doing(wait: &str) -> String {
    let what = match wait {
        "sleep" => return "sleeping".into(),
        "durability" => "fsync",
        "socket" => "a socket",
        "file" => "a file",
        "pipe" => "a pipe",
        "device" => "a device",
        "lock" => "a lock",
        "memory" => "pages",
        "hand-off" => "another thread",
        "parked" => "being woken",
        "join" => "a thread to end",
        "child" => "a child process",
        "event" => "events",
        _ => "something in the kernel",
    };
    format!("waiting for {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{samples, view};

    #[test]
    fn what_is_the_same_on_the_cpu_s_clock_and_waits_longer_is_shown() {
        let mut analysis = samples::analysis(crate::analysis::Command::Verify);
        let mut same = samples::measured("work", Outcome::Same, 1e6, (1.0, 0.99, 1.01));
        analysis.workloads = vec![same.clone()];
        assert!(view::shown_workloads(&analysis).is_empty());
        same.waiting = Some(samples::waiting("app::save", "app::save"));
        analysis.workloads = vec![same];
        assert_eq!(view::shown_workloads(&analysis).len(), 1);
        let said = lines(&analysis.workloads[0], 5);
        let first =
            "+12.0 µs [+11.6, +12.4] per iteration waiting for fsync in `std::fs::File::sync_all` under `app::save` (changed, ";
        assert!(said[0].starts_with(first) && said.len() == 3, "{said:#?}");
    }
}
