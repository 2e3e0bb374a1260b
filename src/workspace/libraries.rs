//! The shared libraries that an executable would load, found as the loader finds them, without running it (ld.so(8)).
//!
//! Covers what `DT_NEEDED` names, directly or through other libraries. What a program opens by itself (`dlopen`) it cannot see.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::linkage::Linkage;

/// Directories that the loader looks into at last, in its order; distributions of one architecture know only some of them.
const SYSTEM: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];

/// More libraries than this are no program that we can follow.
const MOST: usize = 500;

/// Each library by its name, and where it lies; `None`: not found.
pub type Libraries = BTreeMap<String, Option<PathBuf>>;

/// The libraries of an executable, which is started with this `LD_LIBRARY_PATH`. `None` when it is no executable of this system.
pub fn of(executable: &Path, library_path: Option<&OsStr>) -> Option<Libraries> {
    let mut found = Libraries::new();
    let mut open = vec![executable.to_owned()];
    let told: Vec<PathBuf> = library_path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    let configured = configured(Path::new("/etc/ld.so.conf"), 0);
    while let Some(object) = open.pop() {
        let Some(linkage) = Linkage::read(&object) else {
            if found.is_empty() {
                return None;
            }
            continue;
        };
        let home = object.parent().unwrap_or(Path::new("/"));
        let own = |paths: &[String]| paths.iter().map(|path| expanded(path, home)).collect::<Vec<PathBuf>>();
        let system = SYSTEM.map(PathBuf::from).to_vec();
        let places = [own(&linkage.first_paths), told.clone(), own(&linkage.run_paths), configured.clone(), system].concat();
        for name in linkage.needed {
            if found.contains_key(&name) || found.len() >= MOST {
                continue;
            }
            let place = find(&name, &places);
            open.extend(place.clone());
            found.insert(name, place);
        }
    }
    Some(found)
}

fn find(name: &str, places: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        return Path::new(name).is_file().then(|| name.into());
    }
    places.iter().map(|place| place.join(name)).find(|path| path.is_file())
}

/// `$ORIGIN` is the directory of the object that says it.
fn expanded(path: &str, home: &Path) -> PathBuf {
    let home = home.to_string_lossy();
    path.replace("${ORIGIN}", &home).replace("$ORIGIN", &home).into()
}

/// The directories of `/etc/ld.so.conf` and of the files that it includes (`*.conf` of one directory, as distributions write it).
fn configured(file: &Path, depth: usize) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut places = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("include ").map(str::trim) {
            Some(pattern) if depth < 3 => {
                let Some((dir, "*.conf")) = pattern.rsplit_once('/') else { continue };
                let dir = file.parent().unwrap_or(Path::new("/")).join(dir);
                let mut files: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
                files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
                files.sort();
                places.extend(files.iter().flat_map(|file| configured(file, depth + 1)));
            }
            Some(_) => {}
            None => places.push(PathBuf::from(line)),
        }
    }
    places
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::Tool;

    #[test]
    fn the_c_library_is_found_for_ourselves() {
        let found = of(&std::env::current_exe().unwrap(), None).unwrap();
        let libc = found.iter().find(|(name, _)| name.starts_with("libc.so"));
        assert!(libc.is_some_and(|(_, place)| place.is_some()), "{found:?}");
    }

    #[test]
    fn a_library_of_the_user_s_own_is_found_where_the_loader_is_told_to_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("own.rs"), "#[no_mangle] pub extern \"C\" fn own() -> i32 { 1 }").unwrap();
        let main = "#[link(name = \"own\")] extern \"C\" { fn own() -> i32; } fn main() { println!(\"{}\", unsafe { own() }); }";
        std::fs::write(path("main.rs"), main).unwrap();
        Tool::new("rustc")
            .args(["--crate-type", "cdylib", "-o"])
            .arg(path("libown.so"))
            .arg(path("own.rs"))
            .run_checked()
            .unwrap();
        Tool::new("rustc").arg("-L").arg(dir.path()).arg("-o").arg(path("main")).arg(path("main.rs")).run_checked().unwrap();
        let place = |told: Option<&OsStr>| of(&path("main"), told).unwrap().get("libown.so").cloned().unwrap();
        assert_eq!(place(None), None);
        assert_eq!(place(Some(dir.path().as_os_str())), Some(path("libown.so")));
    }

    #[test]
    fn configured_directories_are_followed_through_includes() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        std::fs::write(dir.path().join("d/a.conf"), "# one\n/opt/a\n").unwrap();
        std::fs::write(dir.path().join("d/ignored.txt"), "/opt/no\n").unwrap();
        std::fs::write(dir.path().join("ld.so.conf"), "include d/*.conf\n/opt/b\n").unwrap();
        assert_eq!(configured(&dir.path().join("ld.so.conf"), 0), ["/opt/a", "/opt/b"].map(PathBuf::from));
    }

    #[test]
    fn the_origin_is_where_the_object_lies() {
        assert_eq!(expanded("$ORIGIN/../lib", Path::new("/opt/x/bin")), Path::new("/opt/x/bin/../lib"));
    }
}
