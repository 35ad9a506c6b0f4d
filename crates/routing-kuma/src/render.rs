//! A route as it shall be, made from the one that is there.

use serde_json::{Value, json};
use vexil_object::{ObjectKey, meta};
use vexil_routing::{RouteError, RouteTarget, Routes, Side, declare, items, mark, pointer, put, unmark};

use crate::{
    api::{Api, SERVICE, mesh, tag},
    claim,
    reference::{Form, refers},
    view,
};

const SIDES: [Side; 2] = [Side::Primary, Side::Canary];

/// A new one.
pub(crate) fn created(
    (api, form): (Api, Form),
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
) -> Result<Value, RouteError> {
    let mut bare = json!({
        "apiVersion": key.kind().api_version(),
        "kind": key.kind().kind,
        "metadata": {"name": key.name()},
    });
    if key.kind().namespaced {
        put(&mut bare, "metadata.namespace", key.namespace().into());
    }
    owned((api, form), key, target, want, &bare)
}

/// One that was made for this Canary. Its metadata, mesh and selectors are ours too.
pub(crate) fn owned(
    (api, form): (Api, Form),
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
) -> Result<Value, RouteError> {
    let service = &target.spec.service;
    // What blocks the way to our fields is refused before anything on it is replaced.
    view::lists(api, key, target, live)?;
    let mut object = live.clone();
    declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
    claim::stamp(&mut object, target);
    let (_, mesh_steps) = api.mesh_path();
    meta::set(&mut object, mesh_steps, mesh(target).into());
    select(api, target, &mut object)?;
    if api == Api::MeshHttpRoute {
        mend(form, key, target, &mut object)?;
        if view::lists(api, key, target, &object)?.is_empty() {
            refill(form, key, target, &mut object)?;
        }
    }
    adopted((api, form), key, target, want, &object)
}

/// What is left of our items by an API server that dropped what they name makes place for the one item that names the
/// apex, in the form that the definition has room for.
fn mend(form: Form, key: &ObjectKey, target: &RouteTarget<'_>, object: &mut Value) -> Result<(), RouteError> {
    let ours = |item: &Value| refers(item.get("targetRef"), target.apex, target);
    let made = form.destination(target, target.port()?);
    let live = object.clone();
    let items = items(key, &live, view::TO)?;
    let mut named = items.iter().any(|(_, item)| ours(item));
    let mut mended = Vec::new();
    for (_, item) in items {
        let mut item = item.clone();
        let left_over = view::is_left_over(&item, target);
        if left_over && named {
            continue;
        }
        let other_form = ours(&item) && !item.get("targetRef").is_some_and(|reference| form.is_of(reference));
        if left_over || other_form {
            named = true;
            put(&mut item, "targetRef", made.get("targetRef").cloned().unwrap_or_default());
        }
        mended.push(item);
    }
    if live.pointer(&pointer(view::TO)).and_then(Value::as_array) != Some(&mended) && !mended.is_empty() {
        put(object, view::TO, mended.into());
    }
    Ok(())
}

/// A rule for everything that somebody has emptied would stand before the one that is added in its place, and win. So
/// would one that an API server has emptied, once for every write.
fn refill(
    form: Form,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    object: &mut Value,
) -> Result<(), RouteError> {
    let Some(path) = view::emptied(key, target, object)? else { return Ok(()) };
    let entry = Api::MeshHttpRoute.entry(form, Value::Null, &target.primary(), target, target.port()?);
    put(object, &format!("{path}.matches"), view::everything());
    put(object, &format!("{path}.default.backendRefs"), json!([entry]));
    Ok(())
}

/// A user's own: our entries and the markers, nothing else.
pub(crate) fn adopted(
    (api, form): (Api, Form),
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
) -> Result<Value, RouteError> {
    let port = target.port()?;
    let entry = |side: Side, live: Value| {
        let (service, weight) = match side {
            Side::Primary => (target.primary(), want.primary()),
            Side::Canary => (target.canary(), want.canary()),
        };
        let mut entry = api.entry(form, live, &service, target, port);
        put(&mut entry, "weight", weight.percent().into());
        entry
    };
    let lists = view::lists(api, key, target, live)?;
    let mut object = live.clone();
    for entries in &lists {
        put(&mut object, entries.path(), entries.with(SIDES, entry).into());
    }
    if lists.is_empty() {
        let refs = SIDES.map(|side| entry(side, Value::Null));
        let rule = json!({"matches": view::everything(), "default": {"backendRefs": refs}});
        add_rule(form, key, target, live, &mut object, rule)?;
    }
    mark(&mut object);
    Ok(object)
}

/// One that is given back: without our entries, the rules that had nothing else, and the markers.
pub(crate) fn released(
    api: Api,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let mut object = live.clone();
    unmark(&mut object, |_| false);
    for entries in view::lists(api, key, target, live)?.iter().rev().filter(|entries| entries.has_ours()) {
        let others = entries.others();
        match entries.path().strip_suffix(".default.backendRefs") {
            _ if !others.is_empty() => put(&mut object, entries.path(), others.into()),
            Some(rule) => remove_item(&mut object, rule),
            None => remove_split(&mut object),
        }
    }
    Ok(object)
}

/// Puts what selects our traffic as it was created.
fn select(api: Api, target: &RouteTarget<'_>, object: &mut Value) -> Result<(), RouteError> {
    for (path, _) in view::edited(api, target, object) {
        match path {
            view::SOURCES => put(object, path, json!([{"match": {SERVICE: "*"}}])),
            view::DESTINATIONS => put(object, path, json!([{"match": {}}])),
            view::PROXIES => put(object, path, json!({"kind": "Mesh"})),
            _ => put(object, path, Value::Null),
        }
    }
    if api == Api::TrafficRoute {
        let tag = tag(target.apex, target, target.port()?);
        if let Some(tags) = object.pointer_mut("/spec/destinations/0/match") {
            meta::set(tags, &[SERVICE], tag.into());
        }
    }
    Ok(())
}

/// Adds a rule to those for the traffic of the apex.
fn add_rule(
    form: Form,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    live: &Value,
    object: &mut Value,
    rule: Value,
) -> Result<(), RouteError> {
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

/// Removes a split that is empty, and a `conf` that held nothing else.
fn remove_split(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let Some(conf) = spec.get_mut("conf").and_then(Value::as_object_mut) else { return };
    conf.remove("split");
    if conf.is_empty() {
        spec.remove("conf");
    }
}
