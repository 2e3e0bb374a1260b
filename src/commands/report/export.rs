//! `report --export`: a stored profile in the format of another tool.

use std::io::IsTerminal;

use crate::cli::{ExportFormat, ReportArgs};
use crate::error::{Expected, Result};
use crate::evidence::{Evidence, WorkloadEvidence, read_profile};
use crate::exit::Exit;
use crate::profile::{Profile, diff, flamegraph, folded, pprof};
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
    /// No `verify` has compared profiles.
    #[error("no `verify` here has compared a workload whose profile is known on both sides")]
    NothingCompared,
    /// The name fits none of those that were compared.
    #[error("the last `verify` compared no profiles of `{wanted}`, but of {}", listed(.known))]
    NotCompared {
        /// What was asked for.
        wanted: String,
        /// What was compared.
        known: Vec<String>,
    },
    /// Several were compared, and one file.
    #[error("the last `verify` compared {} profiles: {}", .0.len(), listed(.0))]
    SeveralCompared(Vec<String>),
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
            Self::NothingCompared => "change the code, then `cargo perf-expert verify`".into(),
            Self::Unknown { .. } | Self::NotCompared { .. } => "name one of them".into(),
            Self::Several(_) | Self::SeveralCompared(_) => "choose one: `--workload ID`".into(),
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

/// Writes one profile.
pub(super) fn export(args: &ReportArgs, format: ExportFormat, store: &Store, shell: &mut Shell) -> Result<Exit> {
    let stored = || stored(args, store);
    let (bytes, samples) = match format {
        ExportFormat::FlamegraphDiff => difference(args, store)?,
        ExportFormat::Flamegraph => {
            let (id, profile) = stored()?;
            (flamegraph::svg(&profile, &id)?, profile.samples())
        }
        ExportFormat::Folded => {
            let (_, profile) = stored()?;
            (folded::write(&profile).into_bytes(), profile.samples())
        }
        ExportFormat::Pprof => {
            let (_, profile) = stored()?;
            if args.output.is_none() && std::io::stdout().is_terminal() {
                return Err(ExportError::Terminal.into());
            }
            (pprof::encode(&profile)?, profile.samples())
        }
    };
    put(args, &bytes, samples, shell)
}

/// A workload of a baseline and its profile.
fn stored(args: &ReportArgs, store: &Store) -> Result<(String, Profile)> {
    let name = args.baseline.as_deref().unwrap_or("default");
    let baseline: Baseline<Evidence> = store.load_baseline(name)?;
    let sampled: Vec<&WorkloadEvidence> =
        baseline.record.workloads.workloads.iter().filter(|one| one.profile.is_some()).collect();
    let chosen = choose(&sampled, args.workload.as_deref(), name)?;
    let Some(stored) = &chosen.profile else { return Err(ExportError::NoProfile(name.to_owned()).into()) };
    Ok((chosen.workload.id.clone(), read_profile(&baseline.path(&stored.file))?))
}

/// To the file that was asked for, or to standard output.
fn put(args: &ReportArgs, bytes: &[u8], samples: u64, shell: &mut Shell) -> Result<Exit> {
    match &args.output {
        Some(path) => {
            fs_err::write(path, bytes)?;
            shell.status("Wrote", format!("{path}: {}", crate::figures::counted(samples as usize, "sample")));
        }
        None => shell.result(|out| out.write_all(bytes))?,
    }
    Ok(Exit::Pass)
}

/// Draws what differs between the sides of the last comparison.
fn difference(args: &ReportArgs, store: &Store) -> Result<(Vec<u8>, u64)> {
    let (dir, compared) = store.last_compared()?;
    let ids = || compared.iter().map(|one| one.workload.clone()).collect();
    let chosen = match (compared.as_slice(), args.workload.as_deref()) {
        ([], _) => return Err(ExportError::NothingCompared.into()),
        (all, Some(wanted)) => all
            .iter()
            .find(|one| one.workload == wanted)
            .ok_or_else(|| ExportError::NotCompared { wanted: wanted.to_owned(), known: ids() })?,
        ([only], None) => only,
        (_, None) => return Err(ExportError::SeveralCompared(ids()).into()),
    };
    let (base, head) = (read_profile(&dir.join(&chosen.base))?, read_profile(&dir.join(&chosen.head))?);
    let svg = diff::svg(
        &chosen.workload,
        diff::Side { profile: &base, ns: chosen.base_ns },
        diff::Side { profile: &head, ns: chosen.head_ns },
    )?;
    Ok((svg, base.samples() + head.samples()))
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
