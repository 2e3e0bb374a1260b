//! Whether a source text names a file that is not Rust: then the program may read it when it runs.
//!
//! A cheap look at string literals, line by line. What `include_str!` and its kin name is compiled in and is no mention.

use camino::{Utf8Component, Utf8Path};

/// True when a string literal of `text` names the file, or a directory that holds it. `path`: relative to its package, because
/// programs name their files from there.
pub fn mentions(text: &str, path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let normal = |part: Utf8Component<'_>| matches!(part, Utf8Component::Normal(word) if word != "src");
    let dirs = path.parent().into_iter().flat_map(|dir| dir.components().filter(|part| normal(*part)));
    let dirs: Vec<String> = dirs.map(|part| part.as_str().to_owned()).collect();
    if !text.contains(name) && !dirs.iter().any(|dir| text.contains(dir.as_str())) {
        return false;
    }
    let literals = |line: &str| line.split('"').skip(1).step_by(2).any(|literal| names(literal, name, &dirs));
    without_tests(text).lines().filter(|line| can_open(line)).any(literals)
}

/// The text before the unit tests, where they stand at the end, as they do.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Comments, addresses, module files and what is compiled in open nothing at run time.
fn can_open(line: &str) -> bool {
    const OTHERWISE: [&str; 5] = ["://", "#[path", "include!(", "include_str!(", "include_bytes!("];
    !line.trim_start().starts_with("//") && !OTHERWISE.iter().any(|word| line.contains(word))
}

/// True when the literal ends in the file's name or in one of its directories, or leaves open what it names in one of them.
fn names(literal: &str, name: &str, dirs: &[String]) -> bool {
    let parts: Vec<&str> = literal.split(['/', '\\', '=']).filter(|part| !part.is_empty()).collect();
    let is_dir = |part: &&str| dirs.iter().any(|dir| dir == part);
    match parts.last() {
        Some(last) if *last == name || is_dir(last) => true,
        Some(last) => last.contains(['{', '*']) && parts.iter().any(is_dir),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_directories_in_literals_count() {
        for text in [
            "fs::read(\"data/words.txt\")",
            "root.join(\"data\").join(file)",
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/data/\")",
            "format!(\"{dir}/words.txt\")",
            "format!(\"data/{name}.txt\")",
            "glob(\"data/*.txt\")",
        ] {
            assert!(mentions(text, "data/words.txt".into()), "{text}");
        }
    }

    #[test]
    fn other_files_comments_addresses_and_what_is_compiled_in_do_not() {
        for text in [
            "fs::read(\"data/other.txt\")",
            "let metadata = \"metadata\";",
            "/// see \"data/words.txt\"",
            "include_str!(\"data/words.txt\")",
            "\"https://example.org/data/words.txt\"",
            "let data = words;",
            "fn f() {}\n#[cfg(test)]\nmod tests { const W: &str = \"data/words.txt\"; }",
        ] {
            assert!(!mentions(text, "data/words.txt".into()), "{text}");
        }
        assert!(!mentions("open(\"src\")", "src/table.bin".into()));
        assert!(!mentions("#![doc = include_str!(\"../README.md\")]", "README.md".into()));
    }
}
