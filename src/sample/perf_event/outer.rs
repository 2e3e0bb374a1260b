//! What one thread keeps on its stack beyond the kernel's copies, as looks at its memory show it.
//!
//! A sample lies between two looks. What both show was there when it was taken, unless it had gone and come back: so a word is
//! believed only where looks follow each other much faster than it changes. How fast, the samples of the thread themselves tell, as
//! they are evenly spaced in the time that it runs: one that seldom gets a processor changes nothing meanwhile. Reads no memory itself.

use std::collections::BTreeMap;
use std::rc::Rc;

/// There are so many fewer samples from one look to the next than from one change to the next. Where changes come at random, one pair of looks in 500 hides two
/// of them (Poisson: (1/16)²/2), where they come evenly none does; of a word that changes faster than anybody looks, one in 16 looks
/// shows a change where it has its other value 3 % of the time.
const CLOSER: u64 = 16;

/// As many looks must have been at a word: of one that changes faster than anybody looks, four agree once in eight times.
const FEWEST_LOOKS: u64 = 4;

/// Words that are watched of one thread: two to each of 500 frames, as a walk needs them.
const MOST_WORDS: usize = 1000;

/// Different values of a word that are told apart.
const MOST_VALUES: usize = 8;

/// No address of any process: a walk that needs what lies there comes to nothing.
const NOWHERE: u64 = 0xdead << 48;

/// The outer part of one thread's stack.
#[derive(Debug)]
pub(super) struct Outer {
    words: Rc<BTreeMap<u64, Word>>,
    /// When they were last read, nanoseconds.
    read: u64,
    /// Samples of the thread so far, and as of each look.
    samples: u64,
    looks: Vec<u64>,
}

/// A word of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// At the look before the last, and at the last.
    before: u64,
    value: u64,
    /// As of which sample it is watched, how many looks there were, and how many showed it changed.
    begun: u64,
    looks: u64,
    changes: u64,
    /// Every value that it had at a look, as long as there are not too many.
    seen: Vec<u64>,
}

/// What a value of a word may be to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// No address of code.
    Data,
    /// Code.
    Code,
    /// Code in front of which that function is called which the walk has come to.
    Caller,
}

/// What two looks that followed each other showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Steady {
    words: Rc<BTreeMap<u64, Word>>,
    from: u64,
    to: u64,
    /// Samples of the thread as of the second look, and which look it was.
    samples: u64,
    look: usize,
}

/// A word that a walk rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    address: u64,
    /// The code from which it led on.
    code: u64,
    pub(super) value: u64,
    /// Both looks showed it.
    same: bool,
}

impl Steady {
    /// What a walk that has come to `code` gets for the word at an address. Of a return address that changes, it is the one that belongs
    /// to this code, whatever the looks show; of anything else, it is what both looks show. What changes beside it is a register that
    /// a caller wants back; a walk may need no more of it than that it is there, so it gets one that leads nowhere.
    pub(super) fn need(&self, address: u64, code: u64, value: impl Fn(u64) -> Value) -> Option<Need> {
        let word = self.words.get(&address)?;
        let same = (word.before == word.value).then_some(word.value);
        let register = || (!(same.is_some() && word.is_slow(1, self.samples)) && word.is_fickle_data(&value)).then_some(NOWHERE);
        let told = word.caller(&value).or_else(register).or(same)?;
        Some(Need { address, code, value: told, same: same == Some(told) })
    }

    /// Which look was the second.
    pub(super) fn look(&self) -> usize {
        self.look
    }

    /// True for a moment between the looks.
    pub(super) fn covers(&self, time: u64) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

impl Word {
    fn new(value: u64, samples: u64) -> Self {
        Self { before: value, value, begun: samples, looks: 0, changes: 0, seen: vec![value] }
    }

    /// Of a return address that changes, as in a loop that calls one function after the other, the only one that belongs to the function
    /// that a walk has come to.
    fn caller(&self, value: impl Fn(u64) -> Value) -> Option<u64> {
        let changes = (2..=MOST_VALUES).contains(&self.seen.len());
        let mut callers = self.seen.iter().filter(|&&seen| changes && value(seen) == Value::Caller);
        callers.next().filter(|_| callers.next().is_none()).copied()
    }

    /// True where it changes, and never was an address of code.
    fn is_fickle_data(&self, value: impl Fn(u64) -> Value) -> bool {
        (2..=MOST_VALUES).contains(&self.seen.len()) && self.seen.iter().all(|&seen| value(seen) == Value::Data)
    }

    /// True where two looks with so many samples between them hide no change, as far as the first so many samples tell.
    fn is_slow(&self, distance: u64, samples: u64) -> bool {
        self.looks >= FEWEST_LOOKS && self.changes * CLOSER * distance <= samples.saturating_sub(self.begun)
    }

    fn look(&mut self, value: u64) {
        self.looks += 1;
        (self.before, self.value) = (self.value, value);
        self.changes += u64::from(self.before != value);
        if self.seen.len() <= MOST_VALUES && !self.seen.contains(&value) {
            self.seen.push(value);
        }
    }
}

impl Outer {
    /// Nothing is known yet.
    pub(super) fn new(now: u64) -> Self {
        Self { words: Rc::default(), read: now, samples: 0, looks: Vec::new() }
    }

    /// There is another sample of the thread.
    pub(super) fn sampled(&mut self) {
        self.samples += 1;
    }

    /// Notes what a walk read at addresses beyond a copy. It was there at `now`; before that nobody knows.
    pub(super) fn learn(&mut self, words: impl IntoIterator<Item = (u64, u64)>, now: u64) {
        let known = Rc::make_mut(&mut self.words);
        if known.len() > MOST_WORDS {
            known.clear();
        }
        for (address, value) in words {
            known.entry(address).or_insert_with(|| Word::new(value, self.samples));
        }
        self.read = now;
    }

    /// True where all that is known by now of the words that a walk rested on, with this look and the one before, speaks for it.
    pub(super) fn vouches(&self, needs: &[Need], look: usize, value: impl Fn(u64, u64) -> Value) -> bool {
        let Some(samples) = self.looks.get(look) else { return false };
        let distance = self.looks.get(look + 1).map_or(self.samples + 1, |next| *next).saturating_sub(*samples).max(1);
        needs.iter().all(|need| {
            let Some(word) = self.words.get(&need.address) else { return false };
            let value = |seen| value(seen, need.code);
            match word.caller(value) {
                Some(caller) => caller == need.value,
                None if need.same => word.is_slow(distance, self.samples),
                None => need.value == NOWHERE && word.is_fickle_data(value),
            }
        })
    }

    /// Compares what is known with the memory; `None` where that is gone. A single word that cannot be read is known no longer.
    pub(super) fn look(&mut self, now: impl Fn() -> u64, mut read: impl FnMut(u64) -> Option<u64>) -> Option<Steady> {
        let (from, to) = (self.read, now());
        let values: Vec<Option<u64>> = self.words.keys().map(|&address| read(address)).collect();
        if !values.is_empty() && values.iter().all(Option::is_none) {
            return None;
        }
        let mut values = values.into_iter();
        Rc::make_mut(&mut self.words).retain(|_, word| values.next().flatten().map(|value| word.look(value)).is_some());
        self.read = now();
        self.looks.push(self.samples);
        let look = self.looks.len() - 1;
        Some(Steady { words: Rc::clone(&self.words), from, to: to.max(from), samples: self.samples, look })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// Looks at memory that is a function of the address.
    fn look(outer: &mut Outer, now: u64, memory: impl Fn(u64) -> u64) -> Steady {
        outer.sampled();
        outer.look(|| now, |address| Some(memory(address))).unwrap()
    }

    /// From 100 on it is code; 150 is the caller.
    fn code(word: u64) -> Value {
        match word {
            150 => Value::Caller,
            100.. => Value::Code,
            _ => Value::Data,
        }
    }

    fn value(steady: &Steady, address: u64) -> Option<u64> {
        steady.need(address, 0, code).map(|need| need.value)
    }

    fn vouches(outer: &Outer, steady: &Steady, address: u64) -> bool {
        steady.need(address, 0, code).is_some_and(|need| outer.vouches(&[need], steady.look(), |word, _| code(word)))
    }

    #[test]
    fn what_two_looks_show_was_there_between_them() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 101), (16, 102)], 10);
        let steady = look(&mut outer, 20, |address| 100 + address / 8);
        assert_eq!([8, 16, 24].map(|address| value(&steady, address)), [Some(101), Some(102), None]);
        assert_eq!([9, 10, 20, 21].map(|time| steady.covers(time)), [false, true, true, false]);
    }

    #[test]
    fn a_changed_return_address_is_unknown_unless_only_one_belongs_to_the_callee() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 101), (16, 2), (24, 150)], 1000);
        let steady = look(&mut outer, 1010, |address| [102, 3, 103][address as usize / 8 - 1]);
        assert_eq!([8, 16, 24].map(|address| value(&steady, address)), [None, Some(NOWHERE), Some(150)]);
        assert!(vouches(&outer, &steady, 16) && vouches(&outer, &steady, 24));
        look(&mut outer, 1020, |_| 101);
        assert!(!vouches(&outer, &steady, 16), "it held code later");
    }

    #[test]
    fn a_word_with_any_number_of_values_is_unknown() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 150)], 0);
        for turn in 1..20 {
            look(&mut outer, turn, |_| turn);
        }
        assert_eq!(value(&look(&mut outer, 20, |_| 150), 8), None);
    }

    #[test]
    fn memory_that_is_gone_tells_nothing_and_takes_nothing_back() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 101), (16, 102)], 0);
        let steady = (1..5).map(|now| look(&mut outer, now, |address| 100 + address / 8)).last().unwrap();
        assert_eq!(outer.look(|| 20, |_| None), None);
        assert!(vouches(&outer, &steady, 8));
        let later = outer.look(|| 30, |address| (address == 16).then_some(102)).unwrap();
        assert_eq!([8, 16].map(|address| value(&later, address)), [None, Some(102)]);
        assert!(!vouches(&outer, &steady, 8), "nobody knows what became of it");
    }

    #[test]
    fn a_thread_that_seldom_runs_changes_seldom_and_is_believed_no_more_for_that() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 200)], 0);
        let mut at = |turn: u64| look(&mut outer, 1_000_000 * turn, |_| 200 + turn / 3 % 2);
        let steady = (1..200).map(&mut at).last().unwrap();
        assert!(value(&steady, 8).is_some() && !vouches(&outer, &steady, 8), "three samples to each change");
    }

    #[test]
    fn a_word_that_changes_as_often_as_one_looks_is_not_believed_though_two_looks_agree() {
        let mut outer = Outer::new(0);
        outer.learn([(8, 200), (16, 200)], 0);
        let early = look(&mut outer, 10, |_| 200);
        assert!(!vouches(&outer, &early, 8), "two looks are too few");
        for turn in 2..40 {
            look(&mut outer, 10 * turn, |address| if address == 8 { 200 + turn % 2 } else { 200 });
        }
        assert!(!vouches(&outer, &early, 8) && vouches(&outer, &early, 16));
    }

    proptest! {
        /// Of words that change at most once from one look to the next, each that is believed is the one that was there.
        #[test]
        fn what_is_believed_is_true(
            flips in prop::collection::vec((1u64..4, 5u64..2000), 0..60),
            mut samples in prop::collection::vec(0u64..10_000, 1..300),
        ) {
            let mut times = Vec::new();
            for (word, gap) in &flips {
                times.push((times.last().map_or(0, |(time, _)| *time) + gap, word * 8));
            }
            let at = |time: u64, address: u64| {
                200 + times.iter().filter(|(flip, word)| *flip <= time && *word == address).count() as u64
            };
            let mut outer = Outer::new(0);
            let now = Cell::new(0);
            outer.learn([8, 16, 24].map(|address| (address, at(0, address))), 0);
            samples.sort_unstable();
            let mut left = samples.into_iter().peekable();
            while now.get() < 10_000 {
                now.set(now.get() + 4);
                outer.sampled();
                let steady = outer.look(|| now.get(), |address| Some(at(now.get(), address))).unwrap();
                while let Some(time) = left.next_if(|time| *time <= now.get()) {
                    for address in [8, 16, 24] {
                        let told = value(&steady, address).filter(|_| steady.covers(time) && vouches(&outer, &steady, address));
                        prop_assert!(told.is_none_or(|word| word == at(time, address)), "{time} {address} {told:?}");
                    }
                }
            }
        }
    }
}
