//! Binaries as workloads: named with their arguments, or configured with a dataset.

use crate::common::Repo;

const MAIN: &str = "use words::{scan, setup};\nfn main() {\n    let rounds: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).expect(\"a number\");\n    \
    let words = setup::words(4096);\n    for _ in 0..rounds {\n        std::hint::black_box(scan::checksum(std::hint::black_box(&words)));\n    }\n}\n";

#[test]
fn a_binary_that_the_baseline_was_made_with_is_remembered_with_its_arguments() {
    let repo = Repo::new("hot-slower");
    repo.write("src/main.rs", MAIN);
    repo.commit("Add a binary");
    let baseline = repo.run(&["baseline", "-q", "--bin", "words", "--", "3000"]);
    assert_eq!(baseline.code, 0, "{}\n{}", baseline.stdout, baseline.stderr);
    let slower = repo
        .read("src/scan.rs")
        .replace("rotate_left(23);", "rotate_left(23);\n        sum = (sum ^ (sum >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);");
    repo.write("src/scan.rs", &slower);
    let run = repo.run(&["verify", "-q", "--no-tests", "--message-format", "json"]);
    let analysis = run.json();
    let binary = analysis["workloads"].as_array().unwrap().iter().find(|one| one["kind"] == "binary").unwrap();
    assert_eq!(
        (run.code, binary["outcome"].as_str(), binary["explained"].as_bool()),
        (100, Some("slower"), Some(true)),
        "{}",
        run.stdout
    );
    let named = repo.run(&["verify", "-q", "--no-tests", "--message-format", "json", "--bin", "words"]);
    let analysis = named.json();
    let binary = &analysis["workloads"][0];
    assert_eq!((named.code, binary["id"].as_str(), binary["outcome"].as_str()), (100, Some("words"), Some("slower")), "{binary}");
}

#[test]
fn a_workload_whose_dataset_changed_is_not_compared() {
    let repo = Repo::new("hot-slower");
    repo.write("src/main.rs", MAIN);
    repo.write("data/in.txt", "one\n");
    let table = "\n[[package.metadata.perf-expert.workload]]\nname = \"count\"\nbin = \"words\"\nargs = [\"2000\"]\ndatasets = [\"data/in.txt\"]\n";
    repo.write("Cargo.toml", &format!("{}{table}", repo.read("Cargo.toml")));
    repo.commit("Configure a workload");
    assert_eq!(repo.run(&["baseline", "-q"]).code, 0);
    repo.write("data/in.txt", "two\n");
    let run = repo.run(&["verify", "-q", "--no-tests", "--message-format", "json"]);
    let analysis = run.json();
    let count = analysis["workloads"].as_array().unwrap().iter().find(|one| one["id"] == "count").unwrap();
    assert_eq!(count["outcome"], "not-measured", "{}", run.stdout);
    assert!(count["reason"].as_str().unwrap().contains("data/in.txt"), "{count}");
}
