//! The weights that the generated route says, or why they cannot be told for certain.

use serde_json::Value;
use vexil_object::ObjectKey;
use vexil_routing::{Entries, RouteError, RouteTarget, Routes, Side, agreed, items};

use crate::source::HTTP;

/// The split that all rules say alike. Rules are found by the Services that they name, not by their position.
pub(crate) fn routes(key: &ObjectKey, target: &RouteTarget<'_>, live: &Value) -> Result<Routes, RouteError> {
    let lists = lists(key, target, live).map_err(put_right)?;
    if let Some(entries) = lists.iter().find(|entries| !entries.others().is_empty()) {
        return Err(RouteError::edited(key, entries.path(), "names a Service that is not ours"));
    }
    let split = agreed(&lists, Value::as_i64)?;
    split.ok_or_else(|| RouteError::edited(key, HTTP, "has no rule that sends traffic to our Services"))
}

/// The backends of the rules that are ours.
pub(crate) fn lists<'a>(
    key: &'a ObjectKey,
    target: &RouteTarget<'_>,
    live: &'a Value,
) -> Result<Vec<Entries<'a>>, RouteError> {
    let (primary, canary) = (target.primary(), target.canary());
    let side = |backend: &Value| match backend.get("serviceName").and_then(Value::as_str) {
        Some(name) if name == primary => Some(Side::Primary),
        Some(name) if name == canary => Some(Side::Canary),
        _ => None,
    };
    let mut lists = Vec::new();
    for (path, _) in items(key, live, HTTP)? {
        lists.push(Entries::at(key, live, format!("{path}.backends"), side)?);
    }
    lists.retain(Entries::has_ours);
    Ok(lists)
}

/// The spec is written whole, so no shape of it stands in the way.
fn put_right(error: RouteError) -> RouteError {
    match error {
        RouteError::Malformed { object, path, problem } => RouteError::Edited { object, path, problem },
        error => error,
    }
}
