//! The commands of a shell script, as lists of words: as much of a shell's grammar as pages use.

/// A command, and the line of the script in which it begins, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Its line.
    pub line: usize,
    /// Its words without quotes; without redirections.
    pub words: Vec<String>,
}

/// The commands of a script: of its pipelines and lists too.
pub fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut end_of_document: Option<String> = None;
    for (line, text) in script.lines().enumerate() {
        if let Some(end) = &end_of_document {
            if text.trim() == end {
                end_of_document = None;
            }
            continue;
        }
        end_of_document = document_begins(text);
        reader.line(line, text);
    }
    reader.command_ends();
    reader.commands
}

/// The word that ends a here-document that begins in this line.
fn document_begins(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<<")?;
    let word = rest.split_whitespace().next()?.trim_start_matches('-').trim_matches(['\'', '"']);
    (!word.is_empty()).then(|| word.to_owned())
}

#[derive(Default)]
struct Reader {
    commands: Vec<Command>,
    current: Command,
    word: Option<String>,
    /// The quote that is open.
    quote: Option<char>,
    /// How many `$(` are open.
    depth: usize,
    /// The next word is the target of a redirection.
    redirected: bool,
}

impl Reader {
    fn line(&mut self, number: usize, text: &str) {
        if self.current.words.is_empty() && self.word.is_none() {
            self.current.line = number;
        }
        let (text, continues) = match text.strip_suffix('\\') {
            Some(text) if self.quote != Some('\'') => (text, true),
            _ => (text, false),
        };
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '#' && self.word.is_none() && self.quote.is_none() {
                break;
            }
            self.char(number, c, chars.peek() == Some(&'('));
        }
        if self.quote.is_some() {
            self.push('\n');
        } else if continues || self.depth > 0 {
            self.word_ends();
        } else {
            self.command_ends();
        }
    }

    fn char(&mut self, line: usize, c: char, opens: bool) {
        match (self.quote, c) {
            (Some(quote), c) if quote == c => self.quote = None,
            (Some(_), c) => self.push(c),
            (None, '\'' | '"') => {
                self.quote = Some(c);
                self.word.get_or_insert_default();
            }
            (None, '$') if opens => {
                self.depth += 1;
                self.push(c);
            }
            (None, ')') if self.depth > 0 => {
                self.depth -= 1;
                self.push(c);
            }
            (None, c) if self.depth > 0 => self.push(c),
            (None, '|' | ';' | '&') => {
                self.command_ends();
                self.current.line = line;
            }
            (None, '<' | '>') => {
                self.word_ends();
                self.redirected = true;
            }
            (None, c) if c.is_whitespace() => self.word_ends(),
            (None, c) => self.push(c),
        }
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn word_ends(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !std::mem::take(&mut self.redirected) {
            self.current.words.push(word);
        }
    }

    fn command_ends(&mut self) {
        self.word_ends();
        self.redirected = false;
        let command = std::mem::take(&mut self.current);
        if !command.words.is_empty() {
            self.commands.push(command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[track_caller]
    fn check(script: &str, expect: &[(usize, &[&str])]) {
        let found = commands(script);
        let found: Vec<(usize, Vec<&str>)> =
            found.iter().map(|it| (it.line, it.words.iter().map(String::as_str).collect())).collect();
        let expect: Vec<(usize, Vec<&str>)> =
            expect.iter().map(|(line, words)| (*line, words.to_vec())).collect();
        assert_eq!(found, expect, "{script}");
    }

    #[test]
    fn a_script_is_taken_apart_as_a_shell_does() {
        check("a -b c\n\nd # e", &[(0, &["a", "-b", "c"]), (2, &["d"])]);
        check("a \\\n  b\nc", &[(0, &["a", "b"]), (2, &["c"])]);
        check("a | b && c; d", &[(0, &["a"]), (0, &["b"]), (0, &["c"]), (0, &["d"])]);
        check("a 'b c' \"d | e\" f=\"g h\"", &[(0, &["a", "b c", "d | e", "f=g h"])]);
        check("a $(b | c) d > /dev/null", &[(0, &["a", "$(b | c)", "d"])]);
        check("a <<'END'\nb | c\nEND\nd", &[(0, &["a"]), (3, &["d"])]);
        check("# only a comment\na#b", &[(1, &["a#b"])]);
    }
}
