//! One frame of a folded stack, as profilers write it: a name, with or without file, line, offset, module and marks.
//!
//! perf's scripts, inferno and bpftrace write names (`name_[k]`, `name+0x1f`, `[libc.so.6]`), py-spy `name (file.py:12)`,
//! `stackcollapse-perf.pl --srcline` `name:file.rs:12`, dtrace ``module`name``.

use crate::profile::model::{Frame, UNKNOWN};
use crate::profile::normalize::foreign;

/// The kernel's code, as it is called in `/proc/kallsyms` and by perf.
const KERNEL: &str = "[kernel.kallsyms]";

/// The frame that a label means.
pub(super) fn frame(label: &str) -> Frame {
    let (label, mark) = unmarked(label.trim());
    let mut frame = Frame { function: UNKNOWN.into(), file: None, line: None, module: UNKNOWN.into(), inlined: mark == 'i' };
    if mark == 'k' {
        frame.module = KERNEL.into();
    }
    if let Some(module) = bracketed(label) {
        if module != "unknown" {
            module.rsplit('/').next().unwrap_or(module).clone_into(&mut frame.module);
        }
        return frame;
    }
    let (name, place) = placed(label);
    match place {
        Some(Place::Source(file, line)) => (frame.file, frame.line) = (Some(file.to_owned()), line),
        Some(Place::Module(module)) => module.rsplit('/').next().unwrap_or(module).clone_into(&mut frame.module),
        None => {}
    }
    let name = without_offset(name);
    if !name.is_empty() && !is_address(name) {
        frame.function = foreign(name);
    }
    frame
}

/// Kernel, inlined, just-in-time: marks that stackcollapse scripts append.
fn unmarked(label: &str) -> (&str, char) {
    let mark = ["_[k]", "_[i]", "_[j]"].into_iter().find(|mark| label.ends_with(mark));
    match mark {
        Some(mark) => (&label[..label.len() - mark.len()], mark.chars().nth(2).unwrap_or(' ')),
        None => (label, ' '),
    }
}

/// `[unknown]`, `[libc.so.6]`, `[vdso]`: no name, but perhaps where it is. `[u8]` is a type.
fn bracketed(label: &str) -> Option<&str> {
    let inner = label.strip_prefix('[')?.strip_suffix(']')?;
    (!inner.contains(['[', ']', ' ', ';']) && inner.len() > 3).then_some(inner)
}

enum Place<'a> {
    Source(&'a str, Option<u32>),
    Module(&'a str),
}

fn placed(label: &str) -> (&str, Option<Place<'_>>) {
    if let Some((name, inner)) = label.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        if let Some((file, line)) = source(inner) {
            return (name, Some(Place::Source(file, Some(line))));
        }
        if is_source(inner) {
            return (name, Some(Place::Source(inner, None)));
        }
        if !inner.contains(' ') && (inner.contains(".so") || inner.contains('/')) {
            return (name, Some(Place::Module(inner)));
        }
    }
    if let Some((before, line)) = source(label) {
        return match before.rsplit_once(':') {
            Some((name, file)) if !name.ends_with(':') && is_source(file) => (name, Some(Place::Source(file, Some(line)))),
            _ if is_source(before) && !before.contains("::") => ("", Some(Place::Source(before, Some(line)))),
            _ => (label, None),
        };
    }
    match label.split_once('`') {
        Some((module, name)) if !module.is_empty() => (name, Some(Place::Module(module))),
        _ => (label, None),
    }
}

/// `src/x.rs:12` taken apart.
fn source(text: &str) -> Option<(&str, u32)> {
    let (file, line) = text.rsplit_once(':')?;
    Some((file, line.parse().ok().filter(|&line| line > 0)?)).filter(|_| !file.ends_with(':'))
}

/// A path that ends like a source file.
fn is_source(path: &str) -> bool {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    (1..=4).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric()) && !matches!(end, "so" | "6" | "0" | "1" | "2")
}

/// `name+0x1f`, `name+31`.
fn without_offset(name: &str) -> &str {
    let is_number = |text: &str| {
        let digits = text.strip_prefix("0x");
        let all = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(is);
        digits.map_or_else(|| all(text, u8::is_ascii_digit), |hex| all(hex, u8::is_ascii_hexdigit))
    };
    name.rsplit_once('+').filter(|(name, offset)| !name.is_empty() && is_number(offset)).map_or(name, |(name, _)| name)
}

fn is_address(name: &str) -> bool {
    let hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    name.strip_prefix("0x").is_some_and(hex) || (name.len() >= 8 && hex(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str) -> (String, Option<String>, Option<u32>, String) {
        let frame = frame(label);
        (frame.function, frame.file, frame.line, frame.module)
    }

    #[test]
    fn labels_of_all_tools_mean_the_same_function() {
        for label in [
            "app::scan::checksum",
            "_ZN3app4scan8checksum17h0123456789abcdefE",
            "_RNvNtCs1234_3app4scan8checksum",
            "app::scan::checksum::h0123456789abcdef",
            "app::scan::checksum+0x1f",
            "_ZN3app4scan8checksum17h0123456789abcdefE+31",
            "app::scan::checksum_[i]",
            "app::scan::checksum (src/scan.rs:12)",
            "app::scan::checksum (app.so)",
            "app::scan::checksum (/build/src/scan.rs)",
            "app::scan::checksum:scan.rs:12",
            "app`app::scan::checksum",
        ] {
            assert_eq!(frame(label).function, "app::scan::checksum", "{label}");
        }
    }

    #[test]
    fn what_stands_beside_the_name_is_kept() {
        let named = |function: &str, file: Option<&str>, line, module: &str| {
            (function.to_owned(), file.map(str::to_owned), line, module.to_owned())
        };
        for (label, expected) in [
            ("f (src/a.rs:12)", named("f", Some("src/a.rs"), Some(12), UNKNOWN)),
            ("a::f (/x/src/a.rs)", named("a::f", Some("/x/src/a.rs"), None, UNKNOWN)),
            ("malloc (libc.so.6)", named("malloc", None, None, "libc.so.6")),
            ("a::f:/x/a.rs:7", named("a::f", Some("/x/a.rs"), Some(7), UNKNOWN)),
            ("/x/a.rs:7", named(UNKNOWN, Some("/x/a.rs"), Some(7), UNKNOWN)),
            ("libc.so.6`read", named("read", None, None, "libc.so.6")),
            ("do_syscall_64_[k]", named("do_syscall_64", None, None, KERNEL)),
            ("[libc.so.6]", named(UNKNOWN, None, None, "libc.so.6")),
            ("[unknown]", named(UNKNOWN, None, None, UNKNOWN)),
            ("0x7f00deadbeef", named(UNKNOWN, None, None, UNKNOWN)),
            ("[u8]::sort", named("[u8]::sort", None, None, UNKNOWN)),
            ("app", named("app", None, None, UNKNOWN)),
            ("core::ops::Fn(u8)", named("core::ops::Fn(u8)", None, None, UNKNOWN)),
        ] {
            assert_eq!(read(label), expected, "{label}");
        }
    }
}
