//! Pprof message to profile, every reference checked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pprof::protos;

use super::foreign::{self, Column};
use super::{ALIAS_COMMENT, Imported, Mapped, PprofError, QUALITY_COMMENT, Revision};
use crate::profile::model::{Alias, Engine, Frame, FrameId, ProfileBuilder, Quality, UNKNOWN};
use crate::profile::normalize::foreign as foreign_name;

/// The profile that a message describes.
pub(super) fn import(message: &protos::Profile) -> Result<Imported, PprofError> {
    let reader = Reader::new(message);
    match reader.quality()? {
        Some(quality) => reader.own(quality),
        None => reader.foreign(),
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

    /// A profile that this tool wrote.
    fn own(&self, quality: Quality) -> Result<Imported, PprofError> {
        let column = Column { index: 0, name: "samples/count".into(), weight: None };
        let mut builder = ProfileBuilder::new();
        let taken = self.stacks(&column, true, |_| Ok(true), &mut builder)?;
        if quality.samples != taken.total {
            return Err(PprofError::Inconsistent("its stacks do not add up to its number of samples"));
        }
        for alias in self.aliases()? {
            builder.alias(alias);
        }
        let profile = builder.finish(quality);
        Ok(Imported { profile, sampled: column.name, one_weighs: None, revision: None, mapped: self.mapped()? })
    }

    /// Another tool's.
    fn foreign(&self) -> Result<Imported, PprofError> {
        let message = self.message;
        let named = |kind: &protos::ValueType| Ok((self.string(kind.ty)?, self.string(kind.unit)?));
        let types = message.sample_type.iter().map(named).collect::<Result<Vec<_>, PprofError>>()?;
        let period_type = message.period_type.as_ref().map_or(Ok(("", "")), named)?;
        let column = foreign::column(&types, period_type, message.period)?;
        let labels = message.sample.iter().map(|sample| self.labels(sample)).collect::<Result<Vec<_>, _>>()?;
        let revision = foreign::revision(labels.into_iter());
        let mixed = revision.filter(|(_, values)| *values > 1).map(|(label, _)| label);
        let of_revision = |sample: &protos::Sample| match mixed {
            Some(label) => Ok(self.labels(sample)?.contains(&label)),
            None => Ok(true),
        };
        let mut builder = ProfileBuilder::new();
        let taken = self.stacks(&column, false, of_revision, &mut builder)?;
        let mut samples = taken.total;
        if let Some(one) = column.weight {
            let at_most = taken.total.checked_div(one).map_or(u64::MAX, |samples| samples.max(1));
            samples = taken.records.min(at_most);
            builder.weighted(samples);
        }
        let nanos = if period_type.1 == "nanoseconds" { u64::try_from(message.period).unwrap_or(0) } else { 0 };
        let quality = Quality {
            engine: Engine::Imported,
            samples,
            frequency: 1_000_000_000u64.checked_div(nanos).unwrap_or(0),
            lost: 0,
            truncated: 0,
            cpu_ns: None,
            wall_ns: u64::try_from(message.duration_nanos).unwrap_or(0),
        };
        let revision = revision.map(|((key, value), values)| Revision {
            label: key.to_owned(),
            value: value.to_owned(),
            others: values - 1,
            left_out: taken.left_out,
        });
        let profile = builder.finish(quality);
        Ok(Imported { profile, sampled: column.name, one_weighs: column.weight, revision, mapped: self.mapped()? })
    }

    /// Adds the stacks of the samples that are `wanted`.
    fn stacks(
        &self,
        column: &Column,
        own: bool,
        wanted: impl Fn(&protos::Sample) -> Result<bool, PprofError>,
        builder: &mut ProfileBuilder,
    ) -> Result<Taken, PprofError> {
        let mut known: HashMap<u64, Vec<FrameId>> = HashMap::new();
        let mut taken = Taken::default();
        for sample in &self.message.sample {
            let &value = sample.value.get(column.index).ok_or(PprofError::Inconsistent("a sample lacks a value"))?;
            let count = u64::try_from(value).map_err(|_| PprofError::Inconsistent("a sample count is negative"))?;
            if count == 0 {
                continue;
            }
            if !wanted(sample)? {
                taken.left_out += 1;
                continue;
            }
            let mut frames = Vec::new();
            for &location in &sample.location_id {
                let ids = match known.entry(location) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        new.insert(self.frames(location, own)?.into_iter().map(|frame| builder.frame(frame)).collect())
                    }
                };
                frames.extend(ids.iter().copied());
            }
            taken.total = taken.total.checked_add(count).ok_or(PprofError::Inconsistent("the counts overflow"))?;
            taken.records += 1;
            builder.stack(frames, count);
        }
        Ok(taken)
    }

    fn string(&self, index: i64) -> Result<&'a str, PprofError> {
        let found = usize::try_from(index).ok().and_then(|index| self.message.string_table.get(index));
        found.map(String::as_str).ok_or(PprofError::Inconsistent("a string is missing"))
    }

    /// The labels that may name a revision.
    fn labels(&self, sample: &protos::Sample) -> Result<Vec<foreign::Label<'a>>, PprofError> {
        let mut found = Vec::new();
        for label in &sample.label {
            let key = self.string(label.key)?;
            if foreign::names_revision(key) {
                found.push((key, self.string(label.str)?));
            }
        }
        Ok(found)
    }

    fn mapped(&self) -> Result<Vec<Mapped>, PprofError> {
        let one = |mapping: &protos::Mapping| {
            let (path, build_id) = (self.string(mapping.filename)?, self.string(mapping.build_id)?);
            Ok(Mapped { path: path.to_owned(), build_id: (!build_id.is_empty()).then(|| build_id.to_owned()) })
        };
        self.message.mapping.iter().map(one).collect()
    }

    /// The source frames of a location, innermost first; names of other tools are normalized.
    fn frames(&self, id: u64, own: bool) -> Result<Vec<Frame>, PprofError> {
        let location = self.locations.get(&id).ok_or(PprofError::Inconsistent("a location is missing"))?;
        let module = match location.mapping_id {
            0 => UNKNOWN.to_owned(),
            id => {
                let mapping = self.mappings.get(&id).ok_or(PprofError::Inconsistent("a mapping is missing"))?;
                let path = self.string(mapping.filename)?;
                if own { path.to_owned() } else { path.rsplit('/').next().unwrap_or(path).to_owned() }
            }
        };
        if location.line.is_empty() {
            return Ok(vec![Frame { function: UNKNOWN.to_owned(), file: None, line: None, module, inlined: false }]);
        }
        let last = location.line.len() - 1;
        let frame = |(index, line): (usize, &protos::Line)| {
            let function = self.functions.get(&line.function_id).ok_or(PprofError::Inconsistent("a function is missing"))?;
            let file = self.string(function.filename)?;
            Ok(Frame {
                function: if own { self.string(function.name)?.to_owned() } else { self.foreign_name(function)? },
                file: (!file.is_empty()).then(|| file.to_owned()),
                line: u32::try_from(line.line).ok().filter(|&line| line > 0),
                module: module.clone(),
                inlined: index != last,
            })
        };
        location.line.iter().enumerate().map(frame).collect()
    }

    /// The mangled name tells more than what a tool made of it.
    fn foreign_name(&self, function: &protos::Function) -> Result<String, PprofError> {
        let (name, symbol) = (self.string(function.name)?, self.string(function.system_name)?);
        let mangled = rustc_demangle::try_demangle(symbol).is_ok();
        let name = foreign_name(if mangled || name.is_empty() { symbol } else { name });
        Ok(if name.is_empty() { UNKNOWN.to_owned() } else { name })
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
}

/// What was read of the samples.
#[derive(Debug, Default)]
struct Taken {
    /// Sum of the counts.
    total: u64,
    /// Samples that count something.
    records: u64,
    /// Samples of other revisions.
    left_out: u64,
}
