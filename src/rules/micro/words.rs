//! What `PE-201` says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::analysis::{Bottleneck, Evidence, Heat};
use crate::figures;
use crate::rules::facts::{ChangedItem, Facts};
use crate::rules::tokens::{Added, TokenClass};

pub(super) fn message(facts: &Facts<'_>, item: &ChangedItem<'_>, added: &[&Added]) -> String {
    let what = listed(added);
    let name = &item.result.item;
    match item.result.heat {
        Some(Heat::Unmeasured) if is_unproven(item) => {
            format!("{what} added to `{name}`, of which nothing shows whether it runs, nor what it gains")
        }
        Some(Heat::Unmeasured) => {
            format!("{what} added to `{name}`, which no workload is seen to execute: nothing shows what it gains")
        }
        Some(Heat::Uncertain) => format!("{what} added to `{name}`, whose share is uncertain: {}", holds(item)),
        _ => format!("{what} added to cold code: {}{}", holds(item), time_is_elsewhere(facts, item)),
    }
}

/// Nobody could tell whether it runs, which is not the same as that nothing runs it.
fn is_unproven(item: &ChangedItem<'_>) -> bool {
    item.result.heat_reason.as_deref().is_some_and(|reason| reason.starts_with("not provable"))
}

/// "`decode_flags` holds 0.04 % [0.01, 0.15] of `http_load` (n = 21330), at most 1.0015x to gain".
fn holds(item: &ChangedItem<'_>) -> String {
    let result = item.result;
    let mut text = format!("`{}` holds ", result.item);
    match (result.total, result.low, result.high) {
        (Some(total), Some(low), Some(high)) => text.push_str(&figures::share_with_interval(total, low, high)),
        _ => text.push_str("a share that was not measured"),
    }
    if let Some(workload) = &result.workload {
        let _ = write!(text, " of `{workload}`");
    }
    if let Some(samples) = result.samples {
        let _ = write!(text, " (n = {samples})");
    }
    if let Some(high) = result.high.filter(|&high| high < 1.0) {
        let _ = write!(text, ", at most {} to gain", figures::factor(1.0 / (1.0 - high)));
    }
    if let (Some(doubt), true) = (&result.heat_reason, result.total.is_some()) {
        let _ = write!(text, "; {doubt}");
    }
    text
}

fn time_is_elsewhere(facts: &Facts<'_>, item: &ChangedItem<'_>) -> String {
    let Some(workload) = &item.result.workload else { return String::new() };
    let top = facts.top_item(workload, &item.result.item);
    let top = top.map(|top| format!("; top is `{}` with {}", top.item, figures::share(top.self_share.max(top.total))));
    let class = facts.workload(workload).and_then(|workload| workload.bottleneck.as_ref()).and_then(not_cpu);
    format!("{}{}", top.unwrap_or_default(), class.unwrap_or_default())
}

/// A bottleneck that no CPU work can relieve.
fn not_cpu(bottleneck: &Bottleneck) -> Option<String> {
    let other = !matches!(bottleneck.class.as_str(), "cpu-bound" | "mixed");
    other.then(|| format!("; the workload is {}", bottleneck.class))
}

pub(super) fn evidence(facts: &Facts<'_>, item: &ChangedItem<'_>, added: &[&Added]) -> Vec<Evidence> {
    let mut evidence: Vec<Evidence> = added.iter().map(|added| token(added)).collect();
    evidence.extend(share(item));
    let measured = item.result.workload.as_deref().and_then(|id| measurement(facts, id));
    evidence.extend(measured);
    evidence
}

fn token(added: &Added) -> Evidence {
    Evidence {
        kind: "token".into(),
        text: format!("{} added, first at line {}", times(added), added.first.line),
        values: BTreeMap::from([("count".into(), json!(added.count)), ("line".into(), json!(added.first.line))]),
    }
}

fn share(item: &ChangedItem<'_>) -> Option<Evidence> {
    let result = item.result;
    let (total, low, high) = (result.total?, result.low?, result.high?);
    let values = [
        ("share", json!(total)),
        ("low", json!(low)),
        ("high", json!(high)),
        ("samples", json!(result.samples)),
        ("workload", json!(result.workload)),
        ("side", json!(result.side)),
    ];
    Some(Evidence {
        kind: "share".into(),
        text: holds(item),
        values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    })
}

/// The interval of a workload that was measured on both sides.
fn measurement(facts: &Facts<'_>, id: &str) -> Option<Evidence> {
    let (ratio, low, high) = facts.workload(id)?.primary()?.interval()?;
    Some(Evidence {
        kind: "measurement".into(),
        text: format!("`{id}` changed by {}", figures::change_with_interval((ratio, low, high))),
        values: BTreeMap::from([
            ("ratio".into(), json!(ratio)),
            ("low".into(), json!(low)),
            ("high".into(), json!(high)),
            ("workload".into(), json!(id)),
        ]),
    })
}

pub(super) fn fix(facts: &Facts<'_>, item: &ChangedItem<'_>, shown: &Added) -> String {
    if item.result.heat == Some(Heat::Unmeasured) {
        return format!("add a benchmark that runs `{}`, or keep the plain form", item.result.item);
    }
    if item.result.heat == Some(Heat::Uncertain) {
        return "sample longer to tell, or keep the plain form".into();
    }
    let keep = match (shown.kind.class(), shown.is_unsafe_for_speed()) {
        // Whether there is a safe form, tokens cannot tell.
        (TokenClass::Unsafe, false) => {
            format!("if speed is the reason for {}, keep the safe form; if nothing safe can do the same, allow it", quoted(shown))
        }
        (TokenClass::Unsafe, true) => format!("keep the safe form (drop {})", quoted(shown)),
        _ => format!("keep the plain form (drop {})", quoted(shown)),
    };
    let top = item.result.workload.as_deref().and_then(|workload| facts.top_item(workload, &item.result.item));
    match top {
        Some(top) => format!("{keep}; the time is in `{}`", top.item),
        None => keep,
    }
}

pub(super) fn not_proven(facts: &Facts<'_>, item: &ChangedItem<'_>) -> Vec<String> {
    let elsewhere = "workloads outside of this repository were not measured".to_owned();
    let weakness = facts.weakness.map(str::to_owned);
    let run = (item.result.heat == Some(Heat::Unmeasured))
        .then(|| item.result.heat_reason.clone().unwrap_or_else(|| "whether it ever runs".into()));
    run.into_iter().chain(weakness).chain([elsewhere]).collect()
}

fn listed(added: &[&Added]) -> String {
    let mut named: Vec<String> = added.iter().map(|added| times(added)).collect();
    match named.len() {
        0 | 1 => named.pop().unwrap_or_default(),
        _ => {
            let last = named.pop().unwrap_or_default();
            format!("{} and {last}", named.join(", "))
        }
    }
}

fn times(added: &Added) -> String {
    if added.count == 1 { quoted(added) } else { format!("{} (×{})", quoted(added), added.count) }
}

fn quoted(added: &Added) -> String {
    format!("`{}`", added.first.text)
}
