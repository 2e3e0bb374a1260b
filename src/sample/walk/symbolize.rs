//! Turns addresses into source frames: inlined calls expanded, names normalized, each distinct address once.

use std::collections::HashMap;

use super::binary::{Binaries, Binary, BinaryId};
use super::roots::{ROOTS, is_system};
use super::space::CodeAddress;
use super::stacks::Stacks;
use super::symbols::Symbols;
use crate::profile::model::UNKNOWN;
use crate::profile::normalize::normalize;
use crate::profile::{Alias, Frame, FrameId, Profile, ProfileBuilder, Quality};

/// The profile of counted stacks; `quality.truncated` is filled in here, as only names tell a root.
pub(in crate::sample) fn profile(binaries: &Binaries, stacks: &Stacks, mut quality: Quality) -> Profile {
    let mut builder = ProfileBuilder::new();
    let frames = frames_by_address(binaries, stacks.addresses(), &mut builder);
    let mut all: Vec<_> = stacks.iter().collect();
    all.sort_unstable();
    for (stack, complete, count) in all {
        let ids = stack.iter().filter_map(|&id| frames.get(id as usize));
        let rooted = complete && ids.clone().next_back().is_some_and(|resolved| resolved.root);
        if !rooted {
            quality.truncated += count;
        }
        builder.stack(ids.flat_map(|resolved| resolved.frames.iter().copied()).collect(), count);
    }
    builder.finish(quality)
}

/// What one address stands for.
#[derive(Clone, Default)]
pub(in crate::sample) struct Resolved {
    /// Innermost first, inlined calls expanded.
    pub(in crate::sample) frames: Vec<FrameId>,
    root: bool,
}

/// The frames of each address, in the same order; each distinct frame is noted in `builder` once.
pub(in crate::sample) fn frames_by_address(
    binaries: &Binaries,
    addresses: &[CodeAddress],
    builder: &mut ProfileBuilder,
) -> Vec<Resolved> {
    let mut resolved = vec![Resolved::default(); addresses.len()];
    let mut wanted = HashMap::<Option<BinaryId>, Vec<usize>>::new();
    for (index, address) in addresses.iter().enumerate() {
        wanted.entry(address.binary).or_default().push(index);
    }
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.sort_unstable();
    for (id, mut indices) in wanted {
        let binary = id.and_then(|id| binaries.get(id));
        // Neighbours share units and line tables, which stay in the cache this way.
        indices.sort_unstable_by_key(|&index| addresses.get(index).map(|code| code.address));
        let names = Names::of(binary);
        for index in indices {
            if let (Some(code), Some(slot)) = (addresses.get(index), resolved.get_mut(index)) {
                *slot = names.resolve(code.address, builder);
            }
        }
    }
    resolved
}

/// Everything that names addresses of one binary.
struct Names<'b> {
    module: &'b str,
    symbols: Option<Symbols<'b>>,
    debug_info: Option<addr2line::Loader>,
}

impl<'b> Names<'b> {
    fn of(binary: Option<&'b Binary>) -> Self {
        let Some(binary) = binary else { return Self { module: UNKNOWN, symbols: None, debug_info: None } };
        let object = binary.image.as_ref().and_then(|image| object::File::parse(&*image.bytes).ok());
        let debug_info = binary.path.as_ref().and_then(|path| addr2line::Loader::new(path).ok());
        Self { module: &binary.name, symbols: object.as_ref().map(Symbols::of), debug_info }
    }

    fn resolve(&self, address: u64, builder: &mut ProfileBuilder) -> Resolved {
        let symbols = self.symbols.as_ref().map(|symbols| symbols.names(address)).unwrap_or_default();
        let mut frames = self.debug_frames(address);
        if frames.is_empty() {
            frames.push(self.frame(None, None, None));
        }
        let last = frames.len() - 1;
        let mut root = is_system(self.module);
        for (index, frame) in frames.iter_mut().enumerate() {
            frame.inlined = index != last;
        }
        if let Some(outer) = frames.last_mut() {
            if let Some(symbol) = symbols.first().filter(|_| !qualified(&outer.function)) {
                // Line tables alone name a function without its path, and some code has no debug information at all.
                outer.function = normalize(symbol);
            }
            root |= ROOTS.contains(&outer.function.as_str());
            note_alias(outer, &symbols, builder);
        }
        Resolved { frames: frames.into_iter().map(|frame| builder.frame(frame)).collect(), root }
    }

    /// The frames that debug information knows, innermost first.
    fn debug_frames(&self, address: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        let Some(mut found) = self.debug_info.as_ref().and_then(|info| info.find_frames(address).ok()) else {
            return frames;
        };
        while let Ok(Some(frame)) = found.next() {
            let function = frame.function.as_ref().and_then(|name| name.raw_name().ok());
            let (file, line) = frame.location.map_or((None, None), |location| (location.file, location.line));
            frames.push(self.frame(function.as_deref(), file, line));
        }
        frames
    }

    fn frame(&self, function: Option<&str>, file: Option<&str>, line: Option<u32>) -> Frame {
        Frame {
            function: function.map_or_else(|| UNKNOWN.to_owned(), normalize),
            file: file.filter(|file| !file.is_empty()).map(str::to_owned),
            line: line.filter(|&line| line > 0),
            module: self.module.to_owned(),
            inlined: false,
        }
    }
}

fn qualified(name: &str) -> bool {
    name.contains("::")
}

/// Notes other Rust functions whose code this is. Aliases in C libraries are deliberate and tell nothing.
fn note_alias(frame: &Frame, symbols: &[&str], builder: &mut ProfileBuilder) {
    if symbols.len() < 2 {
        return;
    }
    let rust = symbols.iter().filter(|symbol| rustc_demangle::try_demangle(symbol).is_ok());
    let mut others: Vec<String> = rust.map(|symbol| normalize(symbol)).filter(|name| *name != frame.function).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        builder.alias(Alias { function: frame.function.clone(), module: frame.module.clone(), others });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "_ZN3tgt5first17h0123456789abcdefE";
    const SECOND: &str = "_ZN3tgt6second17h0123456789abcdefE";
    const SAME: &str = "_ZN3tgt5first17hfedcba9876543210E";

    fn aliases(symbols: &[&str], function: &str) -> Vec<Vec<String>> {
        let mut builder = ProfileBuilder::new();
        let frame = Frame { function: function.into(), file: None, line: None, module: "exe".into(), inlined: false };
        note_alias(&frame, symbols, &mut builder);
        let quality = Quality {
            engine: crate::profile::Engine::PerfEvent,
            samples: 0,
            frequency: 999,
            lost: 0,
            truncated: 0,
            cpu_ns: None,
            wall_ns: 0,
        };
        builder.finish(quality).aliases.into_iter().map(|alias| alias.others).collect()
    }

    #[test]
    fn functions_that_share_code_are_named_for_each_other() {
        assert_eq!(aliases(&[FIRST, SECOND], "tgt::first"), [["tgt::second"]]);
    }

    #[test]
    fn instances_of_one_generic_and_libc_synonyms_are_no_aliases() {
        assert!(aliases(&[FIRST, SAME], "tgt::first").is_empty());
        assert!(aliases(&["malloc", "__libc_malloc"], "malloc").is_empty());
    }

    #[test]
    fn code_of_unknown_origin_is_one_unknown_frame_and_no_root() {
        let mut stacks = Stacks::default();
        stacks.add(&[CodeAddress::UNKNOWN], true);
        let quality = Quality {
            engine: crate::profile::Engine::PerfEvent,
            samples: 1,
            frequency: 999,
            lost: 0,
            truncated: 0,
            cpu_ns: None,
            wall_ns: 0,
        };
        let profile = profile(&Binaries::default(), &stacks, quality);
        assert_eq!((profile.frames[0].function.as_str(), profile.quality.truncated), (UNKNOWN, 1));
    }
}
