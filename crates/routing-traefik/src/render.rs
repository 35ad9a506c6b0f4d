//! A TraefikService as it shall be, made from the one that is there.

use serde_json::{Value, json};
use vexil_object::{ObjectKey, meta};
use vexil_routing::{RouteError, RouteTarget, Routes, Weight, declare, mark, unmark};

use crate::view::{View, Whose};

/// A new one, which the Canary owns.
pub(crate) fn created(key: &ObjectKey, target: &RouteTarget<'_>, want: &Routes) -> Result<Value, RouteError> {
    let bare = json!({
        "apiVersion": key.kind().api_version(),
        "kind": key.kind().kind,
        "metadata": {
            "name": key.name(),
            "namespace": key.namespace(),
            "ownerReferences": [target.owner.reference()],
        },
    });
    owned(key, target, want, &bare)
}

/// One that the Canary owns. Its metadata is ours too: the labels and annotations of `service.apex`. The selector label
/// that the reference lets slip in (`routing.md` 2.5, M6) is not among them.
pub(crate) fn owned(
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
) -> Result<Value, RouteError> {
    let service = &target.spec.service;
    let mut object = live.clone();
    declare(&mut object, service.apex.as_ref(), service.unmanaged_metadata.as_ref());
    adopted(key, target, want, &object)
}

/// One that has no controller: our entries and the markers, nothing else.
pub(crate) fn adopted(
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
) -> Result<Value, RouteError> {
    let list = entries(&View::of(key, target, live)?, target, want)?;
    let mut object = live.clone();
    meta::set(&mut object, &["spec", "weighted", "services"], list.into());
    mark(&mut object);
    Ok(object)
}

/// One that is given back: without our entries and markers.
pub(crate) fn released(target: &RouteTarget<'_>, live: &Value) -> Value {
    let mut object = live.clone();
    unmark(&mut object, |_| false);
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return object };
    let Some(weighted) = spec.get_mut("weighted").and_then(Value::as_object_mut) else { return object };
    let Some(list) = weighted.get_mut("services").and_then(Value::as_array_mut) else { return object };
    let before = list.len();
    list.retain(|entry| matches!(Whose::is(entry, target), Whose::Others | Whose::Nothing));
    if list.is_empty() && before > 0 {
        weighted.remove("services");
        if weighted.is_empty() {
            spec.remove("weighted");
        }
    }
    object
}

/// The list with our entries in it and those of others where they were. Each of ours is there only while it has weight:
/// one listed Service without endpoints makes Traefik drop the whole TraefikService, even at weight 0; outside a
/// rollout the canary has none, and a primary that is down has none either (`routing.md` 21.10; seen on Traefik 3.6).
fn entries(view: &View<'_>, target: &RouteTarget<'_>, want: &Routes) -> Result<Vec<Value>, RouteError> {
    let find = |whose| view.entries.iter().find(|(of, _)| *of == whose).map(|(_, entry)| *entry);
    let port = Port::of(target)?;
    let fresh = json!({"namespace": target.namespace});
    // A new entry begins as the other one: scheme, sticky sessions and the like are the application's.
    let (primary, canary) = (find(Whose::Primary), find(Whose::Canary));
    let base = |own: Option<&Value>| own.or(primary).or(canary).unwrap_or(&fresh).clone();
    let ours = [
        (Whose::Primary, entry(&base(primary), &target.primary(), &port, want.primary()), want.primary()),
        (Whose::Canary, entry(&base(canary), &target.canary(), &port, want.canary()), want.canary()),
    ];
    let wanted = ours.into_iter().filter(|(_, _, weight)| !weight.is_zero());
    Ok(placed(view, wanted.map(|(whose, entry, _)| (whose, entry)).collect()))
}

/// The port of our Services, which an entry may name either way.
struct Port<'a> {
    number: i64,
    name: &'a str,
}

impl<'a> Port<'a> {
    fn of(target: &RouteTarget<'a>) -> Result<Self, RouteError> {
        let name = target.spec.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http");
        Ok(Port { number: target.port()?, name })
    }
}

fn entry(base: &Value, name: &str, port: &Port<'_>, weight: Weight) -> Value {
    let mut entry = base.clone();
    meta::set(&mut entry, &["name"], name.into());
    // Who wrote the name of the port said the same as we would, and may be a tool that writes it again.
    if base.get("port").and_then(Value::as_str) != Some(port.name) {
        meta::set(&mut entry, &["port"], port.number.into());
    }
    meta::set(&mut entry, &["weight"], weight.percent().into());
    entry
}

/// Each of `ours` where its first live entry is; one that has none stands at the front (primary) or behind the entry
/// before it (canary). Live entries of ours that are not wanted, or are repeated, go.
fn placed(view: &View<'_>, ours: Vec<(Whose, Value)>) -> Vec<Value> {
    let mut list: Vec<(Whose, Value)> = Vec::new();
    for (whose, live) in &view.entries {
        let wanted = ours.iter().find(|(of, _)| of == whose).map(|(_, entry)| entry);
        let repeated = list.iter().any(|(of, _)| of == whose);
        match whose {
            Whose::Others => list.push((*whose, (*live).clone())),
            Whose::Nothing => {}
            _ if repeated => {}
            _ => list.extend(wanted.map(|entry| (*whose, entry.clone()))),
        }
    }
    let mut at = 0;
    for (whose, entry) in ours {
        match list.iter().position(|(of, _)| *of == whose) {
            Some(found) => at = found + 1,
            None => {
                list.insert(at, (whose, entry));
                at += 1;
            }
        }
    }
    list.into_iter().map(|(_, entry)| entry).collect()
}
