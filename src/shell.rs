//! The only room that draws: status lines and progress on standard error, results on standard output.
//!
//! Does not know what a result means.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{ColorWhen, Output};
use crate::error::Error;

/// Where the tool talks.
pub struct Shell {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    quiet: bool,
    verbose: bool,
    color: bool,
    progress: bool,
}

impl Shell {
    /// The shell of a command line, by its flags and cargo's variables.
    pub fn new(output: &Output) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let is_true = |name: &str| variable(name).is_some_and(|value| value == "true" || value == "1");
        let choice = match output.color.or_else(|| variable("CARGO_TERM_COLOR").as_deref().and_then(when)) {
            Some(ColorWhen::Always) => anstream::ColorChoice::Always,
            Some(ColorWhen::Never) => anstream::ColorChoice::Never,
            Some(ColorWhen::Auto) | None => anstream::ColorChoice::Auto,
        };
        let out = anstream::AutoStream::new(std::io::stdout(), choice);
        let err = anstream::AutoStream::new(std::io::stderr(), choice);
        let color = out.current_choice() != anstream::ColorChoice::Never;
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let wanted = match variable("CARGO_TERM_PROGRESS_WHEN").as_deref() {
            Some("always") => true,
            Some("never") => false,
            _ => terminal && variable("CI").is_none(),
        };
        let quiet = output.quiet || (!output.verbose && is_true("CARGO_TERM_QUIET"));
        let verbose = output.verbose || (!output.quiet && is_true("CARGO_TERM_VERBOSE"));
        Self { out: Box::new(out), err: Box::new(err), quiet, verbose, color, progress: wanted && !quiet }
    }

    /// A shell that writes into the given streams, without colour and progress.
    pub fn into(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        Self { out, err, quiet: false, verbose: false, color: false, progress: false }
    }

    /// Standard output, for results only.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// True when results may carry colour.
    pub fn color(&self) -> bool {
        self.color
    }

    /// True with `--quiet`.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// True with `--verbose`.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// `   Measuring parse/large`: what is being done, as cargo says it.
    pub fn status(&mut self, verb: &str, what: impl Display) {
        if !self.quiet {
            self.line(style(AnsiColor::Green), &format!("{verb:>12}"), &clean(&what.to_string()));
        }
    }

    /// The same, with `--verbose` only.
    pub fn detail(&mut self, verb: &str, what: impl Display) {
        if self.verbose {
            self.status(verb, what);
        }
    }

    /// Something that limits what can be concluded.
    pub fn warn(&mut self, what: impl Display) {
        if !self.quiet {
            self.line(style(AnsiColor::Yellow), "warning:", &clean(&what.to_string()));
        }
    }

    /// Why the run ended early, and the way out.
    pub fn error(&mut self, error: &Error) {
        self.line(style(AnsiColor::Red), "error:", &clean(&error.to_string()));
        if let Some(hint) = error.hint() {
            self.line(style(AnsiColor::Cyan), "  = help:", &clean(&hint));
        }
    }

    fn line(&mut self, style: Style, head: &str, text: &str) {
        // Nobody is left to be told when standard error is gone.
        let _closed = writeln!(self.err, "{style}{head}{style:#} {text}");
    }

    /// A progress bar over `length` steps (a spinner for 0); invisible unless standard error is a terminal.
    pub fn progress(&self, verb: &str, length: u64) -> Progress {
        let target = if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = if length == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(length) };
        bar.set_draw_target(target);
        let template = if length == 0 { "{prefix:>12} {spinner} {wide_msg}" } else { "{prefix:>12} {pos}/{len} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(verb.to_owned());
        if self.progress {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress(bar)
    }
}

/// A line at the bottom of the terminal that says what is going on. Gone when dropped.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows what is being done now.
    pub fn say(&self, what: impl Display) {
        self.0.set_message(clean(&what.to_string()));
    }

    /// Moves to a step.
    pub fn at(&self, step: u64) {
        self.0.set_position(step);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style(color: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(color.into()))
}

fn when(text: &str) -> Option<ColorWhen> {
    match text {
        "always" => Some(ColorWhen::Always),
        "never" => Some(ColorWhen::Never),
        "auto" => Some(ColorWhen::Auto),
        _ => None,
    }
}

/// Text from outside must not steer the terminal.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{7}\n"), "a[31mb\n");
    }
}
