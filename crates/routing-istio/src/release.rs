//! A VirtualService of the user as it is given back: without the canary, the routes with conditions and our marks.

use serde_json::Value;
use vexil_object::meta;
use vexil_routing::{RouteContext, RouteTarget, Side, put, unmark};

use crate::{
    http_route::{mirrors_to_canary, without_cookie},
    view::{self, Found, Role},
};

/// Where Flagger keeps the spec of a VirtualService of the user, which it replaces.
const ORIGINAL: &str = "flagger.kubernetes.io/original-configuration";

/// A VirtualService of the user without anything of ours: as Flagger kept it, if Flagger replaced it.
pub(crate) fn released(route: &RouteContext<'_>, live: &Value) -> Value {
    let (target, place) = (route.target, view::list(route.target));
    let mut object = live.clone();
    unmark(&mut object, |_| false);
    let original = meta::annotation(live, ORIGINAL).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(spec) = original.filter(Value::is_object) {
        put(&mut object, "spec", spec);
        if let Some(Value::Object(all)) = object.pointer_mut("/metadata/annotations") {
            all.remove(ORIGINAL);
        }
        return object;
    }
    // A list that cannot be read contains nothing of ours.
    let Ok(found) = view::routes(route, live, place) else { return object };
    let is_ours = |one: &&Found<'_>| one.role != Role::Others && one.entries.find(Side::Canary).is_some();
    if found.iter().any(|one| is_ours(&one)) {
        let keep = found.iter().filter(|one| matches!(one.role, Role::Base | Role::Others));
        let list: Vec<Value> = keep
            .map(|one| if is_ours(&one) { without_canary(target, one.live) } else { one.live.clone() })
            .collect();
        put(&mut object, place, list.into());
    }
    object
}

fn without_canary(target: &RouteTarget<'_>, base: &Value) -> Value {
    let is_mirrored = mirrors_to_canary(target, base);
    let mut base = base.clone();
    if let Some(fields) = base.as_object_mut().filter(|_| is_mirrored) {
        fields.remove("mirror");
        fields.remove("mirrorPercentage");
    }
    let Some(list) = base.get_mut("route").and_then(Value::as_array_mut) else { return base };
    list.retain(|entry| view::side(target, entry) != Some(Side::Canary));
    let is_alone = list.len() == 1;
    for entry in list.iter_mut().filter(|entry| view::side(target, entry).is_some()) {
        without_cookie(entry);
        if !view::is_apex(target, entry) {
            put(entry, "destination.host", target.apex.into());
        }
        if let Some(fields) = entry.as_object_mut().filter(|_| is_alone) {
            fields.remove("weight");
        }
    }
    base
}
