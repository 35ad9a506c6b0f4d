//! The narrow view of both kinds: the lists that hold the weights, and the selectors around them.

use serde_json::Value;
use vexil_object::ObjectKey;
use vexil_routing::{Entries, RouteError, RouteTarget, items};

use crate::api::{Api, SERVICE, labelled, mesh, tagged};

/// The list of a TrafficRoute that holds the weights.
pub(crate) const SPLIT: &str = "spec.conf.split";
/// What Kuma does not allow beside it: everything to one destination.
pub(crate) const DESTINATION: &str = "spec.conf.destination";
/// Which proxies' traffic a TrafficRoute is about, and to which Service.
pub(crate) const SOURCES: &str = "spec.sources";
pub(crate) const DESTINATIONS: &str = "spec.destinations";
/// Which proxies' traffic a MeshHTTPRoute is about.
pub(crate) const PROXIES: &str = "spec.targetRef";
/// The list of a MeshHTTPRoute that says what is done with which Service's traffic.
pub(crate) const TO: &str = "spec.to";

/// The lists that hold our entries. In a MeshHTTPRoute each rule for the apex may send traffic to them; a rule that
/// sends its traffic elsewhere is its user's.
pub(crate) fn lists<'a>(
    api: Api,
    key: &'a ObjectKey,
    target: &RouteTarget<'_>,
    live: &'a Value,
) -> Result<Vec<Entries<'a>>, RouteError> {
    let entries = |path: String| Entries::at(key, live, path, |entry| api.side(target, entry));
    if api == Api::TrafficRoute {
        return Ok(vec![entries(SPLIT.to_owned())?]);
    }
    let mut lists = Vec::new();
    for (path, item) in items(key, live, TO)? {
        if labelled(item.get("targetRef"), target.apex, target) {
            for (path, _) in items(key, live, &format!("{path}.rules"))? {
                lists.push(entries(format!("{path}.default.backendRefs"))?);
            }
        }
    }
    lists.retain(Entries::has_ours);
    Ok(lists)
}

/// Whether a route is about the traffic of our apex.
pub(crate) fn concerns(api: Api, target: &RouteTarget<'_>, live: &Value) -> bool {
    let some = |list: &str, is: &dyn Fn(&Value) -> bool| {
        live.pointer(list).and_then(Value::as_array).is_some_and(|list| list.iter().any(is))
    };
    match api {
        Api::TrafficRoute => {
            some("/spec/destinations", &|item| tagged(item.get("match"), target.apex, target))
        }
        Api::MeshHttpRoute => some("/spec/to", &|item| labelled(item.get("targetRef"), target.apex, target)),
    }
}

/// What keeps our entries in a user's route from having an effect; it is not ours to change.
pub(crate) fn unusable(
    api: Api,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    live: &Value,
) -> Result<(), RouteError> {
    let (path, steps) = api.mesh_path();
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
        let problem = "sends everything to one place, and Kuma allows no split beside it";
        return Err(RouteError::malformed(key, DESTINATION, problem));
    }
    Ok(())
}

/// Selectors of a route of ours that somebody has edited, with what is wrong.
pub(crate) fn edited(api: Api, target: &RouteTarget<'_>, live: &Value) -> Vec<(&'static str, &'static str)> {
    match api {
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
                (contradicted(live), DESTINATION, "stands beside a split, which Kuma does not allow"),
            ]
            .into_iter()
            .filter(|(wrong, ..)| *wrong)
            .map(|(_, path, problem)| (path, problem))
            .collect()
        }
        Api::MeshHttpRoute => {
            let kind = live.pointer("/spec/targetRef/kind").and_then(Value::as_str);
            let wrong = (kind != Some("Mesh")).then_some((PROXIES, "does not name all proxies"));
            wrong.into_iter().collect()
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
