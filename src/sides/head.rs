//! The head side: the working tree, or the commit that a push proposes.

use camino::{Utf8Path, Utf8PathBuf};

use super::{BuiltSide, Texts, all_items, build_programs};
use crate::analysis::HeadSide;
use crate::commands::context::{Context, crate_roots};
use crate::error::Result;
use crate::git;
use crate::shell::Shell;
use crate::source::Item;
use crate::workspace::{self, TargetRef, Workspace};

/// What is examined.
pub(crate) struct Head {
    /// cargo's view of it.
    pub(crate) workspace: Workspace,
    /// The top of its tree.
    pub(crate) root: Utf8PathBuf,
    /// The commit that is examined alone; `None`: the working tree.
    pub(crate) commit: Option<String>,
    /// Removed with it.
    _checkout: Option<workspace::Side>,
}

impl Head {
    /// The working tree, unless a push proposes something else than what is checked out and clean.
    pub(crate) fn prepare(context: &Context, proposed: Option<&str>, shell: &mut Shell) -> Result<Self> {
        let here = context.git.head()?;
        let elsewhere = match proposed {
            Some(commit) => here.as_deref() != Some(commit) || context.is_dirty()?,
            None => false,
        };
        let Some(commit) = proposed.filter(|_| elsewhere) else {
            let root = context.git.root().to_owned();
            return Ok(Self { workspace: context.workspace.clone(), root, commit: None, _checkout: None });
        };
        shell.status("Checking out", format!("head {}", commit.get(..12).unwrap_or(commit)));
        let checkout = workspace::prepare(&context.git, &context.workspace, commit)?;
        let workspace = checkout.discover(&context.workspace)?;
        let root = checkout.root().to_owned();
        Ok(Self { workspace, root, commit: Some(commit.to_owned()), _checkout: Some(checkout) })
    }

    /// The side as the diff wants it.
    pub(crate) fn as_git(&self) -> git::Head {
        self.commit.clone().map_or(git::Head::WorkingTree, git::Head::Commit)
    }

    /// The side as the report names it.
    pub(crate) fn named(&self, context: &Context) -> Result<HeadSide> {
        Ok(match &self.commit {
            Some(commit) => HeadSide { commit: Some(commit.clone()), dirty: false },
            None => HeadSide { commit: context.git.head()?, dirty: context.is_dirty()? },
        })
    }

    /// Where its sources are read from.
    pub(crate) fn texts<'c>(&self, context: &'c Context) -> Texts<'c> {
        match &self.commit {
            Some(commit) => Texts::Tree(&context.git, commit.clone()),
            None => Texts::Disk(&context.git, self.root.clone()),
        }
    }

    /// All items of the side.
    pub(crate) fn items(&self, context: &Context) -> Result<Vec<Item>> {
        all_items(&self.texts(context), &crate_roots(&self.workspace, &self.root))
    }

    /// Builds the selected targets.
    pub(crate) fn build(&self, context: &Context, shell: &mut Shell) -> Result<BuiltSide> {
        let targets: Vec<TargetRef> = context.targets().into_iter().filter(|target| self.workspace.has(target)).collect();
        build_programs(context, &self.workspace, &self.root, "head", &targets, shell)
    }

    /// The top of its tree.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }
}
