//! Reads and writes our routes of an HTTPProxy: the one with the weights, and those to the canary.

use serde_json::{Value, json};
use vexil_object::{definition, meta};
use vexil_routing::{
    Entries, RouteContext, RouteError, RouteRequest, RouteTarget, Routes, Side, Weight, agreed, put,
};

use crate::{
    settings,
    view::{Found, LIST, Role, conditions, entries, found, name, side},
};

/// The header by which Linkerd sends a request to a Service, whatever name the client asked for.
const OVERRIDE: &str = "l5d-dst-override";
const SET: &str = "requestHeadersPolicy.set";

/// The routes that the object says.
pub(crate) fn read(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let edited = |path: &str, problem: &str| RouteError::edited(&route.key, path, problem);
    let found = found(route, live)?;
    let of = |role| found.iter().filter(move |one| one.role == role);
    let base = agreed(of(Role::Base).map(|one| &one.entries), Value::as_i64)?
        .ok_or_else(|| edited(LIST, "has no route to the primary and the canary"))?;
    let narrowed = of(Role::Base).find(|one| settings::is_narrow(one.live.get("conditions")));
    if let Some(one) = narrowed.filter(|_| route.target.owner.controls(live)) {
        return Err(edited(&format!("{}.conditions", one.path), "has other conditions than one on the path"));
    }
    if of(Role::Special).next().is_none() {
        return Ok(base);
    }
    let matches = route.target.spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let mut wanted: Vec<Value> = of(Role::Base)
        .flat_map(|one| settings::matched(&conditions(route, live, one.live), matches))
        .collect();
    for one in of(Role::Special) {
        let Some(at) = wanted.iter().position(|conditions| one.meets(conditions)) else {
            let problem = "leads to the canary under other conditions than those of analysis.match";
            return Err(edited(&one.path, problem));
        };
        wanted.remove(at);
        if one.entries.routes(Value::as_i64)?.canary() != Weight::FULL {
            return Err(edited(one.entries.path(), "does not lead to the canary alone"));
        }
    }
    match base {
        Routes::PRIMARY if wanted.is_empty() => Ok(Routes::Matched),
        Routes::PRIMARY => Err(edited(LIST, "lacks a route for an entry of analysis.match")),
        _ => Err(edited(LIST, "leads to the canary both by weight and under conditions")),
    }
}

/// The object with our routes as they are wanted.
pub(crate) fn written(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let found = found(route, live)?;
    let none = entries(route, live, &format!("{LIST}[{}]", found.len()))?;
    let writer = Writer { target: route.target, live, port: route.target.port()?, none };
    let (matches, share) = match want {
        RouteRequest::Matched { matches } => (*matches, Weight::ZERO),
        _ => (&[][..], want.weight(Side::Canary)),
    };
    let bases = found.iter().filter(|one| one.role == Role::Base);
    let mut bases: Vec<Value> = bases.map(|one| writer.base(Some(one), share)).collect();
    let is_new = bases.is_empty();
    if is_new {
        bases.push(writer.base(None, share));
    }
    let mut specials: Vec<(Value, Value)> = Vec::new();
    for base in &bases {
        let conditions = settings::matched(&conditions(route, live, base), matches);
        specials.extend(conditions.into_iter().map(|conditions| (base.clone(), conditions)));
    }
    is_served(route, &specials)?;
    let (mut list, mut front, mut bases) = (Vec::new(), None, bases.into_iter());
    for one in &found {
        match one.role {
            Role::Others => list.push(one.live.clone()),
            Role::Base => {
                front = front.or(Some(list.len()));
                list.extend(bases.next());
            }
            Role::Special => {
                if let Some(at) = specials.iter().position(|(_, conditions)| one.meets(conditions)) {
                    let (base, conditions) = specials.remove(at);
                    list.push(writer.special(&base, conditions, Some(one)));
                }
            }
        }
    }
    let front = front.unwrap_or(list.len());
    list.extend(bases.filter(|_| is_new));
    let specials = specials.into_iter().map(|(base, conditions)| writer.special(&base, conditions, None));
    list.splice(front..front, specials);
    let mut object = live.clone();
    put(&mut object, LIST, list.into());
    Ok(object)
}

/// Refuses a condition that the CRD in the cluster does not have: an API server would drop it, and the route to the
/// canary would take every request.
fn is_served(route: &RouteContext<'_>, specials: &[(Value, Value)]) -> Result<(), RouteError> {
    for condition in specials.iter().flat_map(|(_, conditions)| conditions.as_array().into_iter().flatten()) {
        for (kind, fields) in condition.as_object().into_iter().flatten() {
            let mut path = vec!["spec", "routes", "0", "conditions", "0", kind.as_str()];
            path.extend(
                fields.as_object().into_iter().flatten().map(|(f, _)| f.as_str()).find(|f| *f != "name"),
            );
            if definition::has_field(route.definition, route.kind().version, path.iter().copied())
                == Some(false)
            {
                let problem = format!("cannot have {condition}: its CRD is older; update that of Contour");
                return Err(RouteError::malformed(&route.key, LIST, problem));
            }
        }
    }
    Ok(())
}

/// What our routes are made of.
struct Writer<'a> {
    target: &'a RouteTarget<'a>,
    live: &'a Value,
    port: i64,
    /// A list without entries.
    none: Entries<'a>,
}

impl Writer<'_> {
    fn is_owned(&self) -> bool {
        self.target.owner.controls(self.live)
    }

    fn base(&self, one: Option<&Found<'_>>, canary: Weight) -> Value {
        let mut route = one.map_or_else(|| json!({}), |one| one.live.clone());
        if self.is_owned() {
            settings::declare(self.target, self.live, &mut route);
            let conditions = settings::base(self.target);
            if one.is_none_or(|one| !one.meets(&conditions)) {
                put(&mut route, "conditions", conditions);
            }
        }
        let entry = |side, weight, live| self.entry(side, weight, live, !self.is_owned());
        let entries = one.map_or(&self.none, |one| &one.entries);
        let list = entries.written([Side::Primary, Side::Canary], &RouteRequest::Weighted { canary }, entry);
        put(&mut route, "services", list.into());
        route
    }

    /// A route to the canary: all else is as in its base, and what others added to it is kept.
    fn special(&self, base: &Value, conditions: Value, one: Option<&Found<'_>>) -> Value {
        let mut route = one.map_or_else(|| json!({}), |one| one.live.clone());
        if self.is_owned() {
            settings::declare(self.target, self.live, &mut route);
        }
        for (field, value) in base.as_object().into_iter().flatten() {
            if !["conditions", "services"].contains(&field.as_str()) {
                meta::set(&mut route, &[field], value.clone());
            }
        }
        if one.is_none() {
            put(&mut route, "conditions", conditions);
        }
        let of_base = |wanted| {
            let mut list = base.get("services").and_then(Value::as_array).into_iter().flatten();
            list.find(|entry| side(self.target, entry) == Some(wanted)).cloned().unwrap_or_default()
        };
        let entry = |side, weight, live: Value| {
            self.entry(side, weight, if live.is_null() { of_base(side) } else { live }, false)
        };
        let entries = one.map_or(&self.none, |one| &one.entries);
        let all = RouteRequest::Weighted { canary: Weight::FULL };
        put(&mut route, "services", entries.written([Side::Canary, Side::Primary], &all, entry).into());
        route
    }

    /// One of our entries. In a base of the user the apex stays.
    fn entry(&self, side: Side, weight: Weight, mut entry: Value, keeps_apex: bool) -> Value {
        let service = self.target.service(side);
        if !(keeps_apex && side == Side::Primary && name(&entry) == Some(self.target.apex)) {
            put(&mut entry, "name", service.as_str().into());
        }
        if self.is_owned() || !entry.get("port").is_some_and(Value::is_i64) {
            put(&mut entry, "port", self.port.into());
        }
        put(&mut entry, "weight", weight.percent().into());
        let mut set =
            entry.pointer("/requestHeadersPolicy/set").and_then(Value::as_array).cloned().unwrap_or_default();
        // An item without a name is what an API server left of ours.
        set.retain(|item| !self.is_owned() || name(item).is_some());
        let port = entry.get("port").and_then(Value::as_i64).unwrap_or(self.port);
        let host = format!("{service}.{}.svc.cluster.local:{port}", self.target.namespace);
        match set.iter_mut().find(|item| name(item) == Some(OVERRIDE)) {
            Some(item) => put(item, "value", host.into()),
            None if self.is_owned() => set.push(json!({"name": OVERRIDE, "value": host})),
            None => return entry,
        }
        put(&mut entry, SET, set.into());
        entry
    }
}

/// Removes what is ours from an HTTPProxy of the user. One that cannot be read has nothing of ours.
pub(crate) fn release(route: &RouteContext<'_>, live: &Value, object: &mut Value) {
    let Ok(found) = found(route, live) else { return };
    let is_ours = |one: &Found<'_>| one.role == Role::Special || one.entries.find(Side::Canary).is_some();
    if !found.iter().any(|one| one.role != Role::Others && is_ours(one)) {
        return;
    }
    let kept = found.iter().filter(|one| one.role != Role::Special);
    let list = kept.map(|one| {
        if one.role == Role::Base { without_canary(route.target, one.live) } else { one.live.clone() }
    });
    put(object, LIST, list.collect::<Vec<_>>().into());
}

fn without_canary(target: &RouteTarget<'_>, base: &Value) -> Value {
    let mut base = base.clone();
    let Some(list) = base.get_mut("services").and_then(Value::as_array_mut) else { return base };
    list.retain(|entry| side(target, entry) != Some(Side::Canary));
    for entry in list.iter_mut().filter(|entry| side(target, entry).is_some()) {
        put(entry, "name", target.apex.into());
        if let Some(fields) = entry.as_object_mut() {
            fields.remove("weight");
        }
    }
    base
}
