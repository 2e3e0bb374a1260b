//! Where functions and their inlined copies begin, by declaration and by name, from the debugging information entries.

use gimli::{Abbreviation, AttributeValue, Dwarf, EntriesRaw, LineProgramHeader, Unit, UnitRef};

use super::elf::{MachineCode, Slice};
use super::lines::{Files, UnitFiles};

/// An instance points to its abstract origin, that to its declaration: 2 hops; more only in damaged files.
const MOST_HOPS: usize = 8;

/// What one entry says about a function; the rest is where it refers to.
#[derive(Debug, Clone, Copy, Default)]
struct Declaration<'d> {
    /// Offset of the entry in `.debug_info`.
    offset: usize,
    refers_to: Option<usize>,
    file: Option<usize>,
    line: Option<u32>,
    linkage_name: Option<&'d [u8]>,
    name: Option<&'d [u8]>,
}

/// All functions of an executable, while its units are read one after the other.
#[derive(Debug, Default)]
pub(super) struct Functions<'d> {
    /// In order of their offsets.
    declarations: Vec<Declaration<'d>>,
    /// The offset of the entry that says which function it is, and an address where it begins.
    instances: Vec<(usize, u64)>,
}

/// Entry addresses of functions by linkage name (plain name where a function has no other).
#[derive(Debug, Default)]
pub(super) struct Named {
    text: String,
    /// Range in `text`, address.
    functions: Vec<(u32, u32, u64)>,
}

impl Named {
    /// Every function with its entry address; neighbours often share a name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.functions.iter().filter_map(|&(start, end, address)| Some((self.text.get(start as usize..end as usize)?, address)))
    }

    fn add(&mut self, name: &str, instances: &[(usize, u64)]) {
        let start = self.text.len() as u32;
        self.text.push_str(name);
        let end = self.text.len() as u32;
        self.functions.extend(instances.iter().map(|&(_, address)| (start, end, address)));
    }
}

impl<'d> Functions<'d> {
    /// Adds the functions of one unit.
    pub(super) fn collect(
        &mut self,
        dwarf: &Dwarf<Slice<'d>>,
        unit: &Unit<Slice<'d>>,
        header: Option<&LineProgramHeader<Slice<'d>>>,
        code: &MachineCode,
        files: &mut Files,
        unit_files: &mut UnitFiles,
    ) -> gimli::Result<()> {
        let unit_ref = UnitRef::new(dwarf, unit);
        let mut addresses = Vec::new();
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if !matches!(abbreviation.tag(), gimli::DW_TAG_subprogram | gimli::DW_TAG_inlined_subroutine) {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let offset = unit.header.debug_info_offset().map_or(0, |base| base.0) + offset.0;
            let read = read_entry(&unit_ref, &mut entries, abbreviation, &mut addresses)?;
            let mut file_of = |number: Option<u64>| {
                header.zip(number).and_then(|(header, number)| unit_files.get(number, files, dwarf, unit, header))
            };
            let (file, caller) = (file_of(read.file), file_of(read.call_file));
            addresses.retain(|&address| code.contains(address));
            addresses.sort_unstable();
            addresses.dedup();
            // An inlined copy says nothing about its function but where to look.
            let inlined = abbreviation.tag() == gimli::DW_TAG_inlined_subroutine;
            let function = if inlined { read.declaration.refers_to } else { Some(offset) };
            self.instances
                .extend(function.iter().flat_map(|&function| addresses.iter().map(move |&address| (function, address))));
            if let (Some(line), Some(caller)) = (read.call_line, caller.and_then(|caller| files.entries.get_mut(caller))) {
                // All code of a line may lie in what was inlined there.
                caller.extend(addresses.iter().map(|&address| (line, address)));
            }
            if !inlined {
                self.declarations.push(Declaration { offset, file, ..read.declaration });
            }
        }
        Ok(())
    }

    /// Distributes all instances over the files of their declarations, and over names.
    pub(super) fn finish(mut self, files: &mut Files) -> Named {
        let mut instances = std::mem::take(&mut self.instances);
        instances.sort_unstable();
        instances.dedup();
        let mut named = Named::default();
        for same in instances.chunk_by(|a, b| a.0 == b.0) {
            let Some(function) = same.first().map(|&(entry, _)| self.resolved(entry)) else { continue };
            if let (Some(file), Some(line)) = (function.file, function.line)
                && let Some(entries) = files.entries.get_mut(file)
            {
                entries.extend(same.iter().map(|&(_, address)| (line, address)));
            }
            if let Some(name) = function.linkage_name.or(function.name).and_then(|name| std::str::from_utf8(name).ok()) {
                named.add(name, same);
            }
        }
        named
    }

    fn at(&self, offset: usize) -> Option<&Declaration<'d>> {
        let index = self.declarations.binary_search_by_key(&offset, |declaration| declaration.offset).ok()?;
        self.declarations.get(index)
    }

    /// What an entry and those that it refers to say together; the nearer one wins.
    fn resolved(&self, entry: usize) -> Declaration<'d> {
        let chain = std::iter::successors(self.at(entry), |entry| self.at(entry.refers_to?)).take(MOST_HOPS);
        chain.fold(Declaration::default(), |known, next| Declaration {
            offset: next.offset,
            refers_to: next.refers_to,
            file: known.file.or(next.file),
            line: known.line.or(next.line),
            linkage_name: known.linkage_name.or(next.linkage_name),
            name: known.name.or(next.name),
        })
    }
}

/// An entry with its files as the unit numbers them.
#[derive(Default)]
struct Read<'d> {
    declaration: Declaration<'d>,
    file: Option<u64>,
    /// Where an inlined copy was called.
    call_file: Option<u64>,
    call_line: Option<u32>,
}

fn read_entry<'d>(
    unit: &UnitRef<'_, Slice<'d>>,
    entries: &mut EntriesRaw<'_, Slice<'d>>,
    abbreviation: &Abbreviation,
    addresses: &mut Vec<u64>,
) -> gimli::Result<Read<'d>> {
    addresses.clear();
    let mut read = Read::default();
    let mut ranges = None;
    // An entry_pc that is a plain number counts from low_pc (DWARF 5, 2.18).
    let (mut low, mut entry_offset) = (None, None);
    for &specification in abbreviation.attributes() {
        let attribute = entries.read_attribute(specification)?;
        let value = attribute.value();
        match attribute.name() {
            gimli::DW_AT_low_pc => low = unit.attr_address(value)?,
            gimli::DW_AT_entry_pc => match unit.attr_address(value)? {
                Some(address) => addresses.push(address),
                None => entry_offset = value.udata_value(),
            },
            gimli::DW_AT_ranges => ranges = Some(value),
            gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => read.declaration.refers_to = target(unit, value),
            gimli::DW_AT_decl_file => read.file = file_number(value),
            gimli::DW_AT_decl_line => read.declaration.line = line_number(value),
            gimli::DW_AT_call_file => read.call_file = file_number(value),
            gimli::DW_AT_call_line => read.call_line = line_number(value),
            gimli::DW_AT_linkage_name => read.declaration.linkage_name = unit.attr_string(value).ok().map(|name| name.slice()),
            gimli::DW_AT_name => read.declaration.name = unit.attr_string(value).ok().map(|name| name.slice()),
            _ => {}
        }
    }
    addresses.extend(low);
    addresses.extend(low.zip(entry_offset).and_then(|(low, offset)| low.checked_add(offset)));
    if let Some(value) = ranges
        && let Some(mut ranges) = unit.attr_ranges(value)?
    {
        while let Some(range) = ranges.next()? {
            if range.begin < range.end {
                addresses.push(range.begin);
            }
        }
    }
    Ok(read)
}

fn file_number(value: AttributeValue<Slice<'_>>) -> Option<u64> {
    match value {
        AttributeValue::FileIndex(number) => Some(number),
        other => other.udata_value(),
    }
}

fn line_number(value: AttributeValue<Slice<'_>>) -> Option<u32> {
    value.udata_value().and_then(|line| u32::try_from(line).ok())
}

/// Where a reference leads, as an offset in `.debug_info`.
fn target(unit: &UnitRef<'_, Slice<'_>>, value: AttributeValue<Slice<'_>>) -> Option<usize> {
    match value {
        AttributeValue::UnitRef(offset) => offset.to_debug_info_offset(&unit.header).map(|offset| offset.0),
        AttributeValue::DebugInfoRef(offset) => Some(offset.0),
        _ => None,
    }
}
