//! The functions that a workload spends its time in, for tables.

use serde::{Deserialize, Serialize};

use super::join::{GroupId, Joined};
use super::origin::Origin;
use super::path::Location;
use super::share::Share;

/// One row: an item of the workspace, or a function from elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HotSpot {
    /// The item's path, or the function's normalized name.
    pub name: String,
    /// The item's key in its side's tree; `None` for code from elsewhere.
    pub key: Option<String>,
    /// File: relative to the repository root for the workspace, as in the debug information otherwise.
    pub file: Option<String>,
    /// Line of the item's keyword; `None` for code from elsewhere.
    pub line: Option<u32>,
    /// Whose code it is.
    pub origin: Origin,
    /// The innermost frame is in it.
    pub self_share: Share,
    /// It is the workspace's innermost item, with what it called elsewhere; equals `self_share` for code from elsewhere.
    pub owned: Share,
    /// Any frame is in it.
    pub total: Share,
}

impl Joined<'_> {
    /// The `n` hottest rows: workspace items by what they own, other functions by their self share, so that the time an item spends in inlined
    /// std code counts for it. Functions that only call others are left out.
    pub fn hot_path(&self, n: usize) -> Vec<HotSpot> {
        let mut ranked: Vec<(u64, u64, GroupId)> = (0..self.counts.total.len())
            .filter_map(|group| {
                let id = group as GroupId;
                let counts = if self.tree.get(id).is_some() { &self.counts.owned } else { &self.counts.leaf };
                let rank = *counts.get(group)?;
                (rank > 0).then_some((rank, *self.counts.total.get(group)?, id))
            })
            .collect();
        ranked.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(a.2.cmp(&b.2)));
        ranked.into_iter().take(n).filter_map(|(_, _, group)| self.hot_spot(group)).collect()
    }

    fn hot_spot(&self, group: GroupId) -> Option<HotSpot> {
        let share = self.group_share(group);
        if let Some(item) = self.tree.get(group) {
            return Some(HotSpot {
                name: item.path.clone(),
                key: Some(item.key.clone()),
                file: Some(item.file.to_string()),
                line: Some(item.body_lines.0),
                origin: Origin::Workspace,
                self_share: share.self_share,
                owned: share.owned,
                total: share.total,
            });
        }
        let at = group as usize - self.tree.items().len();
        let frame = self.functions.get(at)?;
        let shown = frame.file.as_deref().map(|file| self.shown_file(file));
        Some(HotSpot {
            name: frame.function.clone(),
            key: None,
            file: shown,
            line: None,
            origin: self.function_origins.get(at)?.clone(),
            self_share: share.self_share,
            owned: share.self_share,
            total: share.total,
        })
    }

    /// Relative to the repository root where the file is in it.
    pub(super) fn shown_file(&self, file: &str) -> String {
        match self.locations.get(file) {
            Some(Location::Repository(path)) => path.to_string(),
            _ => file.to_owned(),
        }
    }
}
