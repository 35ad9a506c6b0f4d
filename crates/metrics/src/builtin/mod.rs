//! The built-in queries of the provider, with their names replaced.

use vexil_api::LabelNames;

use crate::{Template, TemplateError, subject::TemplateContext};

/// A query with its names replaced. Each value is quoted for its place, which changes nothing for names of letters,
/// digits and hyphens: a point in a name is a point, not "any character".
pub(crate) fn render(
    query: &str,
    names: LabelNames,
    context: &TemplateContext<'_>,
) -> Result<String, TemplateError> {
    let append = match names {
        LabelNames::Unchanged => quoted,
        LabelNames::Identifiers => identifier,
    };
    Template::parse(query)?.render_with(context, append)
}

/// Appends a value inside a quoted string as an identifier; elsewhere it is the interval.
fn identifier(query: &mut String, value: &str) {
    let is_quoted = query.matches('"').count() % 2 == 1;
    for c in value.chars() {
        query.push(if is_quoted && !(c.is_ascii_alphanumeric() || c == '_') { '_' } else { c });
    }
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
