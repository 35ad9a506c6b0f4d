//! A rule, and a place where it is broken.

use std::fmt;

/// Something that the house forbids.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its short name.
    pub name: &'static str,
    /// Why it is there, as a sentence for the one who broke it.
    pub why: &'static str,
}

impl Rule {
    /// A rule.
    pub const fn new(name: &'static str, why: &'static str) -> Self {
        Rule { name, why }
    }

    /// This rule, broken at a line (from 1) of a file.
    pub fn broken(&'static self, file: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { file: file.to_owned(), line, rule: self, what: what.into() }
    }
}

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root of the repository.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The rule.
    pub rule: &'static Rule,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { file, line, rule, what } = self;
        write!(f, "{file}:{line}: {}: {what} ({})", rule.name, rule.why)
    }
}
