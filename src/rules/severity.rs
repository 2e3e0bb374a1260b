//! The severity algebra: how loud a finding may be, given what is known statically and what was measured.
//!
//! `final = base + heat shift + proof shift`, clamped, then capped: without a changed item and measured evidence nothing is an
//! error (`reference/evidence-rules.md` §1.3). Does not know any rule.

use crate::analysis::{Heat, Severity};

/// What heat does to a rule's severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeatEffect {
    /// The pattern costs time where it runs: hot is worse, cold hardly matters.
    HotIsWorse,
    /// The pattern spends effort where it cannot pay: measured cold is the proof, hot is fine.
    ColdIsWorse,
    /// The rule is about evidence itself.
    Irrelevant,
}

/// What is known about one occurrence of a rule's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Severity from the rule and how sure the static match is.
    pub base: Severity,
    /// What heat does to it.
    pub effect: HeatEffect,
    /// Heat of the item; `None` where heat has no meaning.
    pub heat: Option<Heat>,
    /// Dynamic proof beside heat: a measured interval, a blocked stack, a query plan.
    pub proof: bool,
    /// The item was changed.
    pub changed: bool,
}

/// The severity, or `None` when the finding stays silent.
pub fn severity(known: Known) -> Option<Severity> {
    let shift = heat_shift(known.effect, known.heat)?;
    let level = rank(known.base) + shift + i8::from(known.proof);
    let level = level.min(heat_cap(known.effect, known.heat)).min(evidence_cap(known)).clamp(0, 3);
    from_rank(level)
}

/// Levels added by heat; `None`: the pattern is fine there.
fn heat_shift(effect: HeatEffect, heat: Option<Heat>) -> Option<i8> {
    Some(match (effect, heat) {
        (HeatEffect::HotIsWorse, Some(Heat::Hot)) | (HeatEffect::ColdIsWorse, Some(Heat::Cold)) => 1,
        (HeatEffect::HotIsWorse, Some(Heat::Cold)) => -2,
        (HeatEffect::ColdIsWorse, Some(Heat::Hot | Heat::Warm) | None) => return None,
        _ => 0,
    })
}

/// The loudest level that the heat permits: an unmeasured item carries no claim, an uncertain one no accusation of coldness.
fn heat_cap(effect: HeatEffect, heat: Option<Heat>) -> i8 {
    match (effect, heat) {
        (HeatEffect::Irrelevant, _) => 3,
        (_, Some(Heat::Unmeasured)) | (HeatEffect::ColdIsWorse, Some(Heat::Uncertain)) => 1,
        _ => 3,
    }
}

/// An error needs a changed item and something measured.
fn evidence_cap(known: Known) -> i8 {
    let measured = known.proof || (known.effect == HeatEffect::ColdIsWorse && known.heat == Some(Heat::Cold));
    if known.changed && measured { 3 } else { 2 }
}

const fn rank(severity: Severity) -> i8 {
    match severity {
        Severity::Info => 1,
        Severity::Warning => 2,
        Severity::Error => 3,
    }
}

const fn from_rank(rank: i8) -> Option<Severity> {
    match rank {
        1 => Some(Severity::Info),
        2 => Some(Severity::Warning),
        3 => Some(Severity::Error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known(base: Severity, effect: HeatEffect, heat: Option<Heat>) -> Known {
        Known { base, effect, heat, proof: false, changed: true }
    }

    #[test]
    fn hot_escalates_and_proof_escalates() {
        let hot = known(Severity::Info, HeatEffect::HotIsWorse, Some(Heat::Hot));
        assert_eq!(severity(hot), Some(Severity::Warning));
        assert_eq!(severity(Known { proof: true, ..hot }), Some(Severity::Error));
    }

    #[test]
    fn cold_silences_what_only_costs_where_it_runs() {
        let cold = known(Severity::Warning, HeatEffect::HotIsWorse, Some(Heat::Cold));
        assert_eq!(severity(cold), None);
        assert_eq!(severity(Known { proof: true, ..cold }), Some(Severity::Info));
    }

    #[test]
    fn measured_cold_is_the_proof_against_a_micro_optimization() {
        assert_eq!(severity(known(Severity::Warning, HeatEffect::ColdIsWorse, Some(Heat::Cold))), Some(Severity::Error));
        assert_eq!(severity(known(Severity::Info, HeatEffect::ColdIsWorse, Some(Heat::Cold))), Some(Severity::Warning));
        assert_eq!(severity(known(Severity::Warning, HeatEffect::ColdIsWorse, Some(Heat::Hot))), None);
        assert_eq!(severity(known(Severity::Error, HeatEffect::ColdIsWorse, Some(Heat::Uncertain))), Some(Severity::Info));
    }

    #[test]
    fn a_static_match_alone_is_never_an_error() {
        assert_eq!(severity(known(Severity::Error, HeatEffect::HotIsWorse, Some(Heat::Hot))), Some(Severity::Warning));
        assert_eq!(severity(known(Severity::Error, HeatEffect::Irrelevant, None)), Some(Severity::Warning));
    }

    fn any_known() -> impl Strategy<Value = Known> {
        let heats = [None, Some(Heat::Hot), Some(Heat::Warm), Some(Heat::Cold), Some(Heat::Uncertain), Some(Heat::Unmeasured)];
        let effects = [HeatEffect::HotIsWorse, HeatEffect::ColdIsWorse, HeatEffect::Irrelevant];
        let bases = [Severity::Info, Severity::Warning, Severity::Error];
        (
            proptest::sample::select(bases.to_vec()),
            proptest::sample::select(effects.to_vec()),
            proptest::sample::select(heats.to_vec()),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(base, effect, heat, proof, changed)| Known { base, effect, heat, proof, changed })
    }

    proptest! {
        #[test]
        fn an_error_always_has_a_changed_item_and_measured_evidence(known in any_known()) {
            if severity(known) == Some(Severity::Error) {
                prop_assert!(known.changed);
                prop_assert!(known.proof || known.heat == Some(Heat::Cold));
            }
        }

        #[test]
        fn an_unmeasured_item_never_gets_louder_than_info_unless_heat_is_irrelevant(known in any_known()) {
            if known.heat == Some(Heat::Unmeasured) && known.effect != HeatEffect::Irrelevant {
                prop_assert!(severity(known) <= Some(Severity::Info));
            }
        }
    }
}
