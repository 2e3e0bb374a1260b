//! Pprof message to profile, every reference checked.

use std::collections::HashMap;

use pprof::protos;

use super::{ALIAS_COMMENT, PprofError, QUALITY_COMMENT};
use crate::profile::model::{Alias, Engine, Frame, Profile, ProfileBuilder, Quality, UNKNOWN};
use crate::profile::normalize::normalize;

/// The profile that a message describes.
pub(super) fn profile(message: &protos::Profile) -> Result<Profile, PprofError> {
    let reader = Reader::new(message);
    let quality = reader.quality()?;
    let counting = if quality.is_some() { Counting::column(0) } else { reader.counting()? };
    let mut builder = ProfileBuilder::new();
    let mut samples = 0u64;
    for sample in &message.sample {
        let count = counting.count(&sample.value)?;
        let mut frames = Vec::new();
        for &location in &sample.location_id {
            for frame in reader.frames(location, quality.is_none())? {
                frames.push(builder.frame(frame));
            }
        }
        samples = samples.checked_add(count).ok_or(PprofError::Inconsistent("the counts overflow"))?;
        builder.stack(frames, count);
    }
    for alias in reader.aliases()? {
        builder.alias(alias);
    }
    let quality = match quality {
        Some(quality) if quality.samples != samples => {
            return Err(PprofError::Inconsistent("its stacks do not add up to its number of samples"));
        }
        Some(quality) => quality,
        None => reader.foreign_quality(samples)?,
    };
    Ok(builder.finish(quality))
}

/// Which value of a sample counts, and by what to divide it.
struct Counting {
    column: usize,
    divisor: u64,
}

impl Counting {
    fn column(column: usize) -> Self {
        Self { column, divisor: 1 }
    }

    fn count(&self, values: &[i64]) -> Result<u64, PprofError> {
        let &value = values.get(self.column).ok_or(PprofError::Inconsistent("a sample lacks a value"))?;
        let value = u64::try_from(value).map_err(|_| PprofError::Inconsistent("a sample count is negative"))?;
        if self.divisor <= 1 || value == 0 {
            return Ok(value);
        }
        Ok((value.saturating_add(self.divisor / 2) / self.divisor).max(1))
    }
}

struct Reader<'a> {
    message: &'a protos::Profile,
    locations: HashMap<u64, &'a protos::Location>,
    functions: HashMap<u64, &'a protos::Function>,
    mappings: HashMap<u64, &'a protos::Mapping>,
}

impl<'a> Reader<'a> {
    fn new(message: &'a protos::Profile) -> Self {
        Self {
            message,
            locations: message.location.iter().map(|location| (location.id, location)).collect(),
            functions: message.function.iter().map(|function| (function.id, function)).collect(),
            mappings: message.mapping.iter().map(|mapping| (mapping.id, mapping)).collect(),
        }
    }

    fn string(&self, index: i64) -> Result<&'a str, PprofError> {
        let found = usize::try_from(index).ok().and_then(|index| self.message.string_table.get(index));
        found.map(String::as_str).ok_or(PprofError::Inconsistent("a string is missing"))
    }

    /// The source frames of a location, innermost first; `foreign` names are normalized.
    fn frames(&self, id: u64, foreign: bool) -> Result<Vec<Frame>, PprofError> {
        let location = self.locations.get(&id).ok_or(PprofError::Inconsistent("a location is missing"))?;
        let module = match location.mapping_id {
            0 => UNKNOWN.to_owned(),
            id => {
                let mapping = self.mappings.get(&id).ok_or(PprofError::Inconsistent("a mapping is missing"))?;
                let path = self.string(mapping.filename)?;
                if foreign { path.rsplit('/').next().unwrap_or(path).to_owned() } else { path.to_owned() }
            }
        };
        if location.line.is_empty() {
            return Ok(vec![Frame { function: UNKNOWN.to_owned(), file: None, line: None, module, inlined: false }]);
        }
        let last = location.line.len() - 1;
        let frame = |(index, line): (usize, &protos::Line)| {
            let function = self.functions.get(&line.function_id).ok_or(PprofError::Inconsistent("a function is missing"))?;
            let name = self.string(function.name)?;
            let file = self.string(function.filename)?;
            Ok(Frame {
                function: if foreign { normalize(name) } else { name.to_owned() },
                file: (!file.is_empty()).then(|| file.to_owned()),
                line: u32::try_from(line.line).ok().filter(|&line| line > 0),
                module: module.clone(),
                inlined: index != last,
            })
        };
        location.line.iter().enumerate().map(frame).collect()
    }

    fn comments(&self, prefix: &'static str) -> Result<Vec<&'a str>, PprofError> {
        let mut found = Vec::new();
        for &index in &self.message.comment {
            found.extend(self.string(index)?.strip_prefix(prefix));
        }
        Ok(found)
    }

    fn quality(&self) -> Result<Option<Quality>, PprofError> {
        let comments = self.comments(QUALITY_COMMENT)?;
        let parse = |json: &&str| serde_json::from_str(json);
        comments.first().map(parse).transpose().map_err(|_| PprofError::Inconsistent("its quality cannot be read"))
    }

    fn aliases(&self) -> Result<Vec<Alias>, PprofError> {
        let comments = self.comments(ALIAS_COMMENT)?;
        let parse = |json: &str| serde_json::from_str(json).map_err(|_| PprofError::Inconsistent("an alias cannot be read"));
        comments.into_iter().map(parse).collect()
    }

    /// Another tool's sample values: a count if there is one, else time divided by the period.
    fn counting(&self) -> Result<Counting, PprofError> {
        let mut time = None;
        for (column, kind) in self.message.sample_type.iter().enumerate() {
            match (self.string(kind.ty)?, self.string(kind.unit)?) {
                ("samples", _) | (_, "count") => return Ok(Counting::column(column)),
                (_, "nanoseconds") => time = Some(column),
                _ => {}
            }
        }
        let divisor = u64::try_from(self.message.period).unwrap_or(0);
        match time {
            Some(column) if divisor > 0 => Ok(Counting { column, divisor }),
            _ if self.message.sample.is_empty() => Ok(Counting::column(0)),
            _ => Err(PprofError::Inconsistent("it counts neither samples nor time")),
        }
    }

    fn foreign_quality(&self, samples: u64) -> Result<Quality, PprofError> {
        let unit = match &self.message.period_type {
            Some(kind) => self.string(kind.unit)?,
            None => "",
        };
        let period = u64::try_from(self.message.period).unwrap_or(0);
        let frequency = if unit == "nanoseconds" { 1_000_000_000u64.checked_div(period).unwrap_or(0) } else { 0 };
        Ok(Quality {
            engine: Engine::Imported,
            samples,
            frequency,
            lost: 0,
            truncated: 0,
            cpu_ns: None,
            wall_ns: u64::try_from(self.message.duration_nanos).unwrap_or(0),
        })
    }
}
