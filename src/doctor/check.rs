//! One line of a diagnosis.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Expected;

/// How well something can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, but something that it gives is smaller or absent.
    Limited,
    /// Not there, or refused.
    Missing,
}

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name for programs: `sampling`, `cpu-clock`, `valgrind`, …
    pub id: String,
    /// Name for people.
    pub title: String,
    /// How well it can be used.
    pub status: Status,
    /// What was seen, and what it means for a measurement.
    pub summary: String,
    /// What to do; `None` when there is nothing to do.
    pub remedy: Option<String>,
    /// True when nothing can be measured without it.
    pub essential: bool,
    /// Machine-readable facts. What could not be found out is `null`.
    pub values: BTreeMap<String, Value>,
}

impl Check {
    fn new(id: &str, title: &str, status: Status, summary: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            status,
            summary: summary.into(),
            remedy: None,
            essential: false,
            values: BTreeMap::new(),
        }
    }

    pub(super) fn ok(id: &str, title: &str, summary: impl Into<String>) -> Self {
        Self::new(id, title, Status::Ok, summary)
    }

    pub(super) fn limited(id: &str, title: &str, summary: impl Into<String>) -> Self {
        Self::new(id, title, Status::Limited, summary)
    }

    pub(super) fn missing(id: &str, title: &str, summary: impl Into<String>) -> Self {
        Self::new(id, title, Status::Missing, summary)
    }

    /// Something that an expected failure stands in the way of.
    pub(super) fn refused(id: &str, title: &str, status: Status, error: &impl Expected, means: &str) -> Self {
        let mut check = Self::new(id, title, status, format!("{}{means}", with_sources(error)));
        check.remedy = error.hint();
        check
    }

    #[must_use]
    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    #[must_use]
    pub(super) fn essential(mut self) -> Self {
        self.essential = true;
        self
    }

    #[must_use]
    pub(super) fn value(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }
}

fn with_sources(error: &(impl Expected + ?Sized)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
