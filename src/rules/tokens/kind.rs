//! The kinds of tokens, as data.

/// A kind of performance token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKind {
    /// `get_unchecked`, `from_utf8_unchecked`, … in an unsafe context.
    Unchecked,
    /// `transmute`, `transmute_copy`.
    Transmute,
    /// `copy_nonoverlapping`.
    PointerCopy,
    /// `MaybeUninit`, `set_len`, `assume_init`.
    Uninitialized,
    /// `_mm…` intrinsics, `std::arch`, `std::simd`, `#[target_feature(enable = …)]`.
    Simd,
    /// `unsafe fn`.
    UnsafeFn,
    /// `unsafe { … }`.
    UnsafeBlock,
    /// `#[inline(always)]`.
    InlineAlways,
    /// Indexing a hand-written `static`/`const` table of numbers.
    Table,
    /// A std map or set replaced by one with another hasher.
    Hasher,
    /// rayon's parallel iterators.
    Rayon,
    /// `#[cached]`, `LruCache`, a local `static` map.
    MemoCache,
    /// `#[global_allocator]`.
    GlobalAllocator,
    /// `likely`, `unlikely`, `cold_path`.
    BranchHint,
    /// `SmallVec`, `ArrayVec`, `CompactString`, …
    InlineStorage,
    /// `trailing_zeros`, `count_ones`, `chunks_exact`, …
    BitTrick,
}

/// What owning a token costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// Costs soundness review: `unsafe` and what needs it.
    Unsafe,
    /// Costs readability, build time or memory.
    Costly,
    /// Costs a little: speaks only together with a stated intent.
    Moderate,
}

impl TokenKind {
    /// What owning it costs.
    pub const fn class(self) -> TokenClass {
        match self {
            Self::Unchecked | Self::Transmute | Self::PointerCopy | Self::Uninitialized | Self::UnsafeFn | Self::UnsafeBlock => {
                TokenClass::Unsafe
            }
            Self::Simd
            | Self::InlineAlways
            | Self::Table
            | Self::Hasher
            | Self::Rayon
            | Self::MemoCache
            | Self::GlobalAllocator => TokenClass::Costly,
            Self::BranchHint | Self::InlineStorage | Self::BitTrick => TokenClass::Moderate,
        }
    }

    /// True when nothing but speed explains it; a plain `unsafe` or a `transmute` (of a lifetime, of a function pointer) may also
    /// be there for what safe code cannot express.
    pub const fn only_for_speed(self) -> bool {
        !matches!(self, Self::UnsafeBlock | Self::UnsafeFn | Self::Transmute)
    }

    /// log2 of how much likelier a performance commit adds it than another commit does (625 of 30 514 commits in 32
    /// repositories, `reference/evidence-rules.md` §2.2).
    pub const fn weight(self) -> f64 {
        match self {
            Self::Simd => 5.9,
            Self::Table => 4.3,
            Self::BranchHint => 4.0,
            Self::BitTrick => 3.8,
            Self::InlineAlways => 3.4,
            Self::PointerCopy | Self::Transmute => 2.8,
            Self::Unchecked => 2.3,
            Self::UnsafeBlock | Self::UnsafeFn => 1.7,
            Self::Uninitialized => 1.6,
            Self::InlineStorage => 1.4,
            Self::Hasher => 1.1,
            Self::MemoCache => 0.4,
            Self::Rayon | Self::GlobalAllocator => 0.0,
        }
    }
}
