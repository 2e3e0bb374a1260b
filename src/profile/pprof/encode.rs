//! Profile to pprof message.

use std::collections::HashMap;

use pprof::protos;

use super::{ALIAS_COMMENT, PprofError, QUALITY_COMMENT};
use crate::profile::model::{Frame, FrameId, Profile};

/// The message for a profile: `samples/count`, and `cpu/nanoseconds` where the rate is known.
pub(super) fn message(profile: &Profile) -> Result<protos::Profile, PprofError> {
    let mut tables = Tables::new(profile);
    let period = period_ns(profile.quality.frequency);
    let mut sample_type = vec![tables.value_type("samples", "count")];
    if period.is_some() {
        sample_type.push(tables.value_type("cpu", "nanoseconds"));
    }
    let sample = profile.stacks.iter().map(|stack| tables.sample(&stack.frames, stack.count, period)).collect();
    let comment = comments(profile)?.iter().map(|text| tables.string(text)).collect();
    let period_type = period.map(|_| tables.value_type("cpu", "nanoseconds"));
    Ok(protos::Profile {
        sample_type,
        sample,
        duration_nanos: i64::try_from(profile.quality.wall_ns).unwrap_or(i64::MAX),
        period_type,
        period: period.map_or(0, |ns| i64::try_from(ns).unwrap_or(i64::MAX)),
        comment,
        mapping: tables.mappings,
        location: tables.locations,
        function: tables.functions,
        string_table: tables.strings,
        ..protos::Profile::default()
    })
}

fn period_ns(frequency: u64) -> Option<u64> {
    1_000_000_000u64.checked_div(frequency)
}

fn comments(profile: &Profile) -> Result<Vec<String>, PprofError> {
    let json = |error: serde_json::Error| PprofError::Protobuf(error.to_string());
    let mut comments = vec![format!("{QUALITY_COMMENT}{}", serde_json::to_string(&profile.quality).map_err(json)?)];
    for alias in &profile.aliases {
        comments.push(format!("{ALIAS_COMMENT}{}", serde_json::to_string(alias).map_err(json)?));
    }
    Ok(comments)
}

/// The message's tables while they grow; ids are positions plus one, as zero means "none".
struct Tables<'a> {
    profile: &'a Profile,
    strings: Vec<String>,
    string_ids: HashMap<String, i64>,
    mappings: Vec<protos::Mapping>,
    mapping_ids: HashMap<String, u64>,
    functions: Vec<protos::Function>,
    function_ids: HashMap<(i64, i64), u64>,
    locations: Vec<protos::Location>,
    location_ids: HashMap<Vec<FrameId>, u64>,
}

impl<'a> Tables<'a> {
    fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            // The format reserves index 0 for the empty string.
            strings: vec![String::new()],
            string_ids: HashMap::from([(String::new(), 0)]),
            mappings: Vec::new(),
            mapping_ids: HashMap::new(),
            functions: Vec::new(),
            function_ids: HashMap::new(),
            locations: Vec::new(),
            location_ids: HashMap::new(),
        }
    }

    fn string(&mut self, text: &str) -> i64 {
        if let Some(&id) = self.string_ids.get(text) {
            return id;
        }
        let id = i64::try_from(self.strings.len()).unwrap_or(i64::MAX);
        self.strings.push(text.to_owned());
        self.string_ids.insert(text.to_owned(), id);
        id
    }

    fn value_type(&mut self, ty: &str, unit: &str) -> protos::ValueType {
        protos::ValueType { ty: self.string(ty), unit: self.string(unit) }
    }

    fn sample(&mut self, frames: &[FrameId], count: u64, period: Option<u64>) -> protos::Sample {
        let location_id = physical(self.profile, frames).into_iter().map(|group| self.location(group)).collect();
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let mut value = vec![signed(count)];
        value.extend(period.map(|ns| signed(count.saturating_mul(ns))));
        protos::Sample { location_id, value, ..protos::Sample::default() }
    }

    fn location(&mut self, group: &[FrameId]) -> u64 {
        if let Some(&id) = self.location_ids.get(group) {
            return id;
        }
        let frames: Vec<&Frame> = group.iter().filter_map(|&id| self.profile.frames.get(id as usize)).collect();
        let mapping_id = frames.first().map_or(0, |frame| self.mapping(&frame.module));
        let line = frames.iter().map(|frame| self.line(frame)).collect();
        let id = self.locations.len() as u64 + 1;
        self.locations.push(protos::Location { id, mapping_id, line, ..protos::Location::default() });
        self.location_ids.insert(group.to_vec(), id);
        id
    }

    fn line(&mut self, frame: &Frame) -> protos::Line {
        let key = (self.string(&frame.function), self.string(frame.file.as_deref().unwrap_or_default()));
        let next = self.functions.len() as u64 + 1;
        let function_id = *self.function_ids.entry(key).or_insert(next);
        if function_id == next {
            let (name, filename) = key;
            self.functions.push(protos::Function { id: next, name, system_name: name, filename, start_line: 0 });
        }
        protos::Line { function_id, line: frame.line.map_or(0, i64::from) }
    }

    fn mapping(&mut self, module: &str) -> u64 {
        if let Some(&id) = self.mapping_ids.get(module) {
            return id;
        }
        let id = self.mappings.len() as u64 + 1;
        let filename = self.string(module);
        self.mappings.push(protos::Mapping {
            id,
            filename,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
            has_inline_frames: true,
            ..protos::Mapping::default()
        });
        self.mapping_ids.insert(module.to_owned(), id);
        id
    }
}

/// Splits a stack (leaf first) after each frame that is not inlined into the next one.
fn physical<'s>(profile: &Profile, frames: &'s [FrameId]) -> Vec<&'s [FrameId]> {
    let outer = |id: &FrameId| profile.frames.get(*id as usize).is_none_or(|frame| !frame.inlined);
    frames.split_inclusive(outer).collect()
}
