//! The shares that the traffic of a Service says. Strict: a list that this router would not write is drift.

use serde_json::Value;
use vexil_object::{ObjectKey, knative, meta};
use vexil_routing::{RouteError, Routes, Weight, items};

/// Where the list is.
const TRAFFIC: &str = "spec.traffic";

/// The routes that the list says, with this Revision as the primary.
///
/// # Errors
/// [`RouteError::Malformed`] when there is no list of objects, [`RouteError::Edited`] when its shares are not those of
/// primary and canary.
pub(crate) fn read(key: &ObjectKey, service: &Value, primary: &str) -> Result<Routes, RouteError> {
    let entries = items(key, service, TRAFFIC)?;
    let list = knative::traffic(service);
    let (of_canary, of_primary) = knative::places(list, primary);
    let (mut canary, mut rest) = (Weight::ZERO, None);
    for (at, (path, entry)) in entries.iter().enumerate() {
        let share = share(key, path, entry)?;
        if Some(at) == of_canary {
            canary = share;
        } else if Some(at) == of_primary {
            rest = Some(share);
        } else if knative::is_tagged(entry) {
            if !share.is_zero() {
                let problem = format!("is {share}, which primary and canary do not get");
                return Err(RouteError::edited(key, format!("{path}.percent"), problem));
            }
        } else {
            return Err(RouteError::edited(key, path, "is neither the primary's nor the canary's"));
        }
    }
    if rest.is_none() && canary != Weight::FULL {
        let problem = format!("has no entry for the primary, {primary}");
        return Err(RouteError::edited(key, TRAFFIC, problem));
    }
    // Until someone corrects it, it is that of whatever is pushed.
    let unnamed = of_canary.and_then(|at| list.get(at)).is_some_and(|entry| !is_named(entry));
    if unnamed && rest.is_none() {
        let problem = format!("leads to the latest Revision, and not to the primary, {primary}");
        return Err(RouteError::edited(key, TRAFFIC, problem));
    }
    let primary = rest.unwrap_or(Weight::ZERO);
    if primary != canary.rest() {
        let problem = format!("has primary {primary} and canary {canary}, which is not 100 in all");
        return Err(RouteError::edited(key, TRAFFIC, problem));
    }
    Ok(Routes::split(canary))
}

fn is_named(entry: &Value) -> bool {
    !meta::text(entry, "/revisionName").is_empty()
}

/// What an entry gets. Without a number it gets nothing.
fn share(key: &ObjectKey, path: &str, entry: &Value) -> Result<Weight, RouteError> {
    match entry.get("percent") {
        None | Some(Value::Null) => Ok(Weight::ZERO),
        Some(value) => value.as_i64().and_then(|percent| Weight::new(percent).ok()).ok_or_else(|| {
            let problem = format!("is {value}, not an integer from 0 to 100");
            RouteError::edited(key, format!("{path}.percent"), problem)
        }),
    }
}
