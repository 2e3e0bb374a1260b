//! What the binary says about itself: help texts, completions, the manual page, and how it takes its own name.

use std::path::Path;

/// Runs the binary where no package is: help needs none.
fn run(args: &[&str]) -> crate::common::Run {
    // Fixes the width of the text, which follows the terminal.
    crate::common::run_in(Path::new("/"), args, &[("COLUMNS", "100")], b"")
}

fn help_of(name: &str, command: &[&str]) {
    for flag in ["--help", "-h"] {
        let words: Vec<&str> = command.iter().copied().chain([flag]).collect();
        let run = run(&words);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words:?}");
        let length = if flag == "-h" { "short" } else { "long" };
        insta::assert_snapshot!(format!("{name}_{length}"), run.stdout);
    }
}

#[test]
fn the_help_of_the_tool_is_as_written() {
    help_of("perf_expert", &[]);
}

#[test]
fn the_help_of_each_command_is_as_written() {
    for command in ["baseline", "verify", "check", "report", "list", "explain", "hook", "doctor", "demo", "completions", "man"] {
        help_of(command, &[command]);
    }
}

#[test]
fn the_help_of_each_hook_action_is_as_written() {
    for action in ["print", "install", "uninstall"] {
        help_of(&format!("hook_{action}"), &["hook", action]);
    }
}

#[test]
fn hidden_commands_are_not_listed() {
    let text = run(&["--help"]).stdout;
    assert!(text.contains("baseline") && !text.contains("completions") && !text.contains("manual page"), "{text}");
}

#[test]
fn it_answers_as_cargo_calls_it_and_as_it_is_typed() {
    for args in [vec!["--help"], vec!["verify", "-h"], vec!["--version"]] {
        let typed = run(&args);
        let by_cargo = run(&[&["perf-expert"], args.as_slice()].concat());
        assert_eq!((typed.code, by_cargo.code), (0, 0), "{args:?}");
        assert_eq!(typed.stdout, by_cargo.stdout, "{args:?}");
        assert!(!typed.stdout.is_empty());
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(run(&["--version"]).stdout.trim(), format!("cargo-perf-expert {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn cargo_finds_it_as_a_subcommand() {
    let dir = Path::new(env!("CARGO_BIN_EXE_cargo-perf-expert")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([dir.to_owned()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let output = std::process::Command::new("cargo").args(["perf-expert", "--version"]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("cargo-perf-expert {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_the_commands_in_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let run = run(&["completions", shell]);
        assert_eq!(run.code, 0, "{shell}: {}", run.stderr);
        assert!(run.stdout.contains("baseline") && run.stdout.contains("remeasure"), "{shell}: {}", run.stdout);
    }
}

#[test]
fn the_manual_page_is_roff_and_names_the_commands() {
    let run = run(&["man"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains(".TH") && run.stdout.contains("baseline"), "{}", run.stdout);
}

#[test]
fn what_nobody_knows_is_a_usage_error_on_standard_error() {
    for args in [
        vec!["verify", "--no-such-flag"],
        vec!["no-such-command"],
        vec![],
        vec!["report", "--message-format", "xml"],
        vec!["verify", "--base", "HEAD", "--baseline", "default"],
        vec!["hook", "print", "svn"],
    ] {
        let run = run(&args);
        assert_eq!(run.code, 2, "{args:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{args:?}: {}", run.stdout);
    }
}
