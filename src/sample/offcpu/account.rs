//! What the looks at each thread add up to. Pure: schedules and states in, [`Observed`] out.

use std::collections::HashMap;

use super::procfs::Schedule;
use super::{Observed, Wait, Waiting};

/// A thread that waited for one thing in this share of its samples, without running in between, stands there.
const STANDING: f64 = 0.8;

/// With fewer samples nobody can say that it stands.
const FEWEST_STANDING: u64 = 20;

/// Where all others together work for this share of the time, a thread that stands, or sleeps, has no part in it.
const OTHERS_WORK: f64 = 0.2;

/// Different things that are told apart of one thread; a program that opens thousands of files needs no line for each.
const MOST_REASONS: usize = 64;

/// Why a thread is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reason {
    pub(super) wait: Wait,
    pub(super) what: Option<String>,
    /// The word of what may be a lock.
    pub(super) word: Option<u64>,
}

/// What a look at a thread showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Running,
    Blocked(Reason),
    /// It went on while it was looked at.
    Raced,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    samples: u64,
    waits: u64,
}

/// One thread's account. Times are nanoseconds since the watch began.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    born: u64,
    last: u64,
    before: Schedule,
    now: Schedule,
    current: Option<Reason>,
    stretch: u64,
    longest: u64,
    running: u64,
    tallies: HashMap<Reason, Tally>,
}

impl Thread {
    /// A thread that began to be watched at `born` with this account.
    pub(super) fn new(born: u64, before: Schedule) -> Self {
        let (now, tallies) = (before, HashMap::new());
        Self { born, last: born, before, now, current: None, stretch: 0, longest: 0, running: 0, tallies }
    }

    /// True when it is known to wait and has not run since.
    pub(super) fn stands(&self, schedule: Schedule) -> bool {
        self.current.is_some() && schedule.slices == self.now.slices && schedule.cpu == self.now.cpu
    }

    /// Adds a look that found it where it was.
    pub(super) fn still(&mut self, at: u64) {
        self.last = at;
        if let Some(reason) = &self.current {
            self.stretch += 1;
            self.longest = self.longest.max(self.stretch);
            if let Some(tally) = self.tallies.get_mut(reason) {
                tally.samples += 1;
            }
        }
    }

    /// Adds a look.
    pub(super) fn look(&mut self, at: u64, schedule: Schedule, seen: Seen) {
        (self.last, self.now) = (at, schedule);
        (self.current, self.stretch) = (None, 0);
        match seen {
            Seen::Running => self.running += 1,
            Seen::Raced => {}
            Seen::Blocked(mut reason) => {
                if self.tallies.len() >= MOST_REASONS && !self.tallies.contains_key(&reason) {
                    (reason.what, reason.word) = (None, None);
                }
                let tally = self.tallies.entry(reason.clone()).or_default();
                tally.samples += 1;
                tally.waits += 1;
                (self.current, self.stretch) = (Some(reason), 1);
                self.longest = self.longest.max(1);
            }
        }
    }

    /// Looks that found it running or ready to run.
    pub(super) fn running(&self) -> u64 {
        self.running
    }

    fn cpu(&self) -> u64 {
        self.now.cpu.saturating_sub(self.before.cpu)
    }

    fn delay(&self) -> u64 {
        self.now.delay.saturating_sub(self.before.delay)
    }

    /// Exactly: it was neither on a processor nor waiting for one.
    fn blocked(&self) -> u64 {
        self.last.saturating_sub(self.born).saturating_sub(self.cpu() + self.delay())
    }

    fn waits(&self) -> Vec<Waiting> {
        let samples: u64 = self.tallies.values().map(|tally| tally.samples).sum();
        let blocked = self.blocked() as f64;
        let waiting = |(reason, tally): (&Reason, &Tally)| {
            // A condition's word moves on with each waking; one that is waited for again at the same value is a lock.
            let wait = match reason.word {
                Some(_) if tally.waits >= 2 => Wait::Lock,
                Some(_) => Wait::Parked,
                None => reason.wait,
            };
            let ns = (blocked * tally.samples as f64 / samples as f64) as u64;
            Waiting { wait, what: reason.what.clone(), idle: wait.is_idle(), ns, samples: tally.samples }
        };
        self.tallies.iter().map(waiting).collect()
    }

    fn is_standing(&self) -> bool {
        let samples: u64 = self.tallies.values().map(|tally| tally.samples).sum();
        samples >= FEWEST_STANDING && self.longest as f64 >= STANDING * samples as f64
    }
}

/// What all threads add up to.
pub(super) fn add_up(threads: &[Thread], watched_ns: u64) -> Observed {
    let mut observed = Observed { watched_ns, threads: threads.len() as u64, ..Observed::default() };
    let mut accounts: Vec<(u64, bool, Vec<Waiting>)> = Vec::with_capacity(threads.len());
    for thread in threads {
        let waits = thread.waits();
        if waits.is_empty() {
            observed.unnamed_ns += thread.blocked();
        }
        observed.on_cpu_ns += thread.cpu();
        observed.busiest_ns = observed.busiest_ns.max(thread.cpu());
        observed.run_delay_ns += thread.delay();
        // Ready to run is at work, whoever holds the processor.
        accounts.push((thread.cpu() + thread.delay(), thread.is_standing(), waits));
    }
    let works = |(ready, standing, waits): &(u64, bool, Vec<Waiting>)| {
        let active = |wait: &&Waiting| !wait.idle && wait.wait != Wait::Sleep && !standing;
        ready + waits.iter().filter(active).map(|wait| wait.ns).sum::<u64>()
    };
    let all: u64 = accounts.iter().map(works).sum();
    for account in &accounts {
        let others_work = (all - works(account)) as f64 >= OTHERS_WORK * watched_ns as f64;
        for wait in &account.2 {
            let aside = account.1 || wait.wait == Wait::Sleep;
            observed.waited(Waiting { idle: wait.idle || (aside && others_work), ..wait.clone() });
        }
    }
    observed.waits.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.what.cmp(&b.what)));
    observed
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: u64 = 5_000_000;

    fn reason(wait: Wait) -> Reason {
        Reason { wait, what: None, word: None }
    }

    /// A thread that is looked at `looks` times and runs `cpu` nanoseconds between two looks.
    fn thread(looks: u64, cpu: u64, seen: impl Fn(u64) -> Seen) -> Thread {
        let mut thread = Thread::new(0, Schedule::default());
        for look in 1..=looks {
            let schedule = Schedule { cpu: look * cpu, delay: 0, slices: if cpu == 0 { 1 } else { look } };
            if thread.stands(schedule) {
                thread.still(look * LOOK);
            } else {
                thread.look(look * LOOK, schedule, seen(look));
            }
        }
        thread
    }

    fn ns(observed: &Observed, wait: Wait, idle: bool) -> u64 {
        observed.waits.iter().filter(|one| one.wait == wait && one.idle == idle).map(|one| one.ns).sum()
    }

    #[test]
    fn blocked_time_is_exact_and_shared_out_by_samples() {
        let half = |look: u64| Seen::Blocked(reason(if look.is_multiple_of(4) { Wait::File } else { Wait::Socket }));
        let observed = add_up(&[thread(100, LOOK / 5, half)], 100 * LOOK);
        assert_eq!(observed.on_cpu_ns, 20 * LOOK);
        assert_eq!((ns(&observed, Wait::File, false), ns(&observed, Wait::Socket, false)), (20 * LOOK, 60 * LOOK));
    }

    #[test]
    fn a_thread_that_stands_while_others_work_is_idle_and_one_alone_is_not() {
        let stands = || thread(100, 0, |_| Seen::Blocked(reason(Wait::Pipe)));
        let alone = add_up(&[stands()], 100 * LOOK);
        assert_eq!((ns(&alone, Wait::Pipe, false), ns(&alone, Wait::Pipe, true)), (100 * LOOK, 0));
        let works = thread(100, LOOK, |_| Seen::Running);
        let beside = add_up(&[stands(), works], 100 * LOOK);
        assert_eq!((ns(&beside, Wait::Pipe, false), ns(&beside, Wait::Pipe, true)), (0, 100 * LOOK));
    }

    #[test]
    fn a_ticker_is_no_bottleneck_and_a_sleeper_alone_waits() {
        let sleeps = || thread(100, LOOK / 50, |_| Seen::Blocked(reason(Wait::Sleep)));
        assert!(ns(&add_up(&[sleeps()], 100 * LOOK), Wait::Sleep, false) > 97 * LOOK);
        let both = add_up(&[sleeps(), thread(100, LOOK, |_| Seen::Running)], 100 * LOOK);
        assert_eq!(ns(&both, Wait::Sleep, false), 0);
    }

    #[test]
    fn a_word_that_is_waited_for_again_is_a_lock_and_once_is_not() {
        let word = |_| Seen::Blocked(Reason { word: Some(16), ..reason(Wait::Parked) });
        let again = add_up(&[thread(100, LOOK / 5, word)], 100 * LOOK);
        assert_eq!(ns(&again, Wait::Lock, false), 80 * LOOK);
        let once = add_up(&[thread(100, 0, word)], 100 * LOOK);
        assert_eq!((ns(&once, Wait::Lock, false), ns(&once, Wait::Parked, true)), (0, 100 * LOOK));
    }

    #[test]
    fn what_no_look_showed_has_no_name() {
        let observed = add_up(&[thread(100, LOOK / 2, |_| Seen::Raced)], 100 * LOOK);
        assert_eq!((observed.unnamed_ns, observed.waits.len()), (50 * LOOK, 0));
    }

    #[test]
    fn ten_thousand_files_are_one_line_beyond_the_first() {
        let file = |look: u64| Seen::Blocked(Reason { what: Some(format!("/f{look}")), ..reason(Wait::File) });
        let observed = add_up(&[thread(10_000, LOOK / 5, file)], 10_000 * LOOK);
        assert!(observed.waits.len() <= MOST_REASONS + 1, "{}", observed.waits.len());
    }
}
