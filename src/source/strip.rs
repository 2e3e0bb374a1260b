//! Rust text line by line without its comments, for text that the real lexer may refuse.

/// One line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Without comments.
    pub(super) code: String,
    /// Without comments and without the contents of strings.
    pub(super) shape: String,
    /// True when the line holds a comment and nothing else.
    pub(super) is_comment: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    /// Nesting depth.
    BlockComment(usize),
    String,
    /// Number of `#`.
    RawString(usize),
}

/// Splits a text into stripped lines. An unclosed string or comment runs to the end.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut scanner = Scanner { state: State::Code, current: Line::default(), lines: Vec::new(), commented: false };
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        at += scanner.step(chars.get(at..).unwrap_or_default());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        scanner.end_line();
    }
    scanner.lines
}

struct Scanner {
    state: State,
    current: Line,
    lines: Vec<Line>,
    commented: bool,
}

impl Scanner {
    /// Takes at least one character from the front.
    fn step(&mut self, rest: &[char]) -> usize {
        let Some(&c) = rest.first() else { return 1 };
        if c == '\n' {
            self.end_line();
            return 1;
        }
        match self.state {
            State::Code => self.code(c, rest),
            State::LineComment => 1,
            State::BlockComment(depth) => self.block_comment(depth, rest),
            State::String => self.string(c, rest),
            State::RawString(hashes) => self.raw_string(c, hashes, rest),
        }
    }

    fn code(&mut self, c: char, rest: &[char]) -> usize {
        match rest {
            ['/', '/', ..] => self.comment(State::LineComment),
            ['/', '*', ..] => self.comment(State::BlockComment(1)),
            ['"', ..] => {
                self.state = State::String;
                self.keep(&['"'], true)
            }
            ['r', '"' | '#', ..] if !self.after_word() => self.raw_start(rest),
            ['\'', '\\', _, tail @ ..] => {
                let escape = 3 + tail.iter().take(10).position(|&c| c == '\'').map_or(0, |end| end + 1);
                self.keep(rest.get(..escape).unwrap_or_default(), false)
            }
            ['\'', _, '\'', ..] => self.keep(rest.get(..3).unwrap_or_default(), false),
            _ => self.keep(&[c], true),
        }
    }

    fn comment(&mut self, state: State) -> usize {
        self.state = state;
        self.commented = true;
        2
    }

    fn raw_start(&mut self, rest: &[char]) -> usize {
        let hashes = rest.iter().skip(1).take_while(|&&c| c == '#').count();
        if rest.get(hashes + 1) != Some(&'"') {
            return self.keep(&['r'], true);
        }
        self.state = State::RawString(hashes);
        self.keep(rest.get(..hashes + 2).unwrap_or_default(), false)
    }

    fn block_comment(&mut self, depth: usize, rest: &[char]) -> usize {
        self.commented = true;
        match rest {
            ['/', '*', ..] => {
                self.state = State::BlockComment(depth + 1);
                2
            }
            ['*', '/', ..] => {
                self.state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
                2
            }
            _ => 1,
        }
    }

    fn string(&mut self, c: char, rest: &[char]) -> usize {
        match rest {
            ['\\', next, ..] if *next != '\n' => self.keep(&['\\', *next], false),
            ['"', ..] => {
                self.state = State::Code;
                self.keep(&['"'], true)
            }
            _ => self.keep(&[c], false),
        }
    }

    fn raw_string(&mut self, c: char, hashes: usize, rest: &[char]) -> usize {
        let closes = c == '"' && rest.iter().skip(1).take(hashes).filter(|&&c| c == '#').count() == hashes;
        if !closes {
            return self.keep(&[c], false);
        }
        self.state = State::Code;
        self.keep(rest.get(..=hashes).unwrap_or_default(), false)
    }

    fn keep(&mut self, chars: &[char], in_shape: bool) -> usize {
        self.current.code.extend(chars);
        if in_shape {
            self.current.shape.extend(chars);
        }
        chars.len().max(1)
    }

    fn after_word(&self) -> bool {
        self.current.code.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.current);
        line.is_comment = self.commented && line.code.trim().is_empty();
        self.lines.push(line);
        if self.state == State::LineComment {
            self.state = State::Code;
        }
        self.commented = matches!(self.state, State::BlockComment(_));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn comments_go_and_strings_stay() {
        assert_eq!(code("a // b\nc /* d /* e */ f */ g"), ["a ", "c  g"]);
        assert_eq!(code("\"a // b\" 'x' '\"' '\\'' r#\"/* \" */\"# d"), ["\"a // b\" 'x' '\"' '\\'' r#\"/* \" */\"# d"]);
        assert_eq!(code("for<'a> // x\n&'a b"), ["for<'a> ", "&'a b"]);
    }

    #[test]
    fn shapes_have_no_string_contents() {
        assert_eq!(lines("f(\"fn x\", r\"fn y\")").first().unwrap().shape, "f(\"\", )");
        assert!(lines("/*\n fn x\n*/").iter().all(|line| line.is_comment));
    }
}
