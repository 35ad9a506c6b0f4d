//! Conditions on requests, from the words of Istio in a Canary to the matches of a route.

use serde_json::{Map, Value, json};
use vexil_api::{
    Defect,
    canary::{CanarySpec, HttpMatch, StringMatch},
};
use vexil_object::Kind;

use crate::kinds::{GRPC, HTTP};

/// An entry of `matches` with these conditions, and what cannot be expressed: field and problem. Conditions of Istio
/// that the Gateway API does not have at all are left out, as Flagger does.
pub(crate) fn condition(kind: Kind, of: &HttpMatch) -> (Value, Vec<(&'static str, String)>) {
    let (mut found, mut problems) = (Map::new(), Vec::new());
    let mut add = |field: &'static str, name: &str, made: Option<Value>, words: &str| match made {
        Some(made) => drop(found.insert(name.to_owned(), made)),
        None => problems
            .push((field, format!("has another condition than {words}, and the Gateway API has no other"))),
    };
    // A prefix of every path is no condition.
    if let Some(uri) = of.uri.as_ref().filter(|uri| kind != GRPC || uri.prefix.as_deref() != Some("/")) {
        if kind == GRPC {
            add("uri", "method", method(uri), "exact or prefix with a service and method");
        } else {
            let types =
                [("RegularExpression", &uri.regex), ("Exact", &uri.exact), ("PathPrefix", &uri.prefix)];
            add("uri", "path", typed(types), "exact, prefix or regex");
        }
    }
    if let Some(method) = of.method.as_ref().filter(|_| kind != GRPC) {
        add("method", "method", method.exact.as_deref().map(Value::from), "exact");
    }
    let lists = [("headers", &of.headers), ("queryParams", &of.query_params)];
    for (field, texts) in lists
        .into_iter()
        .filter(|(field, texts)| !(texts.is_empty() || kind == GRPC && *field == "queryParams"))
    {
        let list: Option<Vec<Value>> = texts.iter().map(|(name, text)| named(name, text)).collect();
        add(field, field, list.map(Value::from), "exact or regex");
    }
    (found.into(), problems)
}

/// The first type that has a value.
fn typed<const N: usize>(types: [(&str, &Option<String>); N]) -> Option<Value> {
    types.into_iter().find_map(|(kind, value)| Some(json!({"type": kind, "value": value.as_deref()?})))
}

/// A condition on a header or parameter.
fn named(name: &str, text: &StringMatch) -> Option<Value> {
    let mut made = typed([("Exact", &text.exact), ("RegularExpression", &text.regex)])?;
    made.as_object_mut()?.insert("name".to_owned(), name.into());
    Some(made)
}

/// `/shop.Cart/Add` names a method, `/shop.Cart/` all of a service.
fn method(uri: &StringMatch) -> Option<Value> {
    let (text, is_exact) = match (&uri.exact, &uri.prefix) {
        (Some(text), _) => (text, true),
        (None, Some(text)) => (text, false),
        (None, None) => return None,
    };
    let (service, method) = text.strip_prefix('/')?.split_once('/').unwrap_or((text.strip_prefix('/')?, ""));
    match (service.is_empty(), method.is_empty(), is_exact) {
        (false, true, false) => Some(json!({"type": "Exact", "service": service})),
        (false, false, true) => Some(json!({"type": "Exact", "service": service, "method": method})),
        _ => None,
    }
}

/// What of the conditions of a Canary cannot be expressed. Without a condition of `analysis.match` more requests would
/// reach the canary than the user wants, so there the ones that are left out are defects too.
pub(crate) fn defects(spec: &CanarySpec) -> Vec<Defect> {
    let protocol = spec.service.app_protocol.as_deref().unwrap_or_default();
    let kind = if protocol.eq_ignore_ascii_case("grpc") { GRPC } else { HTTP };
    let analysis = spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let (service, analysed) = ("spec.service".to_owned(), format!("spec.{}", spec.analysis_field()));
    let mut defects = Vec::new();
    for (path, list, all_count) in
        [(service, spec.service.match_.as_slice(), false), (analysed, analysis, true)]
    {
        for (at, entry) in list.iter().enumerate() {
            let mut defect = |field: &str, message: String| {
                defects.push(Defect { path: format!("{path}.match[{at}].{field}"), message });
            };
            for (field, problem) in condition(kind, entry).1 {
                defect(field, problem);
            }
            for field in left_out(kind, entry).into_iter().filter(|_| all_count) {
                defect(field, "is a condition that the Gateway API does not have; remove it".to_owned());
            }
        }
    }
    defects
}

/// The conditions of an entry that have no counterpart.
fn left_out(kind: Kind, of: &HttpMatch) -> Vec<&'static str> {
    let expressed: &[&str] =
        if kind == GRPC { &["uri", "headers"] } else { &["uri", "method", "headers", "queryParams"] };
    vexil_routing::conditions(of).into_iter().filter(|field| !expressed.contains(field)).collect()
}

/// `rule` and `condition` both: an entry of `matches` for requests that meet the two. `None` when no request does.
pub(crate) fn both(rule: &Value, condition: &Value) -> Option<Value> {
    let mut both = rule.as_object().cloned().unwrap_or_default();
    for (field, wanted) in condition.as_object()? {
        let made = match (both.get(field), field.as_str()) {
            (None | Some(Value::Null), _) => wanted.clone(),
            (Some(live), "headers" | "queryParams") => joined(live, wanted),
            (Some(live), "path") => narrower(live, wanted)?,
            (Some(live), _) if vexil_routing::covers(wanted, live) => wanted.clone(),
            (Some(live), _) if vexil_routing::covers(live, wanted) => live.clone(),
            _ => return None,
        };
        both.insert(field.clone(), made);
    }
    Some(both.into())
}

/// The conditions of both lists; of two on the same header only the first one would count.
fn joined(live: &Value, wanted: &Value) -> Value {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let name = |of: &Value| of.get("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let wanted = list(wanted);
    let mut all = list(live);
    all.retain(|live| !wanted.iter().any(|wanted| name(wanted) == name(live)));
    all.extend(wanted);
    all.into()
}

/// The path that is inside of the other one.
fn narrower(live: &Value, wanted: &Value) -> Option<Value> {
    let text =
        |path: &Value, field: &str| path.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let contains = |outer: &Value, inner: &Value| {
        let prefix = text(outer, "value");
        let (prefix, path) = (prefix.trim_end_matches('/'), text(inner, "value"));
        text(outer, "type") == "PathPrefix"
            && (prefix.is_empty()
                || text(inner, "type") != "RegularExpression"
                    && path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    if contains(live, wanted) || vexil_routing::covers(live, wanted) {
        Some(wanted.clone())
    } else {
        contains(wanted, live).then(|| live.clone())
    }
}
