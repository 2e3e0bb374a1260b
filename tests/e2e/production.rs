//! `check --profile FILE` and `report --export`: profiles of other tools in, and out for them.

use std::path::Path;

use serde_json::Value;

use crate::common::{Repo, Run, git};

/// What pprof-rs and perf wrote of a service built in `/build/ws`; `fixtures/README.md` says how.
const PPROF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/production/words.pb.gz");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/production/words.perf-script.txt");

/// The base of `cold-unsafe`, and its head with `scan::checksum` changed, too.
fn changed() -> Repo {
    let repo = Repo::new("cold-unsafe");
    repo.apply_head();
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("rotate_left(23)", "rotate_left(29)"));
    repo
}

fn check(repo: &Repo, file: &str, rest: &[&str]) -> Run {
    repo.run(&[&["check", "--profile", file], rest].concat())
}

fn analysis(repo: &Repo, file: &str) -> Value {
    let run = check(repo, file, &["--message-format", "json"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    run.json()
}

fn change<'a>(analysis: &'a Value, item: &str) -> &'a Value {
    let all = analysis["changes"].as_array().unwrap();
    all.iter().find(|change| change["item"] == item).unwrap_or_else(|| panic!("{item} is not in {all:#?}"))
}

#[test]
fn what_is_hot_in_production_is_found_by_the_ends_of_foreign_paths() {
    let found = analysis(&changed(), PPROF);
    let hot = change(&found, "words::scan::checksum");
    assert_eq!((&hot["heat"], &hot["joined_by"], &hot["samples"]), (&"hot".into(), &"line".into(), &180.into()), "{hot:#}");
    assert!(hot["low"].as_f64().unwrap() > 0.9 && hot["side"].is_null());
    let profile = &found["workloads"][0]["profile"];
    assert_eq!((&profile["imported"]["format"], &profile["imported"]["sampled"]), (&"pprof".into(), &"samples/count".into()));
    assert_eq!((&found["environment"]["engine"], &found["environment"]["rustc"]), (&"imported".into(), &Value::Null));
}

#[test]
fn whose_production_s_time_is_and_why_is_told_of_files_that_were_not_changed() {
    let repo = Repo::new("cold-unsafe");
    repo.write("src/setup.rs", &repo.read("src/setup.rs").replace("value * 10", "10 * value"));
    // A third of it hashes with SipHash in `scan`, which nobody touched.
    let hash = "<core::hash::sip::Hasher<S> as core::hash::Hasher>::write (/rustc/abc/library/core/src/hash/sip.rs:280)";
    let root = "_start;main;words::scan::checksum (/w/src/scan.rs:8)";
    repo.write("target/prod.folded", &format!("{root};hashbrown::map::make_hash;{hash} 3000\n{root} 6000\n"));
    let found = analysis(&repo, "target/prod.folded");
    let workload = &found["workloads"][0];
    let owner = &workload["owners"][0];
    assert_eq!((&owner["item"], &owner["file"]), (&"words::scan::checksum".into(), &"src/scan.rs".into()), "{workload:#}");
    assert_eq!((&owner["of"], &owner["state"]), (&"CPU samples".into(), &"running".into()), "{owner}");
    let cause = &workload["causes"][0];
    assert_eq!((&cause["id"], &cause["of"]), (&"S05".into(), &"CPU samples".into()), "{workload:#}");
    assert!((cause["share"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6, "{cause}");
    assert_eq!(workload["hot_path"][0]["file"], "src/scan.rs", "{workload:#}");
    assert!(found["environment"]["warnings"].to_string().contains("of its CPU samples alone"), "{found:#}");
    let page = check(&repo, "target/prod.folded", &[]).stdout;
    for part in ["Who the time belongs to", "`words::scan::checksum` (src/scan.rs:", "S05"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn perf_script_is_joined_by_names_and_says_so() {
    let repo = changed();
    let found = analysis(&repo, SCRIPT);
    let hot = change(&found, "words::scan::checksum");
    assert_eq!((&hot["heat"], &hot["joined_by"], &hot["samples"]), (&"hot".into(), &"name".into(), &24.into()), "{hot:#}");
    let text = check(&repo, SCRIPT, &[]).stdout;
    assert!(text.contains("24 samples, by name") && text.contains("no files and lines"), "{text}");
}

#[test]
fn an_item_without_samples_is_unmeasured_and_one_with_few_fails_nothing() {
    let repo = changed();
    let unseen = analysis(&repo, PPROF);
    assert_eq!(change(&unseen, "words::setup::parse_limit")["heat"], "unmeasured");
    assert!(change(&unseen, "words::setup::parse_limit")["total"].is_null());
    // 8 of 9008: cold, and a warning at most, since another hour or machine may show more.
    let whole = "_start;main;words::scan::checksum (/w/src/scan.rs:8) 9000\n_start;main;words::setup::parse_limit (/w/src/setup.rs:6) 8\n";
    repo.write("target/prod.folded", whole);
    let cold = analysis(&repo, "target/prod.folded");
    assert_eq!(change(&cold, "words::setup::parse_limit")["heat"], "cold", "{cold:#}");
    assert_eq!((&cold["findings"][0]["rule"], &cold["findings"][0]["severity"]), (&"PE-201".into(), &"warning".into()));
    // The same with samples that may hide it.
    for hiding in ["_start;main;[unknown] 300\n", "words::other::f 300\n", "_start;main;parse (/w/src/setup.rs:6) 300\n"] {
        repo.write("target/prod.folded", &format!("{whole}{hiding}"));
        let doubtful = analysis(&repo, "target/prod.folded");
        assert_eq!(change(&doubtful, "words::setup::parse_limit")["heat"], "uncertain", "{hiding}{doubtful:#}");
        assert!(doubtful["environment"]["warnings"].to_string().contains("of the samples"), "{doubtful:#}");
    }
}

#[test]
fn the_label_tells_which_commit_the_lines_are_of() {
    let repo = changed();
    let of_profile = git(repo.root(), &["rev-parse", "HEAD"]);
    // Since then, lines have moved, and `parse_limit` is another one at the base.
    repo.write("src/setup.rs", &repo.read("src/setup.rs").replace("value * 10", "10 * value"));
    repo.write("src/scan.rs", &format!("//\n//\n//\n//\n{}", repo.read("src/scan.rs")));
    repo.commit("Go on");
    let setup = repo.read("src/setup.rs").replace("10 * value", "value * 10 + 0");
    repo.write("src/setup.rs", &setup.replace("0..limit as u64", "0..(limit as u64)"));
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("rotate_left(29)", "rotate_left(31)"));
    let run = |profile: &str| {
        let out = repo.run(&["check", "--base", "HEAD", "--profile", profile, "--message-format", "json"]);
        assert_eq!(out.code, 0, "{}", out.stderr);
        out.json()
    };
    let without = run(PPROF);
    assert!(without["environment"]["warnings"][0].as_str().unwrap().contains("does not say which commit"), "{without:#}");
    let labelled = labelled(PPROF, &of_profile, repo.root());
    let found = run(&labelled);
    assert_eq!(found["workloads"][0]["profile"]["imported"]["looked_up_in"], of_profile.as_str());
    assert!(found["base"]["evidence"].as_str().unwrap().contains("as its label `commit` says"), "{found:#}");
    let same = change(&found, "words::setup::words");
    assert_eq!((&same["samples"], &same["joined_by"]), (&180.into(), &"line".into()), "{same:#}");
    for item in ["words::scan::checksum", "words::setup::parse_limit"] {
        let change = change(&found, item);
        assert_eq!(change["heat"], "unmeasured", "{change:#}");
        assert!(change["heat_reason"].as_str().unwrap().contains("does not have it as the base has it"), "{change:#}");
    }
}

#[test]
fn a_build_id_tells_which_commit_the_lines_are_of() {
    let repo = Repo::new("cold-unsafe");
    let made = repo.run(&["baseline", "-q", "--offline", "--message-format", "json"]).json();
    let of_baseline = git(repo.root(), &["rev-parse", "HEAD"]);
    let target = made["workloads"][0]["target"].as_str().unwrap().to_owned();
    let Some(id) = kept_build_id(&repo, &target) else {
        use std::io::Write;
        std::io::stderr().write_all(b"SKIPPED a test of build ids: the linker writes none here\n").unwrap();
        return;
    };
    repo.write("src/setup.rs", &repo.read("src/setup.rs").replace("value * 10", "10 * value"));
    repo.commit("Go on");
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("rotate_left(23)", "rotate_left(29)"));
    let run = |id: &str| {
        let file = rewritten(PPROF, repo.root(), |message| {
            let at = message.string_table.len() as i64;
            message.string_table.push(id.to_owned());
            message.mapping.push(pprof::protos::Mapping { id: u64::MAX, build_id: at, ..Default::default() });
        });
        let out = repo.run(&["check", "--base", "HEAD", "--profile", &file, "--message-format", "json"]);
        assert_eq!(out.code, 0, "{}", out.stderr);
        out.json()
    };
    let known = run(&id);
    assert_eq!(known["workloads"][0]["profile"]["imported"]["looked_up_in"], of_baseline.as_str(), "{known:#}");
    assert!(known["base"]["evidence"].as_str().unwrap().contains("in the baseline `default`"), "{known:#}");
    let other = run("00112233445566778899aabbccddeeff00112233");
    assert!(other["environment"]["warnings"].to_string().contains("of no stored baseline"), "{other:#}");
}

/// The build id of an executable that the default baseline keeps, as `readelf` of the test's own would print it.
fn kept_build_id(repo: &Repo, target: &str) -> Option<String> {
    use perf_expert::workspace::build_id::build_id;
    let home = camino::Utf8Path::from_path(repo.root())?.join("target/perf-expert/baselines/default");
    let mut dirs = vec![home];
    while let Some(dir) = dirs.pop() {
        for entry in dir.read_dir_utf8().ok()?.flatten() {
            let path = entry.path().to_owned();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().is_some_and(|name| name.contains(target))
                && let Some(id) = build_id(&path)
            {
                return Some(id);
            }
        }
    }
    None
}

/// The profile with `commit` on every sample.
fn labelled(profile: &str, commit: &str, dir: &Path) -> String {
    use pprof::protos::Label;
    rewritten(profile, dir, |message| {
        let key = message.string_table.len() as i64;
        message.string_table.extend(["commit".to_owned(), commit.to_owned()]);
        for sample in &mut message.sample {
            sample.label.push(Label { key, str: key + 1, ..Label::default() });
        }
    })
}

/// A copy of the profile with another content, below `dir`.
fn rewritten(profile: &str, dir: &Path, edit: impl FnOnce(&mut pprof::protos::Profile)) -> String {
    use pprof::protos::{Message, Profile};
    use std::io::Read;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(profile).unwrap()).read_to_end(&mut bytes).unwrap();
    let mut message = Profile::decode(bytes.as_slice()).unwrap();
    edit(&mut message);
    let path = dir.join("target/rewritten.pb");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, message.encode_to_vec()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_no_profile_ends_with_the_files_name_and_a_way_out() {
    let repo = changed();
    for (content, said) in [
        ("", "holds no samples"),
        ("main;a 1\nmain;b\n", "line 2 is not a folded stack"),
        ("{\"profiles\": []}", "is JSON"),
        ("\u{0}\u{1}\u{2}", "cannot be read as pprof"),
    ] {
        repo.write("target/x.pb.gz", content);
        let run = check(&repo, "target/x.pb.gz", &[]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{}", run.stderr);
        assert!(
            run.stderr.contains("target/x.pb.gz") && run.stderr.contains(said) && run.stderr.contains("help:"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(check(&repo, "none.pb.gz", &[]).code, 2);
}

#[test]
fn a_stored_profile_is_exported_and_reads_back() {
    let repo = Repo::new("cold-unsafe");
    let baseline = repo.run(&["baseline", "-q", "--offline", "--message-format", "json"]);
    let measured = baseline.json();
    if measured["environment"]["engine"] == "none" {
        use std::io::Write;
        std::io::stderr().write_all(b"SKIPPED a test of the export: nothing can sample here\n").unwrap();
        return;
    }
    let samples = measured["workloads"][0]["profile"]["samples"].as_u64().unwrap();
    let id = measured["workloads"][0]["id"].as_str().unwrap();
    let folded = repo.run(&["report", "--export", "folded", "--workload", id]);
    let counted = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(folded.stdout.lines().map(counted).sum::<u64>(), samples, "{}", folded.stderr);
    assert!(folded.stdout.contains("words::scan::checksum"));
    for (format, file) in [("pprof", "target/out.pb.gz"), ("flamegraph", "target/out.svg")] {
        let run = repo.run(&["report", "--export", format, "--workload", id, "-o", file]);
        assert!(run.code == 0 && run.stderr.contains(file), "{}", run.stderr);
    }
    assert!(repo.read("target/out.svg").contains("words::scan::checksum"));
    repo.apply_head();
    repo.write("src/scan.rs", &repo.read("src/scan.rs").replace("rotate_left(23)", "rotate_left(29)"));
    let found = analysis(&repo, "target/out.pb.gz");
    assert_eq!(change(&found, "words::scan::checksum")["samples"], samples);
    let unknown = repo.run(&["report", "--export", "folded", "--workload", "none"]);
    assert!(unknown.code == 2 && unknown.stderr.contains(id), "{}", unknown.stderr);
}
