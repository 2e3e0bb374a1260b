//! From a report of pprof-rs to a profile: names normalized, its own frames left out.

use pprof::{Frames, Report, Symbol};

use crate::profile::model::UNKNOWN;
use crate::profile::normalize::normalize;
use crate::profile::{Frame, Profile, ProfileBuilder, Quality};

/// pprof-rs stops here (its `MAX_DEPTH`), so the root of such a stack is unknown.
const MOST_FRAMES: usize = 127;

/// The profile of a report; samples and truncated stacks of `quality` are counted here.
pub(super) fn profile(report: &Report, mut quality: Quality) -> Profile {
    let module = std::env::current_exe().ok();
    let module = module.as_ref().and_then(|path| path.file_name()).map_or(UNKNOWN.into(), |name| name.to_string_lossy());
    let mut builder = ProfileBuilder::new();
    for (stack, &count) in &report.data {
        let count = u64::try_from(count).unwrap_or(0);
        quality.samples += count;
        if stack.frames.len() >= MOST_FRAMES {
            quality.truncated += count;
        }
        let frames = own(stack).iter().flat_map(|physical| {
            let last = physical.len().saturating_sub(1);
            physical.iter().enumerate().map(move |(index, symbol)| (symbol, index != last))
        });
        let ids = frames.map(|(symbol, inlined)| builder.frame(frame(symbol, inlined, &module))).collect();
        builder.stack(ids, count);
    }
    builder.finish(quality)
}

/// The program's own part of a stack: the profiler's frames come first.
fn own(stack: &Frames) -> &[Vec<Symbol>] {
    let is_profiler = |symbol: &Symbol| {
        let name = symbol.name();
        ["pprof::", "backtrace::", "<pprof::", "<backtrace::"].iter().any(|start| name.starts_with(start))
    };
    let begin = stack.frames.iter().position(|physical| !physical.iter().any(is_profiler)).unwrap_or(0);
    stack.frames.get(begin..).unwrap_or_default()
}

fn frame(symbol: &Symbol, inlined: bool, module: &str) -> Frame {
    Frame {
        function: symbol.name.as_ref().map_or_else(|| UNKNOWN.to_owned(), |name| normalize(&String::from_utf8_lossy(name))),
        file: symbol.filename.as_ref().map(|file| file.to_string_lossy().into_owned()),
        line: symbol.lineno.filter(|&line| line > 0),
        module: module.to_owned(),
        inlined,
    }
}
