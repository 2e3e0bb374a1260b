//! Which entries each function's name speaks for, asked once per name. Knows nothing of stacks.

use std::collections::HashMap;

use super::catalogue::{Catalogue, Signature};
use super::pattern::Pattern;
use crate::profile::Profile;

/// Entries that fit into a [`Set`].
pub(super) const MOST: usize = u128::BITS as usize;

/// A set of entries, by their place in the catalogue.
pub(super) type Set = u128;

/// What one name speaks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Entries whose `frames` it fits.
    pub(super) frames: Set,
    /// Entries whose `under` it fits, and those without one.
    pub(super) under: Set,
    /// Entries whose `unless` it fits.
    pub(super) unless: Set,
    /// Entries whose `nowhere` it fits.
    pub(super) nowhere: Set,
}

impl Mark {
    fn of(name: &str, catalogue: &Catalogue) -> Self {
        let set = |list: fn(&Signature) -> &[Pattern]| {
            let fits = |signature: &Signature| list(signature).iter().any(|pattern| pattern.fits(name));
            let all = catalogue.signatures.iter().take(MOST).enumerate();
            all.filter(|(_, signature)| fits(signature)).fold(0, |set: Set, (at, _)| set | 1 << at)
        };
        Self {
            frames: set(|one| &one.frames),
            under: set(|one| &one.under),
            unless: set(|one| &one.unless),
            nowhere: set(|one| &one.nowhere),
        }
    }
}

/// The marks of a profile's frames, by their ids.
pub(super) fn marks(profile: &Profile, catalogue: &Catalogue) -> Vec<Mark> {
    let mut known: HashMap<&str, Mark> = HashMap::new();
    let mark = |name| *known.entry(name).or_insert_with(|| Mark::of(name, catalogue));
    profile.frames.iter().map(|frame| frame.function.as_str()).map(mark).collect()
}
