//! valgrind: instruction counts as a second witness.

use std::time::Duration;

use super::check::Check;
use crate::process::Tool;

const ID: &str = "valgrind";

pub(super) fn check() -> Check {
    let answer = Tool::new("valgrind").arg("--version").timeout(Duration::from_secs(20)).run_checked();
    match answer.map(|output| output.text()) {
        Ok(version) => {
            let version = version.trim_start_matches("valgrind-").to_owned();
            Check::ok(ID, ID, format!("{version}: instructions can be counted")).value("version", version)
        }
        Err(_absent) => Check::missing(ID, ID, "no instruction counts as a second witness; times are measured without it")
            .remedy("install valgrind (`apt install valgrind`, `dnf install valgrind`)")
            .value("version", serde_json::Value::Null),
    }
}
