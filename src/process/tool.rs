//! Trusted tools (git, cargo, rustc, valgrind): argv arrays, no shell, `GIT_*` scrubbed, output captured or streamed.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::LOCAL_GIT_VARIABLES;
use super::interrupt::{self, GroupGuard};
use crate::error::Expected;
use crate::exit::Exit;

/// A call of a tool that is about to be made.
#[derive(Debug, Clone)]
pub struct Tool {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, Option<OsString>)>,
    cwd: Option<PathBuf>,
    stdin: Vec<u8>,
    inherit_stderr: bool,
    merge_stderr: bool,
    timeout: Option<Duration>,
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub struct ToolOutput {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error, unless it was inherited.
    pub stderr: String,
}

impl ToolOutput {
    /// True for exit code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output as text, without the last newline.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches(['\n', '\r']).to_owned()
    }
}

/// Why a tool could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The program is not there or cannot be executed.
    #[error("cannot run `{program}`")]
    Spawn {
        /// The program as it was named.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The program ran and failed.
    #[error("`{command}` ended with {status}{}", tail(.stderr))]
    Failed {
        /// The command line, for reading only.
        command: String,
        /// The exit code or "a signal".
        status: String,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// It did not end in the time it was given.
    #[error("`{command}` did not end in time")]
    TimedOut {
        /// The command line, for reading only.
        command: String,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

fn tail(stderr: &str) -> String {
    let text = stderr.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl Expected for ToolError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Spawn { program, .. } => Some(format!("install `{program}` or put it on PATH")),
            _ => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Incomplete,
        }
    }
}

impl Tool {
    /// A call of `program` without arguments yet.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: Vec::new(),
            inherit_stderr: false,
            merge_stderr: false,
            timeout: None,
        }
    }

    /// Appends one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable of the child.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes an environment variable from the child.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Where the child starts.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.cwd = Some(dir.as_ref().to_owned());
        self
    }

    /// What the child reads from standard input (nothing by default).
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Lets the child write to our standard error, as cargo does for its compile errors.
    #[must_use]
    pub fn inherit_stderr(mut self) -> Self {
        self.inherit_stderr = true;
        self
    }

    /// Captures both streams through one pipe, as standard output: their lines keep their order.
    #[must_use]
    pub fn merge_stderr(mut self) -> Self {
        self.merge_stderr = true;
        self
    }

    /// Ends it after this time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The command line as a person would type it, for messages only.
    pub fn display(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        let mut words = vec![name.to_string_lossy().into_owned()];
        words.extend(self.args.iter().map(|arg| arg.to_string_lossy().into_owned()));
        words.join(" ")
    }

    fn expression(&self) -> duct::Expression {
        let mut expression = duct::cmd(&self.program, &self.args).stdin_bytes(self.stdin.clone()).unchecked();
        if let Some(cwd) = &self.cwd {
            expression = expression.dir(cwd);
        }
        for name in LOCAL_GIT_VARIABLES {
            expression = expression.env_remove(name);
        }
        for (name, value) in &self.env {
            expression = match value {
                Some(value) => expression.env(name, value),
                None => expression.env_remove(name),
            };
        }
        expression.before_spawn(|command| {
            own_group(command);
            Ok(())
        })
    }

    fn spawn_error(&self, source: std::io::Error) -> ToolError {
        ToolError::Spawn { program: self.program.to_string_lossy().into_owned(), source }
    }

    /// Runs to the end and returns whatever came of it; a non-zero exit is not an error here.
    pub fn run(&self) -> Result<ToolOutput, ToolError> {
        if interrupt::interrupted() {
            return Err(ToolError::Interrupted);
        }
        let expression = self.expression();
        // duct applies what comes later first: what is merged is captured.
        let merged = if self.merge_stderr { expression.stderr_to_stdout() } else { expression };
        let mut expression = merged.stdout_capture();
        if !self.inherit_stderr && !self.merge_stderr {
            expression = expression.stderr_capture();
        }
        let handle = expression.start().map_err(|source| self.spawn_error(source))?;
        let _groups: Vec<GroupGuard> = handle.pids().into_iter().map(|pid| GroupGuard::new(pid as i32)).collect();
        let output = match self.timeout {
            None => handle.wait().map_err(|source| self.spawn_error(source))?,
            Some(timeout) => {
                let Some(output) = handle.wait_timeout(timeout).map_err(|source| self.spawn_error(source))? else {
                    handle.pids().into_iter().for_each(|pid| interrupt::kill_group(pid as i32));
                    let _ended_by_us = handle.wait();
                    return Err(ToolError::TimedOut { command: self.display() });
                };
                output
            }
        };
        if interrupt::interrupted() {
            return Err(ToolError::Interrupted);
        }
        Ok(ToolOutput {
            code: output.status.code(),
            stdout: output.stdout.clone(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs to the end; a non-zero exit is an error that carries what the tool said.
    pub fn run_checked(&self) -> Result<ToolOutput, ToolError> {
        let output = self.run()?;
        if output.success() {
            return Ok(output);
        }
        Err(ToolError::Failed {
            command: self.display(),
            status: output.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}")),
            stderr: output.stderr,
        })
    }

    /// Runs and hands each line of standard output to `on_line` as it comes. Returns the exit code.
    pub fn stream(&self, mut on_line: impl FnMut(&str)) -> Result<Option<i32>, ToolError> {
        if interrupt::interrupted() {
            return Err(ToolError::Interrupted);
        }
        let mut expression = self.expression();
        if !self.inherit_stderr {
            expression = expression.stderr_null();
        }
        let reader = expression.reader().map_err(|source| self.spawn_error(source))?;
        let _groups: Vec<GroupGuard> = reader.pids().into_iter().map(|pid| GroupGuard::new(pid as i32)).collect();
        let mut lines = BufReader::new(&reader);
        let mut line = Vec::new();
        loop {
            line.clear();
            match lines.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) => on_line(String::from_utf8_lossy(&line).trim_end()),
                Err(source) => return Err(self.spawn_error(source)),
            }
        }
        let code = reader.try_wait().map_err(|source| self.spawn_error(source))?.and_then(|output| output.status.code());
        if interrupt::interrupted() { Err(ToolError::Interrupted) } else { Ok(code) }
    }
}

#[cfg(unix)]
fn own_group(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut std::process::Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_itself_and_the_way_out() {
        let error = Tool::new("no-such-program-here").run().unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"));
        assert!(error.hint().unwrap().contains("PATH"));
    }

    #[test]
    fn a_failing_tool_carries_what_it_said() {
        let error = Tool::new("git").args(["rev-parse", "--verify", "nonsense^{commit}"]).run_checked().unwrap_err();
        assert!(matches!(error, ToolError::Failed { .. }));
    }

    #[test]
    fn streaming_delivers_every_line_and_the_exit_code() {
        let mut lines = Vec::new();
        let code = Tool::new("sh").args(["-c", "printf 'a\\nb'; exit 3"]).stream(|line| lines.push(line.to_owned())).unwrap();
        assert_eq!((lines, code), (vec!["a".to_owned(), "b".to_owned()], Some(3)));
    }

    #[test]
    fn merged_streams_keep_their_order() {
        let script = "echo a; echo b >&2; echo c; echo d >&2";
        let output = Tool::new("sh").args(["-c", script]).merge_stderr().run_checked().unwrap();
        assert_eq!((output.text().as_str(), output.stderr.as_str()), ("a\nb\nc\nd", ""));
    }

    #[test]
    fn git_variables_do_not_reach_children() {
        let output = Tool::new("env").env("GIT_DIR_NOT_LOCAL", "1").run_checked().unwrap();
        assert!(!output.text().lines().any(|line| line.starts_with("GIT_DIR=")));
    }
}
