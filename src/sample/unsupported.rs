//! The engine of systems that have none.

use super::{Recording, Refusal, SampleError, SampleOptions};
use crate::process::{Launch, Limits};
use crate::profile::{Engine, Profile, ProfileBuilder, Quality};
use crate::sample::agent::RawStack;
use crate::sample::maps::Map;

pub(super) fn probe() -> Result<Engine, Refusal> {
    Err(Refusal::no_engine())
}

pub(super) fn record(_launch: &Launch, _limits: &Limits, _options: &SampleOptions) -> Result<Recording, SampleError> {
    Err(Refusal::no_engine().into())
}

/// No addresses were ever recorded here.
pub(super) fn recorded(_processes: impl IntoIterator<Item = (Vec<Map>, Vec<RawStack>)>, quality: Quality) -> Profile {
    ProfileBuilder::new().finish(quality)
}

/// No counter either.
pub(super) mod counter {
    use crate::process::{Finished, Launch, Limits};
    use crate::sample::counter::{CountError, Event};

    pub(in crate::sample) fn probe(_event: Event) -> Result<(), CountError> {
        Err(CountError::Refused(std::io::ErrorKind::Unsupported.into()))
    }

    pub(in crate::sample) fn run_counted(
        _launch: &Launch,
        _limits: &Limits,
        event: Event,
    ) -> Result<(Finished, u64), CountError> {
        Err(probe(event).err().unwrap_or(CountError::Shared))
    }
}
