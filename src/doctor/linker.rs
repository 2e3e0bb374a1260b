//! Who links: functions in another order tell a change of layout from a change of speed. LLD shuffles them, GNU ld follows a list.

use std::path::Path;

use super::check::Check;
use super::trial::Trial;

const ID: &str = "linker";

/// A linker by the line that it leaves in the section `.comment`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Linker {
    /// `Linker: LLD 20.1.1 (…)`
    Lld(String),
    /// `mold 2.30.0 (…)`
    Mold(String),
    /// gold leaves a section of its own.
    Gold,
    /// It leaves no mark and says `GNU ld (GNU Binutils) 2.40` when it is asked.
    GnuLd(String),
    /// No mark, and no such answer.
    Unmarked,
}

pub(super) fn check(trial: Option<&Trial>) -> Check {
    let Some(trial) = trial else { return Check::missing(ID, ID, "not checked: nothing was linked") };
    match marks(trial.executable()).map(|(comment, is_gold)| if is_gold { Linker::Gold } else { linker(&comment) }) {
        Some(Linker::Unmarked) => judged(&trial.linker().map_or(Linker::Unmarked, asked)),
        Some(found) => judged(&found),
        None => Check::limited(ID, ID, "its name cannot be read from executables of this system"),
    }
}

fn judged(linker: &Linker) -> Check {
    let unable = "it does not reorder functions, so layout is varied by the toolchain's LLD, if it is there, or by whole builds \
        with aligned functions";
    let remedy =
        "let rustc link with LLD: `-C link-arg=-fuse-ld=lld` in the `rustflags` of .cargo/config.toml, with LLD installed";
    let (check, name, version) = match linker {
        Linker::Lld(version) => {
            (Check::ok(ID, ID, format!("LLD {version}: functions can be relinked in another order")), "lld", Some(version))
        }
        Linker::Mold(version) => {
            (Check::limited(ID, ID, format!("mold {version}: {unable}")).remedy(remedy), "mold", Some(version))
        }
        Linker::Gold => (Check::limited(ID, ID, format!("gold: {unable}")).remedy(remedy), "gold", None),
        Linker::GnuLd(version) => {
            (Check::ok(ID, ID, format!("GNU ld {version}: functions can be relinked in another order")), "gnu-ld", Some(version))
        }
        Linker::Unmarked => (
            Check::limited(
                ID,
                ID,
                "unknown: it left no mark and did not say its name; whether it reorders functions shows when a claim is repeated",
            )
            .remedy(remedy),
            "other",
            None,
        ),
    };
    check.value("linker", name).value("version", version.cloned())
}

fn linker(comment: &[u8]) -> Linker {
    let version = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    for line in comment.split(|byte| *byte == 0) {
        let line = String::from_utf8_lossy(line);
        if let Some(rest) = line.strip_prefix("Linker: LLD ") {
            return Linker::Lld(version(rest));
        }
        if let Some(rest) = line.strip_prefix("mold ") {
            return Linker::Mold(version(rest));
        }
    }
    Linker::Unmarked
}

/// A linker by its answer to `--version`.
fn asked(answer: &str) -> Linker {
    let first = answer.lines().next().unwrap_or_default();
    match first.strip_prefix("GNU ld ").and_then(|rest| rest.split_whitespace().last()) {
        Some(version) => Linker::GnuLd(version.to_owned()),
        None => Linker::Unmarked,
    }
}

/// The section `.comment`, and whether gold left its note.
#[cfg(target_os = "linux")]
fn marks(executable: &Path) -> Option<(Vec<u8>, bool)> {
    use object::{Object, ObjectSection};
    let bytes = std::fs::read(executable).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let section = file.section_by_name(".comment");
    let is_gold = file.section_by_name(".note.gnu.gold-version").is_some();
    Some((section.and_then(|section| section.data().ok()).unwrap_or_default().to_vec(), is_gold))
}

#[cfg(not(target_os = "linux"))]
fn marks(_executable: &Path) -> Option<(Vec<u8>, bool)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn linkers_are_known_by_what_they_leave_behind() {
        let of = |text: &str| linker(text.as_bytes());
        assert_eq!(of("Linker: LLD 22.1.2 (/checkout)\0rustc version 1.95.0\0"), Linker::Lld("22.1.2".into()));
        assert_eq!(of("GCC: (Debian) 14.2\0mold 2.30.0 (compatible with GNU ld)\0"), Linker::Mold("2.30.0".into()));
        assert_eq!(of("GCC: (Debian) 14.2\0rustc version 1.95.0\0"), Linker::Unmarked);
        assert_eq!(of(""), Linker::Unmarked);
    }

    #[test]
    fn gnu_ld_is_known_by_its_answer_alone() {
        let gnu = asked("GNU ld (GNU Binutils for Debian) 2.40\nCopyright (C) 2023\n");
        assert_eq!(gnu, Linker::GnuLd("2.40".into()));
        assert!(judged(&gnu).status == Status::Ok && judged(&gnu).values["linker"] == "gnu-ld");
        for other in ["GNU gold (GNU Binutils 2.40) 1.16", "Wild version 0.5", ""] {
            assert_eq!(asked(other), Linker::Unmarked, "{other}");
        }
    }

    #[test]
    fn what_cannot_reorder_functions_says_what_is_done_instead() {
        assert_eq!(judged(&Linker::Lld("20.1".into())).status, Status::Ok);
        let unknown = judged(&Linker::Unmarked);
        assert!(unknown.status == Status::Limited && unknown.values["version"].is_null());
        assert!(unknown.summary.starts_with("unknown") && unknown.remedy.is_some(), "{}", unknown.summary);
        let gold = judged(&Linker::Gold);
        assert!(gold.status == Status::Limited && gold.remedy.unwrap().contains("lld"));
    }
}
