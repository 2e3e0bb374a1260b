//! In which order the three processes of a round run: random, and balanced over every six rounds.

use crate::stats::SplitMix64;

/// One of the three processes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The base executable.
    Base,
    /// The head executable.
    Head,
    /// A second copy of the base executable.
    Control,
}

use Role::{Base, Control, Head};

/// Every order once: within a block each role is equally often first, second and last, and follows each other one equally often.
const ORDERS: [[Role; 3]; 6] = [
    [Base, Head, Control],
    [Base, Control, Head],
    [Head, Base, Control],
    [Head, Control, Base],
    [Control, Base, Head],
    [Control, Head, Base],
];

/// The orders of one workload's rounds.
#[derive(Debug, Clone)]
pub struct Orders {
    random: SplitMix64,
    block: Vec<[Role; 3]>,
}

impl Orders {
    /// Orders that are the same for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { random: SplitMix64::new(seed), block: Vec::new() }
    }
}

impl Iterator for Orders {
    type Item = [Role; 3];

    fn next(&mut self) -> Option<[Role; 3]> {
        if self.block.is_empty() {
            self.block = ORDERS.to_vec();
            self.random.shuffle(&mut self.block);
        }
        self.block.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_first_second_and_last_equally_often() {
        let rounds: Vec<_> = Orders::new(1).take(12).collect();
        for position in 0..3 {
            for role in [Base, Head, Control] {
                assert_eq!(rounds.iter().filter(|order| order[position] == role).count(), 4);
            }
        }
    }

    #[test]
    fn the_order_is_random_but_reproducible() {
        let take = |seed| Orders::new(seed).take(24).collect::<Vec<_>>();
        assert_eq!(take(5), take(5));
        assert_ne!(take(5), take(6));
    }
}
