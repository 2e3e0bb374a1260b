//! Colour and progress: which of flag, cargo's variables, the de-facto variables and the terminal decides.

use std::str::FromStr;

use crate::error::Expected;
use crate::exit::Exit;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Not a value of `--color`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no choice of colour")]
pub struct UnknownColor(String);

impl Expected for UnknownColor {
    fn hint(&self) -> Option<String> {
        Some("choose among auto, always, never".into())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl FromStr for ColorWhen {
    type Err = UnknownColor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(UnknownColor(text.to_owned())),
        }
    }
}

/// What the command line says about output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// `--color`.
    pub color: ColorWhen,
    /// `--quiet`.
    pub quiet: bool,
    /// `--verbose`.
    pub verbose: bool,
}

/// What the environment says about output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each one is a variable of its own")]
pub struct Environment {
    /// `CARGO_TERM_COLOR`.
    pub cargo_color: Option<String>,
    /// `CARGO_TERM_PROGRESS_WHEN`.
    pub cargo_progress: Option<String>,
    /// `CARGO_TERM_QUIET`.
    pub cargo_quiet: bool,
    /// `NO_COLOR`, not empty (no-color.org).
    pub no_color: bool,
    /// `CLICOLOR_FORCE`, not empty and not 0 (bixense.com/clicolors).
    pub force_color: bool,
    /// `CI`, whatever it is but `false`.
    pub ci: bool,
    /// `TERM=dumb`.
    pub dumb: bool,
}

impl Environment {
    /// This process's.
    pub fn of_process() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// From any source of variables.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            cargo_color: set("CARGO_TERM_COLOR"),
            cargo_progress: set("CARGO_TERM_PROGRESS_WHEN"),
            cargo_quiet: set("CARGO_TERM_QUIET").is_some_and(|value| value == "true"),
            no_color: set("NO_COLOR").is_some(),
            force_color: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            ci: set("CI").is_some_and(|value| value != "false"),
            dumb: set("TERM").is_some_and(|value| value == "dumb"),
        }
    }
}

/// Whether to write colours to a stream: `--color`, then `CARGO_TERM_COLOR`, then `NO_COLOR` and `CLICOLOR_FORCE`, then whether
/// it is a terminal.
pub(super) fn color(flag: ColorWhen, environment: &Environment, is_terminal: bool) -> bool {
    let cargo = environment.cargo_color.as_deref().and_then(|value| value.parse().ok()).unwrap_or_default();
    let named = if flag == ColorWhen::Auto { cargo } else { flag };
    match named {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto if environment.no_color => false,
        ColorWhen::Auto => environment.force_color || (is_terminal && !environment.dumb),
    }
}

/// Whether to draw progress: only where somebody watches.
pub(super) fn progress(settings: Settings, environment: &Environment, is_terminal: bool) -> bool {
    let wanted = match environment.cargo_progress.as_deref() {
        Some("never") => false,
        Some("always") => true,
        _ => !environment.ci && !environment.dumb,
    };
    wanted && is_terminal && !settings.quiet && !environment.cargo_quiet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_flag_beats_cargo_beats_the_common_variables_beats_the_terminal() {
        let color = |flag, variables: &[(&str, &str)], terminal| color(flag, &environment(variables), terminal);
        assert!(color(ColorWhen::Always, &[("CARGO_TERM_COLOR", "never"), ("NO_COLOR", "1")], false));
        assert!(!color(ColorWhen::Never, &[("CARGO_TERM_COLOR", "always")], true));
        assert!(color(ColorWhen::Auto, &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")], false));
        assert!(!color(ColorWhen::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(color(ColorWhen::Auto, &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")], false));
        assert!(!color(ColorWhen::Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(color(ColorWhen::Auto, &[], true));
        assert!(!color(ColorWhen::Auto, &[], false));
        assert!(!color(ColorWhen::Auto, &[("TERM", "dumb")], true));
        assert!(color(ColorWhen::Auto, &[("CARGO_TERM_COLOR", "purple")], true), "nonsense is no choice");
    }

    #[test]
    fn progress_is_drawn_only_where_somebody_watches() {
        let draws = |variables: &[(&str, &str)], terminal| progress(Settings::default(), &environment(variables), terminal);
        assert!(draws(&[], true));
        assert!(!draws(&[], false));
        assert!(!draws(&[("CI", "true")], true));
        assert!(draws(&[("CI", "true"), ("CARGO_TERM_PROGRESS_WHEN", "always")], true));
        assert!(!draws(&[("CARGO_TERM_PROGRESS_WHEN", "never")], true));
        assert!(!draws(&[("CARGO_TERM_PROGRESS_WHEN", "always")], false), "a bar in a log file helps nobody");
        assert!(!draws(&[("CARGO_TERM_QUIET", "true")], true));
        assert!(!progress(Settings { quiet: true, ..Settings::default() }, &environment(&[]), true));
    }
}
