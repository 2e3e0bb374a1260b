//! A binary's symbol table: names for addresses that debug information does not name, and which functions share code.

use std::ops::Range;

use object::{Object, ObjectSymbol, SymbolKind};

/// How far back to look for a sized symbol behind labels inside of it.
const LOOK_BACK: usize = 16;

/// Function symbols by address, borrowed from the file.
pub(in crate::sample) struct Symbols<'d> {
    sorted: Vec<Symbol<'d>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Symbol<'d> {
    address: u64,
    size: u64,
    name: &'d str,
}

impl<'d> Symbols<'d> {
    /// All function symbols of a file; the dynamic ones too, which are all that a stripped library has.
    pub(in crate::sample) fn of(object: &object::File<'d>) -> Self {
        let symbols = object.symbols().chain(object.dynamic_symbols());
        let sorted = symbols
            // Hand-written assembly often has no type; ifuncs (memcpy) have one that this crate does not know.
            .filter(|symbol| symbol.is_definition() || !symbol.is_undefined())
            .filter(|symbol| {
                !matches!(symbol.kind(), SymbolKind::Data | SymbolKind::Section | SymbolKind::File | SymbolKind::Tls)
            })
            .filter_map(|symbol| {
                let name = symbol.name().ok().filter(|name| !name.is_empty())?;
                (symbol.address() != 0).then_some(Symbol { address: symbol.address(), size: symbol.size(), name })
            });
        Self::from_unsorted(sorted.collect())
    }

    fn from_unsorted(mut symbols: Vec<Symbol<'d>>) -> Self {
        symbols.sort_unstable_by(|a, b| (a.address, rank(a.name)).cmp(&(b.address, rank(b.name))));
        symbols.dedup_by(|a, b| a.address == b.address && a.name == b.name);
        Self { sorted: symbols }
    }

    /// Where the functions with these names lie; one without a size reaches to the next.
    pub(in crate::sample) fn ranges(&self, names: &[&str]) -> Vec<Range<u64>> {
        let found = self.sorted.iter().enumerate().filter(|(_, symbol)| names.contains(&symbol.name));
        let range = |(at, symbol): (usize, &Symbol<'_>)| {
            let mut after = self.sorted.iter().skip(at).map(|other| other.address).filter(|&other| other > symbol.address);
            let end = if symbol.size > 0 { symbol.address.saturating_add(symbol.size) } else { after.next().unwrap_or(u64::MAX) };
            symbol.address..end
        };
        found.map(range).collect()
    }

    /// The names of the function that contains `address`, the plainest first; empty when none does.
    pub(in crate::sample) fn names(&self, address: u64) -> Vec<&'d str> {
        let after = self.sorted.partition_point(|symbol| symbol.address <= address);
        let (before, rest) = self.sorted.split_at(after);
        let next = rest.first().map_or(u64::MAX, |symbol| symbol.address);
        let contains = |symbol: &&Symbol<'_>| match symbol.size {
            // A symbol without a size (assembly) reaches to the next one.
            0 => address < next && before.last().is_some_and(|last| last.address == symbol.address),
            size => address - symbol.address < size,
        };
        let Some(found) = before.iter().rev().take(LOOK_BACK).find(contains) else { return Vec::new() };
        let first = before.partition_point(|symbol| symbol.address < found.address);
        let same = before.iter().skip(first).take_while(|symbol| symbol.address == found.address);
        same.filter(|symbol| symbol.size == found.size).map(|symbol| symbol.name).collect()
    }
}

/// Plain names before reserved ones (`malloc` before `__libc_malloc`), short before long, then by alphabet.
fn rank(name: &str) -> (usize, usize, &str) {
    (name.len() - name.trim_start_matches('_').len(), name.len(), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(list: &[(u64, u64, &'static str)]) -> Symbols<'static> {
        Symbols::from_unsorted(list.iter().map(|&(address, size, name)| Symbol { address, size, name }).collect())
    }

    #[test]
    fn an_address_belongs_to_the_symbol_whose_size_covers_it() {
        let symbols = symbols(&[(0x100, 0x10, "a"), (0x120, 0x10, "b")]);
        assert_eq!(symbols.names(0x10f), ["a"]);
        assert!(symbols.names(0x110).is_empty());
        assert_eq!(symbols.names(0x120), ["b"]);
        assert!(symbols.names(0xff).is_empty());
    }

    #[test]
    fn labels_inside_a_function_do_not_hide_it() {
        let symbols = symbols(&[(0x100, 0x40, "outer"), (0x108, 4, "inner")]);
        assert_eq!(symbols.names(0x109), ["inner"]);
        assert_eq!(symbols.names(0x120), ["outer"]);
    }

    #[test]
    fn a_symbol_without_a_size_reaches_to_the_next() {
        let symbols = symbols(&[(0x100, 0, "_start"), (0x130, 8, "next")]);
        assert_eq!(symbols.names(0x12f), ["_start"]);
        assert!(symbols.names(0x138).is_empty());
    }

    #[test]
    fn names_that_share_code_come_together_plainest_first() {
        let symbols = symbols(&[(0x100, 8, "__libc_malloc"), (0x100, 8, "malloc"), (0x100, 8, "malloc")]);
        assert_eq!(symbols.names(0x104), ["malloc", "__libc_malloc"]);
    }
}
