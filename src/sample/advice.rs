//! What a profile's quality means for its reader, and what would make it better.

use crate::profile::{Engine, Quality};

/// Above this share of incomplete stacks, total shares of outer functions are too low (`reference/sampling.md` G2).
pub(super) const MOST_TRUNCATED: f64 = 0.02;

/// Below this, zero hits do not even bound a share below 1 % (rule of three: 3/n).
const FEWEST_SAMPLES: u64 = 300;

/// The agent drops a sample when two threads are due at once: a few per cent with four threads on two processors. From here on
/// it matters.
const MUCH_LOST_BY_AGENT: f64 = 0.20;

/// One shortcoming of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Advice {
    /// Samples stand for too little of the CPU time.
    LowCoverage {
        /// Samples × period ÷ CPU time.
        coverage: f64,
        /// The rate that was used.
        frequency: u64,
    },
    /// The agent did not see all of the program.
    Unseen {
        /// Samples × period ÷ CPU time.
        coverage: f64,
    },
    /// The agent could not take every sample.
    Collided {
        /// Samples not taken ÷ samples due.
        share: f64,
    },
    /// Too many stacks do not reach a root.
    Truncated {
        /// Share of incomplete stacks.
        share: f64,
    },
    /// Too few samples for small shares.
    FewSamples {
        /// Samples taken.
        samples: u64,
        /// What took them.
        engine: Engine,
    },
    /// The kernel dropped records.
    Lost {
        /// How many.
        lost: u64,
        /// Samples taken.
        samples: u64,
    },
}

impl Advice {
    /// What is wrong, with its number.
    pub fn problem(&self) -> String {
        match self {
            Self::LowCoverage { coverage, .. } => {
                format!(
                    "the samples stand for {:.0} % of the user CPU time: short-lived threads may be missing",
                    coverage * 100.0
                )
            }
            Self::Unseen { coverage } => {
                format!(
                    "the samples stand for {:.0} % of the CPU time: the pprof agent sees neither child processes nor programs \
                     that end within a few milliseconds",
                    coverage * 100.0
                )
            }
            Self::Collided { share } => {
                format!(
                    "{:.0} % of the samples were not taken, because two threads were due at once: phases with many threads show \
                     too small a share",
                    share * 100.0
                )
            }
            Self::Truncated { share } => {
                format!("{:.1} % of the stacks are incomplete: outer functions show too small a total share", share * 100.0)
            }
            Self::FewSamples { samples, engine: Engine::PprofAgent } => {
                format!("{samples} ticks of the kernel's timer are too few samples: shares below 1 % cannot be told from zero")
            }
            Self::FewSamples { samples, .. } => {
                format!("{samples} samples are too few: shares below 1 % cannot be told from zero")
            }
            Self::Lost { lost, samples } => {
                format!(
                    "the kernel dropped {lost} records beside {samples} samples: this machine was too busy to read them in time"
                )
            }
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::LowCoverage { frequency, .. } if *frequency < 4000 => "sample at a higher frequency (4999 Hz)".into(),
            Self::LowCoverage { .. } => "let threads live longer (a thread pool), or sample with `--engine pprof`".into(),
            Self::Unseen { .. } | Self::Collided { .. } => "let the kernel sample (`--engine perf` says what refuses)".into(),
            Self::FewSamples { engine: Engine::PprofAgent, .. } => "let the workload run longer".into(),
            Self::Truncated { .. } => {
                "keep less on the stack (box large futures and arrays): 64 KiB of it are copied, and what lies beyond counts only where it stays for long"
                    .into()
            }
            Self::FewSamples { .. } => "let the workload run longer, or sample at a higher frequency".into(),
            Self::Lost { .. } => "sample at a lower frequency, copy less of the stack, or run on a less busy machine".into(),
        }
    }
}

/// What makes the shares of a profile doubtful, in words: too little of the CPU time seen, or too few samples. `None` for a profile
/// whose intervals say all there is to say.
pub fn doubt(quality: &Quality) -> Option<String> {
    let is_doubt =
        |advice: &Advice| matches!(advice, Advice::LowCoverage { .. } | Advice::Unseen { .. } | Advice::FewSamples { .. });
    advice(quality).iter().find(|advice| is_doubt(advice)).map(Advice::problem)
}

/// Everything that limits a profile, worst first; empty for a good one.
pub fn advice(quality: &Quality) -> Vec<Advice> {
    let mut found = Vec::new();
    if let Some(coverage) = quality.coverage().filter(|&coverage| coverage < Quality::LEAST_COVERAGE) {
        found.push(match quality.engine {
            Engine::PprofAgent => Advice::Unseen { coverage },
            _ => Advice::LowCoverage { coverage, frequency: quality.frequency },
        });
    }
    if quality.truncated_share() > MOST_TRUNCATED {
        found.push(Advice::Truncated { share: quality.truncated_share() });
    }
    if quality.samples < FEWEST_SAMPLES {
        found.push(Advice::FewSamples { samples: quality.samples, engine: quality.engine });
    }
    let lost = quality.lost as f64 / (quality.lost + quality.samples).max(1) as f64;
    if quality.engine == Engine::PprofAgent {
        if lost > MUCH_LOST_BY_AGENT {
            found.push(Advice::Collided { share: lost });
        }
    } else if quality.lost > 0 {
        found.push(Advice::Lost { lost: quality.lost, samples: quality.samples });
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn quality(samples: u64, lost: u64, truncated: u64, cpu: Duration) -> Quality {
        let cpu_ns = Some(cpu.as_nanos() as u64);
        Quality { engine: Engine::PerfEvent, samples, frequency: 1000, lost, truncated, cpu_ns, wall_ns: 1 }
    }

    #[test]
    fn a_good_profile_needs_no_advice() {
        assert_eq!(advice(&quality(1000, 0, 10, Duration::from_secs(1))), []);
    }

    #[test]
    fn each_shortcoming_is_named_with_its_number_and_a_remedy() {
        let found = advice(&quality(100, 7, 30, Duration::from_secs(1)));
        let text: Vec<String> = found.iter().map(|advice| advice.problem() + "; " + &advice.remedy()).collect();
        for (line, part) in text.iter().zip(["10 %", "30.0 %", "100 samples", "7 records"]) {
            assert!(line.contains(part), "{line}");
        }
        assert_eq!(text.len(), 4);
    }

    #[test]
    fn the_agent_s_shortcomings_have_remedies_that_it_can_follow() {
        let agent = Quality { engine: Engine::PprofAgent, frequency: 250, ..quality(100, 40, 0, Duration::from_secs(1)) };
        let found = advice(&agent);
        assert_eq!(found.len(), 3, "{found:?}");
        for advice in &found {
            assert!(!advice.remedy().contains("frequency"), "{advice:?}");
        }
        let collisions = Quality { samples: 970, lost: 30, ..quality(0, 0, 0, Duration::from_secs(4)) };
        assert_eq!(advice(&Quality { engine: Engine::PprofAgent, frequency: 250, ..collisions }), []);
    }

    #[test]
    fn an_unaccounted_cpu_time_is_no_low_coverage() {
        let unknown = Quality { cpu_ns: None, ..quality(500, 0, 0, Duration::from_secs(1)) };
        assert_eq!(advice(&unknown), []);
    }
}
