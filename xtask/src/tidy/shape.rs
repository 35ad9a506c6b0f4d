//! The shape of files: a reason at the top, a size that a person can hold, nothing left for later.

use super::{finding::Finding, finding::Rule, tree::Source};

static HEADER: Rule = Rule::new("header", "each file opens with a `//!` line that says why it exists");
static LONG_FILE: Rule = Rule::new(
    "long-file",
    "at most 300 lines: a file has one subject; split it, or move its tests beside it",
);
static LONG_LINE: Rule = Rule::new("long-line", "at most 120 characters, but for data in tests");
static LATER: Rule = Rule::new("later", "what is left for later is an issue, not a comment");
static CONTENTS: Rule = Rule::new(
    "lib-contents",
    "`lib.rs` is a table of contents: module docs, `mod` and `pub use`, nothing else",
);

const LATER_WORDS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
const ITEMS: [&str; 9] =
    ["fn ", "struct ", "enum ", "trait ", "impl ", "const ", "static ", "type ", "macro_rules!"];

/// Checks one source.
pub fn check(source: &Source, found: &mut Vec<Finding>) {
    if !source.text.starts_with("//!") {
        found.push(HEADER.broken(&source.path, 1, "no `//!` line"));
    }
    let lines = source.text.lines().count();
    if lines > 300 {
        found.push(LONG_FILE.broken(&source.path, lines, format!("{lines} lines")));
    }
    for (number, line) in (1..).zip(source.text.lines()) {
        let length = line.chars().count();
        if length > 120 && !holds_data(source, number) {
            found.push(LONG_LINE.broken(&source.path, number, format!("{length} characters")));
        }
    }
    for (number, line) in (1..).zip(source.split.comments.lines()) {
        if let Some(word) = LATER_WORDS.iter().find(|word| mentions(line, word)) {
            found.push(LATER.broken(&source.path, number, format!("`{word}`")));
        }
    }
    if source.path.ends_with("/src/lib.rs") {
        contents(source, found);
    }
}

/// Whether a text begins or goes on there, in a test: what was recorded or is asked stays in one piece.
fn holds_data(source: &Source, line: usize) -> bool {
    let spans =
        |(begin, text): &(usize, String)| (*begin..=begin + text.matches('\n').count()).contains(&line);
    source.in_tests(line) && source.split.literals.iter().any(spans)
}

fn contents(source: &Source, found: &mut Vec<Finding>) {
    for (number, line) in source.code() {
        let item = line.strip_prefix("pub ").unwrap_or(line);
        if !source.in_tests(number) && ITEMS.iter().any(|word| item.starts_with(word)) {
            found.push(CONTENTS.broken(&source.path, number, format!("`{}`", line.trim())));
        }
    }
}

/// Whether a line holds a word or path, not as a part of a longer word.
pub fn mentions(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}
