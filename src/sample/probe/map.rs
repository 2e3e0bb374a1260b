//! Reads an executable's debug information once; asked for regions, says where their breakpoints go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use gimli::{Dwarf, LittleEndian, UnitHeader};

use super::dies::{Functions, Named};
use super::elf::{Executable, Identity, MachineCode, Slice};
use super::error::ProbeError;
use super::lines::{self, Files, UnitFiles};
use super::names::Wanted;
use super::paths;
use super::region::Region;
use super::sites::Sites;

/// What an executable's debug information says about where source code begins. Loaded once per executable, it serves any number of
/// questions and workloads.
#[derive(Debug)]
pub struct ProbeMap {
    executable: PathBuf,
    identity: Identity,
    code: MachineCode,
    files: Files,
    named: Named,
    damaged: usize,
}

impl ProbeMap {
    /// Reads an `x86_64` ELF executable.
    ///
    /// Fails when the file cannot be read, is something else, or has no DWARF; single units that cannot be read are counted
    /// ([`Self::damaged_units`]) and left out.
    pub fn load(executable: &Path) -> Result<Self, ProbeError> {
        let contents = Executable::read(executable)?;
        let file = contents.parse()?;
        let code = contents.machine_code(&file)?;
        let sections = contents.debug_sections(&file)?;
        let dwarf = sections.borrow(|section| Slice::new(section, LittleEndian));

        let mut files = Files::default();
        let mut functions = Functions::default();
        let mut damaged = 0;
        let mut units = dwarf.units();
        loop {
            match units.next() {
                Ok(Some(header)) => {
                    if read_unit(&dwarf, header, &code, &mut files, &mut functions).is_err() {
                        damaged += 1;
                    }
                }
                Ok(None) => break,
                Err(error) => return Err(contents.malformed(&error)),
            }
        }
        let named = functions.finish(&mut files);
        files.finish();
        Ok(Self { executable: executable.to_owned(), identity: contents.identity, code, files, named, damaged })
    }

    /// Units of debug information that could not be read; where it is not 0, [`super::Outcome::NoCode`] may be wrong.
    pub fn damaged_units(&self) -> usize {
        self.damaged
    }

    /// Where breakpoints go for `regions`; [`super::run`] answers in the same order.
    pub fn sites(&self, regions: &[Region]) -> Sites {
        let mut places: Vec<(u64, usize)> = Vec::new();
        let mut files: HashMap<&Path, Vec<usize>> = HashMap::new();
        for (index, region) in regions.iter().enumerate() {
            for &file in files.entry(&region.file).or_insert_with(|| self.files_of(&region.file)).iter() {
                places.extend(self.files.places(file, region.first_line, region.last_line).map(|address| (address, index)));
            }
            for wanted in region.names.iter().map(|name| Wanted::new(name)) {
                places.extend(self.addresses_of(&wanted).map(|address| (address, index)));
            }
        }
        Sites::new(places, regions.len(), &self.code, self.executable.clone(), self.identity)
    }

    fn files_of(&self, file: &Path) -> Vec<usize> {
        let spelled = paths::normalized(&file.to_string_lossy());
        let mut spellings = vec![spelled];
        // The compiler may have seen the directory under its real name.
        if let Ok(real) = std::fs::canonicalize(file)
            && file.is_absolute()
        {
            spellings.push(real.to_string_lossy().into_owned());
        }
        paths::matching(&self.files.paths, &spellings)
    }

    fn addresses_of<'m>(&'m self, wanted: &'m Wanted) -> impl Iterator<Item = u64> + 'm {
        let mut last: Option<(&str, bool)> = None;
        self.named.iter().filter_map(move |(name, address)| {
            let is = match last {
                Some((previous, is)) if std::ptr::eq(previous, name) => is,
                _ => wanted.is(name),
            };
            last = Some((name, is));
            is.then_some(address)
        })
    }
}

fn read_unit<'d>(
    dwarf: &Dwarf<Slice<'d>>,
    header: UnitHeader<Slice<'d>>,
    code: &MachineCode,
    files: &mut Files,
    functions: &mut Functions<'d>,
) -> gimli::Result<()> {
    let unit = dwarf.unit(header)?;
    let mut unit_files = UnitFiles::default();
    let line_header = unit.line_program.as_ref().map(|program| program.header().clone());
    let entries = functions.collect(dwarf, &unit, line_header.as_ref(), code, files, &mut unit_files);
    match unit.line_program.clone() {
        Some(program) => entries.and(lines::collect(dwarf, &unit, program, code, files, &mut unit_files)),
        None => entries,
    }
}
