//! What the numbers were made with.

use jiff::Timestamp;

use crate::analysis::{Environment, Tool};
use crate::evidence::Evidence;
use crate::workspace::Fingerprint;

/// This tool.
pub(crate) fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
}

/// The time, RFC 3339, whole seconds.
pub(crate) fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// The environment of a run with this fingerprint.
pub(crate) fn environment(print: &Fingerprint, evidence: &Evidence, warnings: Vec<String>) -> Environment {
    let mut warnings = warnings;
    if let Some(substitute) = &evidence.substitute {
        warnings.insert(0, substitute.why.clone());
    }
    if let Some(refusal) = &evidence.refusal {
        warnings.insert(0, format!("nothing could be sampled, so heat is unmeasured: {refusal}"));
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Environment {
        rustc: print.rustc.lines().next().and_then(some),
        target: some(&print.target),
        profile: some(&print.profile),
        cpu: print.cpu_model.clone(),
        cpus: print.cpus,
        engine: evidence.engine().name().into(),
        warnings,
        contention: None,
    }
}
