//! Chooses what samples: the native engine, else the pprof agent, else nothing, and says why.

use super::{Agent, AgentError, NoStacks, Recording, Refusal, SampleError, SampleOptions, available, record_well};
use crate::error::Expected;
use crate::process::{Launch, Limits};
use crate::profile::Engine;

/// Which engine the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EngineWish {
    /// The native one, else the agent.
    #[default]
    Auto,
    /// The native one or nothing.
    Perf,
    /// The agent or nothing.
    Pprof,
    /// Nothing.
    None,
}

impl EngineWish {
    /// Its words on the command line and in the configuration.
    pub const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("perf", Self::Perf), ("pprof", Self::Pprof), ("none", Self::None)];
}

/// What samples in this run.
#[derive(Debug, Clone)]
pub struct Sampler {
    with: With,
    note: Option<String>,
}

#[derive(Debug, Clone)]
enum With {
    Native,
    Agent(Agent),
    Nothing,
}

impl Sampler {
    /// Chooses. `agent` builds the second engine; it is asked only when it is needed.
    pub fn choose(wish: EngineWish, agent: impl FnOnce() -> Result<Agent, AgentError>) -> Self {
        Self::chosen(wish, available().map(drop), agent)
    }

    fn chosen(wish: EngineWish, native: Result<(), Refusal>, agent: impl FnOnce() -> Result<Agent, AgentError>) -> Self {
        let nothing = |note: String| Self { with: With::Nothing, note: Some(note) };
        match (wish, native) {
            (EngineWish::None, _) => nothing("`--engine none` was chosen".into()),
            (EngineWish::Auto | EngineWish::Perf, Ok(())) => Self { with: With::Native, note: None },
            (EngineWish::Perf, Err(refusal)) => nothing(with_hint(&refusal)),
            (EngineWish::Pprof, _) => match agent() {
                Ok(agent) => Self::agent(agent, "as `--engine pprof` demands"),
                Err(error) => nothing(with_hint(&error)),
            },
            (EngineWish::Auto, Err(refusal)) => match agent() {
                Ok(agent) => Self::agent(agent, &format!("because {}", with_hint(&refusal))),
                Err(error) => nothing(format!("{}. Instead of it, {}", with_hint(&refusal), with_hint(&error))),
            },
        }
    }

    /// For work without samples.
    pub fn none() -> Self {
        Self { with: With::Nothing, note: None }
    }

    fn agent(agent: Agent, why: &str) -> Self {
        let most = super::agent::most_per_second();
        let note = format!("sampled by the pprof agent (at most {most} samples per CPU second on this kernel), {why}");
        Self { with: With::Agent(agent), note: Some(note) }
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self.with {
            With::Native => Engine::PerfEvent,
            With::Agent(_) => Engine::PprofAgent,
            With::Nothing => Engine::None,
        }
    }

    /// Why it is not the native engine, with the way out; `None` when it is.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Samples per second of CPU time that this engine can take, of those that are asked for.
    pub fn rate(&self, asked: u64) -> u64 {
        match self.with {
            With::Native | With::Nothing => asked,
            With::Agent(_) => asked.min(super::agent::most_per_second()),
        }
    }

    /// Runs the workload once under this engine, again where other options would do better ([`record_well`]).
    ///
    /// # Errors
    /// [`SampleError::NoStacks`] where the agent saw nothing of the program; nothing else is wrong then.
    pub fn record(&self, launch: &Launch, limits: &Limits, options: &SampleOptions) -> Result<Recording, SampleError> {
        match &self.with {
            With::Native => record_well(launch, limits, options),
            With::Agent(agent) => agent.record(launch, limits, options),
            With::Nothing => Err(NoStacks::NoEngine.into()),
        }
    }
}

fn with_hint(error: &dyn Expected) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::RefusalKind;

    const REFUSED: Refusal = Refusal { kind: RefusalKind::Paranoid { level: 4 }, errno: Some(13) };

    fn unbuilt() -> Result<Agent, AgentError> {
        Err(AgentError::Crates { crates: vec!["pprof 0.15.0".into()], offline: true, said: String::new() })
    }

    fn unasked() -> Result<Agent, AgentError> {
        panic!("nobody needs the agent here")
    }

    #[test]
    fn the_native_engine_comes_first_and_needs_no_excuse() {
        for wish in [EngineWish::Auto, EngineWish::Perf] {
            let sampler = Sampler::chosen(wish, Ok(()), unasked);
            assert_eq!((sampler.engine(), sampler.note(), sampler.rate(999)), (Engine::PerfEvent, None, 999));
        }
    }

    #[test]
    fn without_any_engine_both_reasons_and_both_ways_out_are_said() {
        let sampler = Sampler::chosen(EngineWish::Auto, Err(REFUSED), unbuilt);
        assert_eq!(sampler.engine(), Engine::None);
        let note = sampler.note().unwrap();
        for part in ["kernel.perf_event_paranoid is 4", "sudo sysctl", "pprof 0.15.0", "without `--offline`"] {
            assert!(note.contains(part), "{part} is not in {note}");
        }
    }

    #[test]
    fn what_the_user_chose_is_not_replaced_by_something_else() {
        assert_eq!(Sampler::chosen(EngineWish::Perf, Err(REFUSED), unasked).engine(), Engine::None);
        assert_eq!(Sampler::chosen(EngineWish::Pprof, Ok(()), unbuilt).engine(), Engine::None);
        assert_eq!(Sampler::chosen(EngineWish::None, Ok(()), unasked).engine(), Engine::None);
    }
}
