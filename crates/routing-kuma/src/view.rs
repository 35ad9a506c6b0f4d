//! The fields of both kinds that are ours: the lists with the weights, and the selectors of the traffic.

use serde_json::{Value, json};
use vexil_routing::{Entries, RouteContext, RouteError, RouteTarget, items};

use crate::{
    api::{Api, mesh},
    reference::{refers, refers_to_nothing},
    tag::{SERVICE, tagged},
};

/// The list of the weights in a TrafficRoute.
pub(crate) const SPLIT: &str = "spec.conf.split";
/// All traffic to one destination; Kuma does not allow it beside a split.
pub(crate) const DESTINATION: &str = "spec.conf.destination";
/// The proxies whose traffic a TrafficRoute routes, and the Service that they call.
pub(crate) const SOURCES: &str = "spec.sources";
pub(crate) const DESTINATIONS: &str = "spec.destinations";
/// The proxies whose traffic a MeshHTTPRoute routes.
pub(crate) const PROXIES: &str = "spec.targetRef";
/// The list of a MeshHTTPRoute with the rules for each Service.
pub(crate) const TO: &str = "spec.to";

/// The problem with an item of `spec.to` that names nothing.
const LEFT_OVER: &str = "has an item that names no Service: its reference was removed, or the CRD in the cluster \
                         has no such field";

/// The lists with our entries. In a MeshHTTPRoute each rule for the apex may have one; a rule that sends its traffic
/// elsewhere is the user's.
pub(crate) fn lists<'a>(
    route: &'a RouteContext<'_>,
    live: &'a Value,
) -> Result<Vec<Entries<'a>>, RouteError> {
    let (api, key, target) = (Api::of(route), &route.key, route.target);
    let entries = |path: String| {
        let entries = Entries::at(key, live, path, |entry| api.side(target, entry))?;
        Ok::<_, RouteError>(entries.without_nameless(|entry| api.names_nothing(target, entry)))
    };
    if api == Api::TrafficRoute {
        return Ok(vec![entries(SPLIT.to_owned())?]);
    }
    let mut lists = Vec::new();
    for (path, item) in items(key, live, TO)? {
        if refers(item.get("targetRef"), target.apex, target) {
            for (path, _) in items(key, live, &format!("{path}.rules"))? {
                lists.push(entries(format!("{path}.default.backendRefs"))?);
            }
        }
    }
    lists.retain(|entries| entries.has_ours() || entries.has_nameless());
    Ok(lists)
}

/// Refuses a route of the user in which our entries cannot be identified, or would have no effect: with entries that
/// name nothing, or with a rule that matches all traffic and has no backend.
pub(crate) fn has_place(route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
    let lists = lists(route, live)?;
    lists.iter().try_for_each(Entries::all_named)?;
    if Api::of(route) == Api::TrafficRoute || !lists.is_empty() {
        return Ok(());
    }
    match emptied(route, live)? {
        Some(path) => {
            Err(RouteError::malformed(&route.key, path, "matches all traffic and has no backendRefs"))
        }
        None => Ok(()),
    }
}

/// The rule for the apex that matches everything, or did before fields were dropped, and has no backends. Another rule
/// after it would have no effect.
pub(crate) fn emptied(route: &RouteContext<'_>, live: &Value) -> Result<Option<String>, RouteError> {
    let (key, target) = (&route.key, route.target);
    for (path, item) in items(key, live, TO)? {
        if !refers(item.get("targetRef"), target.apex, target) {
            continue;
        }
        for (path, rule) in items(key, live, &format!("{path}.rules"))? {
            let matches = rule.get("matches").unwrap_or(&Value::Null);
            if is_left_of(matches, &everything())
                && items(key, live, &format!("{path}.default.backendRefs"))?.is_empty()
            {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// The matches of the rule that we create.
pub(crate) fn everything() -> Value {
    json!([{"path": {"type": "PathPrefix", "value": "/"}}])
}

/// Whether `live` is `made` except for missing fields.
fn is_left_of(live: &Value, made: &Value) -> bool {
    match (live, made) {
        (Value::Null, _) => true,
        (Value::Object(live), Value::Object(made)) => {
            live.iter().all(|(name, live)| made.get(name).is_some_and(|made| is_left_of(live, made)))
        }
        (Value::Array(live), Value::Array(made)) => {
            live.len() <= made.len() && live.iter().zip(made).all(|(live, made)| is_left_of(live, made))
        }
        (live, made) => live == made,
    }
}

/// Whether an item of `spec.to` is one of ours from which an API server dropped the target.
pub(crate) fn is_left_over(item: &Value, target: &RouteTarget<'_>) -> bool {
    item.get("targetRef").is_none_or(|reference| reference.is_null() || refers_to_nothing(reference, target))
}

/// Whether a route is for the traffic of our apex.
pub(crate) fn concerns(route: &RouteContext<'_>, live: &Value) -> bool {
    let target = route.target;
    let some = |list: &str, is: &dyn Fn(&Value) -> bool| {
        live.pointer(list).and_then(Value::as_array).is_some_and(|list| list.iter().any(is))
    };
    match Api::of(route) {
        Api::TrafficRoute => {
            some("/spec/destinations", &|item| tagged(item.get("match"), target.apex, target))
        }
        Api::MeshHttpRoute => some("/spec/to", &|item| refers(item.get("targetRef"), target.apex, target)),
    }
}

/// Refuses a route of the user in which our entries have no effect because of a field that is not ours.
pub(crate) fn usable(route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
    let (key, target) = (&route.key, route.target);
    let (path, steps) = Api::of(route).mesh_path();
    let found = steps.iter().try_fold(live, |place, step| place.get(step)).unwrap_or(&Value::Null);
    let mesh = mesh(target);
    if !found.is_null() && found.as_str() != Some(mesh) || found.is_null() && mesh != "default" {
        return Err(RouteError::malformed(
            key,
            path,
            format!("is {found}, and the Canary's mesh is {mesh:?}"),
        ));
    }
    if contradicted(live) {
        let problem = "sends all traffic to one place, and Kuma allows no split beside it";
        return Err(RouteError::malformed(key, DESTINATION, problem));
    }
    Ok(())
}

/// Drift of the selectors of a route of ours: path and problem.
pub(crate) fn drift(route: &RouteContext<'_>, live: &Value) -> Vec<(&'static str, &'static str)> {
    let target = route.target;
    match Api::of(route) {
        Api::TrafficRoute => {
            let sources = |tags: &Value| tags.get(SERVICE).and_then(Value::as_str) == Some("*");
            let destinations = |tags: &Value| tagged(Some(tags), target.apex, target);
            [
                (!only(live, "/spec/sources", sources), SOURCES, "do not name all proxies, and only them"),
                (
                    !only(live, "/spec/destinations", destinations),
                    DESTINATIONS,
                    "do not name the apex, and only that",
                ),
                (contradicted(live), DESTINATION, "is set beside a split, which Kuma does not allow"),
            ]
            .into_iter()
            .filter(|(wrong, ..)| *wrong)
            .map(|(_, path, problem)| (path, problem))
            .collect()
        }
        Api::MeshHttpRoute => {
            let kind = live.pointer("/spec/targetRef/kind").and_then(Value::as_str);
            let proxies = (kind != Some("Mesh")).then_some((PROXIES, "does not name all proxies"));
            let items = live.pointer("/spec/to").and_then(Value::as_array).into_iter().flatten();
            let left_over = items.filter(|item| item.is_object()).any(|item| is_left_over(item, target));
            proxies.into_iter().chain(left_over.then_some((TO, LEFT_OVER))).collect()
        }
    }
}

fn only(live: &Value, list: &str, is: impl Fn(&Value) -> bool) -> bool {
    match live.pointer(list).and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => one.get("match").is_some_and(is),
        _ => false,
    }
}

fn contradicted(live: &Value) -> bool {
    live.pointer("/spec/conf/destination").is_some_and(|destination| !destination.is_null())
}
