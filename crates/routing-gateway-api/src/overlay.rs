//! Lists of a rule as wanted, laid over the live ones so that fields of others are kept.

use serde_json::{Map, Value};
use vexil_routing::put;

use crate::service::settle;

/// Fields of a match and of a mirror; one that is not wanted is not kept.
pub(crate) const OPTIONAL: [&str; 6] = ["path", "headers", "queryParams", "method", "percent", "fraction"];

/// `wanted` with the fields of others that `live` has.
pub(crate) fn overlaid(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let theirs = live.iter().filter(|(name, _)| !OPTIONAL.contains(&name.as_str()));
            let mut all: Map<String, Value> =
                theirs.map(|(name, value)| (name.clone(), value.clone())).collect();
            for (name, wanted) in wanted {
                all.insert(name.clone(), overlaid(live.get(name).unwrap_or(&Value::Null), wanted));
            }
            all.into()
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            live.iter().zip(wanted).map(|(live, wanted)| overlaid(live, wanted)).collect()
        }
        _ => wanted.clone(),
    }
}

/// Makes those filters of a rule that are ours say `wanted`.
pub(crate) fn filter(rule: &mut Value, is_ours: impl Fn(&Value) -> bool, wanted: Vec<Value>) {
    let live = rule.get("filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let live: Vec<Value> = live.iter().filter(|filter| filter.is_object()).cloned().collect();
    let ours: Vec<&Value> = live.iter().filter(|filter| is_ours(filter)).collect();
    let same = |live: &Value, wanted: &Value| live.get("type") == wanted.get("type");
    let all: Vec<Value> = if ours.len() == wanted.len() && ours.iter().zip(&wanted).all(|(l, w)| same(l, w)) {
        let mut wanted = wanted.iter();
        let mut replaced = |live: &Value| wanted.next().map_or(Value::Null, |wanted| overlaid(live, wanted));
        live.iter().map(|live| if is_ours(live) { replaced(live) } else { live.clone() }).collect()
    } else {
        live.iter().filter(|live| !is_ours(live)).cloned().chain(wanted).collect()
    };
    match all.is_empty() {
        true => settle(rule, "filters", None),
        false => put(rule, "filters", all.into()),
    }
}
