//! A line that says how far the work is, redrawn in place.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::clean;

const REDRAW: Duration = Duration::from_millis(120);

/// A handle to what is drawn; clones draw the same line. Does nothing where nobody watches.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Draws nothing.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    pub(super) fn drawn(verb: &str, steps: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(steps, ProgressDrawTarget::stderr());
        let template = if steps.is_some() {
            "{prefix:>12.cyan.bold} [{bar:25}] {pos}/{len} {wide_msg}"
        } else {
            "{prefix:>12.cyan.bold} {spinner} {wide_msg}"
        };
        // A template that does not parse leaves indicatif's own look: worse, but no failure.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(verb.to_owned());
        bar.enable_steady_tick(REDRAW);
        Self { bar }
    }

    /// Says what is being done.
    pub fn set_message(&self, message: impl AsRef<str>) {
        self.bar.set_message(clean(message.as_ref()));
    }

    /// Says how many steps there are, when that turns out later.
    pub fn set_length(&self, steps: u64) {
        self.bar.set_length(steps);
    }

    /// One step further.
    pub fn inc(&self) {
        self.bar.inc(1);
    }

    /// Ends it and leaves no trace.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Takes the line away while something else is written.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

/// Columns of the terminal behind stderr.
pub(super) fn terminal_width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok()?.parse().ok()?;
    (columns >= 40).then_some(columns)
}
