//! A whole diagnosis of the machine that runs the tests, and the conclusion from made-up checks.

use camino::Utf8PathBuf;

use super::*;

fn diagnose_in(dir: &std::path::Path) -> Diagnosis {
    let request = Request {
        cwd: Utf8PathBuf::from_path_buf(dir.canonicalize().unwrap()).unwrap(),
        options: DiscoverOptions { no_deps: true, ..DiscoverOptions::default() },
        profile: None,
        state: None,
    };
    diagnose(&request, |_| {})
}

#[test]
fn outside_of_a_package_and_a_repository_the_machine_is_still_checked() {
    let dir = tempfile::tempdir().unwrap();
    let diagnosis = diagnose_in(dir.path());
    assert!(diagnosis.can_measure, "{:?}", diagnosis.reasons);
    assert_eq!(diagnosis.check("toolchain").unwrap().status, Status::Ok);
    for id in ["repository", "package", "target-directory"] {
        let check = diagnosis.check(id).unwrap();
        assert!(check.status == Status::Missing && check.remedy.is_some(), "{check:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
    let ids: std::collections::BTreeSet<&str> = diagnosis.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids.len(), diagnosis.checks.len(), "ids are unique");
}

#[test]
fn a_manifest_that_cargo_refuses_stops_everything() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("Cargo.toml"), "[package\n").unwrap();
    let diagnosis = diagnose_in(dir.path());
    assert_eq!((diagnosis.can_measure, diagnosis.exit_code), (false, 101));
    assert!(diagnosis.reasons.iter().any(|reason| reason.starts_with("package: ")), "{:?}", diagnosis.reasons);
}

#[test]
fn only_what_is_essential_and_missing_stops_a_machine() {
    let essential = |check: Check| Diagnosis::new(vec![check.essential()]).can_measure;
    assert!(essential(Check::ok("a", "a", "")) && essential(Check::limited("a", "a", "")));
    assert!(!essential(Check::missing("a", "a", "gone")));
    let optional = Diagnosis::new(vec![Check::missing("a", "a", "gone")]);
    assert_eq!((optional.can_measure, optional.exit_code, optional.reasons.len()), (true, 0, 0));
}

#[test]
fn of_a_page_of_diagnostics_only_what_went_wrong_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let cargo = Cargo::new(Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap());
    let error = Trial::build(&cargo, Some("no-such-platform"), None).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("a program of ten lines does not build: error") && text.lines().count() == 1, "{text}");
    assert!(crate::error::Expected::hint(&error).unwrap().contains("cargo build"));
}
