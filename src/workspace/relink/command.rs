//! The linker's command line, as `rustc --print link-args` prints it.
//!
//! Reads text only. The words are quoted as Rust quotes strings, with assignments of variables in front.

use camino::{Utf8Path, Utf8PathBuf};

/// A call of the linker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Variables to set.
    pub(super) env: Vec<(String, String)>,
    /// The linker, mostly a C compiler.
    pub(super) program: String,
    args: Vec<String>,
    /// Position of what follows `-o`.
    output: usize,
}

impl Call {
    /// Reads a line; `None` when it is no call that names its output.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = words(line)?.into_iter().peekable();
        let mut env = Vec::new();
        while let Some((name, value)) = words.peek().and_then(assignment) {
            env.push((name, value));
            words.next();
        }
        let program = words.next().filter(|word| word.quoted)?.text;
        let args: Vec<String> = words.map(|word| word.text).collect();
        let output = args.iter().position(|arg| arg == "-o")? + 1;
        args.get(output)?;
        Some(Self { env, program, args, output })
    }

    /// What it makes.
    pub(super) fn output(&self) -> &Utf8Path {
        Utf8Path::new(self.args.get(self.output).map_or("", String::as_str))
    }

    /// The arguments, with another output.
    pub(super) fn args_to(&self, output: &Utf8Path) -> impl Iterator<Item = String> {
        let output = output.to_string();
        self.args.iter().enumerate().map(move |(at, arg)| if at == self.output { output.clone() } else { arg.clone() })
    }

    /// The arguments by which a C compiler chooses the linker.
    pub(super) fn choice(&self) -> impl Iterator<Item = &str> {
        let chooses = |arg: &&str| ["-fuse-ld=", "-B", "--ld-path="].iter().any(|start| arg.starts_with(start));
        self.args.iter().map(String::as_str).filter(chooses)
    }

    /// The directory that rustc made for this link (`rustcAbC123` with `symbols.o`), which nobody else needs.
    pub(super) fn private_directory(&self) -> Option<Utf8PathBuf> {
        let symbols = self.args.iter().map(Utf8Path::new).find(|path| path.file_name() == Some("symbols.o"))?;
        let dir = symbols.parent()?;
        dir.file_name()?.starts_with("rustc").then(|| dir.to_owned())
    }
}

struct Word {
    text: String,
    /// It began with a quote, as the program and its arguments do; an assignment does not.
    quoted: bool,
}

fn assignment(word: &Word) -> Option<(String, String)> {
    let (name, value) = word.text.split_once('=').filter(|_| !word.quoted)?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    is_name.then(|| (name.to_owned(), value.to_owned()))
}

/// Splits at spaces outside of quotes. `None` when a quote is not closed.
fn words(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut inside = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                inside = !inside;
                word.get_or_insert(Word { text: String::new(), quoted: true });
            }
            '\\' if inside => word.get_or_insert(Word { text: String::new(), quoted: true }).text.push(escaped(&mut characters)?),
            c if c.is_whitespace() && !inside => words.extend(word.take()),
            c => word.get_or_insert(Word { text: String::new(), quoted: false }).text.push(c),
        }
    }
    words.extend(word);
    (!inside).then_some(words)
}

fn escaped(characters: &mut std::str::Chars<'_>) -> Option<char> {
    match characters.next()? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '0' => Some('\0'),
        'u' => {
            let digits: String = characters.by_ref().skip_while(|&c| c == '{').take_while(|&c| c != '}').collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"LC_ALL="C" PATH="/t/bin:/usr/bin" VSLANG="1033" "cc" "-m64" "/t/deps/rustc02iE3d/symbols.o" "/t/a \"b\"/x.o" "-Wl,-z,now" "-o" "/t/deps/words-1" "A=B""#;

    #[test]
    fn variables_program_and_arguments_are_told_apart() {
        let call = Call::parse(LINE).unwrap();
        let names: Vec<&str> = call.env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, call.program.as_str()), (vec!["LC_ALL", "PATH", "VSLANG"], "cc"));
        let args: Vec<String> = call.args_to(Utf8Path::new("/other")).collect();
        assert_eq!(args[2], r#"/t/a "b"/x.o"#);
        assert_eq!(args[4..], ["-o", "/other", "A=B"]);
        assert_eq!(call.choice().count(), 0);
        let chosen = Call::parse(r#""cc" "-B/t/gcc-ld" "x.o" "-fuse-ld=lld" "-o" "x""#).unwrap();
        assert_eq!(chosen.choice().collect::<Vec<_>>(), ["-B/t/gcc-ld", "-fuse-ld=lld"]);
        assert_eq!(call.private_directory().unwrap(), "/t/deps/rustc02iE3d");
    }

    #[test]
    fn what_is_no_link_is_not_taken_for_one() {
        for line in ["", "hello", "\"cc\" \"-o\"", "\"cc\" \"x", "note: -o is missing"] {
            assert_eq!(Call::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_directory_that_is_not_the_compilers_own_is_left_alone() {
        let call = Call::parse(r#""cc" "/home/me/symbols.o" "-o" "x""#).unwrap();
        assert_eq!(call.private_directory(), None);
    }
}
