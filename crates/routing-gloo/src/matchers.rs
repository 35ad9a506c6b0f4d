//! The conditions of `analysis.match` as matchers: Gloo takes a route of which one matcher is met.

use serde_json::{Value, json};
use vexil_api::{
    Defect, HttpMatch,
    canary::{CanarySpec, StringMatch},
};
use vexil_routing::{conditions, covers, escaped};

/// One matcher for each entry. The path is that of the VirtualService that delegates.
pub(crate) fn of(matches: &[HttpMatch]) -> Value {
    let one = |entry: &HttpMatch| {
        let named = |(name, wanted): (&String, &StringMatch)| named(name, wanted);
        let lists = [
            ("headers", entry.headers.iter().map(named).collect::<Vec<_>>()),
            ("queryParameters", entry.query_params.iter().map(named).collect()),
            (
                "methods",
                entry.method.iter().filter_map(|method| method.exact.clone()).map(Value::from).collect(),
            ),
        ];
        let set = lists.into_iter().filter(|(_, list)| !list.is_empty());
        Value::Object(set.map(|(field, list)| (field.to_owned(), list.into())).collect())
    };
    matches.iter().map(one).collect()
}

/// Fields of a matcher, and of a header or parameter in it, that narrow it.
const NARROWING: [&str; 9] = [
    "prefix",
    "exact",
    "regex",
    "connectMatcher",
    "headers",
    "queryParameters",
    "methods",
    "value",
    "invertMatch",
];

/// Whether live matchers have these conditions and no others. Fields that do not narrow them are others'.
pub(crate) fn say(live: &Value, wanted: &Value) -> bool {
    covers(live, wanted) && !is_narrower(live, wanted)
}

fn is_narrower(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            live.iter().any(|(field, live)| match wanted.get(field) {
                Some(wanted) => is_narrower(live, wanted),
                None => {
                    NARROWING.contains(&field.as_str()) && !matches!(live, Value::Null | Value::Bool(false))
                }
            })
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.iter().zip(wanted).any(|(live, wanted)| is_narrower(live, wanted))
        }
        _ => false,
    }
}

/// A header or parameter without a value must be there.
fn named(name: &str, wanted: &StringMatch) -> Value {
    let pattern = |pattern: String| json!({"name": name, "value": pattern, "regex": true});
    match wanted {
        StringMatch { exact: Some(exact), .. } => json!({"name": name, "value": exact}),
        StringMatch { prefix: Some(prefix), .. } => pattern(format!("{}.*", escaped(prefix))),
        StringMatch { suffix: Some(suffix), .. } => pattern(format!(".*{}", escaped(suffix))),
        StringMatch { regex: Some(regex), .. } => pattern(regex.clone()),
        _ => json!({"name": name}),
    }
}

/// The conditions of a Canary that Gloo cannot express.
pub(crate) fn defects(spec: &CanarySpec) -> Vec<Defect> {
    let matches = spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let mut found = Vec::new();
    for (at, one) in matches.iter().enumerate() {
        let mut add = |below: &str, message: &str| {
            let path = format!("spec.{}.match[{at}]{below}", spec.analysis_field());
            found.push(Defect { path, message: message.to_owned() });
        };
        let all = conditions(one);
        if all.is_empty() {
            add("", "has no condition, so that every request would reach the canary");
        }
        for field in all.into_iter().filter(|field| !["method", "headers", "queryParams"].contains(field)) {
            add(&format!(".{field}"), "is a condition that a RouteTable does not have; remove it");
        }
        if one.method.as_ref().is_some_and(|method| method.exact.is_none()) {
            add(".method", "needs an exact method");
        }
    }
    found
}
