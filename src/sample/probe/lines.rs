//! Statement addresses by file and line, from the line tables.

use std::collections::HashMap;

use gimli::{Dwarf, IncompleteLineProgram, LineProgramHeader, Unit};

use super::elf::{MachineCode, Slice};
use super::paths;

/// A place in a file: line and address.
pub(super) type Place = (u32, u64);

/// Source files as the executable spells them, each once, with what is known about it.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Normalized paths.
    pub(super) paths: Vec<String>,
    /// Per file, addresses of statements by line.
    pub(super) statements: Vec<Vec<Place>>,
    /// Per file, entry addresses of functions and of their inlined copies by declaration line, and of the latter by call line.
    pub(super) entries: Vec<Vec<Place>>,
    index: HashMap<String, usize>,
}

impl Files {
    fn intern(&mut self, path: String) -> usize {
        if let Some(&known) = self.index.get(&path) {
            return known;
        }
        let new = self.paths.len();
        self.paths.push(path.clone());
        self.statements.push(Vec::new());
        self.entries.push(Vec::new());
        self.index.insert(path, new);
        new
    }

    /// Makes [`Self::places`] fast and gives back what only adding needs.
    pub(super) fn finish(&mut self) {
        self.index = HashMap::new();
        for places in self.statements.iter_mut().chain(&mut self.entries) {
            places.sort_unstable();
            places.dedup();
            places.shrink_to_fit();
        }
    }

    /// Addresses of all statements and entries between two lines (inclusive) of a file. Line 0 is nowhere.
    pub(super) fn places(&self, file: usize, first_line: u32, last_line: u32) -> impl Iterator<Item = u64> {
        let both = self.statements.get(file).into_iter().chain(self.entries.get(file));
        both.flat_map(move |places| {
            let from = places.partition_point(|&(line, _)| line < first_line.max(1));
            places.iter().skip(from).take_while(move |&&(line, _)| line <= last_line).map(|&(_, address)| address)
        })
    }
}

#[derive(Clone, Copy)]
enum Known {
    NotAsked,
    Nowhere,
    At(usize),
}

/// The numbers that one unit gives to files, translated to [`Files`].
#[derive(Default)]
pub(super) struct UnitFiles {
    known: Vec<Known>,
}

impl UnitFiles {
    pub(super) fn get<'d>(
        &mut self,
        number: u64,
        files: &mut Files,
        dwarf: &Dwarf<Slice<'d>>,
        unit: &Unit<Slice<'d>>,
        header: &LineProgramHeader<Slice<'d>>,
    ) -> Option<usize> {
        // A damaged table must not make us allocate what it says.
        let slot = usize::try_from(number).ok().filter(|&slot| slot <= header.file_names().len())?;
        if self.known.len() <= slot {
            self.known.resize(slot + 1, Known::NotAsked);
        }
        let known = self.known.get_mut(slot)?;
        if matches!(known, Known::NotAsked) {
            *known = path_of(number, dwarf, unit, header).map_or(Known::Nowhere, |path| Known::At(files.intern(path)));
        }
        match *known {
            Known::At(file) => Some(file),
            Known::NotAsked | Known::Nowhere => None,
        }
    }
}

fn path_of<'d>(
    number: u64,
    dwarf: &Dwarf<Slice<'d>>,
    unit: &Unit<Slice<'d>>,
    header: &LineProgramHeader<Slice<'d>>,
) -> Option<String> {
    let file = header.file(number)?;
    let text = |value| dwarf.attr_string(unit, value).ok().map(|slice| slice.to_string_lossy().into_owned());
    let name = text(file.path_name())?;
    let directory = file.directory(header).and_then(text).unwrap_or_default();
    let compiled_in = unit.comp_dir.map(|dir| dir.to_string_lossy().into_owned()).unwrap_or_default();
    Some(paths::joined(&paths::joined(&compiled_in, &directory), &name))
}

/// Adds the statements of one unit. Sequences of discarded functions begin where no code is, and are left out whole.
pub(super) fn collect<'d>(
    dwarf: &Dwarf<Slice<'d>>,
    unit: &Unit<Slice<'d>>,
    program: IncompleteLineProgram<Slice<'d>>,
    code: &MachineCode,
    files: &mut Files,
    unit_files: &mut UnitFiles,
) -> gimli::Result<()> {
    let mut sequence: Vec<(u64, u32, u64)> = Vec::new();
    let mut start = None;
    let mut rows = program.rows();
    while let Some((header, row)) = rows.next_row()? {
        if row.end_sequence() {
            if start.is_some_and(|start| code.contains(start)) {
                keep(&sequence, dwarf, unit, header, code, files, unit_files);
            }
            sequence.clear();
            start = None;
            continue;
        }
        start.get_or_insert(row.address());
        if let Some(line) = row.line().filter(|_| row.is_stmt()) {
            sequence.push((row.file_index(), u32::try_from(line.get()).unwrap_or(u32::MAX), row.address()));
        }
    }
    Ok(())
}

fn keep<'d>(
    sequence: &[(u64, u32, u64)],
    dwarf: &Dwarf<Slice<'d>>,
    unit: &Unit<Slice<'d>>,
    header: &LineProgramHeader<Slice<'d>>,
    code: &MachineCode,
    files: &mut Files,
    unit_files: &mut UnitFiles,
) {
    let mut previous = None;
    for &(number, line, address) in sequence {
        // Rows that differ only in their column name the same place again.
        if previous == Some((number, line, address)) || !code.contains(address) {
            continue;
        }
        previous = Some((number, line, address));
        if let Some(statements) =
            unit_files.get(number, files, dwarf, unit, header).and_then(|file| files.statements.get_mut(file))
        {
            statements.push((line, address));
        }
    }
}
