//! Chooses the engine of a run, and builds the pprof agent when it is needed.

use std::path::PathBuf;

use crate::commands::context::Context;
use crate::sample::{Agent, AgentBuild, AgentError, Sampler, agent_cache_dir};
use crate::shell::Shell;

/// What samples in this run. Nothing fails where nothing can: the report says why.
pub(crate) fn sampler(context: &Context, shell: &mut Shell) -> Sampler {
    Sampler::choose(context.config.engine.unwrap_or_default(), || agent(context, shell))
}

fn agent(context: &Context, shell: &mut Shell) -> Result<Agent, AgentError> {
    let workspace = &context.workspace;
    let platform = workspace.options.target.as_deref().or(workspace.rustc.host()).unwrap_or_default();
    let manifest = &context.selection.manifest;
    let build = AgentBuild {
        cargo: workspace.cargo.tool(),
        rustc: &workspace.rustc.verbose,
        platform,
        offline: manifest.offline || manifest.frozen,
    };
    let begin = |shell: &mut Shell| shell.status("Building", "the pprof agent (once per compiler)");
    let shared = agent_cache_dir().filter(|cache| fs_err::create_dir_all(cache).is_ok());
    let cache = shared.unwrap_or_else(|| PathBuf::from(context.state.join("agent")));
    build.prepare(&cache, || begin(shell))
}
