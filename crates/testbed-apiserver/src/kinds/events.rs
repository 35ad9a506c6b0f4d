//! The two kinds of events are one: `events.k8s.io/v1` has other names for the fields of the core kind, which is
//! stored.

use serde_json::{Map, Value};

/// Field names of the core kind, and what `events.k8s.io` calls them.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// The event with the field names of the core kind.
pub(super) fn to_core(event: &Value) -> Value {
    renamed(event, |name| NAMES.iter().find(|(_, new)| *new == name).map(|(core, _)| *core))
}

/// The event with the field names of `events.k8s.io`.
pub(crate) fn from_core(event: &Value) -> Value {
    let mut event = renamed(event, |name| NAMES.iter().find(|(core, _)| *core == name).map(|(_, new)| *new));
    if let Some(members) = event.as_object_mut() {
        members.retain(|name, value| !name.starts_with("reporting") || value.as_str() != Some(""));
    }
    event
}

fn renamed(event: &Value, other: impl Fn(&str) -> Option<&'static str>) -> Value {
    let members = event.as_object().into_iter().flatten().map(|(name, value)| {
        let name = other(name).unwrap_or(name).to_owned();
        (name, if value.is_null() { Value::Null } else { value.clone() })
    });
    Value::Object(members.collect::<Map<_, _>>())
}
