//! The stacks that make an item hot, for findings.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::join::Joined;
use super::origin::Origin;
use super::share::Share;
use crate::profile::{FrameId, Stack};
use crate::source::ItemId;

/// A part of a stack around an item, leaf first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackExcerpt {
    /// Frames, leaf first.
    pub frames: Vec<ExcerptFrame>,
    /// Frames nearer to the leaf that are not shown (in the heaviest of the stacks merged here).
    pub hidden_callees: usize,
    /// Frames nearer to the root that are not shown.
    pub hidden_callers: usize,
    /// Samples whose stack shows these functions here.
    pub share: Share,
}

/// One frame of an excerpt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExcerptFrame {
    /// Normalized function name.
    pub function: String,
    /// File, relative to the repository root where it is in it.
    pub file: Option<String>,
    /// Line of the heaviest stack merged here.
    pub line: Option<u32>,
    /// Inlined into the next.
    pub inlined: bool,
    /// Whose code it is.
    pub origin: Origin,
    /// True for frames of the item asked for.
    pub is_item: bool,
}

impl Joined<'_> {
    /// The `limit` heaviest stacks through an item, `max_frames` frames each around its leaf-most frame. Stacks that show the same
    /// functions are one, whatever their lines.
    pub fn stacks_through(&self, key: &str, max_frames: usize, limit: usize) -> Vec<StackExcerpt> {
        let Some(item) = self.tree.id(key) else { return Vec::new() };
        let is_item = |frame: &FrameId| self.groups.get(*frame as usize).is_some_and(|groups| groups.contains(item));
        self.excerpts(item, max_frames, limit, |stack| stack.frames.iter().position(is_item))
    }

    /// The same, of the stacks in which it is the workspace's innermost item.
    pub(super) fn stacks_owned(&self, item: ItemId, max_frames: usize, limit: usize) -> Vec<StackExcerpt> {
        self.excerpts(item, max_frames, limit, |stack| {
            let at = stack.frames.iter().position(|&frame| self.item_of(frame as usize).is_some())?;
            let groups = self.groups.get(*stack.frames.get(at)? as usize)?;
            groups.contains(item).then_some(at)
        })
    }

    /// The heaviest of the stacks that have the item somewhere.
    fn excerpts(
        &self,
        item: ItemId,
        max_frames: usize,
        limit: usize,
        place: impl Fn(&Stack) -> Option<usize>,
    ) -> Vec<StackExcerpt> {
        let mut merged: HashMap<Vec<&str>, Excerpt<'_>> = HashMap::new();
        for stack in &self.profile.stacks {
            let Some(at) = place(stack) else { continue };
            let (start, end) = window(at, stack.frames.len(), max_frames);
            let shown = stack.frames.get(start..end).unwrap_or_default();
            let names =
                shown.iter().filter_map(|&id| self.profile.frames.get(id as usize)).map(|f| f.function.as_str()).collect();
            let excerpt = merged.entry(names).or_default();
            excerpt.hits += stack.count;
            if stack.count > excerpt.heaviest {
                *excerpt =
                    Excerpt { heaviest: stack.count, hits: excerpt.hits, shown, hidden: (start, stack.frames.len() - end) };
            }
        }
        let mut merged: Vec<(Vec<&str>, Excerpt<'_>)> = merged.into_iter().collect();
        merged.sort_by(|a, b| b.1.hits.cmp(&a.1.hits).then_with(|| a.0.cmp(&b.0)));
        merged.truncate(limit);
        merged.into_iter().map(|(_, excerpt)| self.excerpt(&excerpt, item)).collect()
    }

    fn excerpt(&self, excerpt: &Excerpt<'_>, item: u32) -> StackExcerpt {
        let frame = |id: &FrameId| {
            let at = *id as usize;
            let frame = self.profile.frames.get(at)?;
            Some(ExcerptFrame {
                function: frame.function.clone(),
                file: frame.file.as_deref().map(|file| self.shown_file(file)),
                line: frame.line,
                inlined: frame.inlined,
                origin: self.origins.get(at)?.clone(),
                is_item: self.groups.get(at)?.contains(item),
            })
        };
        StackExcerpt {
            frames: excerpt.shown.iter().filter_map(frame).collect(),
            hidden_callees: excerpt.hidden.0,
            hidden_callers: excerpt.hidden.1,
            share: self.share_of_count(excerpt.hits),
        }
    }
}

#[derive(Default)]
struct Excerpt<'s> {
    hits: u64,
    heaviest: u64,
    shown: &'s [FrameId],
    hidden: (usize, usize),
}

/// The leaf end if the item is near it, else the item in the middle.
fn window(at: usize, length: usize, max_frames: usize) -> (usize, usize) {
    let max_frames = max_frames.max(1);
    let start = if at + 1 < max_frames { 0 } else { at - max_frames / 2 };
    (start, (start + max_frames).min(length))
}
