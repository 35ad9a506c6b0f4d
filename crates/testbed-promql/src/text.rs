//! The text exposition format 0.0.4, read: what a target answers to a scrape.
//!
//! Not read: OpenMetrics (`# EOF`, exemplars, `_created`), quoted UTF-8 names, native histograms, the protobuf form. `#
//! HELP` and `# TYPE` lines are checked for form and forgotten, since no query of ours depends on them.

use super::labels::{Labels, METRIC_NAME};

/// One sample line.
#[derive(Clone, Debug, PartialEq)]
pub struct Scraped {
    /// The series, with its name.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
    /// The line's own timestamp in Unix milliseconds, if it has one.
    pub ts_ms: Option<i64>,
}

/// A line that is not in the format. The whole scrape is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Reads all sample lines.
pub fn parse(text: &str) -> Result<Vec<Scraped>, TextError> {
    let mut scraped = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.trim_matches([' ', '\t', '\r']);
        let read = match line.strip_prefix('#') {
            Some(comment) => check_comment(comment).map(|()| None),
            None if line.is_empty() => Ok(None),
            None => sample(line).map(Some),
        };
        scraped.extend(read.map_err(|message| TextError { line: number + 1, message })?);
    }
    Ok(scraped)
}

/// The help text of a metric as it is written on its line.
pub(super) fn escape_help(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n")
}

fn check_comment(comment: &str) -> Result<(), String> {
    let mut words = comment.split_ascii_whitespace();
    if words.next() != Some("TYPE") {
        return Ok(());
    }
    let (name, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match kind {
        "counter" | "gauge" | "histogram" | "summary" | "untyped" => Ok(()),
        _ => Err(format!("invalid metric type {kind:?} of {name:?}")),
    }
}

fn sample(line: &str) -> Result<Scraped, String> {
    let (name, rest) = take(line, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("expected a metric name at {line:?}"));
    }
    let rest = blank(rest);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => label_set(inside)?,
        None => (Labels::default(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or("expected a value")?;
    let value = value.parse().map_err(|_| format!("expected a value, got {value:?}"))?;
    let ts_ms = words.next().map(|ts| ts.parse().map_err(|_| format!("expected a timestamp, got {ts:?}")));
    match words.next() {
        Some(more) => Err(format!("expected the end of the line, got {more:?}")),
        None => Ok(Scraped { labels: labels.with(METRIC_NAME, name), value, ts_ms: ts_ms.transpose()? }),
    }
}

/// What is between `{` and `}`, and what follows it.
fn label_set(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::default();
    loop {
        rest = blank(rest);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = take(rest, |c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("expected a label name at {rest:?}"));
        }
        let after = blank(after).strip_prefix('=').ok_or_else(|| format!("expected = after label {name}"))?;
        let after = blank(after).strip_prefix('"').ok_or_else(|| format!("expected \" after {name}="))?;
        let (value, after) = quoted(after)?;
        if !labels.get(name).is_empty() {
            return Err(format!("label {name} stands twice"));
        }
        labels = labels.with(name, value);
        rest = blank(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(format!("expected , or }} after label {name}")),
        }
    }
}

/// The text up to the closing quote, with its escapes undone, and what follows the quote.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or("label value without its closing quote")? {
            '"' => return Ok((value, chars.as_str())),
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(same @ ('\\' | '"')) => value.push(same),
                // The format names three escapes; Prometheus keeps any other as it is.
                Some(other) => value.extend(['\\', other]),
                None => return Err("label value ends in a backslash".to_owned()),
            },
            plain => value.push(plain),
        }
    }
}

fn take(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
