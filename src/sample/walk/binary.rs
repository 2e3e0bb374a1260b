//! The executables and libraries that sampled processes map: their bytes, segments and unwind tables, read once each.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use framehop::ExplicitModuleSectionInfo;
use gimli::{BaseAddresses, EhFrame, EhFrameHdr, NativeEndian, UnwindSection};
use object::{Object, ObjectSection, ObjectSegment, SegmentFlags, elf};

use super::roots::ROOTS;
use super::symbols::Symbols;
use super::{auxv, calls};

/// Index of a [`Binary`] in [`Binaries`].
pub(in crate::sample) type BinaryId = u32;

/// The name that the kernel gives to the vDSO's mapping.
const VDSO: &str = "[vdso]";

/// `_start` is a few instructions that call the C library (glibc's is 38 bytes on x86-64, 52 on aarch64).
const ENTRY_BYTES: u64 = 64;

/// Tells files apart, also when one was replaced under its path: path, device, inode, generation.
pub(in crate::sample) type FileKey = (PathBuf, [u64; 4]);

/// Every mapped file that was seen.
#[derive(Default)]
pub(in crate::sample) struct Binaries {
    all: Vec<Binary>,
    ids: HashMap<FileKey, BinaryId>,
}

/// One mapped file.
pub(in crate::sample) struct Binary {
    /// File name, or the kernel's name in brackets.
    pub(in crate::sample) name: String,
    /// Where it can be opened; `None` for the vDSO and for what is gone.
    pub(in crate::sample) path: Option<PathBuf>,
    /// Its contents; `None` when unreadable or no ELF file.
    pub(in crate::sample) image: Option<Image>,
    /// Where threads and processes begin in it; read when it is asked for first.
    roots: OnceCell<Vec<Range<u64>>>,
}

/// A readable ELF file.
pub(in crate::sample) struct Image {
    /// The whole file.
    pub(in crate::sample) bytes: Bytes,
    segments: Vec<Segment>,
    base: u64,
}

/// A `PT_LOAD` program header.
#[derive(Debug, Clone, Copy)]
struct Segment {
    offset: u64,
    file_size: u64,
    address: u64,
    executable: bool,
}

/// A part of a file that is kept alive by whoever uses it.
#[derive(Clone)]
pub(in crate::sample) struct Bytes {
    source: Arc<Source>,
    range: Range<usize>,
}

enum Source {
    File(memmap2::Mmap),
    Memory(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let all: &[u8] = match &*self.source {
            Source::File(map) => map,
            Source::Memory(bytes) => bytes,
        };
        all.get(self.range.clone()).unwrap_or_default()
    }
}

impl Bytes {
    fn memory(bytes: Vec<u8>) -> Self {
        Self { range: 0..bytes.len(), source: Arc::new(Source::Memory(bytes)) }
    }

    fn file(path: &Path) -> Option<Self> {
        // A device or pipe may be mapped too; opening one here could block or act.
        if !std::fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let file = std::fs::File::open(path).ok()?;
        #[expect(unsafe_code, reason = "executables are too large to copy for the few pages that are needed")]
        // SAFETY: the map is read-only and private; nobody truncates an executable or library that a live process has
        // mapped (linkers replace files, the kernel denies writes to running executables).
        let map = unsafe { memmap2::Mmap::map(&file) }.ok()?;
        Some(Self { range: 0..map.len(), source: Arc::new(Source::File(map)) })
    }

    fn part(&self, offset: u64, len: u64) -> Option<Self> {
        let start = self.range.start.checked_add(usize::try_from(offset).ok()?)?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        (end <= self.range.end).then(|| Self { source: Arc::clone(&self.source), range: start..end })
    }
}

impl Binaries {
    /// The id of a mapped file; reads it when it is new. `None` for memory that no file backs.
    pub(in crate::sample) fn id(&mut self, key: FileKey) -> Option<BinaryId> {
        if let Some(&id) = self.ids.get(&key) {
            return Some(id);
        }
        let binary = Binary::read(&key.0)?;
        let id = self.all.len() as BinaryId;
        self.all.push(binary);
        self.ids.insert(key, id);
        Some(id)
    }

    /// How many were seen.
    pub(in crate::sample) fn len(&self) -> usize {
        self.all.len()
    }

    pub(in crate::sample) fn get(&self, id: BinaryId) -> Option<&Binary> {
        self.all.get(id as usize)
    }
}

impl Binary {
    fn read(path: &Path) -> Option<Self> {
        let text = path.to_string_lossy();
        if text == VDSO {
            let image = auxv::vdso().and_then(|bytes| Image::parse(Bytes::memory(bytes)));
            return Some(Self { name: VDSO.to_owned(), path: None, image, roots: OnceCell::new() });
        }
        // Anonymous memory is named "//anon"; other special maps are in brackets.
        if !text.starts_with('/') || text.starts_with("//") {
            return None;
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let image = Bytes::file(path).and_then(Image::parse);
        Some(Self { name, path: image.is_some().then(|| path.to_owned()), image, roots: OnceCell::new() })
    }
}

impl Binary {
    /// True for an address, in the file's own terms, of code that every thread or process of it begins with.
    pub(in crate::sample) fn is_root(&self, address: u64) -> bool {
        let roots = self.roots.get_or_init(|| self.image.as_ref().map(Image::roots).unwrap_or_default());
        roots.iter().any(|range| range.contains(&address))
    }
}

impl Image {
    fn roots(&self) -> Vec<Range<u64>> {
        let Ok(object) = object::File::parse(&*self.bytes) else { return Vec::new() };
        let mut roots = Symbols::of(&object).ranges(&ROOTS);
        // A stripped program still says where it starts.
        roots.push(object.entry()..object.entry().saturating_add(ENTRY_BYTES));
        roots
    }

    fn parse(bytes: Bytes) -> Option<Self> {
        let object = object::File::parse(&*bytes).ok()?;
        let segments: Vec<Segment> = object
            .segments()
            .map(|segment| {
                let (offset, file_size) = segment.file_range();
                let executable = matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.0 & elf::PF_X.0 != 0);
                Segment { offset, file_size, address: segment.address(), executable }
            })
            .collect();
        let base = segments.iter().map(|segment| segment.address).min().unwrap_or(0);
        drop(object);
        Some(Self { bytes, segments, base })
    }

    /// What was added to the file's own addresses when `address` was mapped to the file offset `page_offset`.
    ///
    /// The segment is the one whose page-aligned offset was mapped; taking any that overlaps gives wrong sums, since the
    /// pages between two segments belong to both.
    pub(in crate::sample) fn bias(&self, address: u64, page_offset: u64) -> Option<u64> {
        let page = auxv::page_size() as u64;
        let exact = |segment: &&Segment| segment.offset & !(page - 1) == page_offset;
        let executable = || self.segments.iter().filter(|segment| segment.executable);
        let found = executable()
            .find(exact)
            .or_else(|| self.segments.iter().find(exact))
            // A part of a segment, mapped or protected on its own.
            .or_else(|| executable().find(|s| s.offset <= page_offset && page_offset < s.offset.saturating_add(s.file_size)))?;
        Some(address.wrapping_sub(page_offset).wrapping_add(found.offset).wrapping_sub(found.address))
    }

    /// True where the instruction in front of `returns_to` calls the function that `inside` lies in, both in the file's own terms, and
    /// says so itself. Where functions begin, the unwind tables tell.
    pub(in crate::sample) fn calls(&self, returns_to: u64, inside: u64) -> bool {
        let start = returns_to.wrapping_sub(calls::LONGEST as u64);
        let target = self.code(start, calls::LONGEST).and_then(|before| calls::target(before, returns_to));
        target.is_some() && target == self.function(inside)
    }

    fn code(&self, address: u64, length: usize) -> Option<&[u8]> {
        let holds =
            |segment: &&Segment| segment.executable && (0..segment.file_size).contains(&address.wrapping_sub(segment.address));
        let segment = self.segments.iter().find(holds)?;
        let offset = usize::try_from(address.wrapping_sub(segment.address).checked_add(segment.offset)?).ok()?;
        self.bytes.get(offset..offset.checked_add(length)?)
    }

    /// Where the function begins that an address lies in.
    fn function(&self, address: u64) -> Option<u64> {
        let object = object::File::parse(&*self.bytes).ok()?;
        let section = |name| object.section_by_name(name);
        let (header, frames) = (section(".eh_frame_hdr")?, section(".eh_frame")?);
        let bases = BaseAddresses::default().set_eh_frame_hdr(header.address()).set_eh_frame(frames.address());
        let (header, frames) = (header.data().ok()?, frames.data().ok()?);
        let header = EhFrameHdr::new(header, NativeEndian).parse(&bases, 8).ok()?;
        let frames = EhFrame::new(frames, NativeEndian);
        let table = header.table()?;
        Some(table.fde_for_address(&frames, &bases, address, EhFrame::cie_from_offset).ok()?.initial_address())
    }

    /// The lowest address in the file's own terms.
    pub(in crate::sample) fn base(&self) -> u64 {
        self.base
    }

    /// Where the unwinder finds its tables.
    pub(in crate::sample) fn unwind_sections(&self) -> ExplicitModuleSectionInfo<Bytes> {
        let Ok(object) = object::File::parse(&*self.bytes) else {
            return ExplicitModuleSectionInfo { base_svma: self.base, ..empty() };
        };
        let range = |name: &str| {
            let section = object.section_by_name(name)?;
            Some(section.address()..section.address().saturating_add(section.size()))
        };
        let data = |name: &str| {
            let section = object.section_by_name(name)?;
            let compressed = section.compressed_file_range().ok()?;
            if compressed.format == object::CompressionFormat::None {
                let (offset, len) = section.file_range()?;
                return self.bytes.part(offset, len);
            }
            Some(Bytes::memory(section.uncompressed_data().ok()?.into_owned()))
        };
        ExplicitModuleSectionInfo {
            base_svma: self.base,
            text_svma: range(".text"),
            got_svma: range(".got"),
            eh_frame_svma: range(".eh_frame"),
            eh_frame: data(".eh_frame"),
            eh_frame_hdr_svma: range(".eh_frame_hdr"),
            eh_frame_hdr: data(".eh_frame_hdr"),
            debug_frame: data(".debug_frame"),
            ..empty()
        }
    }
}

fn empty() -> ExplicitModuleSectionInfo<Bytes> {
    ExplicitModuleSectionInfo {
        base_svma: 0,
        text_svma: None,
        text: None,
        stubs_svma: None,
        stub_helper_svma: None,
        got_svma: None,
        unwind_info: None,
        eh_frame_svma: None,
        eh_frame: None,
        eh_frame_hdr_svma: None,
        eh_frame_hdr: None,
        debug_frame: None,
        text_segment_svma: None,
        text_segment: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(segments: &[(u64, u64, u64, bool)]) -> Image {
        let segments = segments
            .iter()
            .map(|&(offset, file_size, address, executable)| Segment { offset, file_size, address, executable })
            .collect();
        Image { bytes: Bytes::memory(Vec::new()), segments, base: 0 }
    }

    #[test]
    fn the_bias_comes_from_the_segment_that_was_mapped() {
        // Laid out as lld does it: the text segment starts in the page in which the read-only segment ends.
        let image = image(&[(0, 0x1234, 0, false), (0x1240, 0x3000, 0x2240, true), (0x4300, 0x100, 0x6300, false)]);
        assert_eq!(image.bias(0x5555_0000_2000, 0x1000), Some(0x5555_0000_0000));
        assert_eq!(image.bias(0x5555_0000_3000, 0x2000), Some(0x5555_0000_0000), "a part that was protected on its own");
        assert_eq!(image.bias(0x5555_0000_3000, 0x9000), None);
    }

    #[test]
    fn memory_without_a_file_is_no_binary() {
        let mut binaries = Binaries::default();
        assert_eq!(binaries.id(("//anon".into(), [0; 4])), None);
        assert_eq!(binaries.id(("[heap]".into(), [0; 4])), None);
        let id = binaries.id(("/no/such/library.so".into(), [0; 4])).unwrap();
        assert!(binaries.get(id).is_some_and(|binary| binary.image.is_none() && binary.name == "library.so"));
    }
}
