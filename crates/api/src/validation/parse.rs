//! Conversion of an object into the types, with every defect of it.
//!
//! The first pass compares the object with the schema that is generated from the types and reports every field of a
//! wrong type; the second builds the types. An API server with Vexil's definition stores no invalid object; one with
//! another definition may, and one invalid object must not hide the others.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Defect, others};
use crate::crd::schema::object;
use crate::metric_template::MetricTemplateStatus;
use crate::{AlertProviderSpec, Canary, CanarySpec, CanaryStatus, MetricTemplateSpec, limits};

/// The schemas of the types with the limits, without the other rules of the definitions.
static CANARY: LazyLock<Value> =
    LazyLock::new(|| limits::bounded(object::<CanarySpec, CanaryStatus>(""), &limits::canary()));
static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    limits::bounded(object::<MetricTemplateSpec, MetricTemplateStatus>(""), &[limits::TEMPLATE.to_vec()])
});
static PROVIDER: LazyLock<Value> = LazyLock::new(|| {
    limits::bounded(object::<AlertProviderSpec, MetricTemplateStatus>(""), &[limits::PROVIDER.to_vec()])
});

/// Maximum number of defects to collect; the object is refused after the first.
const MOST: usize = 1_000;

/// Reads a Canary.
///
/// # Errors
/// Every field whose type is wrong or that is beyond its limit, with its path.
pub fn parse(object: &Value) -> Result<Canary, Vec<Defect>> {
    check(&CANARY, object)?;
    typed(object, "")
}

/// Reads and validates the spec of a MetricTemplate.
///
/// # Errors
/// As [`parse`], and required fields that are missing or empty.
pub fn parse_metric_template(object: &Value) -> Result<MetricTemplateSpec, Vec<Defect>> {
    valid(typed(check(&TEMPLATE, object)?, "spec.")?, others::metric_template)
}

/// Reads and validates the spec of an AlertProvider.
///
/// # Errors
/// As [`parse`], and required fields that are missing or empty.
pub fn parse_alert_provider(object: &Value) -> Result<AlertProviderSpec, Vec<Defect>> {
    valid(typed(check(&PROVIDER, object)?, "spec.")?, others::alert_provider)
}

fn valid<T>(spec: T, defects: fn(&T) -> Vec<Defect>) -> Result<T, Vec<Defect>> {
    let defects = defects(&spec);
    if defects.is_empty() { Ok(spec) } else { Err(defects) }
}

/// Compares an object with its schema. Returns its spec.
fn check<'a>(schema: &Value, object: &'a Value) -> Result<&'a Value, Vec<Defect>> {
    if !object.is_object() {
        let message = format!("must be an object, not {}", described(object));
        return Err(vec![Defect { path: "the object".to_owned(), message }]);
    }
    let mut defects = Vec::new();
    let spec = object.get("spec").filter(|spec| !spec.is_null());
    if spec.is_none() {
        defects.push(Defect { path: "spec".to_owned(), message: "is required".to_owned() });
    }
    walk(schema, object, &mut String::new(), &mut defects);
    match spec {
        Some(spec) if defects.is_empty() => limits::too_long(spec).map_or(Ok(spec), |long| Err(vec![long])),
        _ => Err(defects),
    }
}

fn typed<T: DeserializeOwned>(value: &Value, root: &str) -> Result<T, Vec<Defect>> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = format!("{root}{}", error.path());
        vec![Defect { path, message: error.into_inner().to_string() }]
    })
}

/// Compares a value with a schema, and its parts with the schema's parts. The parts of a value that is invalid
/// or over its limit are not compared.
fn walk(schema: &Value, value: &Value, path: &mut String, defects: &mut Vec<Defect>) {
    if defects.len() >= MOST {
        return;
    }
    let wrong =
        mismatch(schema, value).map(|expected| format!("must be {expected}, not {}", described(value)));
    if let Some(message) = wrong.or_else(|| limits::exceeded(schema, value)) {
        defects.push(Defect { path: path.clone(), message });
        return;
    }
    let length = path.len();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let field = schema.get("properties").and_then(|p| p.get(name));
                let Some(schema) = field.or_else(|| schema.get("additionalProperties")) else { continue };
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                walk(schema, value, path, defects);
                path.truncate(length);
            }
        }
        Value::Array(elements) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, value) in elements.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(schema, value, path, defects);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// The expected type, if the value has another one. Null counts as absent.
fn mismatch(schema: &Value, value: &Value) -> Option<&'static str> {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        let port = value.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
        return (!port && !value.is_string() && !value.is_null()).then_some("a whole number or a text");
    }
    let (fits, expected) = match schema.get("type")?.as_str()? {
        "object" => (value.is_object(), "an object"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a text"),
        "boolean" => (value.is_boolean(), "true or false"),
        "integer" => (is_whole(value), "a whole number"),
        "number" => (value.is_number(), "a number"),
        _ => return None,
    };
    (!fits && !value.is_null()).then_some(expected)
}

/// Whether the number is a whole one of 64 bits; `10.0` is.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.as_f64().is_some_and(|n| n.fract() == 0.0 && n.abs() < 9e15)
}

/// A value as an error shows it, shortened.
fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::String(text) => format!("the text `{}…`", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
