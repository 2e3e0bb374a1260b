//! The second sampling engine: is it built, and if not, could it be? Builds nothing.

use camino::Utf8Path;

use super::check::Check;
use crate::sample::{AgentBuild, AgentOutlook, agent_cache_dir, most_per_second};
use crate::workspace::{Cargo, DiscoverOptions};

const ID: &str = "sampling-agent";
const TITLE: &str = "sampling (pprof agent)";

/// Crates that a line names.
const NAMED: usize = 3;

/// `state` is where this workspace's own files are kept, for users without a cache directory.
pub(super) fn check(cargo: &Cargo, options: &DiscoverOptions, state: Option<&Utf8Path>) -> Check {
    let rustc = match cargo.rustc() {
        Ok(rustc) => rustc,
        Err(_said_elsewhere) => return Check::limited(ID, TITLE, "cannot be built: there is no compiler").value("built", false),
    };
    let platform = options.target.as_deref().or(rustc.host()).unwrap_or_default();
    let offline = options.offline || options.frozen;
    let build = AgentBuild { cargo: cargo.tool(), rustc: &rustc.verbose, platform, offline };
    let cache = agent_cache_dir().or_else(|| Some(state?.join("agent").into_std_path_buf())).unwrap_or_default();
    let outlook = build.outlook(&cache);
    described(&outlook, offline).value("built", outlook == AgentOutlook::Built)
}

fn described(outlook: &AgentOutlook, offline: bool) -> Check {
    match outlook {
        AgentOutlook::Built => {
            let most = most_per_second();
            Check::ok(ID, TITLE, format!("built before; at most {most} samples per CPU second on this kernel"))
        }
        AgentOutlook::Compile => Check::ok(
            ID,
            TITLE,
            "not built yet; it is built once when the kernel refuses to sample, and cargo's cache holds its crates",
        ),
        AgentOutlook::Fetch(missing) if offline => {
            Check::limited(ID, TITLE, format!("cannot be built: {}, and `--offline` forbids to fetch them", absent(missing)))
                .remedy("run once with `--engine pprof` and without `--offline`: the agent is built once and kept for later runs")
        }
        AgentOutlook::Fetch(missing) => Check::limited(
            ID,
            TITLE,
            format!("not built yet: {}, so building it needs the registry", absent(missing)),
        )
        .remedy(
            "run once with `--engine pprof` and a connection to the registry: the agent is built once and kept for later runs",
        ),
        AgentOutlook::Unsupported => Check::limited(ID, TITLE, "works on x86_64 Linux with glibc only"),
    }
}

fn absent(missing: &[String]) -> String {
    let named: Vec<&str> = missing.iter().take(NAMED).map(String::as_str).collect();
    let more = missing.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("cargo's cache lacks {}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Status;

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let missing = AgentOutlook::Fetch(["pprof 0.15.0", "a 1.0.0", "b 1.0.0", "c 1.0.0"].map(str::to_owned).into());
        let (offline, online) = (described(&missing, true), described(&missing, false));
        assert!(offline.summary.contains("pprof 0.15.0, a 1.0.0, b 1.0.0 and 1 more") && offline.summary.contains("--offline"));
        assert!(offline.remedy.unwrap().contains("without `--offline`") && online.remedy.unwrap().contains("connection"));
        assert_eq!((offline.status, online.status), (Status::Limited, Status::Limited));
        for there in [AgentOutlook::Built, AgentOutlook::Compile] {
            let check = described(&there, true);
            assert!(check.status == Status::Ok && check.remedy.is_none());
        }
    }
}
