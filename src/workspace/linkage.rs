//! What an executable needs from outside: a loader, shared libraries, an allocator, a clock. Read from the file, without a run.
//!
//! Tells what a preloaded library can reach; it does not resolve libraries (`libraries` does).

use std::path::Path;

/// What is known from the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linkage {
    /// The loader (`PT_INTERP`); `None` for a statically linked executable: nothing can be preloaded there.
    pub interpreter: Option<String>,
    /// Shared libraries by name (`DT_NEEDED`).
    pub needed: Vec<String>,
    /// Where it says they are, before all other places (`DT_RPATH`, heeded only without `DT_RUNPATH`).
    pub first_paths: Vec<String>,
    /// Where it says they are, after `LD_LIBRARY_PATH` (`DT_RUNPATH`).
    pub run_paths: Vec<String>,
    /// An allocator that does not go through the C library's `malloc`.
    pub foreign_allocator: Option<&'static str>,
    /// A crate that counts the processor's cycles instead of asking for the time.
    pub cycle_counter: Option<&'static str>,
}

#[cfg(target_os = "linux")]
/// Symbols of allocators that take their memory from the kernel themselves. Rust paths are written as both manglings write them:
/// length, name.
const ALLOCATORS: [(&str, &str); 9] = [
    ("_rjem_malloc", "jemalloc"),
    ("_rjem_mallocx", "jemalloc"),
    ("mi_malloc", "mimalloc"),
    ("sn_rust_alloc", "snmalloc"),
    ("rpmalloc", "rpmalloc"),
    ("tc_malloc", "tcmalloc"),
    ("4talc", "talc"),
    ("8dlmalloc", "dlmalloc"),
    ("9wee_alloc", "wee_alloc"),
];

#[cfg(target_os = "linux")]
/// What std calls when no `#[global_allocator]` was chosen (library/std/src/alloc.rs).
const DEFAULT_ALLOCATOR: &str = "__rdl_alloc";

#[cfg(target_os = "linux")]
/// Crates whose timers read the time stamp counter. Divan's own does so where it can (`DIVAN_TIMER=tsc`).
const CYCLE_COUNTERS: [(&str, &str); 5] = [
    ("24criterion_cycles_per_byte", "criterion-cycles-per-byte"),
    ("6quanta", "quanta"),
    ("8minstant", "minstant"),
    ("7fastant", "fastant"),
    ("5divan", "divan"),
];

impl Linkage {
    /// Reads an executable; `None` for a script, another format, or a damaged file.
    #[cfg(target_os = "linux")]
    pub fn read(path: &Path) -> Option<Self> {
        use object::{Object, ObjectSymbol};
        let bytes = std::fs::read(path).ok()?;
        let mut linkage = Self::of_elf(&bytes)?;
        let file = object::File::parse(bytes.as_slice()).ok()?;
        let mut has_default = false;
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            has_default |= name.contains(DEFAULT_ALLOCATOR);
            linkage.foreign_allocator = linkage.foreign_allocator.or_else(|| allocator(name));
            linkage.cycle_counter = linkage.cycle_counter.or_else(|| cycle_counter(name));
        }
        // One that is linked in (by a database, say) is not yet the one that Rust code uses.
        if has_default {
            linkage.foreign_allocator = None;
        }
        Some(linkage)
    }

    /// Nothing is read where files have another format.
    #[cfg(not(target_os = "linux"))]
    pub fn read(_path: &Path) -> Option<Self> {
        None
    }

    #[cfg(target_os = "linux")]
    fn of_elf(bytes: &[u8]) -> Option<Self> {
        use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, FileHeader64};
        use object::read::elf::{FileHeader, ProgramHeader};
        let header = FileHeader64::<object::Endianness>::parse(bytes).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, bytes).ok()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let interpreter = segments.iter().find_map(|segment| segment.interpreter(endian, bytes).ok().flatten()).map(text);
        let mut linkage = Self { interpreter, ..Self::default() };
        let table = header.sections(endian, bytes).ok()?.dynamic_table(endian, bytes).ok()?;
        for entry in &table {
            let Ok(value) = table.string(entry) else { continue };
            let split = || value.split(|&byte| byte == b':').map(text);
            match entry.tag {
                DT_NEEDED => linkage.needed.push(text(value)),
                DT_RUNPATH => linkage.run_paths.extend(split()),
                DT_RPATH => linkage.first_paths.extend(split()),
                _ => {}
            }
        }
        if !linkage.run_paths.is_empty() {
            linkage.first_paths.clear();
        }
        Some(linkage)
    }

    /// True when no library can be put in front of its own.
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none()
    }
}

#[cfg(target_os = "linux")]
fn allocator(symbol: &str) -> Option<&'static str> {
    let is = |pattern: &str| {
        if pattern.starts_with(|c: char| c.is_ascii_digit()) { symbol.contains(pattern) } else { symbol == pattern }
    };
    ALLOCATORS.iter().find(|(pattern, _)| is(pattern)).map(|(_, name)| *name)
}

#[cfg(target_os = "linux")]
fn cycle_counter(symbol: &str) -> Option<&'static str> {
    // A crate's length and name follow no other digit: `16quanta…` is a longer name.
    let is = |pattern: &str| {
        let at = symbol.find(pattern)?;
        (!symbol.as_bytes().get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_digit)).then_some(())
    };
    CYCLE_COUNTERS.iter().find(|(pattern, _)| is(pattern).is_some()).map(|(_, name)| *name)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::Tool;

    fn built(dir: &Path, name: &str, source: &str, flags: &[&str]) -> Option<Linkage> {
        let (text, program) = (dir.join(format!("{name}.rs")), dir.join(name));
        std::fs::write(&text, source).unwrap();
        // A linker without static libraries cannot build the static one: nothing to test there.
        Tool::new("rustc").args(["-O", "-o"]).arg(&program).arg(&text).args(flags).run_checked().ok()?;
        Some(Linkage::read(&program).unwrap())
    }

    #[test]
    fn an_ordinary_program_has_a_loader_and_the_c_library_s_allocator() {
        let dir = tempfile::tempdir().unwrap();
        let linkage = built(dir.path(), "plain", "fn main() { println!(\"{}\", vec![1; 9].len()); }", &[]).unwrap();
        assert!(!linkage.is_static() && linkage.needed.iter().any(|name| name.starts_with("libc.so")), "{linkage:?}");
        assert_eq!((linkage.foreign_allocator, linkage.cycle_counter), (None, None));
    }

    #[test]
    fn a_static_program_has_no_loader() {
        let dir = tempfile::tempdir().unwrap();
        let Some(linkage) = built(dir.path(), "fixed", "fn main() {}", &["-C", "target-feature=+crt-static"]) else { return };
        assert!(linkage.is_static() && linkage.needed.is_empty(), "{linkage:?}");
    }

    #[test]
    fn an_allocator_or_a_cycle_counter_shows_in_the_symbols() {
        let source = r#"
            use std::alloc::{GlobalAlloc, Layout, System};
            struct Mine;
            #[no_mangle] #[inline(never)]
            pub extern "C" fn mi_malloc(size: usize) -> *mut u8 { unsafe { System.alloc(Layout::from_size_align_unchecked(size, 8)) } }
            unsafe impl GlobalAlloc for Mine {
                unsafe fn alloc(&self, layout: Layout) -> *mut u8 { mi_malloc(layout.size()) }
                unsafe fn dealloc(&self, block: *mut u8, layout: Layout) { System.dealloc(block, layout) }
            }
            #[global_allocator] static ALLOCATOR: Mine = Mine;
            mod quanta { #[inline(never)] pub fn now() -> usize { std::hint::black_box(1) } }
            fn main() { println!("{}", vec![1; quanta::now()].len()); }
        "#;
        let dir = tempfile::tempdir().unwrap();
        let linkage = built(dir.path(), "own", source, &[]).unwrap();
        assert_eq!((linkage.foreign_allocator, linkage.cycle_counter), (Some("mimalloc"), Some("quanta")));
    }

    #[test]
    fn a_longer_name_is_another_crate() {
        assert_eq!(cycle_counter("_ZN6quanta3now17h0123456789abcdefE"), Some("quanta"));
        assert_eq!(cycle_counter("_RNvCs1_6quanta3now"), Some("quanta"));
        assert_eq!(cycle_counter("_ZN16quanta_extension3now17h0123456789abcdefE"), None);
    }

    #[test]
    fn a_script_and_a_cut_file_tell_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n").unwrap();
        assert_eq!(Linkage::read(file.path()), None);
        let me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        std::fs::write(file.path(), &me[..me.len() / 2]).unwrap();
        assert_eq!(Linkage::read(file.path()), None);
    }
}
