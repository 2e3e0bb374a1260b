use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::error::Expected;
use crate::exit::Exit;
use crate::workspace::fingerprint::Fingerprint;

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().join("perf expert é")).unwrap();
    (dir, path)
}

fn record(name: &str, workloads: &str) -> BaselineRecord<String> {
    BaselineRecord {
        schema_version: 0,
        tool_version: String::new(),
        name: name.into(),
        commit: Some("abc".into()),
        dirty: false,
        tree: None,
        created: jiff::Timestamp::UNIX_EPOCH,
        fingerprint: Fingerprint::default(),
        targets: vec![],
        workloads: workloads.into(),
        files: BTreeMap::new(),
    }
}

fn save(store: &Store, name: &str, text: &str) -> Baseline<String> {
    let mut draft = store.draft().unwrap();
    draft.add_bytes("profiles/a.pb.gz".into(), text.as_bytes()).unwrap();
    store.save_baseline(record(name, text), draft).unwrap()
}

/// A baseline is whole when its record and its file tell the same.
fn load(store: &Store, name: &str) -> String {
    let baseline: Baseline<String> = store.load_baseline(name).unwrap();
    let file = std::fs::read_to_string(baseline.path("profiles/a.pb.gz".into())).unwrap();
    assert_eq!(file, baseline.record.workloads);
    file
}

#[test]
fn what_was_saved_comes_back_with_permissions() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    let mut draft = store.draft().unwrap();
    let me = Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
    draft.add_file("bin/é -x".into(), &me).unwrap();
    store.save_baseline(record("default", "w"), draft).unwrap();
    let baseline: Baseline<String> = Store::read(&dir).load_baseline("default").unwrap();
    assert_eq!((baseline.record.schema_version, baseline.record.tool_version.as_str()), (1, env!("CARGO_PKG_VERSION")));
    let copy = baseline.path("bin/é -x".into());
    assert_eq!(std::fs::read(&copy).unwrap().len(), std::fs::read(&me).unwrap().len());
    #[cfg(unix)]
    assert_ne!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(copy).unwrap().permissions()) & 0o100, 0);
    assert!(dir.join("CACHEDIR.TAG").exists());
}

#[test]
fn saving_again_replaces_and_leaves_one_generation() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    for text in ["one", "two", "three"] {
        save(&store, "default", text);
    }
    assert_eq!(load(&store, "default"), "three");
    assert_eq!(dir.join("baselines/default").read_dir_utf8().unwrap().count(), 2);
    assert_eq!(dir.join("baselines").read_dir_utf8().unwrap().count(), 1);
}

#[test]
fn two_writers_at_once_are_refused_but_a_reader_is_not() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    save(&store, "default", "one");
    let error = Store::open(&dir).unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    let reader = Store::read(&dir);
    assert_eq!(load(&reader, "default"), "one");
    assert!(matches!(reader.draft(), Err(StoreError::ReadOnly)));
    drop(store);
    Store::open(&dir).unwrap();
}

#[test]
fn a_run_that_died_before_the_record_was_renamed_changes_nothing() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    save(&store, "default", "one");
    // Killed while gathering files.
    let mut draft = store.draft().unwrap();
    draft.add_bytes("profiles/a.pb.gz".into(), b"half").unwrap();
    std::mem::forget(draft);
    // Killed between the rename of the files and the rename of the record, with the record half written.
    let settled = store.draft().unwrap();
    settled.settle(&dir.join("baselines/default/files-9")).unwrap();
    std::fs::write(dir.join("baselines/default/.tmp-x"), "{ half").unwrap();
    // Killed before the very first record of a name.
    std::fs::create_dir_all(dir.join("baselines/other/files-1")).unwrap();
    assert_eq!(load(&store, "default"), "one");
    drop(store);
    let store = Store::open(&dir).unwrap();
    assert_eq!(load(&store, "default"), "one");
    assert_eq!(dir.join("baselines").read_dir_utf8().unwrap().count(), 1);
    assert_eq!(dir.join("baselines/default").read_dir_utf8().unwrap().count(), 2);
}

#[test]
fn a_failing_disk_leaves_the_last_baseline_intact() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    save(&store, "default", "one");
    // A directory in the place of the record's new name fails the rename, the last step of all.
    let home = dir.join("baselines/blocked");
    std::fs::create_dir_all(home.join("baseline.json/x")).unwrap();
    assert!(store.save_baseline(record("blocked", "x"), store.draft().unwrap()).is_err());
    assert_eq!(home.read_dir_utf8().unwrap().count(), 1, "no generation is left behind");
    // A source that cannot be read fails the draft.
    let mut draft = store.draft().unwrap();
    assert!(draft.add_file("x".into(), &dir.join("no such file")).is_err());
    drop(draft);
    assert_eq!(load(&store, "default"), "one");
    assert!(!dir.join("baselines").read_dir_utf8().unwrap().flatten().any(|e| e.file_name().starts_with(".tmp-")));
}

/// Needs the right to mount; where that is missing, the injected failures of the other tests stand alone.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_the_last_baseline_survives() {
    let (_guard, dir) = temporary();
    std::fs::create_dir_all(&dir).unwrap();
    let mount = crate::process::Tool::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs", dir.as_str()]).run();
    if !mount.is_ok_and(|output| output.success()) {
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let store = Store::open(&dir).unwrap();
        save(&store, "default", "one");
        let mut draft = store.draft().unwrap();
        let error = draft.add_bytes("big".into(), &vec![7; 1 << 20]).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.hint().unwrap().contains("intact"));
        drop(draft);
        assert_eq!(load(&store, "default"), "one");
        save(&store, "default", "two");
    });
    crate::process::Tool::new("umount").arg(dir.as_str()).run_checked().unwrap();
    outcome.unwrap();
}

const VICTIM: &str = "PERF_EXPERT_TEST_VICTIM";

/// Saves for ever, until the next test kills it.
#[test]
#[ignore = "runs only as the child of the next test"]
fn the_victim_saves_until_it_is_killed() {
    let dir = Utf8PathBuf::from(std::env::var(VICTIM).unwrap());
    let store = Store::open(&dir).unwrap();
    let start = Instant::now();
    for round in 0_u64.. {
        save(&store, "default", &format!("round {round} {}", "x".repeat(50_000)));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn kill_minus_nine_at_any_moment_leaves_a_whole_baseline() {
    let (_guard, dir) = temporary();
    save(&Store::open(&dir).unwrap(), "default", "before");
    for millis in [60, 90, 131, 177] {
        let launch = crate::process::Launch::new(std::env::current_exe().unwrap(), dir.parent().unwrap())
            .args(["--exact", "store::tests::the_victim_saves_until_it_is_killed", "--ignored"])
            .env(VICTIM, dir.as_str());
        let limits = crate::process::Limits { timeout: Duration::from_millis(millis), ..crate::process::Limits::default() };
        assert!(crate::process::run(&launch, &limits).unwrap().timed_out);
        load(&Store::read(&dir), "default");
        load(&Store::open(&dir).unwrap(), "default");
    }
}

#[test]
fn newer_and_damaged_files_name_themselves_and_the_way_out() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    save(&store, "default", "one");
    let path = dir.join("baselines/default/baseline.json");
    let text = std::fs::read_to_string(&path).unwrap();

    std::fs::write(&path, r#"{"schema_version": 99, "body": [1]}"#).unwrap();
    let error = store.load_baseline::<String>("default").unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("baseline.json was made by a newer version"));
    assert_eq!(store.unreadable_baselines().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["default"]);
    let refused = store.save_baseline(record("default", "two"), store.draft().unwrap()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
    assert!(matches!(store.may_replace("default"), Err(StoreError::Newer { .. })));

    for damage in [&text[..text.len() / 2], "", "{}", "not json", r#"{"schema_version": 1, "body": {}}"#] {
        std::fs::write(&path, damage).unwrap();
        let error = store.load_baseline::<String>("default").unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { file, .. } if file.ends_with("baseline.json")), "{error}");
        assert_eq!(error.hint().unwrap(), "make it again with `cargo perf-expert baseline`");
        store.may_replace("default").unwrap();
    }
    std::fs::write(&path, &text).unwrap();
    let profile = store.load_baseline::<String>("default").unwrap().path("profiles/a.pb.gz".into());
    std::fs::write(&profile, "x").unwrap();
    let error = store.load_baseline::<String>("default").unwrap_err();
    assert!(error.to_string().contains("1 bytes instead of 3"), "{error}");
    std::fs::remove_file(&profile).unwrap();
    assert!(store.load_baseline::<String>("default").unwrap_err().to_string().contains("missing"));
    // A new baseline heals it.
    save(&store, "default", "two");
    assert_eq!(load(&store, "default"), "two");
}

#[test]
fn a_missing_name_gets_the_nearest_one() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    let error = store.load_baseline::<String>("default").unwrap_err();
    assert_eq!((error.exit(), error.hint().unwrap().as_str()), (Exit::NoBaseline, "make one with `cargo perf-expert baseline`"));
    save(&store, "before-rewrite", "one");
    assert_eq!(store.load_baseline::<String>("before-rewrit").unwrap_err().hint().unwrap(), "did you mean `before-rewrite`?");
    assert!(matches!(store.load_baseline::<String>("../x"), Err(StoreError::BadName { .. })));
    assert!(matches!(store.draft().unwrap().add_bytes("../x".into(), b""), Err(StoreError::BadName { .. })));
}

#[test]
fn baselines_are_listed_and_removed() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    save(&store, "a", "one");
    save(&store, "b", "two");
    let names = |store: &Store| store.list_baselines().into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!(names(&store), ["a", "b"]);
    store.remove_baseline("a").unwrap();
    assert_eq!(names(&store), ["b"]);
    assert!(matches!(store.remove_baseline("a"), Err(StoreError::Missing { .. })));
    assert_eq!(Store::read(&dir.join("nowhere")).list_baselines(), []);
}

#[test]
fn the_last_twenty_analyses_are_kept() {
    let (_guard, dir) = temporary();
    let store = Store::open(&dir).unwrap();
    assert_eq!(store.last_analysis().unwrap(), None);
    for number in 0..25 {
        store.save_analysis(&json!({ "number": number })).unwrap();
    }
    assert_eq!(store.last_analysis().unwrap(), Some(json!({ "number": 24 })));
    assert_eq!(dir.join("analyses").read_dir_utf8().unwrap().count(), 20);
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_written_says_where_to_go() {
    let (_guard, dir) = temporary();
    std::fs::write(dir.as_std_path(), "a file").unwrap();
    let error = Store::open(&dir).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--baseline-dir"));
}
