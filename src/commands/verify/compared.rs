//! The profiles that a comparison keeps for pictures of what differs.

use camino::Utf8PathBuf;

use crate::analysis::Analysis;
use crate::conclude::Both;
use crate::error::Result;
use crate::profile::pprof;
use crate::store::{Compared, Store};

/// Profiles of both sides of each workload that was measured on both.
#[derive(Default)]
pub(super) struct Kept {
    compared: Vec<Compared>,
    files: Vec<(Utf8PathBuf, Vec<u8>)>,
}

impl Kept {
    /// Of these workloads.
    pub(super) fn of(analysis: &Analysis, both: &Both<'_>) -> Result<Self> {
        let mut kept = Self::default();
        for (number, result) in analysis.workloads.iter().enumerate() {
            let profiles = both.base.profile(&result.id).zip(both.head.profile(&result.id));
            let Some(((of_base, of_head), (base_ns, head_ns))) = profiles.zip(both.sides(result)) else { continue };
            let (base, head): (Utf8PathBuf, Utf8PathBuf) =
                (format!("{number:03}-base.pb.gz").into(), format!("{number:03}-head.pb.gz").into());
            kept.files.push((base.clone(), pprof::encode(of_base)?));
            kept.files.push((head.clone(), pprof::encode(of_head)?));
            kept.compared.push(Compared { workload: result.id.clone(), base, head, base_ns, head_ns });
        }
        Ok(kept)
    }

    /// Keeps them beside their analysis, where there are any.
    pub(super) fn save(&self, store: &Store, analysis: &Utf8PathBuf) -> Result<()> {
        if self.compared.is_empty() {
            return Ok(());
        }
        Ok(store.save_compared(analysis, &self.compared, &self.files)?)
    }
}
