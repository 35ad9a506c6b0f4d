//! Reads and writes our routes of a RouteTable: the one with the weights, and the one to the canary before it.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{
    Entries, RouteContext, RouteError, RouteRequest, RouteTarget, Routes, Side, Weight, items, put,
};

use crate::{matchers, upstreams};

const LIST: &str = "spec.routes";

/// What a route is.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Ours, with the weights.
    Base,
    /// Ours, to the canary: it has our name.
    Special,
    /// It leads to our Upstreams as well, or to nothing, and was not written like this.
    Remainder,
    Others,
}

struct Found<'a> {
    path: String,
    live: &'a Value,
    entries: Entries<'a>,
    role: Role,
}

/// The name of the route to the canary.
fn special_name(target: &RouteTarget<'_>) -> String {
    format!("{}-canary", target.apex)
}

/// All routes. The base is the last one without our name that leads to our Upstreams, else one that leads to nothing.
fn found<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Vec<Found<'a>>, RouteError> {
    let special = special_name(route.target);
    let (mut found, mut best) = (Vec::new(), None);
    for (path, item) in items(&route.key, live, LIST)? {
        let entries = entries(route, live, &path)?;
        let does = ["delegateAction", "redirectAction", "directResponseAction", "graphqlApiRef"];
        let other_action = does.iter().any(|field| item.get(field).is_some());
        let action = item.get("routeAction").and_then(Value::as_object);
        let leads = action.is_some_and(|action| action.keys().any(|kind| kind != "multi"));
        let is_empty = !other_action && !leads && entries.others().is_empty();
        let role = match (entries.has_ours(), item.get("name").and_then(Value::as_str)) {
            (_, Some(name)) if name == special => Role::Special,
            (true, _) => Role::Remainder,
            (false, _) if is_empty => Role::Remainder,
            (false, _) => Role::Others,
        };
        if role == Role::Remainder && best.is_none_or(|(had_ours, _)| had_ours <= entries.has_ours()) {
            best = Some((entries.has_ours(), found.len()));
        }
        found.push(Found { path, live: item, entries, role });
    }
    if let Some(one) = best.and_then(|(_, at)| found.get_mut(at)) {
        one.role = Role::Base;
    }
    Ok(found)
}

fn entries<'a>(route: &'a RouteContext<'_>, live: &'a Value, path: &str) -> Result<Entries<'a>, RouteError> {
    let place = format!("{path}.routeAction.multi.destinations");
    let entries = Entries::at(&route.key, live, place, |entry| side(route.target, entry))?;
    Ok(entries.without_nameless(|entry| {
        let destination = entry.get("destination").and_then(Value::as_object);
        destination.is_none_or(|fields| match fields.get("upstream") {
            None => fields.is_empty(),
            Some(upstream) => upstream.get("name").is_none_or(|name| !name.is_string()),
        })
    }))
}

fn side(target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
    let upstream = entry.pointer("/destination/upstream")?;
    let named = upstream.get("name").and_then(Value::as_str)?;
    let is_here = match upstream.get("namespace") {
        None | Some(Value::Null) => true,
        Some(namespace) => namespace.as_str() == Some(target.namespace),
    };
    upstreams::side(target, named).filter(|_| is_here)
}

/// The routes that the object says.
pub(crate) fn read(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let edited = |path: &str, problem: &str| Err(RouteError::edited(&route.key, path, problem));
    let (mut base, mut special) = (None, None);
    let found = found(route, live)?;
    for one in &found {
        match one.role {
            Role::Base if one.live.get("matchers").is_some_and(|list| !is_blank(list)) => {
                return edited(&format!("{}.matchers", one.path), "narrows the route with the weights");
            }
            Role::Base => base = Some(one.entries.routes(Value::as_i64)?),
            Role::Special if special.is_some() || base.is_some() => {
                return edited(&one.path, "is behind a route that it must precede, or there twice");
            }
            Role::Special => special = Some(one),
            Role::Remainder => {
                return edited(&one.path, "leads to our Upstreams, and was not written like this");
            }
            Role::Others => {}
        }
    }
    let Some(base) = base else { return edited(LIST, "has no route to the primary and the canary") };
    let Some(special) = special else { return Ok(base) };
    let matches = route.target.spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    let wanted = matchers::of(matches);
    if is_blank(&wanted) || !special.live.get("matchers").is_some_and(|live| matchers::say(live, &wanted)) {
        return edited(&format!("{}.matchers", special.path), "are not the conditions of analysis.match");
    }
    if special.entries.routes(Value::as_i64)?.canary() != Weight::FULL {
        return edited(special.entries.path(), "does not lead to the canary alone");
    }
    match base {
        Routes::PRIMARY => Ok(Routes::Matched),
        _ => edited(LIST, "leads to the canary both by weight and under conditions"),
    }
}

fn is_blank(list: &Value) -> bool {
    list.as_array().is_some_and(Vec::is_empty) || list.is_null()
}

/// The object with our routes as they are wanted.
pub(crate) fn written(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let found = found(route, live)?;
    let none = entries(route, live, &format!("{LIST}[{}]", found.len()))?;
    let names = (upstreams::name(route.target, Side::Primary)?, upstreams::name(route.target, Side::Canary)?);
    let writer = Writer { namespace: route.target.namespace, names };
    let share = match want {
        RouteRequest::Matched { .. } => Weight::ZERO,
        _ => want.weight(Side::Canary),
    };
    let find = |role| found.iter().find(|one| one.role == role);
    let mut base = writer.route(find(Role::Base), &none, [Side::Primary, Side::Canary], share);
    if let Some(fields) = base.as_object_mut() {
        fields.remove("matchers");
    }
    let special = match want {
        RouteRequest::Matched { matches } => {
            let live = find(Role::Special);
            let mut special = writer.route(live, &none, [Side::Canary, Side::Primary], Weight::FULL);
            for (field, value) in base.as_object().into_iter().flatten() {
                if !["name", "routeAction"].contains(&field.as_str()) {
                    meta::set(&mut special, &[field], value.clone());
                }
            }
            put(&mut special, "name", special_name(route.target).into());
            let wanted = matchers::of(matches);
            if !special.get("matchers").is_some_and(|live| matchers::say(live, &wanted)) {
                put(&mut special, "matchers", wanted);
            }
            Some(special)
        }
        _ => None,
    };
    let mut list = Vec::new();
    let (mut special, mut base) = (special, Some(base));
    let is_before = found.iter().find(|one| matches!(one.role, Role::Base | Role::Special));
    let is_before = is_before.is_some_and(|one| one.role == Role::Special);
    for one in &found {
        match one.role {
            Role::Others => list.push(one.live.clone()),
            Role::Remainder => {}
            Role::Special => list.extend(special.take().filter(|_| is_before)),
            Role::Base if is_before => list.extend(base.take()),
            Role::Base => list.extend(special.take().into_iter().chain(base.take())),
        }
    }
    list.extend(special.into_iter().chain(base));
    let mut object = live.clone();
    put(&mut object, LIST, list.into());
    Ok(object)
}

/// What our routes are made of.
struct Writer<'a> {
    namespace: &'a str,
    names: (String, String),
}

impl Writer<'_> {
    fn route(&self, one: Option<&Found<'_>>, none: &Entries<'_>, order: [Side; 2], canary: Weight) -> Value {
        let mut route = one.map_or_else(|| json!({}), |one| one.live.clone());
        put(&mut route, "inheritablePathMatchers", true.into());
        let entries = one.map_or(none, |one| &one.entries);
        let entry = |side, weight, live| self.entry(side, weight, live);
        let list = entries.written(order, &RouteRequest::Weighted { canary }, entry);
        put(&mut route, "routeAction.multi.destinations", list.into());
        route
    }

    fn entry(&self, side: Side, weight: Weight, mut entry: Value) -> Value {
        let name = match side {
            Side::Primary => &self.names.0,
            Side::Canary => &self.names.1,
        };
        put(&mut entry, "destination.upstream.name", name.as_str().into());
        put(&mut entry, "destination.upstream.namespace", self.namespace.into());
        put(&mut entry, "weight", weight.percent().into());
        entry
    }
}
