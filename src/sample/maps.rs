//! The kernel's list of what a process has mapped (`proc_pid_maps(5)`). Pure: text in, values out.

use std::ops::Range;
use std::path::PathBuf;

/// An executable part of a process's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    /// Addresses.
    pub(super) range: Range<u64>,
    /// Offset of its begin in the file.
    pub(super) offset: u64,
    /// Device (major, minor) and inode.
    pub(super) file: [u64; 3],
    /// The file, or the kernel's name in brackets; empty for anonymous memory.
    pub(super) path: PathBuf,
}

/// What holds code, of a whole list; a line that was cut is skipped.
pub(super) fn code(text: &[u8]) -> impl Iterator<Item = Map> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter_map(line).filter_map(|(executable, map)| executable.then_some(map))
}

/// One line of `/proc/PID/maps` (`proc_pid_maps(5)`), and whether the memory holds code.
pub(super) fn line(text: &[u8]) -> Option<(bool, Map)> {
    let mut rest = text;
    let mut word = || {
        let start = rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len());
        let after = rest.get(start..).unwrap_or_default();
        let (word, left) = after.split_at(after.iter().position(|&byte| byte == b' ').unwrap_or(after.len()));
        rest = left;
        std::str::from_utf8(word).ok()
    };
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (from, to) = word()?.split_once('-')?;
    let range = hex(from)?..hex(to)?;
    let rights = word()?;
    let offset = hex(word()?)?;
    let (major, minor) = word()?.split_once(':')?;
    let file = [hex(major)?, hex(minor)?, word()?.parse().ok()?];
    // A path may hold spaces, and need not be UTF-8.
    let path = rest.get(rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len())..).unwrap_or_default();
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    Some((rights.contains('x'), Map { range, offset, file, path: path_of(path) }))
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_counts_and_what_is_cut_is_skipped() {
        let maps = b"1000-3000 r-xp 00001000 fe:01 77 /home/x/bench\n3000-4000 rw-p 00003000 fe:01 77 /home/x/bench\n5000-60";
        let code: Vec<Map> = code(maps).collect();
        assert_eq!((code.len(), code[0].range.clone(), code[0].path.to_str()), (1, 0x1000..0x3000, Some("/home/x/bench")));
    }
}
