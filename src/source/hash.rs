//! A 64-bit hash that is the same in every process and release: stored baselines are compared with it.

use std::fmt;

/// FNV-1a (Fowler, Noll, Vo), 64 bit: offset basis and prime of the reference implementation.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Hashes bytes, and anything that can be displayed, without a copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fnv(u64);

impl Fnv {
    pub(super) fn new() -> Self {
        Self(OFFSET)
    }

    pub(super) fn finish(self) -> u64 {
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
}

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// Hash of one displayed value.
pub(super) fn of_display(value: &impl fmt::Display) -> u64 {
    use fmt::Write;
    let mut hash = Fnv::new();
    // Writing into the hasher cannot fail.
    let _ = write!(hash, "{value}");
    hash.finish()
}

/// Hash of raw bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> u64 {
    let mut hash = Fnv::new();
    hash.bytes(bytes);
    hash.finish()
}

/// Hash of a sequence of hashes; order counts. The mixer is `SplitMix64`'s finalizer (Steele, Lea, Flood 2014).
pub(super) fn of_sequence(hashes: impl Iterator<Item = u64>) -> u64 {
    hashes.fold(OFFSET, |state, next| {
        let mut x = (state ^ next).wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        // FNV-1a 64 of "" and "a", from the reference test vectors.
        assert_eq!(of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of_display(&"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn order_counts() {
        assert_ne!(of_sequence([1, 2].into_iter()), of_sequence([2, 1].into_iter()));
    }
}
