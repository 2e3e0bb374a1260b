//! Further pairs of links of the targets whose workloads are to be confirmed.
//!
//! Needs the sources of both sides; where something is missing, the reason takes the place of the pairs.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Base, Head, Scratch};
use crate::commands::context::Context;
use crate::error::Result;
use crate::measure::{Job, Link, Side, WorkloadKind};
use crate::shell::Shell;
use crate::stats::SplitMix64;
use crate::workspace::relink::{Linker, RelinkError, Relinkable};
use crate::workspace::{self, BuildRequest, TargetKind, TargetRef, Workspace};

/// Pairs beside the one that was built: with it, six (`reference/measurement.md` §5.8 wants four to six).
const PAIRS: u32 = 5;

/// What became of one target.
#[derive(Debug, Clone)]
pub(crate) struct Relinked {
    /// The pairs.
    pub(crate) links: Vec<Link>,
    /// What must be said of them ("linked by the toolchain's LLD"), or why there are none.
    pub(crate) note: Option<String>,
}

/// A checkout that was made for this, if one had to be, and cargo's view of the base.
type Sources = (Option<workspace::Side>, Workspace);

/// Links the targets of some jobs, each once.
pub(crate) struct Relinks<'a> {
    context: &'a Context,
    base: &'a Base,
    head: &'a Head,
    scratch: &'a Scratch,
    seeds: SplitMix64,
    /// The base's sources, once they are needed: its checkout, or one that is made now.
    sources: Option<std::result::Result<Sources, String>>,
    known: HashMap<TargetRef, Relinked>,
}

impl<'a> Relinks<'a> {
    /// Nothing is linked yet.
    pub(crate) fn new(context: &'a Context, base: &'a Base, head: &'a Head, scratch: &'a Scratch, seed: u64) -> Self {
        Self { context, base, head, scratch, seeds: SplitMix64::new(seed), sources: None, known: HashMap::new() }
    }

    /// The pairs for a job. `built` is its head executable where cargo put it.
    pub(crate) fn of(&mut self, job: &Job, built: &Utf8Path, shell: &mut Shell) -> Result<Relinked> {
        let workload = &job.workload;
        let kind = if workload.kind == WorkloadKind::Binary { TargetKind::Bin } else { TargetKind::Bench };
        let target = TargetRef { package: workload.package.clone(), target: workload.target.clone(), kind };
        if let Some(known) = self.known.get(&target) {
            return Ok(for_job(known, job));
        }
        shell.status("Relinking", format!("{} in {PAIRS} other orders of its functions, both sides", target.target));
        let made = match self.link(job, &target, built) {
            Ok(made) => made,
            Err(_) if crate::process::interrupted() => return Err(crate::process::ProcessError::Interrupted.into()),
            Err(why) => Relinked { links: Vec::new(), note: Some(why) },
        };
        self.known.insert(target, made.clone());
        Ok(made)
    }

    fn link(&mut self, job: &Job, target: &TargetRef, built: &Utf8Path) -> std::result::Result<Relinked, String> {
        if self.base.evidence.dirty_tree.is_some() {
            return Err("the base was a working tree with uncommitted changes, whose sources are gone".into());
        }
        self.sources()?;
        let seeds: Vec<u32> = (0..PAIRS).map(|_| self.seeds.next_u64() as u32 >> 1).collect();
        let number = self.known.len();
        let dir = self.scratch.path().join(format!("link-{number}"));
        let on_head = |error: RelinkError| format!("head: {error}");
        let head = self.prepare("head", &self.head.workspace, target, Some(built)).map_err(on_head)?;
        let (heads, _) = links(&head, &seeds, &dir, "head", target).map_err(on_head)?;
        drop(head);
        let Some(Ok((_, workspace))) = &self.sources else { return Err("the base's sources are not there".into()) };
        let on_base = |error: RelinkError| format!("base: {error}");
        let base = self.prepare("base", workspace, target, None).map_err(on_base)?;
        let (bases, linker) = links(&base, &seeds, &dir, "base", target).map_err(on_base)?;
        let mut pairs = Vec::new();
        for (base, head) in bases.into_iter().zip(heads) {
            let control = Utf8PathBuf::from(base.as_str().replace("/base/", "/copy/"));
            copy(&base, &control).map_err(|error| error.to_string())?;
            let side = |like: &Side, executable: Utf8PathBuf| Side { executable: executable.into(), ..like.clone() };
            pairs.push(Link { base: side(&job.base, base), head: side(&job.head, head), control: side(&job.control, control) });
        }
        Ok(Relinked { links: pairs, note: said_of(linker).map(ToOwned::to_owned) })
    }

    fn prepare(
        &self,
        side: &str,
        workspace: &Workspace,
        target: &TargetRef,
        built: Option<&Utf8Path>,
    ) -> std::result::Result<Relinkable, RelinkError> {
        let compilation = &self.context.selection.compilation;
        let target_dir = self.context.workspace.side_target_dir(side);
        let request = BuildRequest {
            side,
            targets: std::slice::from_ref(target),
            target_dir: &target_dir,
            profile: compilation.profile.as_deref(),
            jobs: compilation.jobs.as_deref(),
            quiet: true,
        };
        Relinkable::prepare(workspace, &request, built)
    }

    /// Finds the base's sources, once.
    fn sources(&mut self) -> std::result::Result<(), String> {
        if self.sources.is_none() {
            self.sources = Some(self.find_sources().map_err(|error| format!("base: {error}")));
        }
        match &self.sources {
            Some(Err(why)) => Err(why.clone()),
            _ => Ok(()),
        }
    }

    fn find_sources(&self) -> std::result::Result<Sources, workspace::WorkspaceError> {
        if let Some(checkout) = &self.base.checkout {
            return Ok((None, checkout.discover(&self.context.workspace)?));
        }
        let checkout = workspace::prepare(&self.context.git, &self.context.workspace, &self.base.commit)?;
        let workspace = checkout.discover(&self.context.workspace)?;
        Ok((Some(checkout), workspace))
    }
}

/// What the report must say of the links.
fn said_of(linker: Linker) -> Option<&'static str> {
    match linker {
        Linker::OfTheBuild => None,
        Linker::ToolchainLld => Some("linked by the toolchain's LLD, because the build's own linker cannot reorder functions"),
        Linker::GnuLd => Some("GNU ld was given the order of the functions (no LLD)"),
    }
}

/// The executables are those of the target; root and variables are the job's own.
fn for_job(known: &Relinked, job: &Job) -> Relinked {
    let side = |link: &Side, like: &Side| Side { executable: link.executable.clone(), ..like.clone() };
    let of = |link: &Link| Link {
        base: side(&link.base, &job.base),
        head: side(&link.head, &job.head),
        control: side(&link.control, &job.control),
    };
    Relinked { links: known.links.iter().map(of).collect(), note: known.note.clone() }
}

fn links(
    from: &Relinkable,
    seeds: &[u32],
    dir: &Utf8Path,
    role: &str,
    target: &TargetRef,
) -> std::result::Result<(Vec<Utf8PathBuf>, Linker), RelinkError> {
    let mut made = Vec::new();
    let mut linker = Linker::OfTheBuild;
    for (number, seed) in seeds.iter().enumerate() {
        // Paths of equal length on all sides: the length of its path moves a program's stack.
        let place = dir.join(number.to_string()).join(role);
        fs_err::create_dir_all(&place)?;
        let output = place.join(&target.target);
        linker = from.link(*seed, &output)?;
        made.push(output);
    }
    Ok((made, linker))
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    fs_err::create_dir_all(to.parent().unwrap_or(to))?;
    fs_err::copy(from, to).map(drop)
}
