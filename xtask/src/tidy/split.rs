//! Takes Rust source apart just far enough: what is code, what is comment, what is in quotes.

/// A source in layers of the same shape: what belongs to another layer is blank, so lines and columns agree.
#[derive(Debug, Default)]
pub struct Split {
    /// Code, with the quotes of literals but not what is between them.
    pub code: String,
    /// Comments, documentation included.
    pub comments: String,
    /// Texts in quotes, with the line (from 1) on which each begins.
    pub literals: Vec<(usize, String)>,
}

/// Splits a source.
pub fn split(source: &str) -> Split {
    let mut splitter = Splitter { chars: source.chars().collect(), at: 0, line: 1, split: Split::default() };
    while splitter.at < splitter.chars.len() {
        splitter.step();
    }
    splitter.split
}

#[derive(Clone, Copy, PartialEq)]
enum Layer {
    Code,
    Comment,
    Literal,
}

struct Splitter {
    chars: Vec<char>,
    at: usize,
    line: usize,
    split: Split,
}

impl Splitter {
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.text(),
            ('r', '"' | '#') if self.begins_word() => self.raw_text(),
            ('\'', '\\') => self.escaped_char(),
            ('\'', _) if self.peek(2) == '\'' => self.take_all(3, Layer::Literal),
            _ => self.take(Layer::Code),
        }
    }

    fn line_comment(&mut self) {
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            self.take(Layer::Comment);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_u32;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.take(Layer::Comment);
                    continue;
                }
            }
            self.take_all(2, Layer::Comment);
            if depth == 0 {
                return;
            }
        }
    }

    fn text(&mut self) {
        self.take(Layer::Code);
        self.split.literals.push((self.line, String::new()));
        while self.at < self.chars.len() && self.peek(0) != '"' {
            self.take_all(if self.peek(0) == '\\' { 2 } else { 1 }, Layer::Literal);
        }
        self.take(Layer::Code);
    }

    fn raw_text(&mut self) {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == '#').count();
        if self.peek(hashes + 1) != '"' {
            // A raw identifier.
            return self.take(Layer::Code);
        }
        self.take_all(hashes + 2, Layer::Code);
        self.split.literals.push((self.line, String::new()));
        let ends = |this: &Self| this.peek(0) == '"' && (1..=hashes).all(|ahead| this.peek(ahead) == '#');
        while self.at < self.chars.len() && !ends(self) {
            self.take(Layer::Literal);
        }
        self.take_all(hashes + 1, Layer::Code);
    }

    fn escaped_char(&mut self) {
        self.take_all(3, Layer::Literal);
        while self.at < self.chars.len() && self.peek(0) != '\'' {
            self.take(Layer::Literal);
        }
        self.take(Layer::Literal);
    }

    /// Whether the character here is not the end of a longer word; `b` and `c` may stand before a text.
    fn begins_word(&self) -> bool {
        let before = self.chars.get(..self.at).unwrap_or_default();
        let word: String = before.iter().rev().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
        word.is_empty() || word == "b" || word == "c"
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn take_all(&mut self, count: usize, layer: Layer) {
        for _ in 0..count {
            self.take(layer);
        }
    }

    fn take(&mut self, layer: Layer) {
        let Some(&c) = self.chars.get(self.at) else { return };
        self.at += 1;
        self.line += usize::from(c == '\n');
        let blank = if c == '\n' { '\n' } else { ' ' };
        self.split.code.push(if layer == Layer::Code { c } else { blank });
        self.split.comments.push(if layer == Layer::Comment { c } else { blank });
        if let (Layer::Literal, Some((_, text))) = (layer, self.split.literals.last_mut()) {
            text.push(c);
        }
    }
}
