//! Rules that are added to a generated schema, as data: one line per field.

use serde_json::{Map, Value, json};

/// A change of a schema that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrdError {
    /// The types have no such field.
    #[error("a rule names the field {path}, which the types do not have")]
    NoSuchField {
        /// Path of the rule.
        path: String,
    },
    /// The field does not take one of a list of texts.
    #[error("{path} takes any text")]
    NoList {
        /// Path of the field.
        path: String,
    },
}

/// One rule.
pub(super) enum Rule {
    /// Sets keywords of the schema at a path; null takes one away.
    Set(String, Value),
    /// Keeps only these properties of the object at a path.
    Keep(String, Vec<&'static str>),
}

/// Sets keywords of the schema at a path such as `spec.service.gatewayRefs[].name` (`[]` an element, `{}` a map's
/// value).
pub(super) fn set(path: impl Into<String>, keywords: Value) -> Rule {
    Rule::Set(path.into(), keywords)
}

/// Keeps only these properties of the object at a path.
pub(super) fn keep(path: impl Into<String>, names: &[&'static str]) -> Rule {
    Rule::Keep(path.into(), names.to_vec())
}

/// Applies the rules in order.
pub(super) fn apply(mut schema: Value, rules: Vec<Rule>) -> Result<Value, CrdError> {
    for rule in rules {
        match rule {
            Rule::Set(path, keywords) => merge(at(&mut schema, &path)?, &keywords),
            Rule::Keep(path, names) => {
                if let Some(fields) =
                    at(&mut schema, &path)?.get_mut("properties").and_then(Value::as_object_mut)
                {
                    fields.retain(|name, _| names.contains(&name.as_str()));
                }
            }
        }
    }
    Ok(schema)
}

/// Adds a text to the list of those that a field takes.
pub(super) fn admit(schema: &mut Value, path: &str, text: &str) -> Result<(), CrdError> {
    let texts = at(schema, path)?.get_mut("enum").and_then(Value::as_array_mut);
    let texts = texts.ok_or_else(|| CrdError::NoList { path: path.to_owned() })?;
    if !texts.iter().any(|known| known == text) {
        texts.push(text.into());
    }
    Ok(())
}

/// The schema at a path.
fn at<'a>(schema: &'a mut Value, path: &str) -> Result<&'a mut Map<String, Value>, CrdError> {
    let no_such_field = || CrdError::NoSuchField { path: path.to_owned() };
    let steps = path.replace("[]", ".[]").replace("{}", ".{}");
    let mut node = schema;
    for step in steps.split('.').filter(|s| !s.is_empty()) {
        node = match step {
            "[]" => node.get_mut("items"),
            "{}" => node.get_mut("additionalProperties"),
            name => node.get_mut("properties").and_then(|fields| fields.get_mut(name)),
        }
        .ok_or_else(no_such_field)?;
    }
    node.as_object_mut().ok_or_else(no_such_field)
}

fn merge(schema: &mut Map<String, Value>, keywords: &Value) {
    for (keyword, value) in keywords.as_object().into_iter().flatten() {
        if value.is_null() {
            schema.remove(keyword);
        } else {
            schema.insert(keyword.clone(), value.clone());
        }
    }
}

/// These fields must be there.
pub(super) fn required(names: &[&str]) -> Value {
    json!({ "required": names })
}

/// One of these texts.
pub(super) fn one_of(texts: &[&str]) -> Value {
    json!({ "enum": texts })
}

/// Exactly one of these fields must be there.
pub(super) fn exactly_one(names: &[&str]) -> Value {
    json!({ "oneOf": names.iter().map(|name| required(&[name])).collect::<Vec<_>>() })
}

/// At most one of these fields may be there.
pub(super) fn at_most_one(names: &[&str]) -> Value {
    let each: Vec<Value> = names.iter().map(|name| required(&[name])).collect();
    let none = std::iter::once(json!({ "not": { "anyOf": each.clone() } }));
    json!({ "oneOf": none.chain(each).collect::<Vec<_>>() })
}

/// A CEL rule with the message users see.
pub(super) fn cel(rule: &str, message: &str) -> Value {
    json!({ "x-kubernetes-validations": [{ "rule": rule, "message": message }] })
}
