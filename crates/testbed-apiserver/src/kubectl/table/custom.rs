//! The rows of custom kinds: `additionalPrinterColumns`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::super::{
        crd::Served,
        json::{name, number, text},
    },
    age::since,
    column, path,
};

/// The columns of a custom kind; name and age where its definition says nothing.
pub(super) fn columns(served: &Served) -> Vec<Value> {
    let own = served.columns.iter().map(|given| {
        let (name, kind) = (text(given, &["name"]), text(given, &["type"]));
        let (format, about) = (text(given, &["format"]), text(given, &["description"]));
        let path = text(given, &["jsonPath"]);
        let plain = format!("Custom resource definition column (in JSONPath format): {path}");
        let about = if about.is_empty() { plain.as_str() } else { about };
        column(name, kind, format, number(given, &["priority"]), about)
    });
    let age = column("Age", "date", "", 0, "");
    let rest: Vec<Value> = if served.columns.is_empty() { vec![age] } else { own.collect() };
    std::iter::once(column("Name", "string", "name", 0, "")).chain(rest).collect()
}

/// The cells of one object.
pub(super) fn cells(served: &Served, object: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![json!(name(object))];
    for given in &served.columns {
        let found = path::find(object, text(given, &["jsonPath"]));
        cells.push(found.first().map_or(Value::Null, |value| cell(value, text(given, &["type"]), now)));
    }
    if served.columns.is_empty() {
        cells.push(json!(since(text(object, &["metadata", "creationTimestamp"]), now)));
    }
    cells
}

fn cell(value: &Value, kind: &str, now: Timestamp) -> Value {
    match kind {
        "integer" => value.as_i64().map_or(Value::Null, |number| json!(number)),
        "number" => value.as_f64().map_or(Value::Null, |number| json!(number)),
        "boolean" => value.as_bool().map_or(Value::Null, |yes| json!(yes)),
        "date" => value.as_str().map_or(Value::Null, |stamp| json!(since(stamp, now))),
        _ => match value {
            Value::String(text) => json!(text),
            other => json!(other.to_string()),
        },
    }
}
