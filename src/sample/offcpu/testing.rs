//! The program of the live tests: it waits for what its first argument says.

use std::path::Path;

use crate::process::Tool;

const TARGET: &str = include_str!("tests/target.rs");
/// The names of `parking_lot`'s waits, without the crate: tests need no registry.
const PARKING_LOT: &str = include_str!("tests/parking_lot.rs");

/// Compiles it to `target` in this directory.
pub(crate) fn compile(dir: &Path) {
    std::fs::write(dir.join("target.rs"), TARGET).unwrap();
    std::fs::write(dir.join("parking_lot.rs"), PARKING_LOT).unwrap();
    let rustc =
        |args: &[&str]| Tool::new("rustc").args(["--edition=2021", "-O", "-g"]).args(args).cwd(dir).run_checked().unwrap();
    rustc(&["--crate-type", "rlib", "parking_lot.rs"]);
    rustc(&["--extern", "parking_lot=libparking_lot.rlib", "target.rs"]);
}
