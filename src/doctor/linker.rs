//! Who links: LLD can shuffle sections, so that a change of layout is told from a change of speed.

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
    /// GNU ld and gold leave none.
    Unmarked,
}

pub(super) fn check(trial: Option<&Trial>) -> Check {
    let Some(trial) = trial else { return Check::missing(ID, ID, "not checked: nothing was linked") };
    match comment(trial.executable()).map(|comment| linker(&comment)) {
        Some(found) => judged(&found),
        None => Check::limited(ID, ID, "its name cannot be read from executables of this system"),
    }
}

fn judged(linker: &Linker) -> Check {
    let unable = "it cannot shuffle functions, so a change of layout may pass for a change of speed";
    let remedy =
        "let rustc link with LLD: `-C link-arg=-fuse-ld=lld` in the `rustflags` of .cargo/config.toml, with LLD installed";
    let (check, name, version) = match linker {
        Linker::Lld(version) => {
            (Check::ok(ID, ID, format!("LLD {version}: functions can be relinked in another order")), "lld", Some(version))
        }
        Linker::Mold(version) => {
            (Check::limited(ID, ID, format!("mold {version}: {unable}")).remedy(remedy), "mold", Some(version))
        }
        Linker::Unmarked => (Check::limited(ID, ID, format!("not LLD (GNU ld or gold): {unable}")).remedy(remedy), "other", None),
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

#[cfg(target_os = "linux")]
fn comment(executable: &Path) -> Option<Vec<u8>> {
    use object::{Object, ObjectSection};
    let bytes = std::fs::read(executable).ok()?;
    let file = object::File::parse(bytes.as_slice()).ok()?;
    let section = file.section_by_name(".comment");
    Some(section.and_then(|section| section.data().ok()).unwrap_or_default().to_vec())
}

#[cfg(not(target_os = "linux"))]
fn comment(_executable: &Path) -> Option<Vec<u8>> {
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
    fn only_lld_varies_layouts() {
        assert_eq!(judged(&Linker::Lld("20.1".into())).status, Status::Ok);
        let other = judged(&Linker::Unmarked);
        assert!(other.status == Status::Limited && other.remedy.unwrap().contains("lld"));
        assert!(other.values["version"].is_null());
    }
}
