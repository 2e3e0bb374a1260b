//! Reads profiles that other tools took: pprof, folded stacks, perf.data and the output of `perf script`. The content tells which,
//! not the name.
//!
//! Does not join (`heat`) and does not know which commit a profile is of beyond what the file says.

mod error;
mod perf_data;
mod text;

use camino::Utf8Path;

pub use error::ImportError;

use crate::profile::pprof::{self, Mapped, Revision};
use crate::profile::{Engine, Profile};

/// Largest file that is read, bytes; what it unpacks to has its own bound.
const MAX_BYTES: u64 = 512 << 20;

/// Longest text that is read, bytes: a frame may be as short as one sign, and takes eight times that in memory.
const MAX_TEXT: usize = 256 << 20;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `profile.proto`.
    Pprof,
    /// One line per stack.
    Folded,
    /// The text of `perf script`.
    PerfScript,
}

impl Format {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pprof => "pprof",
            Self::Folded => "folded stacks",
            Self::PerfScript => "perf script",
        }
    }
}

/// A profile from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The stacks.
    pub profile: Profile,
    /// What the file is.
    pub format: Format,
    /// What it counts: `samples/count`, `cpu/nanoseconds`; `None` where the format does not say.
    pub sampled: Option<String>,
    /// The revision that it says it is of.
    pub revision: Option<Revision>,
    /// The files that its program had mapped, as far as it says.
    pub mapped: Vec<Mapped>,
}

impl Import {
    fn of(format: Format, profile: Profile) -> Self {
        Self { profile, format, sampled: None, revision: None, mapped: Vec::new() }
    }

    /// What was sampled, in words: "12000 samples (samples/count)".
    pub fn described(&self) -> String {
        let count = self.profile.quality.samples as usize;
        let sampled = self.sampled.as_deref().unwrap_or("not said of what");
        if self.profile.records.is_none() || self.format == Format::PerfScript {
            return format!("{} ({sampled}), {}", crate::figures::counted(count, "sample"), self.format.name());
        }
        let weight = self.sampled.as_deref().unwrap_or("counts too large to be samples");
        format!("{} weighted by {weight}, {}", crate::figures::counted(count, "record"), self.format.name())
    }
}

/// Reads a file.
pub fn read(path: &Utf8Path) -> Result<Import, ImportError> {
    let file = || path.to_string();
    let len = std::fs::metadata(path).map_err(|source| ImportError::Unreadable { file: file(), source })?.len();
    if len > MAX_BYTES {
        return Err(ImportError::TooLarge { file: file(), bytes: len });
    }
    let bytes = std::fs::read(path).map_err(|source| ImportError::Unreadable { file: file(), source })?;
    if perf_data::is(&bytes) {
        return of_bytes(path.as_str(), &perf_data::script(path)?);
    }
    of_bytes(path.as_str(), &bytes)
}

/// Reads what a file holds; `file` is its name, for messages.
pub fn of_bytes(file: &str, bytes: &[u8]) -> Result<Import, ImportError> {
    let pprof_error = |source| ImportError::Pprof { file: file.to_owned(), source };
    let unpacked = pprof::unpack(bytes).map_err(pprof_error)?;
    if unpacked.iter().all(u8::is_ascii_whitespace) {
        return Err(ImportError::Empty { file: file.to_owned() });
    }
    if perf_data::is(&unpacked) {
        return Err(ImportError::PerfData { file: file.to_owned(), problem: "it is compressed".into() });
    }
    let mut import = if let Some(text) = text::of(&unpacked) {
        if text.len() > MAX_TEXT {
            return Err(ImportError::TooLarge { file: file.to_owned(), bytes: text.len() as u64 });
        }
        text::read(file, text)?
    } else {
        let read = pprof::import(&unpacked).map_err(pprof_error)?;
        let sampled = Some(read.sampled);
        Import { sampled, revision: read.revision, mapped: read.mapped, ..Import::of(Format::Pprof, read.profile) }
    };
    if import.profile.samples() == 0 {
        return Err(ImportError::Empty { file: file.to_owned() });
    }
    import.profile.quality.engine = Engine::Imported;
    Ok(import)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::folded;

    #[test]
    fn the_content_tells_the_format_not_the_name() {
        let profile = folded::read("main;app::work 3\n").unwrap();
        let pprof = pprof::encode(&profile).unwrap();
        let gzipped_text = {
            use std::io::Write;
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(b"main;app::work 3\n").unwrap();
            gzip.finish().unwrap()
        };
        let format = |bytes: &[u8]| of_bytes("x.txt", bytes).map(|import| (import.format, import.profile.quality.samples));
        assert_eq!(format(&pprof).unwrap(), (Format::Pprof, 3));
        assert_eq!(format(&pprof::unpack(&pprof).unwrap()).unwrap(), (Format::Pprof, 3));
        assert_eq!(format(&gzipped_text).unwrap(), (Format::Folded, 3));
        let script = "app 10 100.5:  1000 cpu-clock:u:\n\t55 app::work+0x4 (/bin/app)\n\t66 main+0x1 (/bin/app)\n\n";
        let read = of_bytes("x", script.as_bytes()).unwrap();
        assert_eq!((read.format, read.profile.records), (Format::PerfScript, Some(1)));
        assert_eq!(read.profile.frames[0].function, "app::work");
        let of = |event: &str| of_bytes("x", script.replace("cpu-clock:u", event).as_bytes());
        for cpu in ["cycles:P", "cpu_core/cycles/u", "cpu-cycles:ppp", "ibs_op//", "task-clock"] {
            assert!(of(cpu).is_ok(), "{cpu}");
        }
        for other in ["sched:sched_switch", "cache-misses:u", "page-faults", "cpu/cache-misses/u"] {
            assert!(matches!(of(other), Err(ImportError::NotCpu { .. })), "{other}");
        }
    }

    #[test]
    fn what_is_no_profile_is_named_with_a_way_out() {
        let said = |bytes: &[u8]| {
            let error = crate::error::Error::from(of_bytes("prod.bin", bytes).unwrap_err());
            assert!(error.to_string().contains("prod.bin"), "{error}");
            format!("{error}; {:?}", error.hint())
        };
        assert!(said(b"").contains("no samples"));
        assert!(said(b"main;leaf 0\n").contains("no samples"));
        assert!(said(b"{\"shared\": {}}").contains("JSON"));
        assert!(said(b"PERFILE2\0\0").contains("perf script"));
        assert!(said(b"[package]\nname = 1\n").contains("line 1"));
        assert!(said(b"main;leaf 3\nmain;leaf x\n").contains("line 2"));
        assert!(said(&[0x1f, 0x8b, 8, 0, 0]).contains("decompress"));
        assert!(said(&[0xff; 64]).contains("pprof"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), head in 0usize..4) {
            let heads: [&[u8]; 4] = [b"", b"\x0a\x04\x08\x01\x10\x02\x12", b"a;b 1\n", b"app 1 1.0: 1 x:\n\t0 a (b)\n"];
            let _error_or_not = of_bytes("x", &[heads[head], &bytes].concat());
        }
    }
}
