//! The built-in queries, which come with the provider of each Canary, with their words replaced.

use crate::subject::Words;

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
