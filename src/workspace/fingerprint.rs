//! The world that a baseline was made in, so that a later run can say what changed beside the code.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Surroundings, Workspace, WorkspaceError};

/// Compiler, settings, inputs and machine. Hashes are SHA-256, hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// `rustc -vV`.
    pub rustc: String,
    /// `cargo --version`.
    pub cargo: String,
    /// Target triple.
    pub target: String,
    /// cargo profile.
    pub profile: String,
    /// Feature flags as they were given.
    pub features: String,
    /// `CARGO_ENCODED_RUSTFLAGS` or `RUSTFLAGS`.
    pub rustflags: Option<String>,
    /// Hash over all cargo configuration files that apply.
    pub cargo_config: Option<String>,
    /// Hash of `Cargo.lock`.
    pub lockfile: Option<String>,
    /// Hash of `rust-toolchain.toml` or `rust-toolchain`.
    pub toolchain_file: Option<String>,
    /// As the kernel names it.
    pub cpu_model: Option<String>,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// Frequency governor of the first CPU.
    pub governor: Option<String>,
    /// Operating system and kernel release.
    pub kernel: String,
    /// Hash of each dataset by `package/path`; `None`: it could not be read.
    pub datasets: BTreeMap<String, Option<String>>,
    /// What reached the build from outside of the commit.
    #[serde(default)]
    pub surroundings: Surroundings,
}

impl Fingerprint {
    /// Takes the fingerprint of `workspace`; datasets are named by package name, package directory and relative path.
    pub fn take(
        workspace: &Workspace,
        profile: &str,
        datasets: &[(String, Utf8PathBuf, Utf8PathBuf)],
        surroundings: Surroundings,
    ) -> Result<Self, WorkspaceError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let options = &workspace.options;
        let read = |path: &Utf8Path| sha256(&path.join("rust-toolchain.toml")).or_else(|| sha256(&path.join("rust-toolchain")));
        let hash =
            |(package, dir, path): &(String, Utf8PathBuf, Utf8PathBuf)| (format!("{package}/{path}"), sha256(&dir.join(path)));
        Ok(Self {
            rustc: workspace.rustc.verbose.clone(),
            cargo: workspace.cargo.version()?,
            target: options.target.clone().or_else(|| workspace.rustc.host().map(str::to_owned)).unwrap_or_default(),
            profile: profile.to_owned(),
            features: options.features.args().join(" "),
            rustflags: variable("CARGO_ENCODED_RUSTFLAGS").or_else(|| variable("RUSTFLAGS")),
            cargo_config: cargo_config(&workspace.cargo.cwd),
            lockfile: sha256(&workspace.root().join("Cargo.lock")),
            toolchain_file: workspace.cargo.cwd.ancestors().find_map(read),
            cpu_model: cpu_model(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            governor: first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            kernel: kernel(),
            datasets: datasets.iter().map(hash).collect(),
            surroundings,
        })
    }

    /// What differs from `now`, in plain words: what changes the code, then what changes the machine.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let some = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
        let mut words = Vec::new();
        let mut shown = |what: &str, then: String, now: String| {
            if then != now {
                words.push(format!("{what}: {} then, {} now", quoted(&then), quoted(&now)));
            }
        };
        shown("compiler", first(&self.rustc), first(&now.rustc));
        shown("cargo", self.cargo.clone(), now.cargo.clone());
        shown("target", self.target.clone(), now.target.clone());
        shown("profile", self.profile.clone(), now.profile.clone());
        shown("features", self.features.clone(), now.features.clone());
        shown("RUSTFLAGS", some(&self.rustflags), some(&now.rustflags));
        shown("CPU", some(&self.cpu_model), some(&now.cpu_model));
        shown("usable CPUs", self.cpus.to_string(), now.cpus.to_string());
        shown("frequency governor", some(&self.governor), some(&now.governor));
        shown("kernel", self.kernel.clone(), now.kernel.clone());
        if first(&self.rustc) == first(&now.rustc) && self.rustc != now.rustc {
            words.push("the compiler's details (`rustc -vV`) differ".into());
        }
        let hashes = [
            ("the cargo configuration", &self.cargo_config, &now.cargo_config),
            ("Cargo.lock", &self.lockfile, &now.lockfile),
            ("the toolchain file", &self.toolchain_file, &now.toolchain_file),
        ];
        words.extend(hashes.iter().filter_map(|(what, then, now)| changed(what, then.as_ref(), now.as_ref())));
        words.extend(self.surroundings_differences(now));
        words.extend(self.dataset_differences(now));
        words
    }

    fn surroundings_differences(&self, now: &Self) -> Vec<String> {
        let (then, now) = (&self.surroundings, &now.surroundings);
        let settings: std::collections::BTreeSet<&String> = then.settings.keys().chain(now.settings.keys()).collect();
        let setting = |name: &String| {
            changed(&format!("`{name}`, which applies to every commit,"), then.settings.get(name), now.settings.get(name))
        };
        // A dependency that the other side alone has says nothing about this one.
        let package = |(dir, hash): (&String, &Option<String>)| {
            let now = now.packages.get(dir)?;
            changed(&format!("the dependency outside of the repository in {dir}"), hash.as_ref(), now.as_ref())
        };
        settings.into_iter().filter_map(setting).chain(then.packages.iter().filter_map(package)).collect()
    }

    /// Datasets that are not what they were: results with them cannot be compared.
    pub fn dataset_differences(&self, now: &Self) -> Vec<String> {
        let known: std::collections::BTreeSet<&String> = self.datasets.keys().chain(now.datasets.keys()).collect();
        let hash = |side: &Self, name: &String| side.datasets.get(name).cloned().flatten();
        known
            .into_iter()
            .filter_map(|name| changed(&format!("the dataset {name}"), hash(self, name).as_ref(), hash(now, name).as_ref()))
            .collect()
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "none".into() } else { text.replace('\u{1f}', " ") }
}

fn changed(what: &str, then: Option<&String>, now: Option<&String>) -> Option<String> {
    match (then, now) {
        (Some(then), Some(now)) if then != now => Some(format!("{what} changed")),
        (Some(_), None) => Some(format!("{what} is gone")),
        (None, Some(_)) => Some(format!("{what} is new")),
        _ => None,
    }
}

/// SHA-256 of a file's contents; `None` if it cannot be read.
pub fn sha256(path: &Utf8Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).ok()?;
    Some(hex(&hash.finalize()))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// One hash over every configuration file that cargo merges for `cwd`: those of the directories above, then `CARGO_HOME`'s.
fn cargo_config(cwd: &Utf8Path) -> Option<String> {
    let home = std::env::var("CARGO_HOME").ok().map(Utf8PathBuf::from).filter(|home| !cwd.starts_with(home));
    let dirs = cwd.ancestors().map(|dir| dir.join(".cargo")).chain(home);
    let mut hash = Sha256::new();
    let mut any = false;
    for dir in dirs {
        // Without the ending it is the older name, which wins where both exist.
        let text = std::fs::read(dir.join("config")).or_else(|_| std::fs::read(dir.join("config.toml")));
        if let Ok(text) = text {
            any = true;
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    any.then(|| hex(&hash.finalize()))
}

/// x86 has `model name`, 64-bit ARM only numbers.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let field = |name: &str| {
        let mut values = cpuinfo.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| key.trim() == name);
        values.next().map(|(_, value)| value.trim().to_owned())
    };
    field("model name").or_else(|| Some(format!("CPU implementer {} part {}", field("CPU implementer")?, field("CPU part")?)))
}

fn first_line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(str::to_owned)
}

#[cfg(unix)]
fn kernel() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

#[cfg(not(unix))]
fn kernel() -> String {
    std::env::consts::OS.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Crate;
    use super::super::{Cargo, DiscoverOptions, discover};
    use super::*;

    #[test]
    fn a_world_does_not_differ_from_itself_and_edits_are_named() {
        let one = Crate::named("one");
        one.write("Cargo.toml", "[package]\nname='one'\nedition='2021'\n").write("src/lib.rs", "").write("data/x.csv", "1");
        let options = DiscoverOptions { no_deps: true, ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(one.root()), options).unwrap();
        let datasets = [("one".to_owned(), one.root().to_owned(), Utf8PathBuf::from("data/x.csv"))];
        let take = || Fingerprint::take(&workspace, "bench", &datasets, Surroundings::default()).unwrap();
        let before = take();
        assert_eq!(before.differences(&take()), Vec::<String>::new());
        assert!(!before.kernel.is_empty() && before.cpus > 0 && before.rustc.contains("host:"));
        one.write("data/x.csv", "2").write("Cargo.lock", "").write(".cargo/config.toml", "[build]\n");
        let words = before.differences(&take());
        assert!(words.contains(&"the dataset one/data/x.csv changed".to_owned()), "{words:?}");
        assert!(words.contains(&"Cargo.lock is new".to_owned()), "{words:?}");
        assert!(words.iter().any(|word| word.starts_with("the cargo configuration")), "{words:?}");
        assert_eq!(before.dataset_differences(&take()).len(), 1);
    }

    #[test]
    fn settings_are_told_as_then_and_now() {
        let then = Fingerprint { rustc: "rustc 1.94.0\nx".into(), cpus: 2, ..Fingerprint::default() };
        let now = Fingerprint { rustc: "rustc 1.95.0\nx".into(), cpus: 4, rustflags: Some("-C\u{1f}x".into()), ..then.clone() };
        assert_eq!(
            then.differences(&now),
            ["compiler: rustc 1.94.0 then, rustc 1.95.0 now", "RUSTFLAGS: none then, -C x now", "usable CPUs: 2 then, 4 now"]
        );
    }

    #[test]
    fn what_reaches_every_commit_and_packages_elsewhere_are_told() {
        let surroundings = |setting: &str, package: &str| Surroundings {
            settings: [("CC".to_owned(), setting.to_owned())].into(),
            packages: [("/ext".to_owned(), Some(package.to_owned()))].into(),
        };
        let then = Fingerprint { surroundings: surroundings("a", "a"), ..Fingerprint::default() };
        let now = Fingerprint { surroundings: surroundings("b", "b"), ..Fingerprint::default() };
        assert_eq!(
            then.differences(&now),
            ["`CC`, which applies to every commit, changed", "the dependency outside of the repository in /ext changed"]
        );
        let without = Fingerprint { surroundings: Surroundings::default(), ..Fingerprint::default() };
        assert_eq!(then.differences(&without), ["`CC`, which applies to every commit, is gone"]);
    }

    #[test]
    fn a_fingerprint_survives_the_store() {
        let one = Fingerprint { datasets: [("a/b".to_owned(), None)].into(), ..Fingerprint::default() };
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), one);
    }

    #[test]
    fn processors_name_themselves_in_two_ways() {
        assert_eq!(cpu_model("processor: 0\nmodel name\t: Fast One\n").as_deref(), Some("Fast One"));
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(cpu_model(arm).as_deref(), Some("CPU implementer 0x41 part 0xd0c"));
        assert_eq!(cpu_model(""), None);
    }
}
