//! The routes that the generated object says.

use serde_json::Value;
use vexil_routing::{Entries, RouteContext, RouteError, Routes, agreed, items};

use crate::source::HTTP;

/// The weights that all rules agree on. Rules are found by the Services that they name, not by their position.
pub(crate) fn routes(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    // The spec is replaced as a whole.
    let lists = lists(route, live).map_err(RouteError::corrected)?;
    if let Some(entries) = lists.iter().find(|entries| !entries.others().is_empty()) {
        return Err(RouteError::edited(&route.key, entries.path(), "names a Service that is not ours"));
    }
    let split = agreed(&lists, Value::as_i64)?;
    split
        .ok_or_else(|| RouteError::edited(&route.key, HTTP, "has no rule that sends traffic to our Services"))
}

/// The backends of the rules that are ours.
pub(crate) fn lists<'a>(
    route: &'a RouteContext<'_>,
    live: &'a Value,
) -> Result<Vec<Entries<'a>>, RouteError> {
    let side = |backend: &Value| route.target.side(backend.get("serviceName")?.as_str()?);
    let mut lists = Vec::new();
    for (path, _) in items(&route.key, live, HTTP)? {
        lists.push(Entries::at(&route.key, live, format!("{path}.backends"), side)?);
    }
    lists.retain(Entries::has_ours);
    Ok(lists)
}
