//! Another order of functions from GNU ld: its own linker script, with the functions' sections listed in front.
//!
//! Writes text; runs nothing. rustc puts each function into a section of its own, `.text.NAME`, and `ld --verbose` prints the
//! script that the very same call would use.

use camino::Utf8Path;

use crate::stats::SplitMix64;

/// `ld` prints its script between lines of these.
const FENCE: &str = "==================================================";

/// A linker script and the functions that it can place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Up to the first input section of `.text`.
    before: String,
    after: String,
    names: Vec<String>,
}

impl Listed {
    /// `None` when `verbose` has no script that places `.text`, or there is nothing to list.
    pub(super) fn new(verbose: &str, mut names: Vec<String>) -> Option<Self> {
        let script = verbose.split(FENCE).nth(1)?.trim_start_matches('=');
        let section = script.lines().find(|line| line.split_whitespace().next() == Some(".text"))?;
        let start = script.find(section)?;
        let brace = start + script.get(start..)?.find('{')? + 1;
        names.retain(|name| is_plain(name));
        names.sort_unstable();
        names.dedup();
        let (before, after) = script.split_at_checked(brace)?;
        (names.len() > 1).then(|| Self { before: before.to_owned(), after: after.to_owned(), names })
    }

    /// The script that orders the functions by `seed`.
    pub(super) fn script(&self, seed: u32) -> String {
        let mut names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        SplitMix64::new(u64::from(seed)).shuffle(&mut names);
        let list = names.iter().flat_map(|name| ["\n    *(.text.", name, ")"]);
        std::iter::once(self.before.as_str()).chain(list).chain([self.after.as_str()]).collect()
    }
}

/// Nothing that a linker script reads as a pattern or the end of a word.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'))
}

/// The names of the functions of an executable; none where it is stripped or of another format.
pub(super) fn functions(executable: &Utf8Path) -> std::io::Result<Vec<String>> {
    use object::{Object, ObjectSymbol, SymbolKind};
    let bytes = fs_err::read(executable)?;
    let Ok(file) = object::File::parse(bytes.as_slice()) else { return Ok(Vec::new()) };
    let defined = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    Ok(defined.filter_map(|symbol| symbol.name().ok().map(ToOwned::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERBOSE: &str = "GNU ld (GNU Binutils) 2.40\n  Supported emulations:\nusing internal linker script:\n\
        ==================================================\n/* Script for -pie */\nSECTIONS\n{\n  .init : { *(.init) }\n  \
        .rela.text : { *(.rela.text) }\n  .text           :\n  {\n    *(.text.unlikely)\n    *(.text .text.*)\n  }\n}\n\n\
        ==================================================\n";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn functions_are_listed_in_front_and_the_rest_of_the_script_stays() {
        let listed = Listed::new(VERBOSE, names(&["b", "a", "a", "c$x", "*", "d)", ""])).unwrap();
        assert_eq!(listed.names, ["a", "b", "c$x"]);
        let script = listed.script(7);
        assert!(script.starts_with("\n/* Script for -pie */\nSECTIONS") && script.ends_with("(.text .text.*)\n  }\n}\n\n"));
        let (front, _) = script.split_once("*(.text.unlikely)").unwrap();
        let (_, list) = front.split_once("  .text           :\n  {").unwrap();
        let mut lines: Vec<&str> = list.split_whitespace().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["*(.text.a)", "*(.text.b)", "*(.text.c$x)"]);
    }

    #[test]
    fn a_seed_decides_the_order() {
        let many: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
        let listed = Listed::new(VERBOSE, many).unwrap();
        assert_eq!(listed.script(1), listed.script(1));
        assert_ne!(listed.script(1), listed.script(2));
    }

    #[test]
    fn a_linker_without_such_a_script_lists_nothing() {
        assert_eq!(Listed::new("mold 2.30\n", names(&["a", "b"])), None);
        assert_eq!(Listed::new(VERBOSE, names(&["a"])), None);
    }
}
