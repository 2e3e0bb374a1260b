//! The directory of evidence and builds: on which file system, writable, with room, and with a path that causes no trouble.

use camino::Utf8Path;

use super::check::Check;
use super::existing;

const ID: &str = "target-directory";
const TITLE: &str = "target directory";

/// Two sides of a middle-sized workspace with debug information take about as much; a baseline some 20 MiB per executable.
const ROOM: u64 = 2 << 30;
/// File systems over a network or through a user-space process: builds are slow there, and runs wait for it.
const REMOTE: [&str; 9] = ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "afs", "ceph", "sshfs"];

pub(super) fn check(state: Option<&Utf8Path>) -> Check {
    let Some(state) = state else {
        return Check::missing(ID, TITLE, "not checked: without a package there is none")
            .remedy("go to a package, or name one with `--manifest-path`");
    };
    let Some(dir) = existing(state) else { return Check::missing(ID, TITLE, format!("nothing of `{state}` exists")) };
    let facts = Facts {
        writable: tempfile::tempfile_in(dir).map(drop).map_err(|error| error.to_string()),
        free: free(dir),
        mount: mount_of(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(), dir.as_str()),
    };
    judged(state, &facts)
}

struct Facts {
    writable: Result<(), String>,
    free: Option<u64>,
    mount: Option<Mount>,
}

/// Where a directory is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    kind: String,
    noexec: bool,
}

fn judged(state: &Utf8Path, facts: &Facts) -> Check {
    let kind = facts.mount.as_ref().map(|mount| mount.kind.clone());
    let room = facts
        .free
        .map_or_else(|| "room unknown".into(), |free| format!("{} free", crate::figures::quantity(free as f64, "bytes")));
    let on = kind.as_ref().map_or_else(String::new, |kind| format!(" on {kind}"));
    let place = format!("{state}{on}, {room}");
    let remote = kind.as_deref().is_some_and(|kind| REMOTE.contains(&kind) || kind.starts_with("fuse"));
    let check = if let Err(error) = &facts.writable {
        Check::missing(ID, TITLE, format!("{state} cannot be written: {error}"))
            .remedy("choose a writable place with `--target-dir DIR` or CARGO_TARGET_DIR")
    } else if facts.mount.as_ref().is_some_and(|mount| mount.noexec) {
        Check::missing(ID, TITLE, format!("{place}: mounted `noexec`, so nothing that is built there can run"))
            .remedy("choose another place with `--target-dir DIR` or CARGO_TARGET_DIR")
    } else if facts.free.is_some_and(|free| free < ROOM) {
        Check::limited(ID, TITLE, format!("{place}: two sides with debug information may not fit"))
            .remedy("free some disk space, or choose another place with `--target-dir DIR`")
    } else if remote {
        Check::limited(ID, TITLE, format!("{place}: builds and program starts wait for the network or another process"))
            .remedy("choose a local disk with `--target-dir DIR` or CARGO_TARGET_DIR")
    } else if state.as_str().contains([' ', ':', '\t']) {
        Check::ok(ID, TITLE, format!("{place}; its path cannot stand in LD_PRELOAD, so the clock is preloaded from TMPDIR"))
    } else {
        Check::ok(ID, TITLE, place)
    };
    check.essential().value("path", state.as_str()).value("free_bytes", facts.free).value("file_system", kind)
}

#[cfg(unix)]
fn free(dir: &Utf8Path) -> Option<u64> {
    let found = rustix::fs::statvfs(dir.as_std_path()).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_dir: &Utf8Path) -> Option<u64> {
    None
}

/// The last mount whose point is the longest directory above `dir` (`proc_pid_mountinfo(5)`).
fn mount_of(mountinfo: &str, dir: &str) -> Option<Mount> {
    let mut best: Option<(usize, Mount)> = None;
    for line in mountinfo.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut fields = left.split(' ').skip(4);
        let (Some(point), Some(options)) = (fields.next(), fields.next()) else { continue };
        let point = point.replace("\\040", " ");
        let above = Utf8Path::new(dir).starts_with(&point);
        if above && best.as_ref().is_none_or(|(length, _)| point.len() >= *length) {
            let kind = right.split(' ').next().unwrap_or_default().to_owned();
            let noexec = options.split(',').any(|option| option == "noexec");
            best = Some((point.len(), Mount { kind, noexec }));
        }
    }
    best.map(|(_, mount)| mount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    const MOUNTS: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:26 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw\n\
        31 22 0:27 / /home/me/my\\040work rw - nfs4 server:/x rw\n\
        32 22 0:28 / /home/me rw - btrfs /dev/sdb rw\n";

    fn judge(path: &str, change: impl FnOnce(&mut Facts)) -> Check {
        let mut facts = Facts { writable: Ok(()), free: Some(50 << 30), mount: mount_of(MOUNTS, path) };
        change(&mut facts);
        judged(Utf8Path::new(path), &facts)
    }

    #[test]
    fn the_nearest_mount_counts() {
        assert_eq!(mount_of(MOUNTS, "/srv/x").unwrap().kind, "ext4");
        assert_eq!(mount_of(MOUNTS, "/home/me/x").unwrap().kind, "btrfs");
        assert_eq!(mount_of(MOUNTS, "/home/me/my work/x").unwrap().kind, "nfs4");
        assert_eq!(mount_of(MOUNTS, "/home/mel").unwrap().kind, "ext4", "a name that only begins alike");
        assert_eq!(mount_of("", "/"), None);
    }

    #[test]
    fn each_trouble_has_its_status_and_its_way_out() {
        assert_eq!(judge("/srv/x", |_| {}).status, Status::Ok);
        assert_eq!(judge("/tmp/x", |_| {}).status, Status::Missing, "noexec");
        assert_eq!(judge("/srv/x", |facts| facts.writable = Err("read-only".into())).status, Status::Missing);
        let full = judge("/srv/x", |facts| facts.free = Some(1 << 20));
        assert!(full.status == Status::Limited && full.summary.contains("1.000 MiB free"), "{}", full.summary);
        assert_eq!(judge("/home/me/my work/x", |_| {}).status, Status::Limited);
        let spaces = judge("/srv/a b", |_| {});
        assert!(spaces.status == Status::Ok && spaces.summary.contains("LD_PRELOAD"));
        assert!(judge("/srv/x", |facts| facts.free = None).values["free_bytes"].is_null());
    }
}
