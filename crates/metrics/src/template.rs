//! Query templates: the part of Go's text/template that real queries use, evaluated by handlebars.
//!
//! A scanner finds the actions (`{{ … }}`), applies trim markers and drops comments; the text between them is never
//! passed to handlebars, so backslashes and braces mean nothing special, as in Go. Each action is then one strict,
//! unescaped handlebars expression over Flagger's eight names ([`TEMPLATE_NAMES`] and `variables`). There are no
//! blocks, partials or subexpressions: a template takes time and memory in proportion to its length.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::{Value, json};

use crate::subject::{TEMPLATE_NAMES, TemplateContext};

/// Largest template and largest query, in bytes.
const LONGEST: usize = 64 << 10;
/// Most actions of a template.
const MOST_ACTIONS: usize = 1_000;
/// Longest action, in bytes; it bounds how deep a parser can go.
const LONGEST_ACTION: usize = 256;

/// A query template that was found to be well formed.
///
/// ```
/// use vexil_metrics::Template;
///
/// assert!(Template::parse("sum(rate(requests{pod=~\"{{ target }}-.*\"}[{{ interval }}]))").is_ok());
/// let error = Template::parse("sum(\n{{ if target }})").unwrap_err();
/// assert!(error.to_string().starts_with("template parsing failed: template: tmpl:2: "), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Action { line: usize, expression: String },
}

/// Why a template gives no query. The texts begin as Flagger's do, typing error included.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template itself is wrong.
    #[error("template parsing failed: template: tmpl:{line}: {problem}")]
    Parse {
        /// Line in the template, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The template asks for something that this metric does not have.
    #[error("template excution failed: template: tmpl:{line}: {problem}")]
    Execute {
        /// Line in the template, from 1.
        line: usize,
        /// What is missing.
        problem: String,
    },
    /// The metric's interval could change what the query means.
    #[error("metric interval {0:?} may only hold letters, digits and points")]
    Interval(String),
}

impl Template {
    /// Reads a template and checks every action without knowing the values.
    ///
    /// # Errors
    /// [`TemplateError::Parse`] with the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST {
            return Err(wrong(1, format!("template is larger than {LONGEST} bytes")));
        }
        let mut parts = Vec::new();
        let (mut rest, mut trim, mut line) = (text, false, 1);
        while let Some((before, after)) = rest.split_once("{{") {
            line += before.matches('\n').count();
            let action = Action::read(after, line)?;
            parts.push(Part::Text(trimmed(before, trim, action.trims_before).to_owned()));
            if let Some(expression) = action.expression {
                parts.push(Part::Action { line, expression: expression.to_owned() });
            }
            line += action.lines;
            (rest, trim) = (action.rest, action.trims_after);
        }
        parts.push(Part::Text(trimmed(rest, trim, false).to_owned()));
        if parts.len() > 2 * MOST_ACTIONS {
            return Err(wrong(1, format!("template has more than {MOST_ACTIONS} actions")));
        }
        Ok(Template(parts))
    }

    /// The query for one metric, with every value as it is: a user's template quotes for itself, as in Flagger.
    pub(crate) fn render(&self, context: &TemplateContext<'_>) -> Result<String, TemplateError> {
        self.render_with(context, String::push_str)
    }

    /// The query for one metric; `append` adds a value to the query so far.
    pub(crate) fn render_with(
        &self,
        context: &TemplateContext<'_>,
        append: fn(&mut String, &str),
    ) -> Result<String, TemplateError> {
        let engine = engine();
        let mut data: serde_json::Map<String, Value> =
            context.values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        data.insert("variables".to_owned(), json!(context.variables));
        let data = Value::Object(data);
        let mut query = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => query.push_str(text),
                Part::Action { line, expression } => {
                    let value = engine.render_template(&in_braces(expression), &data);
                    append(&mut query, &value.map_err(|error| missing(*line, expression, &error))?);
                }
            }
            if query.len() > LONGEST {
                let problem = format!("query is larger than {LONGEST} bytes");
                return Err(TemplateError::Execute { line: 1, problem });
            }
        }
        Ok(query)
    }
}

/// One action as found in the text.
struct Action<'a> {
    /// What is between the braces; none for a comment.
    expression: Option<&'a str>,
    trims_before: bool,
    trims_after: bool,
    /// Line breaks inside.
    lines: usize,
    /// What follows.
    rest: &'a str,
}

impl<'a> Action<'a> {
    /// Reads on behind `{{`.
    fn read(after: &'a str, line: usize) -> Result<Self, TemplateError> {
        let (whole, rest) = after.split_once("}}").ok_or_else(|| wrong(line, "unclosed action"))?;
        let lines = whole.matches('\n').count();
        let is_space = |c: char| c.is_ascii_whitespace();
        let (inner, trims_before) = match whole.strip_prefix('-') {
            Some(inner) if inner.starts_with(is_space) => (inner, true),
            _ => (whole, false),
        };
        let (inner, trims_after) = match inner.strip_suffix('-') {
            Some(inner) if inner.ends_with(is_space) => (inner, true),
            _ => (inner, false),
        };
        let inner = inner.trim();
        let is_comment = inner.starts_with("/*") && inner.ends_with("*/") && inner.len() >= 4;
        let expression = if is_comment { None } else { Some(inner) };
        expression.map_or(Ok(()), |inner| well_formed(inner, line))?;
        Ok(Action { expression, trims_before, trims_after, lines, rest })
    }
}

/// What trim markers leave of a text.
fn trimmed(text: &str, start: bool, end: bool) -> &str {
    let text = if start { text.trim_ascii_start() } else { text };
    if end { text.trim_ascii_end() } else { text }
}

/// Whether an action is one of those that can be evaluated: a name, a variable, or `index` of the variables.
fn well_formed(expression: &str, line: usize) -> Result<(), TemplateError> {
    let head = expression.split(|c: char| c == '.' || c.is_whitespace()).next().unwrap_or_default();
    let is_word = !head.is_empty() && head.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let problem = if expression.is_empty() {
        "missing value for command".to_owned()
    } else if expression.len() > LONGEST_ACTION {
        format!("action is longer than {LONGEST_ACTION} bytes")
    } else if !is_word || expression.contains(['(', '|', '{', '}']) {
        format!("unexpected {expression:?} in command, only names, variables.<key> and index are supported")
    } else if expression == "variables" {
        "variables needs a key, as in variables.<key>".to_owned()
    } else if head != "variables" && head != "index" && !TEMPLATE_NAMES.contains(&head) {
        format!("function {head:?} not defined; there are {}, variables and index", TEMPLATE_NAMES.join(", "))
    } else if handlebars::Template::compile(&in_braces(expression)).is_err() {
        format!("unexpected {expression:?} in command")
    } else {
        return Ok(());
    };
    Err(wrong(line, problem))
}

fn in_braces(expression: &str) -> String {
    format!("{{{{{expression}}}}}")
}

fn wrong(line: usize, problem: impl Into<String>) -> TemplateError {
    TemplateError::Parse { line, problem: problem.into() }
}

fn missing(line: usize, expression: &str, error: &RenderError) -> TemplateError {
    let key = expression.strip_prefix("variables.").map(|key| key.trim_matches(['[', ']']));
    let problem = match (error.reason(), key) {
        (RenderErrorReason::MissingVariable(_), Some(key)) => format!("map has no entry for key {key:?}"),
        _ => format!("{expression:?} has no value"),
    };
    TemplateError::Execute { line, problem }
}

fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    engine.register_helper("index", Box::new(Index));
    engine
}

/// `index variables "key"`: the value, and nothing when there is none, which is what distinguishes it from
/// `variables.key`.
struct Index;

impl HelperDef for Index {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let wrong = || RenderErrorReason::InvalidParamType("a map and a key");
        let map = helper.param(0).and_then(|p| p.value().as_object()).ok_or_else(wrong)?;
        let key = helper.param(1).and_then(|p| p.value().as_str()).ok_or_else(wrong)?;
        Ok(map.get(key).cloned().unwrap_or_else(|| json!("")).into())
    }
}

#[cfg(test)]
mod tests;
