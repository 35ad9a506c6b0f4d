//! The queries that come with each mesh and ingress. A new one is one file and one line in [`SETS`].

mod apisix;
mod http;
mod istio;
mod kuma;
mod traefik;

use crate::subject::Words;

/// Every set there is.
pub(crate) static SETS: [&QuerySet; 5] =
    [&apisix::QUERIES, &http::QUERIES, &istio::QUERIES, &kuma::QUERIES, &traefik::QUERIES];

/// The queries for one product's series of the canary (`metrics.md` 2.2). Line breaks and indentation mean nothing.
#[derive(Debug)]
pub struct QuerySet {
    /// Its name, which routers supply.
    pub name: &'static str,
    /// Share of requests that did not fail, in percent.
    pub success_rate: &'static str,
    /// How long requests took.
    pub duration: &'static str,
    /// The unit of `duration`.
    pub duration_unit: Unit,
}

/// The unit of a duration query's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Milliseconds in one of it.
    pub(crate) fn in_ms(self) -> f64 {
        match self {
            Unit::Milliseconds => 1.0,
            Unit::Seconds => 1_000.0,
        }
    }
}

/// A query with its words replaced. Names are quoted for where they stand, which changes nothing for names of letters,
/// digits and hyphens: a point in a name is a point, not "any character" (`metrics.md` 7.4).
pub(crate) fn render(query: &str, words: &Words<'_>) -> String {
    let mut text = String::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let (word, behind) = after.split_once("}}").unwrap_or((after, ""));
        let meaning = words.plain.get(word.trim()).copied().unwrap_or_default();
        let in_regex = text.rsplit_once('"').is_some_and(|(head, _)| head.ends_with('~'));
        quote(&mut text, meaning, in_regex);
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// Appends a name inside a quoted PromQL string.
fn quote(text: &mut String, name: &str, in_regex: bool) {
    for c in name.chars() {
        match c {
            '\\' if in_regex => text.push_str(r"\\\\"),
            '\\' => text.push_str(r"\\"),
            '"' => text.push_str(r#"\""#),
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' if in_regex => {
                text.push_str(r"\\");
                text.push(c);
            }
            '\n' => text.push_str(r"\n"),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
