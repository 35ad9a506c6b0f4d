//! The route as wanted, made from the live one.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{
    RouteContext, RouteError, RouteRequest, Side, Weight, declare, items, mark, omit, pointer, put, unmark,
};

use crate::{
    api::{Api, mesh},
    claim,
    reference::{Form, refers},
    tag::{SERVICE, tag},
    view,
};

const SIDES: [Side; 2] = [Side::Primary, Side::Canary];

/// A route that was created for this Canary. Its metadata, mesh and selectors are ours too.
pub(crate) fn owned(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let (api, target) = (Api::of(route), route.target);
    let service = &target.spec.service;
    // Fails when something that is not ours is in the way, before any of it is replaced.
    view::lists(route, live)?;
    let mut object = live.clone();
    declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
    claim::stamp(&mut object, target);
    let (_, mesh_steps) = api.mesh_path();
    meta::set(&mut object, mesh_steps, mesh(target).into());
    select(route, &mut object)?;
    if api == Api::MeshHttpRoute {
        restore_items(route, &mut object)?;
        if view::lists(route, &object)?.is_empty() {
            refill(route, &mut object)?;
        }
    }
    adopted(route, want, &object)
}

/// Replaces items of ours from which an API server dropped the target by the one item that names the apex, in the
/// form that fits the CRD. If no item leads to the port, which was edited then, the first one does.
fn restore_items(route: &RouteContext<'_>, object: &mut Value) -> Result<(), RouteError> {
    let (form, key, target) = (Form::of(route.definition), &route.key, route.target);
    let ours = |item: &Value| refers(item.get("targetRef"), target.apex, target);
    let port = target.port()?;
    let made = form.destination(target, port);
    let live = object.clone();
    let items = items(key, &live, view::TO)?;
    let mut named = items.iter().any(|(_, item)| ours(item));
    let has_port = |item: &Value| {
        ours(item) && item.get("targetRef").is_some_and(|of| form.has_port(of, target.apex, target, port))
    };
    let mut lost_port = !items.iter().any(|(_, item)| has_port(item));
    let mut restored = Vec::new();
    for (_, item) in items {
        let mut item = item.clone();
        let left_over = view::is_left_over(&item, target);
        if left_over && named {
            continue;
        }
        let other_form = ours(&item) && !item.get("targetRef").is_some_and(|reference| form.is_of(reference));
        let follows = lost_port && ours(&item);
        if left_over || other_form || follows {
            (named, lost_port) = (true, false);
            put(&mut item, "targetRef", made.get("targetRef").cloned().unwrap_or_default());
        }
        restored.push(item);
    }
    if live.pointer(&pointer(view::TO)).and_then(Value::as_array) != Some(&restored) && !restored.is_empty() {
        put(object, view::TO, restored.into());
    }
    Ok(())
}

/// Fills a rule that matches everything and has lost its backends. It would precede a rule that is added, and win;
/// and an API server that drops the backends would get one more rule with each write.
fn refill(route: &RouteContext<'_>, object: &mut Value) -> Result<(), RouteError> {
    let Some(path) = view::emptied(route, object)? else { return Ok(()) };
    let (form, target) = (Form::of(route.definition), route.target);
    let entry = Api::MeshHttpRoute.entry(form, Value::Null, &target.primary(), target, target.port()?);
    put(object, &format!("{path}.matches"), view::everything());
    put(object, &format!("{path}.default.backendRefs"), json!([entry]));
    Ok(())
}

/// A route of the user: only our entries and the markers are written.
pub(crate) fn adopted(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let (api, form, target) = (Api::of(route), Form::of(route.definition), route.target);
    let port = target.port()?;
    let entry = |side: Side, weight: Weight, base: Value| {
        let mut entry = api.entry(form, base, &target.service(side), target, port);
        put(&mut entry, "weight", weight.percent().into());
        entry
    };
    let lists = view::lists(route, live)?;
    let mut object = live.clone();
    for entries in &lists {
        put(&mut object, entries.path(), entries.written(SIDES, want, entry).into());
    }
    if lists.is_empty() {
        let refs = SIDES.map(|side| entry(side, want.weight(side), Value::Null));
        let rule = json!({"matches": view::everything(), "default": {"backendRefs": refs}});
        add_rule(route, live, &mut object, rule)?;
    }
    mark(&mut object);
    Ok(object)
}

/// A route of the user without our entries, without the rules that had nothing else, and without the markers.
pub(crate) fn released(route: &RouteContext<'_>, live: &Value) -> Value {
    // A list that cannot be read contains nothing of ours.
    let Ok(lists) = view::lists(route, live) else { return live.clone() };
    let mut object = live.clone();
    unmark(&mut object, |_| false);
    for entries in lists.iter().rev().filter(|entries| entries.has_ours()) {
        let others = entries.others();
        match entries.path().strip_suffix(".default.backendRefs") {
            _ if !others.is_empty() => put(&mut object, entries.path(), others.into()),
            Some(rule) => remove_item(&mut object, rule),
            None => omit(&mut object, entries.path()),
        }
    }
    object
}

/// Restores the selectors of our traffic.
fn select(route: &RouteContext<'_>, object: &mut Value) -> Result<(), RouteError> {
    for (path, _) in view::drift(route, object) {
        match path {
            view::SOURCES => put(object, path, json!([{"match": {SERVICE: "*"}}])),
            view::DESTINATIONS => put(object, path, json!([{"match": {}}])),
            view::PROXIES => put(object, path, json!({"kind": "Mesh"})),
            _ => put(object, path, Value::Null),
        }
    }
    if Api::of(route) == Api::TrafficRoute {
        let target = route.target;
        let tag = tag(target.apex, target, target.port()?);
        if let Some(tags) = object.pointer_mut("/spec/destinations/0/match") {
            meta::set(tags, &[SERVICE], tag.into());
        }
    }
    Ok(())
}

/// Adds a rule to those for the traffic of the apex.
fn add_rule(
    route: &RouteContext<'_>,
    live: &Value,
    object: &mut Value,
    rule: Value,
) -> Result<(), RouteError> {
    let (form, key, target) = (Form::of(route.definition), &route.key, route.target);
    let to = items(key, live, view::TO)?;
    let ours = to.iter().find(|(_, item)| refers(item.get("targetRef"), target.apex, target));
    match ours {
        Some((path, _)) => {
            let path = format!("{path}.rules");
            let rules = items(key, live, &path)?.into_iter().map(|(_, rule)| rule.clone());
            put(object, &path, rules.chain([rule]).collect());
        }
        None => {
            let mut item = form.destination(target, target.port()?);
            put(&mut item, "rules", json!([rule]));
            put(object, view::TO, to.iter().map(|(_, item)| (*item).clone()).chain([item]).collect());
        }
    }
    Ok(())
}

/// Removes an item of a list: `spec.to[0].rules[1]`.
fn remove_item(object: &mut Value, path: &str) {
    let Some((list, at)) = path.strip_suffix(']').and_then(|path| path.rsplit_once('[')) else { return };
    let Ok(at) = at.parse::<usize>() else { return };
    if let Some(list) =
        object.pointer_mut(&pointer(list)).and_then(Value::as_array_mut).filter(|list| at < list.len())
    {
        list.remove(at);
    }
}
