//! The same settings by environment variable: `PERF_EXPERT_MARGIN=1%`.

use serde_json::Value as Json;

use super::reader::Value;
use super::{Config, ConfigError, EngineWish, ON_INCONCLUSIVE, read_fail_on};

/// Reads `PERF_EXPERT_{MARGIN,FREQUENCY,ENGINE,PROFILE_TIME,FAIL_ON,ON_INCONCLUSIVE,MAX_TIME}`. `FAIL_ON` is a comma-separated list.
/// Empty variables count as unset.
pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let read = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
    let variable = |name: &str| read(name).map(|text| (name.to_owned(), Json::String(text)));
    let number = |name: &str| {
        let text = read(name)?;
        let json = text.trim().parse::<u64>().map_or(Json::String(text), Json::from);
        Some((name.to_owned(), json))
    };
    let words = |name: &str| {
        let text = read(name)?;
        Some((name.to_owned(), Json::Array(text.split(',').map(|word| Json::from(word.trim())).collect())))
    };
    Ok(Config {
        margin: parse(variable("PERF_EXPERT_MARGIN"), |value| value.fraction())?,
        frequency: parse(number("PERF_EXPERT_FREQUENCY"), |value| value.frequency())?,
        engine: parse(variable("PERF_EXPERT_ENGINE"), |value| value.one_of(&EngineWish::NAMES))?,
        profile_time: parse(variable("PERF_EXPERT_PROFILE_TIME"), |value| value.duration())?,
        fail_on: parse(words("PERF_EXPERT_FAIL_ON"), read_fail_on)?,
        on_inconclusive: parse(variable("PERF_EXPERT_ON_INCONCLUSIVE"), |value| value.one_of(&ON_INCONCLUSIVE))?,
        max_time: parse(variable("PERF_EXPERT_MAX_TIME"), |value| value.duration())?,
        ..Config::default()
    })
}

fn parse<T>(
    variable: Option<(String, Json)>,
    read: impl FnOnce(Value<'_>) -> Result<T, super::reader::Problem>,
) -> Result<Option<T>, ConfigError> {
    let Some((name, json)) = variable else { return Ok(None) };
    read(Value::new(name, &json)).map(Some).map_err(|problem| problem.in_file(""))
}
