//! The narrow view of both kinds: the lists that hold the weights, and the selectors around them.

use serde_json::{Value, json};
use vexil_object::ObjectKey;
use vexil_routing::{Entries, RouteError, RouteTarget, items};

use crate::{
    api::{Api, SERVICE, mesh, tagged},
    reference::{refers, refers_to_nothing},
};

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

/// What is wrong with an item of `spec.to` that names nothing.
const LEFT_OVER: &str = "has an item that names no Service: somebody removed its reference, or the CRD in the cluster \
                         has no such field";

/// The lists that hold our entries. In a MeshHTTPRoute each rule for the apex may send traffic to them; a rule that
/// sends its traffic elsewhere is its user's.
pub(crate) fn lists<'a>(
    api: Api,
    key: &'a ObjectKey,
    target: &RouteTarget<'_>,
    live: &'a Value,
) -> Result<Vec<Entries<'a>>, RouteError> {
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

/// Refuses a user's route in which our entries cannot be told, or would have no effect: with entries that name nothing,
/// or with a rule that takes everything and leads nowhere.
pub(crate) fn has_place(
    api: Api,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    live: &Value,
) -> Result<(), RouteError> {
    let lists = lists(api, key, target, live)?;
    lists.iter().try_for_each(Entries::all_named)?;
    if api == Api::TrafficRoute || !lists.is_empty() {
        return Ok(());
    }
    match emptied(key, target, live)? {
        Some(path) => Err(RouteError::malformed(key, path, "takes all traffic and has no backendRefs")),
        None => Ok(()),
    }
}

/// The rule for the apex that takes everything, or is left of one that does, and has no backends. One more beside it
/// would have no effect.
pub(crate) fn emptied(
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    live: &Value,
) -> Result<Option<String>, RouteError> {
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

/// The matches of the rule that we make.
pub(crate) fn everything() -> Value {
    json!([{"path": {"type": "PathPrefix", "value": "/"}}])
}

/// Whether `live` is `made` but for fields that are missing.
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

/// Whether an item of `spec.to` is what an API server left of ours, whose definition has no labels.
pub(crate) fn is_left_over(item: &Value, target: &RouteTarget<'_>) -> bool {
    item.get("targetRef").is_none_or(|reference| reference.is_null() || refers_to_nothing(reference, target))
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
        Api::MeshHttpRoute => some("/spec/to", &|item| refers(item.get("targetRef"), target.apex, target)),
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
