//! `report`: the last analysis again, or what a baseline holds.

mod export;

use super::context::locate;
use crate::analysis::Analysis;
use crate::cli::{MessageFormat, ReportArgs};
use crate::error::{Expected, Result};
use crate::exit::Exit;
use crate::report::{Format, render};
use crate::shell::Shell;
use crate::store::Store;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// Nothing was run yet.
    #[error("there is no analysis yet in `{0}`")]
    Nothing(String),
    /// The stored analysis is not what this version writes.
    #[error("the stored analysis cannot be read: {0}")]
    Unreadable(String),
    /// The analysis of a baseline is missing.
    #[error("there is no analysis of the baseline `{0}` any more")]
    NoBaselineAnalysis(String),
}

impl Expected for ReportError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nothing(_) => "gather a baseline first: `cargo perf-expert baseline`".into(),
            Self::Unreadable(_) => "run `cargo perf-expert verify` again".into(),
            Self::NoBaselineAnalysis(name) => format!("make it again: `cargo perf-expert baseline --save {name}`"),
        })
    }
}

/// Renders what is stored.
pub(crate) fn report(args: &ReportArgs, shell: &mut Shell) -> Result<Exit> {
    let (_, _, state) = locate(&args.manifest, &args.store, args.target_dir.as_deref())?;
    let store = Store::read(&state);
    if let Some(format) = args.export {
        return export::export(args, format, &store, shell);
    }
    let value = match &args.baseline {
        Some(name) => {
            let baseline = store.load_baseline::<crate::evidence::Evidence>(name)?;
            let path = baseline.path("analysis.json".into());
            let bytes = fs_err::read(&path).map_err(|_gone| ReportError::NoBaselineAnalysis(name.clone()))?;
            serde_json::from_slice(&bytes).map_err(|error| ReportError::Unreadable(error.to_string()))?
        }
        None => store.last_analysis()?.ok_or_else(|| ReportError::Nothing(state.to_string()))?,
    };
    let analysis: Analysis = serde_json::from_value(value).map_err(|error| ReportError::Unreadable(error.to_string()))?;
    show(&analysis, args.format.message_format, shell)?;
    Ok(Exit::Pass)
}

/// Writes an analysis to standard output.
pub(crate) fn show(analysis: &Analysis, format: MessageFormat, shell: &mut Shell) -> Result<()> {
    let look = shell.look();
    Ok(shell.result(|out| render(analysis, renderer(format), look, out))?)
}

/// The renderer that a flag asks for.
pub(super) fn renderer(format: MessageFormat) -> Format {
    match format {
        MessageFormat::Human => Format::Human,
        MessageFormat::Short => Format::Short,
        MessageFormat::Json => Format::Json,
        MessageFormat::Markdown => Format::Markdown,
    }
}
