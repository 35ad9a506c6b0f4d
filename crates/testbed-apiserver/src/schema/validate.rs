//! What a structural schema finds wrong with an object, in the sentences of the real server.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        errors::{Cause, Fault},
        json::{list, text},
    },
    custom::{join, yes},
};

/// What is wrong with a custom object.
pub(crate) fn check(schema: &Value, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(schema, object, "", &mut causes);
    causes
}

/// What the real server adds when it found something and has CEL rules left that it did not try. They are never tried
/// here.
pub(crate) fn untried_rules(schema: &Value, found: &[Cause]) -> Option<Cause> {
    let stops =
        |cause: &Cause| !matches!(cause.fault, Fault::Invalid(_) | Fault::Duplicate(_) | Fault::Forbidden);
    let detail = "some validation rules were not checked because the object was invalid; correct the \
        existing errors to complete validation";
    (found.iter().any(stops) && has_rules(schema))
        .then(|| Cause::new("<nil>", Fault::Invalid(Value::Null), detail))
}

fn has_rules(schema: &Value) -> bool {
    let members = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    schema.get("x-kubernetes-validations").is_some()
        || members.map(|(_, schema)| schema).any(has_rules)
        || ["items", "additionalProperties"].iter().filter_map(|key| schema.get(key)).any(has_rules)
}

/// What is wrong with the status of a custom object. The real server's sentences begin at the status here.
pub(crate) fn check_status(schema: &Value, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let schema = schema.get("properties").and_then(|properties| properties.get("status"));
    if let (Some(schema), Some(status)) = (schema, object.get("status")) {
        visit(schema, status, "", &mut causes);
    }
    for cause in &mut causes {
        cause.field = format!("status.{}", cause.field);
    }
    causes
}

/// What is wrong with a number that the scale subresource speaks of: it must be one.
pub(crate) fn check_count(object: &Value, pointer: &str) -> Option<Cause> {
    let path = pointer.replace('/', ".");
    let (mut value, mut wanted) = (object, "int64");
    let mut steps = pointer.split('/').skip(1).peekable();
    while let Some(step) = steps.next() {
        value = value.get(step)?;
        if !value.is_object() && steps.peek().is_some() {
            wanted = "map[string]interface{}";
            break;
        }
    }
    let (shown, have) = match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            return Some(Cause::new(path, Fault::Invalid(value.clone()), "should be a non-negative integer"));
        }
        Value::Number(number) if number.is_i64() => return None,
        Value::String(text) => (text.clone(), "string"),
        Value::Bool(yes) => (yes.to_string(), "bool"),
        Value::Number(number) => (number.to_string(), "float64"),
        other => (other.to_string(), "map[string]interface {}"),
    };
    let detail = format!("{path} accessor error: {shown} is of the type {have}, expected {wanted}");
    Some(Cause::new(path, Fault::Invalid(json!(0)), detail))
}

fn visit(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() && yes(schema, "nullable") {
        return;
    }
    if let Some(wanted) = wrong_type(schema, value) {
        let have = type_of(value);
        let detail = format!("{path} in body must be of type {wanted}: \"{have}\"");
        causes.push(Cause::new(path, Fault::Type(json!(have)), detail));
        visit_enum(schema, value, path, causes);
        return;
    }
    match value {
        Value::Object(members) => visit_object(schema, members, path, causes),
        Value::Array(items) => visit_list(schema, items, path, causes),
        Value::String(text) => visit_text(schema, text, path, causes),
        Value::Number(_) => visit_number(schema, value, path, causes),
        _ => {}
    }
    visit_enum(schema, value, path, causes);
    visit_alternatives(schema, value, path, causes);
}

fn visit_enum(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array).filter(|all| !all.contains(value)) {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        let detail = format!("supported values: {}", allowed.join(", "));
        causes.push(Cause::new(path, Fault::NotSupported(value.clone()), detail));
    }
}

/// The type that was wanted, when the value has another one.
fn wrong_type(schema: &Value, value: &Value) -> Option<String> {
    if yes(schema, "x-kubernetes-int-or-string") {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return (!fits).then(|| "integer,string".to_owned());
    }
    let wanted = text(schema, &["type"]);
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        _ => true,
    };
    (!fits).then(|| wanted.to_owned())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn visit_object(schema: &Value, members: &Map<String, Value>, path: &str, causes: &mut Vec<Cause>) {
    for name in list(schema, &["required"]).iter().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            causes.push(Cause::new(join(path, name), Fault::Required, ""));
        }
    }
    let limits = [("minProperties", "at least"), ("maxProperties", "at most")];
    for (keyword, words) in limits {
        let limit = schema.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let broken = limit.filter(|limit| match keyword {
            "minProperties" => members.len() < *limit,
            _ => members.len() > *limit,
        });
        if let Some(limit) = broken {
            let detail = format!("{path} in body should have {words} {limit} properties");
            causes.push(Cause::new(path, Fault::Invalid(json!(members.len())), detail));
        }
    }
    for (name, value) in members {
        let named = schema.get("properties").and_then(|properties| properties.get(name));
        let other = schema.get("additionalProperties").filter(|other| other.is_object());
        if let Some(schema) = named.or(other) {
            visit(schema, value, &join(path, name), causes);
        }
    }
}

fn visit_list(schema: &Value, items: &[Value], path: &str, causes: &mut Vec<Cause>) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let count = items.len() as u64;
    if let Some(least) = limit("minItems").filter(|least| count < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        causes.push(Cause::new(path, Fault::Invalid(json!(count)), detail));
    }
    if let Some(most) = limit("maxItems").filter(|most| count > *most) {
        let detail = format!("must have at most {most} items");
        causes.push(Cause::new(path, Fault::TooMany(items.len()), detail));
    }
    if let Some(schema) = schema.get("items") {
        for (index, item) in items.iter().enumerate() {
            visit(schema, item, &format!("{path}[{index}]"), causes);
        }
    }
    let kind = text(schema, &["x-kubernetes-list-type"]);
    let keys = list(schema, &["x-kubernetes-list-map-keys"]);
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate().filter(|_| kind == "set" || kind == "map") {
        let key = match kind {
            "set" => item.clone(),
            _ => keys
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|key| Some((key.to_owned(), item.get(key)?.clone())))
                .collect(),
        };
        if !seen.insert(key.to_string()) {
            causes.push(Cause::new(format!("{path}[{index}]"), Fault::Duplicate(key), ""));
        }
    }
}

fn visit_text(schema: &Value, value: &str, path: &str, causes: &mut Vec<Cause>) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let chars = value.chars().count() as u64;
    let invalid = |detail: String| Cause::new(path, Fault::Invalid(json!(value)), detail);
    if let Some(most) = limit("maxLength").filter(|most| chars > *most) {
        causes.push(Cause::new(path, Fault::TooLong, format!("may not be more than {most} bytes")));
        return;
    }
    if let Some(least) = limit("minLength").filter(|least| chars < *least) {
        causes.push(invalid(format!("{path} in body should be at least {least} chars long")));
        return;
    }
    let pattern = text(schema, &["pattern"]);
    if !pattern.is_empty() && regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(value)) {
        causes.push(invalid(format!("{path} in body should match '{pattern}'")));
    }
    if text(schema, &["format"]) == "date-time" && value.parse::<jiff::Timestamp>().is_err() {
        let detail = format!("{path} in body must be of type date-time: {}", json!(value));
        causes.push(Cause::new(path, Fault::Type(json!(value)), detail));
    }
}

fn visit_number(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let number = value.as_f64().unwrap_or_default();
    let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let least = limit("minimum").map(|least| (least, yes(schema, "exclusiveMinimum")));
    let most = limit("maximum").map(|most| (most, yes(schema, "exclusiveMaximum")));
    let mut tell = |words: &str, limit: f64| {
        let detail = format!("{path} in body should be {words} {limit}");
        causes.push(Cause::new(path, Fault::Invalid(value.clone()), detail));
    };
    match least {
        Some((least, true)) if number <= least => tell("greater than", least),
        Some((least, false)) if number < least => tell("greater than or equal to", least),
        _ => {}
    }
    match most {
        Some((most, true)) if number >= most => tell("less than", most),
        Some((most, false)) if number > most => tell("less than or equal to", most),
        _ => {}
    }
}

/// `oneOf`, `anyOf`, `allOf` and `not`. The real server reports the first alternative that failed as well.
fn visit_alternatives(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let invalid = |detail: String| Cause::new("<nil>", Fault::Invalid(json!("")), detail);
    let tried = |keyword: &str| -> Vec<Vec<Cause>> {
        list(schema, &[keyword]).iter().map(|schema| tried(schema, value, path)).collect()
    };
    let one = tried("oneOf");
    let fitting = one.iter().filter(|causes| causes.is_empty()).count();
    if !one.is_empty() && fitting != 1 {
        let found =
            if fitting == 0 { "none valid".to_owned() } else { format!("{fitting} valid alternatives") };
        let detail = format!("\"{path}\" must validate one and only one schema (oneOf). Found {found}");
        causes.push(invalid(detail));
        causes.extend(
            one.into_iter().find(|causes| !causes.is_empty()).filter(|_| fitting == 0).into_iter().flatten(),
        );
    }
    let any = tried("anyOf");
    if !any.is_empty() && any.iter().all(|causes| !causes.is_empty()) {
        causes.push(invalid(format!("\"{path}\" must validate at least one schema (anyOf)")));
        causes.extend(any.into_iter().next().into_iter().flatten());
    }
    let all = tried("allOf");
    if all.iter().any(|causes| !causes.is_empty()) {
        causes.push(invalid(format!("\"{path}\" must validate all the schemas (allOf)")));
        causes.extend(all.into_iter().flatten());
    }
    if schema.get("not").is_some_and(|schema| self::tried(schema, value, path).is_empty()) {
        causes.push(invalid(format!("\"{path}\" must not validate the schema (not)")));
    }
}

fn tried(schema: &Value, value: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    visit(schema, value, path, &mut causes);
    causes
}
