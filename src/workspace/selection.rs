//! Which packages and targets a command is about, by cargo's rules.

use cargo_metadata::Package;

use super::{TargetKind, Workspace, WorkspaceError};
use crate::config::nearest::nearest;

/// `-p`, `--workspace`, `--exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageSelection {
    /// `-p SPEC`: a name, `name@version`, or a name with `*` and `?`.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--exclude SPEC`.
    pub exclude: Vec<String>,
}

/// The selected members in cargo's order, and the exclusions that matched nothing (cargo only warns about those).
///
/// Without flags these are the default members, which cargo narrows to the package that the command stands in.
pub fn select_packages<'a>(
    workspace: &'a Workspace,
    selection: &PackageSelection,
) -> Result<(Vec<&'a Package>, Vec<String>), WorkspaceError> {
    let members = workspace.members();
    if !selection.workspace && !selection.exclude.is_empty() {
        return Err(WorkspaceError::ExcludeWithoutWorkspace);
    }
    for spec in &selection.packages {
        if !members.iter().any(|package| fits(spec, package)) {
            let known: Vec<String> = members.iter().map(|package| package.name.to_string()).collect();
            let nearest = nearest(spec, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(WorkspaceError::UnknownPackage { name: spec.clone(), nearest, known });
        }
    }
    let unused = selection.exclude.iter().filter(|spec| !members.iter().any(|package| fits(spec, package)));
    let unused: Vec<String> = unused.cloned().collect();
    let chosen: Vec<&Package> = if selection.workspace {
        members.into_iter().filter(|package| !selection.exclude.iter().any(|spec| fits(spec, package))).collect()
    } else if !selection.packages.is_empty() {
        members.into_iter().filter(|package| selection.packages.iter().any(|spec| fits(spec, package))).collect()
    } else if workspace.metadata.workspace_default_members.is_available() {
        workspace.metadata.workspace_default_packages()
    } else {
        members
    };
    Ok((chosen, unused))
}

fn fits(spec: &str, package: &Package) -> bool {
    match spec.split_once('@') {
        Some((name, version)) => package.name == name && package.version.to_string().starts_with(version),
        None => glob(spec, &package.name),
    }
}

/// `*` and `?` as cargo takes them in package and target names.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    fn fits(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => fits(rest, name) || name.split_first().is_some_and(|(_, name)| fits(pattern, name)),
            (Some(('?', rest)), Some((_, name))) => fits(rest, name),
            (Some((wanted, rest)), Some((found, name))) => wanted == found && fits(rest, name),
            _ => false,
        }
    }
    fits(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

/// Refuses the first of `names` that no target of that kind in `packages` fits.
pub(super) fn check_targets(packages: &[&Package], kind: TargetKind, names: &[String]) -> Result<(), WorkspaceError> {
    let targets = packages.iter().flat_map(|package| &package.targets);
    let known: Vec<String> =
        targets.filter(|target| TargetKind::of(target) == Some(kind)).map(|target| target.name.clone()).collect();
    match names.iter().find(|name| !known.iter().any(|target| glob(name, target))) {
        None => Ok(()),
        Some(name) => Err(WorkspaceError::UnknownTarget {
            kind: kind.as_str(),
            name: name.clone(),
            nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
            known,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Crate;
    use super::super::{Cargo, DiscoverOptions, discover};
    use super::*;
    use crate::error::Expected;
    use crate::exit::Exit;

    fn names(packages: &[&Package]) -> Vec<String> {
        let mut names: Vec<String> = packages.iter().map(|package| package.name.to_string()).collect();
        names.sort();
        names
    }

    fn workspace() -> (Crate, Workspace) {
        let one = Crate::named("ws");
        one.write(
            "Cargo.toml",
            "[workspace]\nmembers=['parser','printer','tool']\ndefault-members=['parser','tool']\nresolver='2'\n",
        );
        for name in ["parser", "printer", "tool"] {
            one.write(&format!("{name}/Cargo.toml"), &format!("[package]\nname='{name}'\nedition='2021'\nversion='1.2.0'\n"));
            one.write(&format!("{name}/src/lib.rs"), "");
        }
        let options = DiscoverOptions { no_deps: true, ..DiscoverOptions::default() };
        let workspace = discover(Cargo::new(one.root()), options).unwrap();
        (one, workspace)
    }

    fn chosen(workspace: &Workspace, packages: &[&str], all: bool, exclude: &[&str]) -> Result<Vec<String>, WorkspaceError> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let selection = PackageSelection { packages: owned(packages), workspace: all, exclude: owned(exclude) };
        select_packages(workspace, &selection).map(|(packages, _)| names(&packages))
    }

    #[test]
    fn packages_are_selected_as_cargo_does_it() {
        let (one, workspace) = workspace();
        assert_eq!(chosen(&workspace, &[], false, &[]).unwrap(), ["parser", "tool"]);
        assert_eq!(chosen(&workspace, &[], true, &["p*"]).unwrap(), ["tool"]);
        assert_eq!(chosen(&workspace, &["p*er"], false, &[]).unwrap(), ["parser", "printer"]);
        assert_eq!(chosen(&workspace, &["tool@1.2"], false, &[]).unwrap(), ["tool"]);
        assert!(matches!(chosen(&workspace, &[], false, &["tool"]), Err(WorkspaceError::ExcludeWithoutWorkspace)));
        let error = chosen(&workspace, &["parsr"], false, &[]).unwrap_err();
        assert_eq!((error.hint().unwrap().as_str(), error.exit()), ("did you mean `parser`?", Exit::Usage));
        let options = DiscoverOptions { no_deps: true, ..DiscoverOptions::default() };
        let inside = discover(Cargo::new(one.root().join("printer")), options).unwrap();
        assert_eq!(chosen(&inside, &[], false, &[]).unwrap(), ["printer"]);
    }

    #[test]
    fn globs_fit_whole_names() {
        assert!(glob("a*c", "abbc") && glob("*", "") && glob("a?", "ab") && glob("x", "x"));
        assert!(!glob("a*c", "abbd") && !glob("a", "ab") && !glob("?", ""));
    }
}
