//! The fields of `spec.service` and `analysis.match` in the words of an HTTPProxy.

use serde_json::{Value, json};
use vexil_api::{
    Defect, HttpMatch,
    canary::{CanarySpec, StringMatch},
};
use vexil_object::meta;
use vexil_routing::{RouteTarget, covers, escaped, put};

/// The annotation with the fields of our route that the Canary declared when it was written last, separated by commas.
/// One that it declares no longer is removed; one that others wrote is never listed. Flagger has no such annotation,
/// and declared all of them.
const WRITTEN: &str = "flagger.app/written-fields";

/// The conditions on the path, of which a route may have one.
const PATHS: [&str; 3] = ["prefix", "exact", "regex"];

/// The fields of a route that a Canary may declare, and those that it does.
fn declared(target: &RouteTarget<'_>) -> [(&'static str, Option<Value>); 2] {
    let service = &target.spec.service;
    let timeout = service.timeout.as_deref().filter(|timeout| !timeout.is_empty());
    let retries = service.retries.as_ref().map(|retries| {
        let on = retries.retry_on.as_deref().filter(|text| !text.is_empty());
        let on = on.map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
        let fields = [
            ("count", retries.attempts.map(Value::from)),
            ("perTryTimeout", retries.per_try_timeout.as_deref().map(Value::from)),
            ("retryOn", on.map(Value::from)),
        ];
        let set = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(set.collect())
    });
    [
        ("timeoutPolicy", timeout.map(|timeout| json!({"response": timeout, "idle": "5m"}))),
        ("retryPolicy", retries),
    ]
}

/// Writes the fields that the Canary declares to one of our routes, and removes those that it declared in `live`.
pub(crate) fn declare(target: &RouteTarget<'_>, live: &Value, route: &mut Value) {
    let before = meta::annotation(live, WRITTEN);
    for (field, value) in declared(target) {
        let is_ours = before.is_none_or(|text| text.split(',').any(|name| name == field));
        match (value, route.get(field)) {
            (Some(value), Some(live)) if covers(live, &value) => {}
            (Some(value), _) => put(route, field, value),
            (None, Some(_)) if is_ours => drop(route.as_object_mut().map(|fields| fields.remove(field))),
            (None, _) => {}
        }
    }
}

/// Records the fields that the Canary declares.
pub(crate) fn record(target: &RouteTarget<'_>, object: &mut Value) {
    let fields: Vec<_> =
        declared(target).into_iter().filter_map(|(field, value)| value.map(|_| field)).collect();
    meta::set(object, &["metadata", "annotations", WRITTEN], fields.join(",").into());
}

/// The conditions of the route with the weights: the path of the first entry of `service.match`.
pub(crate) fn base(target: &RouteTarget<'_>) -> Value {
    let uri = target.spec.service.match_.first().and_then(|first| first.uri.as_ref());
    json!([uri.map_or_else(|| json!({"prefix": "/"}), path)])
}

/// Whether there are conditions beside one on the path.
pub(crate) fn is_narrow(conditions: Option<&Value>) -> bool {
    let all = conditions.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_object)
        .flatten()
        .any(|(field, _)| ["header", "queryParameter"].contains(&field.as_str()))
}

/// The conditions of the routes to the canary: those of `base` together with each entry of `analysis.match`.
pub(crate) fn matched(base: &Value, matches: &[HttpMatch]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for one in matches {
        let theirs = base.as_array().into_iter().flatten();
        let is_path = |condition: &Value| PATHS.iter().any(|field| condition.get(field).is_some());
        let kept = theirs.filter(|condition| one.uri.is_none() || !is_path(condition)).cloned();
        let headers = one.headers.iter().map(|(name, wanted)| named("header", name, wanted));
        let queries = one.query_params.iter().map(|(name, wanted)| named("queryParameter", name, wanted));
        let list: Value = one.uri.iter().map(path).chain(kept).chain(headers).chain(queries).collect();
        if !all.contains(&list) {
            all.push(list);
        }
    }
    all
}

fn path(uri: &StringMatch) -> Value {
    match uri {
        StringMatch { exact: Some(exact), .. } => json!({"exact": exact}),
        StringMatch { prefix: Some(prefix), .. } => json!({"prefix": prefix}),
        StringMatch { suffix: Some(suffix), .. } => json!({"regex": format!(".*{}", escaped(suffix))}),
        StringMatch { regex: Some(regex), .. } => json!({"regex": regex}),
        _ => json!({"prefix": "/"}),
    }
}

/// A condition on a header or parameter. Contour has no beginning of a header, and `contains` would match more.
fn named(kind: &str, name: &str, wanted: &StringMatch) -> Value {
    let mut condition = match wanted {
        StringMatch { exact: Some(exact), .. } => json!({"exact": exact}),
        StringMatch { prefix: Some(prefix), .. } => json!({"regex": format!("{}.*", escaped(prefix))}),
        StringMatch { suffix: Some(suffix), .. } => json!({"regex": format!(".*{}", escaped(suffix))}),
        StringMatch { regex: Some(regex), .. } => json!({"regex": regex}),
        _ => json!({"present": true}),
    };
    put(&mut condition, "name", name.into());
    json!({kind: condition})
}

/// The conditions of a Canary that Contour cannot express.
pub(crate) fn defects(spec: &CanarySpec) -> Vec<Defect> {
    let matches = spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let mut found = Vec::new();
    for (at, one) in matches.iter().enumerate() {
        let mut add = |below: &str, message: &str| {
            let path = format!("spec.{}.match[{at}]{below}", spec.analysis_field());
            found.push(Defect { path, message: message.to_owned() });
        };
        let all = vexil_routing::conditions(one);
        if all.is_empty() {
            add("", "has no condition, so that every request would reach the canary");
        }
        for field in all.into_iter().filter(|field| !["uri", "headers", "queryParams"].contains(field)) {
            add(&format!(".{field}"), "is a condition that Contour does not have; remove it");
        }
    }
    found
}
