//! What `PE-101` says.

use std::collections::BTreeMap;

use serde_json::json;

use crate::analysis::{Evidence, Heat};
use crate::figures;
use crate::rules::assertion::Promise;
use crate::rules::claim::Claim;
use crate::rules::facts::{BaseEvidence, ChangedItem, Commit, Facts};
use crate::rules::intent::Intent;
use crate::rules::premature::promise::{Fared, Measured};
use crate::rules::tokens::Added;

pub(super) fn commit(commit: &Commit) -> Evidence {
    Evidence {
        kind: "commit".into(),
        text: format!("\"{}\" ({})", commit.subject, figures::commit(&commit.id)),
        values: BTreeMap::from([("id".into(), json!(commit.id))]),
    }
}

pub(super) fn tokens(added: &[Added]) -> Evidence {
    let named: Vec<String> = added.iter().map(|added| format!("`{}`", added.first.text)).collect();
    let score: f64 = added.iter().map(|added| added.kind.weight()).sum();
    Evidence {
        kind: "token".into(),
        text: format!("{} added", named.join(", ")),
        values: BTreeMap::from([("score".into(), json!(score))]),
    }
}

pub(super) fn without_baseline(facts: &Facts<'_>, item: &ChangedItem<'_>, intent: &Evidence) -> String {
    format!("`{}` was optimized without a baseline: {}; {}", item.result.item, intent.text, why(facts, item))
}

fn why(facts: &Facts<'_>, item: &ChangedItem<'_>) -> String {
    match facts.base_evidence {
        BaseEvidence::Missing => "there is no measurement from before".into(),
        BaseEvidence::Stale(reasons) => format!("the stored measurement does not fit ({})", reasons.join(", ")),
        BaseEvidence::Valid => match (&item.result.heat_reason, facts.workloads.len()) {
            (Some(reason), _) => format!("no measurement reaches it ({reason})"),
            (None, 0) => "there is no workload".into(),
            (None, count) => format!("none of {} reaches it", figures::counted(count, "workload")),
        },
    }
}

pub(super) fn baseline(facts: &Facts<'_>, item: &ChangedItem<'_>) -> Evidence {
    let heat = matches!(item.result.heat, Some(Heat::Unmeasured) | None);
    Evidence {
        kind: "baseline".into(),
        text: why(facts, item),
        values: BTreeMap::from([("workloads".into(), json!(facts.workloads.len())), ("reached".into(), json!(!heat))]),
    }
}

pub(super) fn first_step(facts: &Facts<'_>, item: &ChangedItem<'_>) -> String {
    match facts.base_evidence {
        BaseEvidence::Valid => format!("add a benchmark that runs `{}`, then `cargo perf-expert verify`", item.result.item),
        BaseEvidence::Missing | BaseEvidence::Stale(_) => {
            "measure the base first: `cargo perf-expert verify` builds and measures it".into()
        }
    }
}

pub(super) fn unmeasured_claim(intent: &Intent<'_>) -> Option<String> {
    let claims: Vec<String> = intent.promises.iter().map(|promise| format!("\"{}\"", promise.claim.text)).collect();
    (!claims.is_empty()).then(|| format!("the claim {}", claims.join(", ")))
}

pub(super) fn promise(commit: &Commit, promise: &Promise, best: &Measured<'_>, of_something_else: bool) -> String {
    let claim = &promise.claim;
    let measured = if best.identical { IDENTICAL.to_owned() } else { in_the_claims_words(claim, best.interval) };
    let (text, workload) = (&claim.text, &best.workload.id);
    let said = format!("claimed {text}, measured {measured} in `{workload}`");
    match best.fared {
        Fared::Contradicted => {
            format!("{said}: the change to `{}` does not keep it ({})", best.item.result.item, figures::commit(&commit.id))
        }
        Fared::Unresolved if of_something_else => {
            let item = &best.item.result.item;
            format!(
                "{said}: the claim speaks of \"{}\", the change is to `{item}` ({})",
                promise.about.join(" "),
                figures::commit(&commit.id)
            )
        }
        Fared::Unresolved => format!("{said}: this cannot tell whether the claim holds ({})", figures::commit(&commit.id)),
        Fared::Kept => format!("{said}: this fits the claim{} ({})", held(best), figures::commit(&commit.id)),
    }
}

/// What a comparison of the executables shows without a run.
const IDENTICAL: &str = "identical machine code";

/// How much of the workload the function holds: what a gain of the function can show there.
fn held(best: &Measured<'_>) -> String {
    let result = best.item.result;
    let here = result.total.filter(|_| result.workload.as_deref() == Some(&best.workload.id));
    here.map(|total| format!(", as `{}` holds {} of it", result.item, figures::share(total))).unwrap_or_default()
}

/// A claimed factor is answered with a factor, a percentage with a percentage.
fn in_the_claims_words(claim: &Claim, (ratio, low, high): (f64, f64, f64)) -> String {
    if claim.as_factor && low > 0.0 {
        format!("{:.2}x [{:.2}, {:.2}]", 1.0 / ratio, 1.0 / high, 1.0 / low)
    } else {
        format!("{} time", figures::change_with_interval((ratio, low, high)))
    }
}

pub(super) fn measurement(best: &Measured<'_>) -> Evidence {
    if best.identical {
        return Evidence {
            kind: IDENTICAL.into(),
            text: format!("`{}` is the same program on both sides", best.workload.id),
            values: BTreeMap::from([("ratio".into(), json!(1.0)), ("workload".into(), json!(best.workload.id))]),
        };
    }
    let (ratio, low, high) = best.interval;
    let rounds = best.workload.primary().map(|metric| metric.rounds);
    let values = [
        ("ratio", json!(ratio)),
        ("low", json!(low)),
        ("high", json!(high)),
        ("rounds", json!(rounds)),
        ("workload", json!(best.workload.id)),
    ];
    Evidence {
        kind: "measurement".into(),
        text: format!("`{}` changed by {}", best.workload.id, figures::change_with_interval(best.interval)),
        values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

pub(super) fn promise_fix(fared: Fared) -> String {
    match fared {
        Fared::Contradicted => "correct the claim or drop the change; if it holds for other input, add that as a workload",
        Fared::Unresolved => "raise the number of rounds, or add a workload that spends its time in the function",
        Fared::Kept => "nothing to do",
    }
    .to_owned()
}
