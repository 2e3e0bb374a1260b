//! The executable as a file: its identity, its machine code, its debug sections.

use std::borrow::Cow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use gimli::{DwarfSections, EndianSlice, LittleEndian, SectionId};
use object::elf::SHF_EXECINSTR;
use object::{Architecture, BinaryFormat, Object, ObjectSection, SectionFlags};

use super::error::ProbeError;

/// Borrowed bytes of a debug section; `x86_64` is little-endian.
pub(super) type Slice<'d> = EndianSlice<'d, LittleEndian>;

/// A section of instructions, with their bytes.
#[derive(Debug)]
struct Code {
    start: u64,
    bytes: Vec<u8>,
}

/// The machine code of an executable, at the addresses that the file gives it.
#[derive(Debug)]
pub(super) struct MachineCode {
    sections: Vec<Code>,
    /// Where the kernel starts it: with it, the load bias is known.
    pub(super) entry: u64,
}

impl MachineCode {
    /// The byte at an address, if instructions are there.
    pub(super) fn byte(&self, address: u64) -> Option<u8> {
        let index = self.sections.partition_point(|section| section.start <= address).checked_sub(1)?;
        let section = self.sections.get(index)?;
        section.bytes.get(usize::try_from(address - section.start).ok()?).copied()
    }

    /// True when instructions are at the address. Discarded functions keep debug information at 0 or at the end of the address
    /// space, where no code is.
    pub(super) fn contains(&self, address: u64) -> bool {
        address != 0 && self.byte(address).is_some()
    }
}

/// Which file on disk: what `/proc/PID/exe` is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// The contents of an executable file.
pub(super) struct Executable {
    path: PathBuf,
    bytes: Vec<u8>,
    pub(super) identity: Identity,
}

impl Executable {
    pub(super) fn read(path: &Path) -> Result<Self, ProbeError> {
        let unreadable = |source| ProbeError::Unreadable { executable: path.to_owned(), source };
        let identity = Identity::of(path).map_err(unreadable)?;
        let bytes = std::fs::read(path).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), bytes, identity })
    }

    pub(super) fn malformed(&self, reason: &impl ToString) -> ProbeError {
        ProbeError::Malformed { executable: self.path.clone(), reason: reason.to_string() }
    }

    pub(super) fn parse(&self) -> Result<object::File<'_>, ProbeError> {
        let file = object::File::parse(self.bytes.as_slice()).map_err(|error| self.malformed(&error))?;
        let fits = file.format() == BinaryFormat::Elf && file.architecture() == Architecture::X86_64 && file.is_64();
        if !fits {
            let reason = format!("`{}` is {:?} for {:?}", self.path.display(), file.format(), file.architecture());
            return Err(ProbeError::Unsupported { reason });
        }
        Ok(file)
    }

    pub(super) fn machine_code(&self, file: &object::File<'_>) -> Result<MachineCode, ProbeError> {
        let is_code = |flags| matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & SHF_EXECINSTR.0 != 0);
        let mut sections = Vec::new();
        for section in file.sections().filter(|section| is_code(section.flags())) {
            let bytes = section.data().map_err(|error| self.malformed(&error))?;
            sections.push(Code { start: section.address(), bytes: bytes.to_vec() });
        }
        sections.sort_by_key(|section| section.start);
        Ok(MachineCode { sections, entry: file.entry() })
    }

    pub(super) fn debug_sections<'f>(&self, file: &object::File<'f>) -> Result<DwarfSections<Cow<'f, [u8]>>, ProbeError> {
        let missing = |id: SectionId| file.section_by_name(id.name()).is_none_or(|section| section.size() == 0);
        if missing(SectionId::DebugInfo) || missing(SectionId::DebugLine) {
            return Err(ProbeError::NoDebugInfo { executable: self.path.clone() });
        }
        DwarfSections::load(|id| match file.section_by_name(id.name()) {
            Some(section) => section.uncompressed_data(),
            None => Ok(Cow::Borrowed(&[][..])),
        })
        .map_err(|error| self.malformed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_instructions_are_code() {
        let section = |start, bytes: &[u8]| Code { start, bytes: bytes.to_vec() };
        let code = MachineCode { sections: vec![section(0, b"abc"), section(0x1000, b"xy")], entry: 0 };
        assert_eq!(code.byte(0x1001), Some(b'y'));
        assert!(code.contains(0x1000) && !code.contains(0x1002) && !code.contains(0xfff));
        assert!(!code.contains(0) && !code.contains(u64::MAX));
    }

    #[test]
    fn text_files_and_missing_files_are_told_apart() {
        let missing = Executable::read(Path::new("/no/such/file")).err();
        assert!(matches!(missing, Some(ProbeError::Unreadable { .. })));
        let text = Executable::read(Path::new("/proc/self/status")).unwrap();
        assert!(matches!(text.parse(), Err(ProbeError::Malformed { .. })));
    }
}
