//! What the looks at each thread add up to. Pure: schedules, states and roles in, [`Observed`] out.

use std::collections::HashMap;

use super::procfs::Schedule;
use super::roles::Role;
use super::{Observed, Place, Wait, Waiting};

/// Index of a distinct stack.
pub(super) type StackId = u32;

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
    /// Why, and in which stack where one could be taken.
    Blocked(Reason, Option<StackId>),
    /// It went on while it was looked at.
    Raced,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    samples: u64,
    waits: u64,
    stacks: HashMap<Option<StackId>, u64>,
}

impl Tally {
    fn add(&mut self, stack: Option<StackId>) {
        self.samples += 1;
        *self.stacks.entry(stack).or_default() += 1;
    }
}

/// Time that was waited in one stack.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stood {
    /// Which; `None` where none could be taken.
    pub(super) stack: Option<StackId>,
    pub(super) place: Place,
    /// The stack says what it waits for.
    pub(super) confirmed: bool,
    pub(super) waiting: Waiting,
}

/// One thread's account. Times are nanoseconds since the watch began.
#[derive(Debug, Clone)]
pub(super) struct Thread {
    born: u64,
    last: u64,
    before: Schedule,
    now: Schedule,
    current: Option<(Reason, Option<StackId>)>,
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
        if let Some((reason, stack)) = &self.current {
            self.stretch += 1;
            self.longest = self.longest.max(self.stretch);
            if let Some(tally) = self.tallies.get_mut(reason) {
                tally.add(*stack);
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
            Seen::Blocked(mut reason, stack) => {
                if self.tallies.len() >= MOST_REASONS && !self.tallies.contains_key(&reason) {
                    (reason.what, reason.word) = (None, None);
                }
                let tally = self.tallies.entry(reason.clone()).or_default();
                tally.add(stack);
                tally.waits += 1;
                (self.current, self.stretch) = (Some((reason, stack)), 1);
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

    /// Stacks that it was seen in.
    pub(super) fn stacks(&self) -> impl Iterator<Item = StackId> {
        self.tallies.values().flat_map(|tally| tally.stacks.keys().filter_map(|stack| *stack))
    }

    fn waits(&self, role: impl Fn(StackId) -> Role) -> Vec<Stood> {
        let all: u64 = self.tallies.values().map(|tally| tally.samples).sum();
        let blocked = self.blocked() as f64;
        let mut waits = Vec::new();
        for (reason, tally) in &self.tallies {
            for (&stack, &samples) in &tally.stacks {
                let role = stack.map_or(Role::UNKNOWN, &role);
                let wait = kind(reason, tally.waits, role.wait);
                let ns = (blocked * samples as f64 / all as f64) as u64;
                // A worker that waits inside of a task polls no other, whatever it waits for.
                let idle = wait.is_idle() && role.place != Place::Worker;
                let waiting = Waiting { wait, what: reason.what.clone(), idle, ns, samples };
                waits.push(Stood { stack, place: role.place, confirmed: role.wait == Some(wait), waiting });
            }
        }
        waits
    }

    fn is_standing(&self) -> bool {
        let samples: u64 = self.tallies.values().map(|tally| tally.samples).sum();
        samples >= FEWEST_STANDING && self.longest as f64 >= STANDING * samples as f64
    }
}

/// What is waited for: the stack says it of a futex, else the word does.
fn kind(reason: &Reason, waits: u64, by_stack: Option<Wait>) -> Wait {
    let by_word = match reason.word {
        // A condition's word moves on with each waking; one that is waited for again at the same value is a lock.
        Some(_) if waits >= 2 => Wait::Lock,
        Some(_) => Wait::Parked,
        None => reason.wait,
    };
    let is_futex = reason.word.is_some() || matches!(reason.wait, Wait::Parked | Wait::Lock);
    by_stack.filter(|_| is_futex).unwrap_or(by_word)
}

/// What all threads add up to, and in which stacks.
pub(super) fn add_up(threads: &[Thread], watched_ns: u64, role: impl Fn(StackId) -> Role) -> (Observed, Vec<Stood>) {
    let mut observed = Observed { watched_ns, threads: threads.len() as u64, ..Observed::default() };
    let mut accounts: Vec<(u64, bool, Vec<Stood>)> = Vec::with_capacity(threads.len());
    for thread in threads {
        let waits = thread.waits(&role);
        if waits.is_empty() {
            observed.unnamed_ns += thread.blocked();
        }
        observed.on_cpu_ns += thread.cpu();
        observed.busiest_ns = observed.busiest_ns.max(thread.cpu());
        observed.run_delay_ns += thread.delay();
        // Ready to run is at work, whoever holds the processor.
        accounts.push((thread.cpu() + thread.delay(), thread.is_standing(), waits));
    }
    let works = |(ready, standing, waits): &(u64, bool, Vec<Stood>)| {
        let active = |one: &&Stood| !one.waiting.idle && !(is_aside(one, *standing));
        ready + waits.iter().filter(active).map(|one| one.waiting.ns).sum::<u64>()
    };
    let all: u64 = accounts.iter().map(works).sum();
    let mut stood = Vec::new();
    for account in accounts {
        let others_work = (all - works(&account)) as f64 >= OTHERS_WORK * watched_ns as f64;
        for mut one in account.2 {
            one.waiting.idle |= is_aside(&one, account.1) && others_work;
            observed.waited(one.waiting.clone());
            stood.push(one);
        }
    }
    observed.waits.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.what.cmp(&b.what)));
    (observed, stood)
}

/// What has no part in the work where others do it. A worker of an asynchronous program that stands still is in the way of its tasks.
fn is_aside(stood: &Stood, standing: bool) -> bool {
    stood.place != Place::Worker && (standing || stood.waiting.wait == Wait::Sleep)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: u64 = 5_000_000;

    fn blocked(reason: Reason) -> Seen {
        Seen::Blocked(reason, None)
    }

    fn add_up(threads: &[Thread], watched_ns: u64) -> Observed {
        super::add_up(threads, watched_ns, |_| Role::UNKNOWN).0
    }

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
        let half = |look: u64| blocked(reason(if look.is_multiple_of(4) { Wait::File } else { Wait::Socket }));
        let observed = add_up(&[thread(100, LOOK / 5, half)], 100 * LOOK);
        assert_eq!(observed.on_cpu_ns, 20 * LOOK);
        assert_eq!((ns(&observed, Wait::File, false), ns(&observed, Wait::Socket, false)), (20 * LOOK, 60 * LOOK));
    }

    #[test]
    fn a_thread_that_stands_while_others_work_is_idle_and_one_alone_is_not() {
        let stands = || thread(100, 0, |_| blocked(reason(Wait::Pipe)));
        let alone = add_up(&[stands()], 100 * LOOK);
        assert_eq!((ns(&alone, Wait::Pipe, false), ns(&alone, Wait::Pipe, true)), (100 * LOOK, 0));
        let works = thread(100, LOOK, |_| Seen::Running);
        let beside = add_up(&[stands(), works], 100 * LOOK);
        assert_eq!((ns(&beside, Wait::Pipe, false), ns(&beside, Wait::Pipe, true)), (0, 100 * LOOK));
    }

    #[test]
    fn a_ticker_is_no_bottleneck_and_a_sleeper_alone_waits() {
        let sleeps = || thread(100, LOOK / 50, |_| blocked(reason(Wait::Sleep)));
        assert!(ns(&add_up(&[sleeps()], 100 * LOOK), Wait::Sleep, false) > 97 * LOOK);
        let both = add_up(&[sleeps(), thread(100, LOOK, |_| Seen::Running)], 100 * LOOK);
        assert_eq!(ns(&both, Wait::Sleep, false), 0);
    }

    #[test]
    fn a_word_that_is_waited_for_again_is_a_lock_and_once_is_not() {
        let word = |_| blocked(Reason { word: Some(16), ..reason(Wait::Parked) });
        let again = add_up(&[thread(100, LOOK / 5, word)], 100 * LOOK);
        assert_eq!(ns(&again, Wait::Lock, false), 80 * LOOK);
        let once = add_up(&[thread(100, 0, word)], 100 * LOOK);
        assert_eq!((ns(&once, Wait::Lock, false), ns(&once, Wait::Parked, true)), (0, 100 * LOOK));
    }

    fn in_stack(wait: Wait, role: Role) -> Observed {
        let one = thread(100, LOOK / 50, |_| Seen::Blocked(reason(wait), Some(7)));
        let works = thread(100, LOOK, |_| Seen::Running);
        super::add_up(&[one, works], 100 * LOOK, |_| role).0
    }

    #[test]
    fn a_stack_says_what_a_futex_is_for_and_of_nothing_else() {
        let role = |wait| Role { wait: Some(wait), place: Place::Outside };
        assert_eq!(ns(&in_stack(Wait::Parked, role(Wait::Lock)), Wait::Lock, false), 98 * LOOK, "one word per thread");
        assert_eq!(ns(&in_stack(Wait::Lock, role(Wait::Parked)), Wait::Parked, true), 98 * LOOK, "a condition");
        assert_eq!(ns(&in_stack(Wait::File, role(Wait::Lock)), Wait::File, false), 98 * LOOK);
    }

    #[test]
    fn a_worker_that_waits_inside_of_a_task_is_never_idle() {
        for wait in [Wait::Sleep, Wait::HandOff, Wait::Parked, Wait::File] {
            let role = |place| Role { wait: None, place };
            assert_eq!(ns(&in_stack(wait, role(Place::Worker)), wait, false), 98 * LOOK, "{wait:?}");
            assert_eq!(ns(&in_stack(wait, role(Place::Outside)), wait, wait != Wait::File), 98 * LOOK, "{wait:?}");
        }
    }

    #[test]
    fn time_is_shared_out_to_stacks_by_looks() {
        let two = thread(100, LOOK / 5, |look| Seen::Blocked(reason(Wait::File), Some(u32::from(look.is_multiple_of(4)))));
        let (_, stood) = super::add_up(&[two], 100 * LOOK, |_| Role::UNKNOWN);
        let mut ns: Vec<_> = stood.iter().map(|one| (one.stack, one.waiting.ns, one.waiting.samples)).collect();
        ns.sort_unstable();
        assert_eq!(ns, [(Some(0), 60 * LOOK, 75), (Some(1), 20 * LOOK, 25)]);
    }

    #[test]
    fn what_no_look_showed_has_no_name() {
        let observed = add_up(&[thread(100, LOOK / 2, |_| Seen::Raced)], 100 * LOOK);
        assert_eq!((observed.unnamed_ns, observed.waits.len()), (50 * LOOK, 0));
    }

    #[test]
    fn ten_thousand_files_are_one_line_beyond_the_first() {
        let file = |look: u64| blocked(Reason { what: Some(format!("/f{look}")), ..reason(Wait::File) });
        let observed = add_up(&[thread(10_000, LOOK / 5, file)], 10_000 * LOOK);
        assert!(observed.waits.len() <= MOST_REASONS + 1, "{}", observed.waits.len());
    }
}
