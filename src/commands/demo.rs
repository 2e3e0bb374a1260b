//! `demo`: the whole workflow on a small built-in crate, for real: git history, baseline, change, verify.

use std::path::Path;

use crate::cli::{Cargo, Command, DemoArgs};
use crate::error::Result;
use crate::exit::Exit;
use crate::process::Tool;
use crate::shell::Shell;

const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../demo/base/Cargo.toml.txt")),
    ("Cargo.lock", include_str!("../demo/base/Cargo.lock.txt")),
    ("src/lib.rs", include_str!("../demo/base/lib.rs.txt")),
    ("src/count.rs", include_str!("../demo/base/count.rs.txt")),
    ("src/options.rs", include_str!("../demo/base/options.rs.txt")),
    ("benches/count.rs", include_str!("../demo/base/bench.rs.txt")),
];

const CHANGED: [(&str, &str); 3] = [
    ("src/lib.rs", include_str!("../demo/head/lib.rs.txt")),
    ("src/count.rs", include_str!("../demo/head/count.rs.txt")),
    ("src/options.rs", include_str!("../demo/head/options.rs.txt")),
];

/// Shows the workflow. Its exit code says whether the tool found what the demo hides, not what the demo's verdict is.
pub(crate) fn demo(args: &DemoArgs, shell: &mut Shell) -> Result<Exit> {
    let dir = tempfile::Builder::new().prefix("perf-expert-demo-").tempdir()?;
    let root = dir.path().canonicalize()?;
    write(&root, &FILES)?;
    fs_err::write(root.join(".gitignore"), "/target\n")?;
    git(&root, &["init", "--quiet"])?;
    commit(&root, "Count words")?;
    shell.status("Demo", "a crate with a hot `count::words` and an `options::limit` that runs once per process");
    let manifest = root.join("Cargo.toml").to_string_lossy().into_owned();
    let format =
        clap::ValueEnum::to_possible_value(&args.format.message_format).map_or_else(String::new, |v| v.get_name().to_owned());

    shell.status("Step 1", "cargo perf-expert baseline");
    run(&["baseline", "--offline", "--manifest-path", &manifest, "--message-format", &format], shell)?;
    write(&root, &CHANGED)?;
    commit(&root, "perf: read the limit without bounds checks, mix the letters better")?;
    shell.status("Step 2", "the hot function gets slower, the cold one gets `unsafe`, a comment changes");
    shell.status("Step 3", "cargo perf-expert verify");
    let verdict =
        run(&["verify", "--offline", "--base", "HEAD^", "--manifest-path", &manifest, "--message-format", &format], shell)?;
    if args.keep {
        let kept = dir.keep();
        shell.status("Kept", kept.to_string_lossy());
    }
    shell.status(
        "Demo",
        match verdict {
            Exit::Failed => "the verdict failed, as it should: in your repository the exit code would be 100",
            _ => "the verdict should have failed; this machine may be too noisy to show it",
        },
    );
    Ok(if verdict == Exit::Failed { Exit::Pass } else { Exit::Incomplete })
}

fn write(root: &Path, files: &[(&str, &str)]) -> Result<()> {
    for (path, text) in files {
        let path = root.join(path);
        if let Some(dir) = path.parent() {
            fs_err::create_dir_all(dir)?;
        }
        fs_err::write(path, text)?;
    }
    Ok(())
}

/// git with an identity of the demo's own, away from the user's hooks and signing.
fn git(root: &Path, args: &[&str]) -> Result<()> {
    let settings = ["user.name=demo", "user.email=demo@localhost", "commit.gpgsign=false", "core.hooksPath=/dev/null"];
    let mut tool = Tool::new("git").cwd(root);
    for setting in settings {
        tool = tool.arg("-c").arg(setting);
    }
    tool.args(args).run_checked()?;
    Ok(())
}

fn commit(root: &Path, message: &str) -> Result<()> {
    git(root, &["add", "--all"])?;
    git(root, &["commit", "--quiet", "-m", message])
}

/// Runs one of our own commands as if it were typed.
fn run(args: &[&str], shell: &mut Shell) -> Result<Exit> {
    let words = ["cargo", "perf-expert"].into_iter().chain(args.iter().copied());
    let Ok(Cargo::PerfExpert(cli)) = <Cargo as clap::Parser>::try_parse_from(words) else { return Ok(Exit::Usage) };
    match cli.command {
        Command::Baseline(args) => super::baseline::baseline(&args, shell),
        Command::Verify(args) => super::verify::verify(&args, shell),
        _ => Ok(Exit::Usage),
    }
}
