//! A profile cut down to its heaviest stacks, for evidence that is kept beside the profile of the CPU.

use super::Frame;
use super::model::{Profile, ProfileBuilder, UNKNOWN};

impl Profile {
    /// The `most` heaviest stacks; all others become one stack of one unknown frame, so that every share stays what it was.
    #[must_use]
    pub fn heaviest(self, most: usize) -> Self {
        let mut builder = ProfileBuilder::new();
        let mut rest = 0;
        // Stacks are in the order of their weight.
        for (place, stack) in self.stacks.iter().enumerate() {
            if place < most {
                let frames = self.frames_of(stack).map(|frame| builder.frame(frame.clone())).collect();
                builder.stack(frames, stack.count);
            } else {
                rest += stack.count;
            }
        }
        if rest > 0 {
            let unknown = Frame { function: UNKNOWN.into(), file: None, line: None, module: UNKNOWN.into(), inlined: false };
            let unknown = builder.frame(unknown);
            builder.stack(vec![unknown], rest);
        }
        let shown = builder.finish(self.quality);
        Self { records: self.records, aliases: self.aliases, ..shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Engine, Quality};

    #[test]
    fn what_is_cut_off_keeps_its_weight_without_a_name() {
        let mut builder = ProfileBuilder::new();
        for (name, count) in [("a", 70), ("b", 20), ("c", 7), ("d", 3)] {
            let frame = Frame { function: name.into(), file: None, line: None, module: "exe".into(), inlined: false };
            let frame = builder.frame(frame);
            builder.stack(vec![frame], count);
        }
        builder.weighted(40);
        let (engine, samples) = (Engine::PerfEvent, 100);
        let quality = Quality { engine, samples, frequency: 1, lost: 0, truncated: 0, cpu_ns: None, wall_ns: 1 };
        let cut = builder.finish(quality).heaviest(2);
        let names: Vec<(&str, u64)> =
            cut.stacks.iter().map(|stack| (cut.frames_of(stack).next().unwrap().function.as_str(), stack.count)).collect();
        assert_eq!(names, [("a", 70), ("b", 20), (UNKNOWN, 10)]);
        assert_eq!((cut.samples(), cut.frames.len(), cut.records), (100, 3, Some(40)));
    }
}
