//! In which order the functions of an executable lie.
//!
//! Reads symbols; where there are none, the code itself, whose calls change with the distances. Links nothing.

use camino::Utf8Path;

/// To be compared with that of another link of the same objects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Names by address.
    Functions(Vec<String>),
    /// The section `.text` of a stripped executable; empty where there is none.
    Code(Vec<u8>),
}

/// The order in `executable`.
pub(super) fn of(executable: &Utf8Path) -> std::io::Result<Order> {
    use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
    let bytes = fs_err::read(executable)?;
    let Ok(file) = object::File::parse(bytes.as_slice()) else { return Ok(Order::Code(Vec::new())) };
    let defined = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    let mut functions: Vec<(u64, &str)> = defined.filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?))).collect();
    if functions.is_empty() {
        let code = file.section_by_name(".text").and_then(|section| section.data().ok());
        return Ok(Order::Code(code.unwrap_or_default().to_vec()));
    }
    functions.sort_unstable();
    Ok(Order::Functions(functions.into_iter().map(|(_, name)| name.to_owned()).collect()))
}
