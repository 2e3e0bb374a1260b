//! git: its version, the repository here, and whether its history is whole.

use camino::Utf8Path;

use super::check::{Check, Status};
use crate::figures;
use crate::git::{self, Git, GitError};

const GIT: &str = "git";
const REPOSITORY: &str = "repository";

/// Oldest git that knows `rev-parse --path-format` (its release notes).
const OLDEST: (u32, u32) = (2, 31);

pub(super) fn checks(dir: &Utf8Path) -> Vec<Check> {
    let version = match git::version() {
        Ok(version) => version,
        Err(error) => return vec![Check::refused(GIT, GIT, Status::Missing, &error, "").essential()],
    };
    vec![program(&version), repository(dir)]
}

fn program(version: &str) -> Check {
    let number = version.trim_start_matches("git version ").to_owned();
    let check = if parse(&number).is_some_and(|found| found < OLDEST) {
        Check::missing(GIT, GIT, format!("{number} is too old")).remedy("install git 2.31 or newer")
    } else {
        Check::ok(GIT, GIT, number.clone())
    };
    check.essential().value("version", number)
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse::<u32>);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn repository(dir: &Utf8Path) -> Check {
    match facts(dir) {
        Ok((root, head, shallow)) => described(&root, head.as_deref(), shallow),
        Err(error) => Check::refused(REPOSITORY, REPOSITORY, Status::Missing, &error, "; there is nothing to compare with"),
    }
}

fn facts(dir: &Utf8Path) -> Result<(String, Option<String>, bool), GitError> {
    let git = Git::discover(dir)?;
    Ok((git.root().to_string(), git.head()?, git.is_shallow()?))
}

fn described(root: &str, head: Option<&str>, shallow: bool) -> Check {
    let check = match (head, shallow) {
        (None, _) => Check::limited(REPOSITORY, REPOSITORY, "it has no commit yet, so there is no base to compare with")
            .remedy("commit once"),
        (Some(_), true) => {
            Check::limited(REPOSITORY, REPOSITORY, "the clone is shallow: a base may not be in it").remedy(git::SHALLOW_HINT)
        }
        (Some(head), false) => {
            Check::ok(REPOSITORY, REPOSITORY, format!("{root} at {}, history complete", figures::commit(head)))
        }
    };
    check.value("root", root).value("head", head).value("shallow", shallow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repo;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(program("git version 2.9.5").status, Status::Missing);
        assert_eq!(program("git version 2.47.3 (Apple Git-1)").status, Status::Ok);
        assert_eq!(program("git version 2.31.0.windows.1").status, Status::Ok);
        assert_eq!(program("git version next").status, Status::Ok, "unknown is no reason to refuse");
    }

    #[test]
    fn a_repository_without_a_commit_a_shallow_one_and_a_whole_one() {
        let repo = Repo::new();
        assert_eq!(repository(repo.root()).status, Status::Limited);
        repo.write("a", "1").commit("one");
        assert_eq!(repository(repo.root()).status, Status::Ok);
        repo.write("a", "2").commit("two");
        let clone = repo.outside("clone");
        repo.git(&["clone", "-q", "--depth", "1", &format!("file://{}", repo.root()), clone.as_str()]);
        let shallow = repository(&clone);
        assert_eq!(shallow.status, Status::Limited);
        assert!(shallow.remedy.unwrap().contains("--unshallow"));
    }

    #[test]
    fn outside_of_a_repository_the_line_says_so_and_how_to_change_it() {
        let dir = tempfile::tempdir().unwrap();
        let check = repository(Utf8Path::from_path(dir.path()).unwrap());
        assert_eq!((check.status, check.essential), (Status::Missing, false));
        assert!(check.remedy.unwrap().contains("git init"));
    }
}
