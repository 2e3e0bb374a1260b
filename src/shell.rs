//! The only room that draws: status lines, warnings, errors and progress on stderr, results on stdout.
//!
//! Does not decide what a report says. Everything it is given is cleaned of control characters before it reaches a terminal,
//! except the reports, which clean what they write.

mod choice;
mod progress;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

pub use choice::{ColorWhen, Environment, Settings, UnknownColor};
pub use progress::Progress;

use crate::error::Error;
use crate::report::Look;

const STATUS: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Columns of a report when nobody knows the terminal's.
const WIDTH: usize = 120;

/// Where a run writes, and how.
pub struct Shell {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    out_color: bool,
    err_color: bool,
    settings: Settings,
    draws_progress: bool,
    progress: Progress,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Shell {
    /// The shell of this process.
    pub fn new(settings: Settings) -> Self {
        let environment = Environment::of_process();
        let (out, err) = (io::stdout(), io::stderr());
        let out_color = choice::color(settings.color, &environment, out.is_terminal());
        let err_color = choice::color(settings.color, &environment, err.is_terminal());
        let draws_progress = choice::progress(settings, &environment, err.is_terminal());
        let quiet = settings.quiet || (environment.cargo_quiet && !settings.verbose);
        let stream = |color: bool| if color { anstream::ColorChoice::Always } else { anstream::ColorChoice::Never };
        Self {
            out: Box::new(anstream::AutoStream::new(out, stream(out_color))),
            err: Box::new(anstream::AutoStream::new(err, stream(err_color))),
            out_color,
            err_color,
            settings: Settings { quiet, ..settings },
            draws_progress,
            progress: Progress::hidden(),
        }
    }

    /// A shell that writes elsewhere, without colours and progress: for tests and for callers with their own streams.
    pub fn with_writers(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, settings: Settings) -> Self {
        let color = settings.color == ColorWhen::Always;
        Self { out, err, out_color: color, err_color: color, settings, draws_progress: false, progress: Progress::hidden() }
    }

    /// True when details are wanted.
    pub fn is_verbose(&self) -> bool {
        self.settings.verbose
    }

    /// True when only results, warnings and errors are wanted.
    pub fn is_quiet(&self) -> bool {
        self.settings.quiet
    }

    /// How a report for people should look on stdout.
    pub fn look(&self) -> Look {
        let width = if self.draws_progress { progress::terminal_width().unwrap_or(WIDTH) } else { WIDTH };
        Look { color: self.out_color, width, verbose: self.settings.verbose }
    }

    /// A status line as cargo writes them: the verb right-aligned in green, then the rest. Silent with `--quiet`.
    pub fn status(&mut self, verb: &str, rest: impl AsRef<str>) {
        if !self.settings.quiet {
            let verb = self.painted(STATUS, &format!("{verb:>12}"));
            self.line(&verb, rest.as_ref());
        }
    }

    /// A status line that is only wanted with `--verbose`.
    pub fn detail(&mut self, verb: &str, rest: impl AsRef<str>) {
        if self.settings.verbose {
            self.status(verb, rest);
        }
    }

    /// `note: …`. Silent with `--quiet`.
    pub fn note(&mut self, message: impl AsRef<str>) {
        if !self.settings.quiet {
            let label = format!("{}:", self.painted(NOTE, "note"));
            self.line(&label, message.as_ref());
        }
    }

    /// `warning: …`, also with `--quiet`: a warning limits what a result means.
    pub fn warn(&mut self, message: impl AsRef<str>) {
        let label = format!("{}:", self.painted(WARNING, "warning"));
        self.line(&label, message.as_ref());
    }

    /// `error: …` and the way out as `= help: …`.
    pub fn error(&mut self, error: &Error) {
        let label = format!("{}:", self.painted(ERROR, "error"));
        self.line(&label, &error.to_string());
        if let Some(hint) = error.hint() {
            let label = format!("  = {}:", self.painted(NOTE, "help"));
            self.line(&label, &indented(&hint));
        }
    }

    /// Writes results to stdout. A reader that has gone away (`| head`) is no failure.
    pub fn result(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let out = &mut self.out;
        let written = self.progress.suspend(|| write(out).and_then(|()| out.flush()));
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Starts drawing progress with that many steps (`None`: unknown), in place of what was drawn before. The handle may be
    /// moved to where the work is done; it draws nothing when nobody watches.
    pub fn progress(&mut self, verb: &str, steps: Option<u64>) -> Progress {
        self.progress.finish();
        self.progress = if self.draws_progress { Progress::drawn(verb, steps) } else { Progress::hidden() };
        self.progress.clone()
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.err_color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Writes one message to stderr. Nobody can be told when that fails.
    fn line(&mut self, label: &str, message: &str) {
        let text = crate::report::clean_lines(message);
        let err = &mut self.err;
        let _ = self.progress.suspend(|| writeln!(err, "{label} {text}").and_then(|()| err.flush()));
    }
}

/// Further lines of a hint, under its first one.
fn indented(hint: &str) -> String {
    hint.lines().collect::<Vec<_>>().join("\n          ")
}
