//! Levels of rules and the list of accepted findings.

use jiff::civil::Date;

use super::reader::{Problem, Value};

/// How loud a rule may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The rule does not run.
    Off,
    /// At most an information.
    Info,
    /// At most a warning.
    Warning,
    /// As loud as its evidence allows (the default).
    Error,
}

const LEVELS: [(&str, Level); 4] =
    [("off", Level::Off), ("info", Level::Info), ("warning", Level::Warning), ("error", Level::Error)];

/// `rules = { "PE-201" = "warning", "PE-4*" = "off" }`: the loudest that matching rules may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePatch {
    /// Rule id or name; a trailing `*` matches any ending.
    pub rule: String,
    /// The level.
    pub level: Level,
}

/// `[[allow]]`: findings that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Rule id or name; a trailing `*` matches any ending.
    pub rule: String,
    /// Only in this file or below this directory (relative to the repository).
    pub path: Option<String>,
    /// Only in this item (`crate::module::Type::method`; a trailing `*` matches any ending).
    pub item: Option<String>,
    /// Until this day, inclusive.
    pub until: Option<Date>,
    /// Why; mandatory.
    pub reason: String,
}

/// True if `pattern` is `name`, or ends in `*` and `name` begins with the rest.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

impl RulePatch {
    /// True if this patch speaks about the rule with this id and this name.
    pub fn applies_to(&self, id: &str, name: &str) -> bool {
        matches(&self.rule, id) || matches(&self.rule, name)
    }
}

impl Allow {
    /// True if a finding of this rule, in this file and item, is accepted on the day `today`.
    pub fn covers(&self, id: &str, name: &str, file: &str, item: &str, today: Date) -> bool {
        let rule = matches(&self.rule, id) || matches(&self.rule, name);
        let path = self.path.as_deref().is_none_or(|path| {
            let path = path.trim_end_matches('/');
            file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        rule && path && self.item.as_deref().is_none_or(|pattern| matches(pattern, item)) && !self.is_expired(today)
    }

    /// True once its last day is over.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }

    pub(super) fn read(value: Value<'_>) -> Result<Self, Problem> {
        let mut table = value.table()?;
        let (rule, reason) = (table.get("rule"), table.get("reason"));
        let path = table.optional("path", |value| Ok(value.text()?.to_owned()))?;
        let item = table.optional("fn", |value| Ok(value.text()?.to_owned()))?;
        let until = table.optional("until", |value| {
            value.text()?.parse().map_err(|_not_a_date| value.problem("expected a day such as \"2026-12-31\""))
        })?;
        let Some(rule) = rule else { return Err(table.problem("an `allow` needs a `rule`")) };
        let Some(reason) = reason else { return Err(table.problem("an `allow` needs a `reason`")) };
        table.finish()?;
        Ok(Self { rule: rule.text()?.to_owned(), path, item, until, reason: reason.text()?.to_owned() })
    }
}

pub(super) fn read_levels(value: Value<'_>) -> Result<Vec<RulePatch>, Problem> {
    let patch = |(rule, value): (&str, Value<'_>)| Ok(RulePatch { rule: rule.to_owned(), level: value.one_of(&LEVELS)? });
    value.table()?.entries().into_iter().map(patch).collect()
}
