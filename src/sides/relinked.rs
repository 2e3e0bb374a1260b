//! Further pairs of links of the targets whose workloads are to be confirmed.
//!
//! Needs the sources of both sides; where something is missing, the reason takes the place of the pairs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::aligned::aligned;
use super::{Base, Head, Scratch};
use crate::commands::context::Context;
use crate::error::Result;
use crate::measure::{Job, Link, Side, WorkloadKind};
use crate::shell::Shell;
use crate::stats::SplitMix64;
use crate::workspace::aligned::{ALIGNMENT, AlignError};
use crate::workspace::relink::{Linker, RelinkError, Relinkable};
use crate::workspace::{self, BuildRequest, TargetKind, TargetRef, Workspace};

/// Pairs beside the one that was built: with it, six (`reference/measurement.md` §5.8 wants four to six).
const PAIRS: u32 = 5;

/// Why a target has no further pairs; a fragment that says why layout was not varied.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The base cannot be built again, or neither way is open.
    #[error("{0}")]
    InWords(String),
    /// A side cannot be linked in another order.
    #[error("{0}: {1}")]
    Relink(&'static str, RelinkError),
    /// A side cannot be built aligned.
    #[error("{0}: {1}")]
    Align(&'static str, AlignError),
    /// The time limit.
    #[error("the time limit leaves none to build it with aligned functions")]
    NoTime,
    /// Something of the system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Refused {
    /// True when another build may help: not where compiling the last crate alone took too long.
    fn is_the_linker(&self) -> bool {
        use RelinkError::{BenchProfile, DoesNotBuild, NoLinker, NotPrinted, OrderKept};
        matches!(self, Self::Relink(_, NoLinker | OrderKept | NotPrinted | DoesNotBuild | BenchProfile))
    }
}

/// The last crate of a criterion bench takes 1 to 4 s, with fat LTO 20 s of CPU time: a minute and more on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// With a time limit, within these, as half of what is left permits.
const LIMITED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(90));

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
    /// When whole builds must be done, and what linking and building took.
    until: Option<Instant>,
    built_for: Duration,
}

impl<'a> Relinks<'a> {
    /// Nothing is linked yet. Of `left`, the time that remains for linking and measuring, whole builds take at most half.
    pub(crate) fn new(
        context: &'a Context,
        base: &'a Base,
        head: &'a Head,
        scratch: &'a Scratch,
        seed: u64,
        left: Option<Duration>,
    ) -> Self {
        let (sources, known) = (None, HashMap::new());
        let until = left.map(|left| Instant::now() + left / 2);
        let seeds = SplitMix64::new(seed);
        Self { context, base, head, scratch, seeds, sources, known, until, built_for: Duration::ZERO }
    }

    /// What linking and building took.
    pub(crate) fn built_for(&self) -> Duration {
        self.built_for
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
        let start = Instant::now();
        let made = match self.link(job, &target, built) {
            Err(why) if why.is_the_linker() => self.align(job, &target, &why, shell),
            made => made,
        };
        self.built_for += start.elapsed();
        if crate::process::interrupted() {
            return Err(crate::process::ProcessError::Interrupted.into());
        }
        let made = made.unwrap_or_else(|why| Relinked { links: Vec::new(), note: Some(why.to_string()) });
        self.known.insert(target, made.clone());
        Ok(made)
    }

    fn link(&mut self, job: &Job, target: &TargetRef, built: &Utf8Path) -> std::result::Result<Relinked, Refused> {
        let seeds: Vec<u32> = (0..PAIRS).map(|_| self.seeds.next_u64() as u32 >> 1).collect();
        let dir = self.place();
        let workspace = self.sources()?;
        let on_head = |error: RelinkError| Refused::Relink("head", error);
        let head = self.prepare("head", &self.head.workspace, target, Some(built)).map_err(on_head)?;
        let (heads, head_linker) = links(&head, &seeds, &dir, "head", target).map_err(on_head)?;
        drop(head);
        let on_base = |error: RelinkError| Refused::Relink("base", error);
        let base = self.prepare("base", &workspace, target, None).map_err(on_base)?;
        let (bases, base_linker) = links(&base, &seeds, &dir, "base", target).map_err(on_base)?;
        let pairs = bases.into_iter().zip(heads).map(|(base, head)| pair(job, base, head));
        let pairs = pairs.collect::<std::io::Result<Vec<Link>>>()?;
        Ok(Relinked { links: pairs, note: said_of(base_linker, head_linker) })
    }

    /// Where links and their copies go.
    fn place(&self) -> Utf8PathBuf {
        self.scratch.path().join(format!("link-{}", self.known.len()))
    }

    /// The pair for a target whose functions cannot be reordered.
    fn align(
        &mut self,
        job: &Job,
        target: &TargetRef,
        why: &Refused,
        shell: &mut Shell,
    ) -> std::result::Result<Relinked, Refused> {
        shell.status("Rebuilding", format!("{} with its functions aligned, both sides: {why}", target.target));
        let dir = self.place().join("aligned");
        let workspace = self.sources()?;
        let made = aligned(self.context, (&workspace, &self.head.workspace), job, target, &dir, self.until);
        let note = format!("functions aligned to {ALIGNMENT} bytes on both sides; {why}");
        match made {
            Ok(link) => Ok(Relinked { links: vec![link], note: Some(note) }),
            Err(refused) => Err(Refused::InWords(format!("{why}; {refused}"))),
        }
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
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let patience = left.map_or(PATIENCE, |left| left.clamp(LIMITED.0, LIMITED.1));
        Relinkable::prepare(workspace, &request, built, patience)
    }

    /// Finds the base's sources, once.
    fn sources(&mut self) -> std::result::Result<Workspace, Refused> {
        if self.base.evidence.dirty_tree.is_some() {
            return Err(Refused::InWords("the base was a working tree with uncommitted changes, whose sources are gone".into()));
        }
        let found = match self.sources.take() {
            Some(known) => known,
            None => self.find_sources().map_err(|error| format!("base: {error}")),
        };
        match self.sources.insert(found) {
            Ok((_checkout, workspace)) => Ok(workspace.clone()),
            Err(why) => Err(Refused::InWords(why.clone())),
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

/// What the report must say of the links: a change of the linker, too, is one of layout.
fn said_of(base: Linker, head: Linker) -> Option<String> {
    if base == head {
        return (base != Linker::OfTheBuild).then(|| how(base).to_owned());
    }
    Some(format!("base {}; head {}", how(base), how(head)))
}

fn how(linker: Linker) -> &'static str {
    match linker {
        Linker::OfTheBuild => "linked by the build's own linker",
        Linker::ToolchainLld => "linked by the toolchain's LLD, because the build's own linker cannot reorder functions",
        Linker::GnuLd => "linked by GNU ld, which was given the order of the functions (no LLD)",
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

/// A pair with the copy of its base, each in the job's surroundings.
pub(super) fn pair(job: &Job, base: Utf8PathBuf, head: Utf8PathBuf) -> std::io::Result<Link> {
    let control = place_of_copy(&base);
    copy(&base, &control)?;
    let side = |like: &Side, executable: Utf8PathBuf| Side { executable: executable.into(), ..like.clone() };
    Ok(Link { base: side(&job.base, base), head: side(&job.head, head), control: side(&job.control, control) })
}

/// `…/base/NAME` is copied to `…/copy/NAME`.
fn place_of_copy(base: &Utf8Path) -> Utf8PathBuf {
    let beside = base.parent().and_then(Utf8Path::parent).unwrap_or(base);
    beside.join("copy").join(base.file_name().unwrap_or_default())
}

pub(super) fn copy(from: &Utf8Path, to: &Utf8Path) -> std::io::Result<()> {
    fs_err::create_dir_all(to.parent().unwrap_or(to))?;
    fs_err::copy(from, to).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linked_either_side_is_said_unless_it_is_the_build_s_own() {
        use Linker::{GnuLd, OfTheBuild, ToolchainLld};
        assert_eq!(said_of(OfTheBuild, OfTheBuild), None);
        assert!(said_of(ToolchainLld, ToolchainLld).unwrap().starts_with("linked by the toolchain's LLD"));
        let both = said_of(OfTheBuild, GnuLd).unwrap();
        assert!(both.starts_with("base linked by the build's own linker; head linked by GNU ld"), "{both}");
        assert_ne!(said_of(GnuLd, ToolchainLld), said_of(ToolchainLld, GnuLd));
    }

    #[test]
    fn the_copy_lies_beside_its_base_whatever_the_directories_above_are_called() {
        assert_eq!(place_of_copy("/home/base/x/link-0/3/base/speed".into()), "/home/base/x/link-0/3/copy/speed");
    }
}
