//! Every field of a Canary's spec, from the CRD's schema, with another valid value for each and an invalid one.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use serde_json::{Map, Value, json};

/// A field and how it is edited.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The field, and what it becomes.
    pub title: String,
    /// The spec with it.
    pub spec: Value,
}

/// The fields of a spec, read from the CRD once.
#[derive(Debug)]
pub struct Fields {
    schema: Value,
    leaves: Vec<(Path, Value)>,
}

impl Fields {
    /// Reads them.
    ///
    /// # Errors
    /// When the CRD has no schema.
    pub fn read() -> anyhow::Result<Fields> {
        let all = vexil_api::crds()?;
        let canaries = all.iter().find(|crd| crd.manifest["metadata"]["name"] == "canaries.flagger.app");
        let schema = canaries.and_then(|crd| {
            crd.manifest.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec").cloned()
        });
        let schema = schema.ok_or_else(|| anyhow::anyhow!("the CRD of the Canary has no schema"))?;
        let mut leaves = Vec::new();
        walk(&schema, &mut Vec::new(), &mut leaves);
        Ok(Fields { schema, leaves })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.leaves.len()
    }

    /// The place of the field with this name, such as `service.port`.
    pub fn of_name(&self, name: &str) -> Option<usize> {
        self.leaves.iter().position(|(path, _)| path.join(".") == name)
    }

    /// The edits of one of them: another valid value, and an invalid one where there is such a thing.
    pub fn edits_of(&self, place: usize, spec: &Value) -> Vec<Edit> {
        let Some((path, leaf)) = self.leaves.get(place) else { return Vec::new() };
        let values = values(path, leaf, at(spec, path)).into_iter();
        let edit = |(what, value): (&str, Value)| Edit {
            title: format!("{} {what} {value}", path.join(".")),
            spec: with(spec, path, &value, &self.schema),
        };
        values.map(edit).collect()
    }
}

type Path = Vec<String>;

/// The leaves of a schema. `[]` is an item of a list, `{}` a value of a map.
fn walk(schema: &Value, path: &mut Path, leaves: &mut Vec<(Path, Value)>) {
    let mut step = |name: &str, schema: &Value| {
        path.push(name.to_owned());
        walk(schema, path, leaves);
        path.pop();
    };
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        fields.iter().for_each(|(name, field)| step(name, field));
    } else if let Some(items) = schema.get("items") {
        step("[]", items);
    } else if let Some(values) = schema.get("additionalProperties").filter(|one| one.is_object()) {
        step("{}", values);
    } else {
        leaves.push((path.clone(), schema.clone()));
    }
}

fn at<'a>(spec: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(spec, |value, step| match step.as_str() {
        "[]" => value.get(0),
        "{}" => value.get("torture"),
        name => value.get(name),
    })
}

/// What a field may become: in a word what it is, and the value.
fn values(path: &[String], leaf: &Value, live: Option<&Value>) -> Vec<(&'static str, Value)> {
    let name = path.join(".");
    let other = match name.as_str() {
        "targetRef.name" => Some(json!("other")),
        "service.name" => Some(json!("shop")),
        "service.targetPort" => Some(json!("http")),
        "service.port" => Some(json!(8080)),
        "service.portName" => Some(json!("web")),
        "provider" => {
            let now = live.and_then(Value::as_str);
            Some(if now == Some("kubernetes") { json!("traefik") } else { json!("kubernetes") })
        }
        "metricsServer" => Some(json!("http://metrics.test:80")),
        "analysis.webhooks.[].url" => Some(json!("http://hooks.test/other")),
        "analysis.metrics.[].name" => Some(json!("request-duration")),
        "progressDeadlineSeconds" => Some(json!(90)),
        _ => None,
    };
    if let Some(enumerated) = leaf.get("enum").and_then(Value::as_array) {
        let other =
            other.or_else(|| enumerated.iter().find(|one| Some(*one) != live && **one != "").cloned());
        // Where there is but one, what is none of them.
        return vec![other.map_or(("becomes invalid:", json!("None")), |value| ("becomes", value))];
    }
    let kind = leaf.get("type").and_then(Value::as_str).unwrap_or("string");
    let number = live.and_then(Value::as_i64);
    match kind {
        "boolean" => vec![("becomes", json!(live != Some(&json!(true))))],
        "number" | "integer" => vec![
            ("becomes", other.unwrap_or(json!(number.map_or(5, |number| number + 5)))),
            ("becomes invalid:", json!(-1)),
        ],
        _ if leaf.get("pattern").is_some_and(|pattern| pattern.to_string().contains("m|s")) => {
            vec![("becomes", json!("15s")), ("becomes invalid:", json!("1sq"))]
        }
        _ => vec![("becomes", other.unwrap_or(json!("torture"))), ("becomes invalid:", json!("Not Valid!"))],
    }
}

/// The spec with a value at a path; what is missing on the way gets what the schema requires of it.
fn with(spec: &Value, path: &[String], value: &Value, schema: &Value) -> Value {
    let mut spec = spec.clone();
    put(&mut spec, path, value, schema);
    let name = path.join(".");
    if let Some(plan) = spec.get_mut("analysis").and_then(Value::as_object_mut) {
        // One strategy excludes the others.
        let others: &[&str] = match name.as_str() {
            "analysis.iterations" => &["stepWeight", "maxWeight", "stepWeights"],
            "analysis.stepWeights.[]" => &["stepWeight", "maxWeight", "iterations"],
            "analysis.stepWeight" => &["iterations", "stepWeights"],
            _ => &[],
        };
        others.iter().for_each(|other| drop(plan.remove(*other)));
    }
    spec
}

fn put(target: &mut Value, path: &[String], value: &Value, schema: &Value) {
    let Some((step, rest)) = path.split_first() else { return target.clone_from(value) };
    if target.is_null() {
        *target = least(schema);
    }
    match (step.as_str(), target) {
        ("[]", Value::Array(items)) => {
            if items.is_empty() {
                items.push(Value::Null);
            }
            let schema = schema.get("items").cloned().unwrap_or_default();
            if let Some(first) = items.first_mut() {
                put(first, rest, value, &schema);
            }
        }
        ("{}", Value::Object(fields)) => {
            let schema = schema.get("additionalProperties").cloned().unwrap_or_default();
            put(fields.entry("torture").or_insert(Value::Null), rest, value, &schema);
        }
        (name, Value::Object(fields)) => {
            let schema = schema.pointer(&format!("/properties/{name}")).cloned().unwrap_or_default();
            put(fields.entry(name).or_insert(Value::Null), rest, value, &schema);
        }
        _ => {}
    }
}

/// The least that a schema allows.
fn least(schema: &Value) -> Value {
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    if let Some(first) = schema.pointer("/enum/0") {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("number" | "integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("string") if schema.get("pattern").is_some_and(|one| one.to_string().contains("m|s")) => {
            json!("10s")
        }
        Some("string") => json!("torture"),
        _ => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let names = required.filter_map(Value::as_str);
            let field = |name: &str| schema.pointer(&format!("/properties/{name}")).map(least);
            let fields: Map<String, Value> =
                names.map(|name| (name.to_owned(), field(name).unwrap_or_default())).collect();
            Value::Object(fields)
        }
    }
}
