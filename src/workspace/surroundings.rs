//! What reaches a build from outside of its commit: the environment, settings above and beside the repository, packages elsewhere.
//!
//! It must be the same for both sides; stored evidence that was made with another one says nothing about the change.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fingerprint::{hex, sha256};
use super::{Workspace, WorkspaceError};
use crate::git::Git;

/// The files that cargo and rustup take settings from, in every directory from where they are started upwards.
const SETTINGS: [&str; 4] = [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];

/// Variables that decide what is built, by name or by how it begins ("Environment variables Cargo reads" and the `cc` crate's).
const VARIABLES: [&str; 15] = [
    "CARGO_PROFILE",
    "CARGO_BUILD",
    "CARGO_TARGET",
    "CARGO_INCREMENTAL",
    "RUSTC",
    "CC",
    "CXX",
    "AR",
    "CFLAGS",
    "CXXFLAGS",
    "TARGET_CC",
    "TARGET_CFLAGS",
    "HOST_CC",
    "HOST_CFLAGS",
    "LDFLAGS",
];

/// Those of them that decide where and how fast.
const NEUTRAL: [&str; 5] =
    ["CARGO_BUILD_JOBS", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "CARGO_TARGET_DIR", "CARGO_TARGET_TMPDIR"];

/// Larger files of a package elsewhere are told apart by size and time.
const READ_WHOLE: u64 = 256 * 1024;

/// Hashes (SHA-256) by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Surroundings {
    /// Variables, settings files and a lock file that apply to any commit alike.
    pub settings: BTreeMap<String, String>,
    /// Packages outside of the repository that this side depends on, by directory; `None`: it cannot be read.
    pub packages: BTreeMap<String, Option<String>>,
}

impl Surroundings {
    /// Those of `side`, a checkout of the repository that `head` is the work tree of.
    pub fn of(git: &Git, head: &Workspace, side: &Workspace) -> Result<Self, WorkspaceError> {
        let mut settings = variables(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))));
        // A base without a lock file under git is built with the head's.
        let lock = head.root().join("Cargo.lock");
        for file in settings_files(&head.cargo.cwd).into_iter().chain([lock]) {
            let Some(hash) = sha256(&file) else { continue };
            let own = file.strip_prefix(git.root()).map(Utf8Path::to_owned);
            if own.as_ref().is_ok_and(|file| git.is_tracked(file).unwrap_or(false)) {
                continue;
            }
            settings.insert(own.unwrap_or(file).into_string(), hash);
        }
        let top = top_of(git, head, side);
        let outside = side.local_dependencies().into_iter().map(|dir| dir.canonicalize_utf8().unwrap_or(dir));
        let outside = outside.filter(|dir| !dir.starts_with(&top) && !dir.starts_with(git.root()));
        let packages = outside.map(|dir| (dir.to_string(), package(git, &dir))).collect();
        Ok(Self { settings, packages })
    }

    /// The packages of this side as they are now.
    pub fn packages_now(&self, git: &Git) -> BTreeMap<String, Option<String>> {
        self.packages.keys().map(|dir| (dir.clone(), package(git, dir.as_str().into()))).collect()
    }
}

/// The top of a side's tree: as far above its workspace root as the head's is.
fn top_of(git: &Git, head: &Workspace, side: &Workspace) -> Utf8PathBuf {
    let inside = head.root().strip_prefix(git.root()).map_or(0, |inside| inside.components().count());
    side.root().ancestors().nth(inside).unwrap_or(side.root()).to_owned()
}

fn variables(all: impl Iterator<Item = (String, std::ffi::OsString)>) -> BTreeMap<String, String> {
    let begins = |name: &str, start: &str| name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let decides = |name: &str| VARIABLES.iter().any(|start| begins(name, start)) && !NEUTRAL.contains(&name);
    all.filter(|(name, value)| decides(name) && !value.is_empty())
        .map(|(name, value)| (name, hex(&Sha256::digest(value.as_encoded_bytes()))))
        .collect()
}

/// Where cargo and rustup look for settings, whether something lies there or not.
pub(super) fn settings_files(cwd: &Utf8Path) -> Vec<Utf8PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    let home = variable("CARGO_HOME").or_else(|| Some(variable("HOME")?.join(".cargo")));
    let of_home = home.into_iter().flat_map(|home| [home.join("config.toml"), home.join("config")]);
    cwd.ancestors().flat_map(|dir| SETTINGS.map(|name| dir.join(name))).chain(of_home).collect()
}

/// One hash over a package's directory. What lies in it of the repository itself belongs to the commits.
fn package(git: &Git, dir: &Utf8Path) -> Option<String> {
    let mut hash = Sha256::new();
    add(&mut hash, git.root(), dir, Utf8Path::new("")).ok()?;
    Some(hex(&hash.finalize()))
}

fn add(hash: &mut Sha256, except: &Utf8Path, dir: &Utf8Path, inside: &Utf8Path) -> io::Result<()> {
    let mut entries: Vec<_> = dir.read_dir_utf8()?.collect::<Result<_, _>>()?;
    entries.sort_by(|left, right| left.file_name().cmp(right.file_name()));
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if name.starts_with('.') || path == except {
            continue;
        }
        let inside = inside.join(name);
        if entry.file_type()?.is_dir() {
            if name != "target" {
                add(hash, except, path, &inside)?;
            }
            continue;
        }
        let Ok(metadata) = std::fs::metadata(path) else { continue };
        if !metadata.is_file() {
            continue;
        }
        hash.update(inside.as_str());
        hash.update([0]);
        hash.update(metadata.len().to_le_bytes());
        if metadata.len() <= READ_WHOLE {
            hash.update(std::fs::read(path)?);
        } else if let Ok(age) = metadata.modified()?.duration_since(std::time::UNIX_EPOCH) {
            hash.update(age.as_nanos().to_le_bytes());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Cargo, DiscoverOptions, discover};
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn variables_that_decide_what_is_built_are_taken() {
        let all = [
            ("CARGO_PROFILE_BENCH_LTO", "fat"),
            ("CARGO_TARGET_DIR", "x"),
            ("CC", "clang"),
            ("HOME", "/x"),
            ("CFLAGS", ""),
            ("ARGS", "x"),
        ];
        let taken = variables(all.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        assert_eq!(taken.keys().collect::<Vec<_>>(), ["CARGO_PROFILE_BENCH_LTO", "CC"]);
    }

    #[test]
    fn settings_without_a_commit_and_packages_elsewhere_belong_to_the_surroundings() {
        let repo = Repo::new();
        let write = |path: &str, text: &str| {
            let path = repo.outside(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("ext/Cargo.toml", "[package]\nname='ext'\nedition='2021'\n");
        write("ext/src/lib.rs", "");
        repo.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n[dependencies]\next={path='../ext'}\n");
        repo.write("src/lib.rs", "").write("rust-toolchain", "stable\n").write(".gitignore", "Cargo.lock\n");
        repo.commit("one");
        let git = repo.open();
        let options = DiscoverOptions { offline: true, ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(repo.root()), options).unwrap();
        let take = || Surroundings::of(&git, &workspace, &workspace).unwrap();
        let before = take();
        let ext = repo.outside("ext").canonicalize_utf8().unwrap().into_string();
        assert_eq!(before.packages.keys().collect::<Vec<_>>(), [&ext]);
        assert!(before.settings.contains_key("Cargo.lock"), "{before:?}");
        assert!(!before.settings.keys().any(|name| name.contains("rust-toolchain")), "{before:?}");

        write("ext/target/x", "built");
        repo.write("src/lib.rs", "fn f() {}");
        assert_eq!((take(), before.packages_now(&git)), (before.clone(), before.packages.clone()));
        write("ext/src/lib.rs", "fn slow() {}");
        assert_ne!(before.packages_now(&git), before.packages);
        repo.write(".cargo/config.toml", "[build]\n");
        assert!(take().settings.contains_key(".cargo/config.toml"));
        repo.commit("two");
        assert_eq!(take().settings, before.settings);
    }
}
