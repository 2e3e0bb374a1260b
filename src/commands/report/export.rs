//! `report --export`: a stored profile in the format of another tool.

use std::io::IsTerminal;

use crate::cli::{ExportFormat, ReportArgs};
use crate::error::{Expected, Result};
use crate::evidence::{Evidence, WorkloadEvidence, read_profile};
use crate::exit::Exit;
use crate::profile::{flamegraph, folded, pprof};
use crate::shell::Shell;
use crate::store::{Baseline, Store};

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// No workload was sampled.
    #[error("the baseline `{0}` holds no profile")]
    NoProfile(String),
    /// The name fits none.
    #[error("the baseline has no profile of `{wanted}`, but of {}", listed(.known))]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What is there.
        known: Vec<String>,
    },
    /// Several profiles, and one file.
    #[error("the baseline holds {} profiles: {}", .0.len(), listed(.0))]
    Several(Vec<String>),
    /// Binary data on a screen.
    #[error("a pprof profile is binary, and standard output is a terminal")]
    Terminal,
}

/// Names in a message before the rest is counted.
const SHOWN: usize = 8;

fn listed(ids: &[String]) -> String {
    let shown: Vec<String> = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    let more = if ids.len() > SHOWN { format!(" and {} more", ids.len() - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

impl Expected for ExportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoProfile(_) => {
                "gather one: `cargo perf-expert baseline`; `cargo perf-expert doctor` tells what can sample here".into()
            }
            Self::Unknown { .. } => "name one of them".into(),
            Self::Several(_) => "choose one: `--workload ID`".into(),
            Self::Terminal => "write it to a file: `-o profile.pb.gz`".into(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoProfile(_) => Exit::NoBaseline,
            _ => Exit::Usage,
        }
    }
}

/// Writes one profile of a baseline.
pub(super) fn export(args: &ReportArgs, format: ExportFormat, store: &Store, shell: &mut Shell) -> Result<Exit> {
    let name = args.baseline.as_deref().unwrap_or("default");
    let baseline: Baseline<Evidence> = store.load_baseline(name)?;
    let sampled: Vec<&WorkloadEvidence> =
        baseline.record.workloads.workloads.iter().filter(|one| one.profile.is_some()).collect();
    let chosen = choose(&sampled, args.workload.as_deref(), name)?;
    let Some(stored) = &chosen.profile else { return Err(ExportError::NoProfile(name.to_owned()).into()) };
    let profile = read_profile(&baseline.path(&stored.file))?;
    let bytes = match format {
        ExportFormat::Pprof => pprof::encode(&profile)?,
        ExportFormat::Folded => folded::write(&profile).into_bytes(),
        ExportFormat::Flamegraph => flamegraph::svg(&profile, &chosen.workload.id)?,
    };
    match &args.output {
        Some(path) => {
            fs_err::write(path, bytes)?;
            shell.status("Wrote", format!("{path}: {}", crate::figures::counted(profile.samples() as usize, "sample")));
        }
        None if format == ExportFormat::Pprof && std::io::stdout().is_terminal() => return Err(ExportError::Terminal.into()),
        None => shell.result(|out| out.write_all(&bytes))?,
    }
    Ok(Exit::Pass)
}

fn choose<'a>(
    sampled: &[&'a WorkloadEvidence],
    wanted: Option<&str>,
    baseline: &str,
) -> Result<&'a WorkloadEvidence, ExportError> {
    let ids = || sampled.iter().map(|one| one.workload.id.clone()).collect();
    match (sampled, wanted) {
        ([], _) => Err(ExportError::NoProfile(baseline.to_owned())),
        (_, Some(wanted)) => {
            let found = sampled.iter().find(|one| one.workload.id == wanted);
            found.copied().ok_or_else(|| ExportError::Unknown { wanted: wanted.to_owned(), known: ids() })
        }
        ([only], None) => Ok(only),
        (_, None) => Err(ExportError::Several(ids())),
    }
}
