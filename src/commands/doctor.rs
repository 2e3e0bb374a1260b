//! `doctor`: can this machine measure, and how well?

mod self_test;

use super::context::{current_dir, discover_options};
use super::report::renderer;
use crate::cli::{DoctorArgs, MessageFormat};
use crate::doctor::{Diagnosis, Request, diagnose};
use crate::error::Result;
use crate::exit::Exit;
use crate::process::{ToolError, interrupted};
use crate::report::render_diagnosis;
use crate::shell::Shell;
use crate::workspace::DiscoverOptions;

/// Looks at the machine; with `--self-test` measures it, too. A self-test that cannot be made leaves the checks.
pub(crate) fn doctor(args: &DoctorArgs, shell: &mut Shell) -> Result<Exit> {
    let request = request(args)?;
    shell.status("Checking", "this machine");
    let progress = shell.progress("Checking", None);
    let mut diagnosis = diagnose(&request, |what| progress.set_message(what));
    progress.finish();
    if interrupted() {
        return Err(ToolError::Interrupted.into());
    }
    let tested = if args.self_test && diagnosis.can_measure { self_test::self_test(args, shell).map(Some) } else { Ok(None) };
    let failed = match tested {
        Ok(tested) => {
            diagnosis.self_test = tested;
            None
        }
        Err(error) => Some(error),
    };
    if interrupted() {
        return Err(ToolError::Interrupted.into());
    }
    show(&diagnosis, args.format.message_format, shell)?;
    match failed {
        Some(error) => Err(error.while_trying("test this machine")),
        None if diagnosis.can_measure => Ok(Exit::Pass),
        None => Ok(Exit::Incomplete),
    }
}

fn request(args: &DoctorArgs) -> Result<Request> {
    let cwd = current_dir()?;
    let (manifest, features) = (&args.selection.manifest, &args.selection.features);
    let compilation = &args.selection.compilation;
    Ok(Request {
        options: DiscoverOptions {
            target: compilation.target.clone(),
            target_dir: compilation.target_dir.clone(),
            // The machine is looked at, not the dependencies: no network, no lock file.
            no_deps: true,
            ..discover_options(manifest, features)
        },
        profile: compilation.profile.clone(),
        state: args.store.baseline_dir.as_ref().map(|dir| cwd.join(dir)),
        cwd,
    })
}

fn show(diagnosis: &Diagnosis, format: MessageFormat, shell: &mut Shell) -> Result<()> {
    let look = shell.look();
    Ok(shell.result(|out| render_diagnosis(diagnosis, renderer(format), look, out))?)
}
