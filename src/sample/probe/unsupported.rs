//! The same doors on systems where no probe is built: they say so.

use std::path::Path;

use super::error::ProbeError;
use super::region::{Limits, Probed, Region};
use crate::process::Launch;

/// What an executable's debug information says about where source code begins. There is none here.
#[derive(Debug)]
pub enum ProbeMap {}

/// Where breakpoints go. There is none here.
#[derive(Debug)]
pub enum Sites {}

impl ProbeMap {
    /// Always [`ProbeError::Unsupported`].
    pub fn load(_executable: &Path) -> Result<Self, ProbeError> {
        Err(unsupported())
    }

    /// Units of debug information that could not be read.
    pub fn damaged_units(&self) -> usize {
        match *self {}
    }

    /// Where breakpoints go for `regions`.
    pub fn sites(&self, _regions: &[Region]) -> Sites {
        match *self {}
    }
}

impl Sites {
    /// How many breakpoints there are.
    pub fn len(&self) -> usize {
        match *self {}
    }

    /// How many breakpoints speak for a region.
    pub fn of_region(&self, _region: usize) -> usize {
        match *self {}
    }

    /// True when no region has code.
    pub fn is_empty(&self) -> bool {
        match *self {}
    }
}

/// Always [`ProbeError::Unsupported`].
pub fn available(_launch: &Launch) -> Result<(), ProbeError> {
    Err(unsupported())
}

fn unsupported() -> ProbeError {
    let reason = format!("breakpoints are set on Linux x86_64 only, this is {} {}", std::env::consts::OS, std::env::consts::ARCH);
    ProbeError::Unsupported { reason }
}

/// Runs the workload with breakpoints at `sites`.
pub fn run(_launch: &Launch, sites: &Sites, _limits: &Limits) -> Result<Probed, ProbeError> {
    match *sites {}
}
