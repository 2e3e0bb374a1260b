//! The processor's own counter of instructions: the second witness where the machine shows one.

use super::check::Check;
use crate::sample::counter::{CountError, Event, countable};

const ID: &str = "counters";
const TITLE: &str = "hardware counters";

pub(super) fn check() -> Check {
    judged(countable(Event::Instructions))
}

fn judged(countable: Result<(), CountError>) -> Check {
    match countable {
        Ok(()) => Check::ok(ID, TITLE, "instructions:u can be counted as a second witness"),
        Err(why) => Check::missing(ID, TITLE, format!("{why}; callgrind counts instead, where valgrind is installed")),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn without_a_counter_it_is_said_who_counts_instead() {
        assert_eq!(judged(Ok(())).status, Status::Ok);
        let none = judged(Err(CountError::Refused(std::io::Error::from_raw_os_error(libc::ENOENT))));
        assert!(none.status == Status::Missing && none.summary.contains("callgrind"), "{}", none.summary);
    }
}
