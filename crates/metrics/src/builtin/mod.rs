//! The built-in queries of the provider, with their names replaced.

use crate::{Template, TemplateError, subject::TemplateContext};

/// A query with its names replaced. Each value is quoted for its place, which changes nothing for names of letters,
/// digits and hyphens: a point in a name is a point, not "any character".
pub(crate) fn render(query: &str, context: &TemplateContext<'_>) -> Result<String, TemplateError> {
    Template::parse(query)?.render_with(context, quoted)
}

/// Appends a value inside a quoted PromQL string, which may be a regular expression.
fn quoted(query: &mut String, value: &str) {
    let in_regex = query.rsplit_once('"').is_some_and(|(head, _)| head.ends_with('~'));
    for c in value.chars() {
        match c {
            '\\' if in_regex => query.push_str(r"\\\\"),
            '\\' => query.push_str(r"\\"),
            '"' => query.push_str(r#"\""#),
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' if in_regex => {
                query.push_str(r"\\");
                query.push(c);
            }
            '\n' => query.push_str(r"\n"),
            c => query.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
