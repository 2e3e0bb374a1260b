//! Reads JSON values that know their own path, so that every refusal names the key.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value as Json;

use super::error::ConfigError;
use super::nearest::nearest;
use super::units;

/// A refusal that does not know its file yet.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) key: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn in_file(self, file: &str) -> ConfigError {
        ConfigError { message: self.message, key: self.key, file: file.to_owned(), hint: self.hint }
    }
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) key: String,
    json: &'a Json,
}

impl<'a> Value<'a> {
    pub(super) fn new(key: String, json: &'a Json) -> Self {
        Self { key, json }
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { key: self.key.clone(), message: message.into(), hint: None }
    }

    fn expected(&self, what: &str) -> Problem {
        let found = match self.json {
            Json::Null => "nothing",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "a table",
        };
        self.problem(format!("expected {what}, found {found}"))
    }

    pub(super) fn is_list(&self) -> bool {
        self.json.is_array()
    }

    pub(super) fn is_text(&self) -> bool {
        self.json.is_string()
    }

    pub(super) fn table(self) -> Result<Table<'a>, Problem> {
        match self.json {
            Json::Object(map) => Ok(Table { key: self.key, map, known: BTreeSet::new() }),
            _ => Err(self.expected("a table")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Self>, Problem> {
        let Json::Array(items) = self.json else { return Err(self.expected("an array")) };
        Ok(items.iter().enumerate().map(|(index, json)| Self::new(format!("{}[{index}]", self.key), json)).collect())
    }

    pub(super) fn text(&self) -> Result<&'a str, Problem> {
        let text = self.json.as_str().ok_or_else(|| self.expected("a string"))?;
        if text.trim().is_empty() { Err(self.problem("expected a string that is not empty")) } else { Ok(text) }
    }

    /// Arguments may be empty strings.
    pub(super) fn arguments(self) -> Result<Vec<String>, Problem> {
        let argument = |value: Self| value.json.as_str().map(str::to_owned).ok_or_else(|| value.expected("a string"));
        self.list()?.into_iter().map(argument).collect()
    }

    pub(super) fn number(&self) -> Result<f64, Problem> {
        self.json.as_f64().filter(|number| number.is_finite()).ok_or_else(|| self.expected("a number"))
    }

    pub(super) fn fraction(&self) -> Result<f64, Problem> {
        let text = match self.json {
            Json::Number(number) => number.to_string(),
            _ => self.text()?.to_owned(),
        };
        units::fraction(&text).ok_or_else(|| self.problem("expected a fraction such as 0.02 or \"2%\""))
    }

    pub(super) fn frequency(&self) -> Result<u32, Problem> {
        // 50 kHz costs a whole core on the kernel's side; its own default limit is 100 kHz (`perf_event_max_sample_rate`).
        let hz = self.json.as_u64().filter(|hz| (1..=50_000).contains(hz));
        hz.map(|hz| hz as u32).ok_or_else(|| self.problem("expected samples per second, 1 to 50000"))
    }

    pub(super) fn duration(&self) -> Result<Duration, Problem> {
        let refused = || self.problem("expected a duration such as \"30s\", \"1m30s\" or \"500ms\"");
        if !self.is_text() {
            return Err(refused());
        }
        units::duration(self.text()?).filter(|duration| !duration.is_zero()).ok_or_else(refused)
    }

    pub(super) fn one_of<T: Copy>(&self, known: &[(&str, T)]) -> Result<T, Problem> {
        let text = self.text()?;
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
            return Ok(*value);
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let mut problem = self.problem(format!("unknown value `{text}`, expected {}", listed(&names)));
        problem.hint = nearest(text, names).map(|name| format!("did you mean `{name}`?"));
        Err(problem)
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A table that remembers which keys were asked for: the others are unknown.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) key: String,
    map: &'a serde_json::Map<String, Json>,
    known: BTreeSet<&'static str>,
}

impl<'a> Table<'a> {
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { key: self.key.clone(), message: message.into(), hint: None }
    }

    pub(super) fn get(&mut self, name: &'static str) -> Option<Value<'a>> {
        self.known.insert(name);
        self.map.get(name).map(|json| Value::new(format!("{}.{name}", self.key), json))
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        self.get(name).map(read).transpose()
    }

    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl FnMut(Value<'a>) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        self.get(name).map_or_else(|| Ok(Vec::new()), |value| value.list()?.into_iter().map(read).collect())
    }

    /// All entries of a table whose keys are names of the user's choosing.
    pub(super) fn entries(self) -> Vec<(&'a str, Value<'a>)> {
        let value = |name: &str, json| Value::new(format!("{}.{name}", self.key), json);
        self.map.iter().map(|(name, json)| (name.as_str(), value(name, json))).collect()
    }

    /// Refuses the first key that nobody asked for.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Some(unknown) = self.map.keys().find(|key| !self.known.contains(key.as_str())) else { return Ok(()) };
        let known: Vec<&str> = self.known.iter().copied().collect();
        let hint = match nearest(unknown, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known keys here: {}", listed(&known)),
        };
        Err(Problem { key: format!("{}.{unknown}", self.key), message: "unknown key".into(), hint: Some(hint) })
    }
}
