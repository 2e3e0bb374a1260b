//! Text: folded stacks, or what `perf script` prints.

use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options};

use super::{Format, Import, ImportError};
use crate::profile::folded;

/// Events of perf that come in step with CPU time (perf-list(1)).
const CPU_EVENTS: [&str; 5] = ["cycles", "cpu-cycles", "cpu-clock", "task-clock", "ibs_op"];

/// The text, if it is some: UTF-8 without control characters. Binary formats have those within their first bytes.
pub(super) fn of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_plain).then_some(text)
}

/// Reads folded stacks, and folds what is not.
pub(super) fn read(file: &str, text: &str) -> Result<Import, ImportError> {
    if is_json(text) {
        return Err(ImportError::Json { file: file.to_owned() });
    }
    if is_perf_script(text) {
        let folded = fold(text).map_err(|problem| ImportError::PerfScript { file: file.to_owned(), problem })?;
        let profile = folded::read(&folded);
        let mut profile =
            profile.map_err(|error| ImportError::PerfScript { file: file.to_owned(), problem: error.to_string() })?;
        let event = text.lines().find_map(event);
        if let Some(event) = event.filter(|event| !is_cpu_time(event)) {
            return Err(ImportError::NotCpu { file: file.to_owned(), event: event.to_owned() });
        }
        // Folding adds up the periods; what was taken are the samples.
        let samples = text.lines().filter(|line| self::event(line) == event).count() as u64;
        (profile.records, profile.quality.samples) = (Some(samples), samples);
        return Ok(Import { sampled: event.map(str::to_owned), ..Import::of(Format::PerfScript, profile) });
    }
    let profile = folded::read(text).map_err(|source| ImportError::Folded { file: file.to_owned(), source })?;
    Ok(Import::of(Format::Folded, profile))
}

/// An object, or a list of values: `[unknown];main 3` is none.
fn is_json(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !c.is_whitespace());
    match signs.next() {
        Some('{') => matches!(signs.next(), Some('"' | '}')),
        Some('[') => matches!(signs.next(), Some('{' | '"' | '[')),
        _ => false,
    }
}

/// A header that ends in a colon (`app 10 100.5:  1000 cpu-clock:u:`), and indented frames below.
fn is_perf_script(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let header =
        lines.next().is_some_and(|line| line.ends_with(':') && !line.starts_with(['\t', ' ', ';']) && !line.contains(';'));
    header && lines.next().is_some_and(|line| line.starts_with(['\t', ' ']))
}

/// The event that a sample's header names. Folding takes the samples of the first one only.
fn event(line: &str) -> Option<&str> {
    let header = line.trim_end().strip_suffix(':').filter(|_| !line.starts_with(['#', '\t', ' ']))?;
    header.rsplit(' ').next()
}

/// True for events that come in step with CPU time: `cycles:P`, `cpu_core/cycles/u`, `cpu-clock`, `ibs_op//`.
fn is_cpu_time(event: &str) -> bool {
    let mut parts = event.split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let name = second.filter(|name| !name.is_empty()).unwrap_or(first);
    CPU_EVENTS.contains(&name.split([':', ',']).next().unwrap_or_default())
}

fn fold(text: &str) -> Result<String, String> {
    let mut options = Options::default();
    options.annotate_kernel = true;
    options.nthreads = 1;
    let mut out = Vec::new();
    Folder::from(options).collapse(text.as_bytes(), &mut out).map_err(|error| error.to_string())?;
    String::from_utf8(out).map_err(|error| error.to_string())
}
