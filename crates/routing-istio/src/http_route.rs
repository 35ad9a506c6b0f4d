//! Reads and writes our routes of a VirtualService: weights, mirrors, and the routes with conditions before them.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{
    Entries, RouteContext, RouteError, RouteRequest, RouteTarget, Routes, Side, Weight, mark, omit, put,
};

use crate::{
    session::{Purpose, Special, cookie_header, specials},
    settings,
    view::{self, Found, Role},
};

const COOKIE: &str = "headers.response.add.Set-Cookie";

/// The routes that the object says.
pub(crate) fn read(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let edited = |path: &str, problem: &str| RouteError::edited(&route.key, path, problem);
    let list = view::list(route.target);
    let (mut read, mut before) = (None, Vec::new());
    let found = view::routes(route, live, list)?;
    for one in &found {
        match (one.role, before.first()) {
            (Role::Special(_), _) => before.push(one),
            (Role::Base, _) => {
                let routes = group_of(route, &std::mem::take(&mut before), one)?;
                if read.is_some_and(|first| first != routes) {
                    return Err(edited(&one.path, "does not say the same as a route before it"));
                }
                read = Some(routes);
            }
            (Role::Remainder, _) => {
                return Err(edited(&one.path, "sends to the canary too, and was not written like this"));
            }
            (Role::Others, None) => {}
            (Role::Others, Some(special)) => {
                return Err(edited(&special.path, "is not directly before the route that it belongs to"));
            }
        }
    }
    match before.first() {
        Some(special) => Err(edited(&special.path, "has no route behind it that it belongs to")),
        None => read.ok_or_else(|| edited(list, "has no route to the primary and the canary")),
    }
}

/// What one base and the routes before it say.
fn group_of(route: &RouteContext<'_>, before: &[&Found<'_>], base: &Found<'_>) -> Result<Routes, RouteError> {
    let edited = |path: String, problem: &str| RouteError::edited(&route.key, path, problem);
    let weights = base.entries.routes(Value::as_i64)?;
    let copies = mirrored(route, base)?;
    let mut said = match copies {
        Some(percent) => Routes::Mirrored { percent },
        None => weights,
    };
    for (at, one) in before.iter().enumerate() {
        let Role::Special(purpose) = one.role else { continue };
        let conditions = one.live.get("match").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let is_met_by_all = |condition: &Value| match purpose {
            Purpose::Match => condition.as_object().is_none_or(|fields| fields.is_empty()),
            _ => condition.pointer("/headers/cookie/regex").is_none(),
        };
        if conditions.is_empty() || conditions.iter().any(is_met_by_all) {
            return Err(edited(format!("{}.match", one.path), "has lost its conditions"));
        }
        let canary = one.entries.routes(Value::as_i64)?.canary();
        said = match (purpose, at, said) {
            (Purpose::Match, 0, Routes::PRIMARY) if canary == Weight::FULL => Routes::Matched,
            (Purpose::CanarySession, 0, Routes::Weighted { canary: share }) if canary == Weight::FULL => {
                Routes::Sticky { canary: share }
            }
            (Purpose::PrimarySession, 1, Routes::Sticky { .. }) if canary.is_zero() => said,
            (Purpose::PreviousSession, 1.., Routes::Sticky { canary: share })
                if canary == share && before.len() == at + 1 =>
            {
                said
            }
            _ => return Err(edited(one.path.clone(), "does not fit the route behind it")),
        };
    }
    if copies.is_some() && !weights.canary().is_zero() {
        return Err(edited(
            format!("{}.mirror", base.path),
            "copies requests of which the canary has a share",
        ));
    }
    Ok(said)
}

/// The share of the requests that is copied to the canary.
fn mirrored(route: &RouteContext<'_>, base: &Found<'_>) -> Result<Option<Weight>, RouteError> {
    if !mirrors_to_canary(route.target, base.live) {
        return Ok(None);
    }
    let Some(percentage) = base.live.get("mirrorPercentage").filter(|it| !it.is_null()) else {
        return Ok(Some(Weight::FULL));
    };
    let number = percentage.get("value").and_then(Value::as_f64).filter(|number| number.fract() == 0.0);
    let percent = number.and_then(|number| Weight::new(number as i64).ok());
    percent.map(Some).ok_or_else(|| {
        let path = format!("{}.mirrorPercentage.value", base.path);
        RouteError::edited(&route.key, path, "is not an integer from 0 to 100")
    })
}

/// Whether a route copies requests to the canary.
pub(crate) fn mirrors_to_canary(target: &RouteTarget<'_>, route: &Value) -> bool {
    let host = route.pointer("/mirror/host").and_then(Value::as_str);
    host.is_some_and(|host| view::side_of(target, host) == Some(Side::Canary))
}

/// Writes our routes to `object`, which says `want` then.
pub(crate) fn write(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
    object: &mut Value,
) -> Result<(), RouteError> {
    let target = route.target;
    let place = view::list(target);
    let found = view::routes(route, live, place)?;
    let writer = Writer { target, want, live, is_owned: view::is_owned(route, live) };
    // Behind the last item there are no destinations.
    let none = || view::entries(route, live, format!("{place}[{}].route", found.len()));
    let (mut list, mut before, mut is_there) = (Vec::new(), Vec::new(), false);
    for one in &found {
        match one.role {
            Role::Special(_) => before.push(one),
            Role::Remainder => {}
            Role::Others => list.push(one.live.clone()),
            Role::Base => {
                is_there = true;
                list.extend(writer.group(one.live, &one.entries, &std::mem::take(&mut before), &none()?));
            }
        }
    }
    if !is_there {
        list.extend(writer.group(&json!({}), &none()?, &[], &none()?));
    }
    put(object, place, list.into());
    mark(object);
    if writer.is_owned {
        settings::record(target, object);
        // After a change of `appProtocol` the other list has a route of ours.
        let other = if place == "spec.tcp" { "spec.http" } else { "spec.tcp" };
        leave(route, live, object, other)?;
    }
    Ok(())
}

/// Removes our routes from a list.
fn leave(route: &RouteContext<'_>, live: &Value, object: &mut Value, list: &str) -> Result<(), RouteError> {
    let found = view::routes(route, live, list)?;
    let others: Vec<Value> =
        found.iter().filter(|one| one.role == Role::Others).map(|one| one.live.clone()).collect();
    match others.is_empty() {
        _ if others.len() == found.len() => {}
        true => omit(object, list),
        false => put(object, list, others.into()),
    }
    Ok(())
}

/// What our routes are made of.
struct Writer<'a> {
    target: &'a RouteTarget<'a>,
    want: &'a RouteRequest<'a>,
    live: &'a Value,
    is_owned: bool,
}

impl Writer<'_> {
    /// A base with the routes that belong before it. `none` is a list without destinations.
    fn group(
        &self,
        base: &Value,
        entries: &Entries<'_>,
        before: &[&Found<'_>],
        none: &Entries<'_>,
    ) -> Vec<Value> {
        let mut base = base.clone();
        if self.is_owned {
            settings::declare(self.target, self.live, &mut base);
        }
        let share = match self.want {
            RouteRequest::Weighted { canary } | RouteRequest::Sticky { canary, .. } => *canary,
            RouteRequest::Matched { .. } | RouteRequest::Mirrored { .. } => Weight::ZERO,
        };
        let entry = |side, weight, live| self.destination(None, side, weight, live);
        let list =
            entries.written([Side::Primary, Side::Canary], &RouteRequest::Weighted { canary: share }, entry);
        put(&mut base, "route", list.into());
        self.mirror(&mut base);
        let special = |special: Special| {
            let found = before.iter().find(|one| one.role == Role::Special(special.purpose));
            self.special(special, &base, found.map(|one| one.live), found.map_or(none, |one| &one.entries))
        };
        let mut all: Vec<Value> = specials(self.want).into_iter().map(special).collect();
        all.push(base);
        all
    }

    /// A route with conditions: all else is as in its base, and what others added to it is kept.
    fn special(&self, special: Special, base: &Value, live: Option<&Value>, entries: &Entries<'_>) -> Value {
        let mut route = live.cloned().unwrap_or_else(|| json!({}));
        if self.is_owned {
            settings::declare(self.target, self.live, &mut route);
        }
        for (field, value) in base.as_object().into_iter().flatten() {
            if !["name", "route", "mirror", "mirrorPercentage"].contains(&field.as_str()) {
                meta::set(&mut route, &[field], value.clone());
            }
        }
        put(&mut route, "name", special.purpose.name(self.target).into());
        let conditions: Value = settings::merged(base.get("match"), &special.conditions).into();
        let was = live.and_then(|live| live.get("match")).filter(|live| settings::says(live, &conditions));
        put(&mut route, "match", was.cloned().unwrap_or(conditions));
        let of_base = |side| {
            let list = base.get("route").and_then(Value::as_array).into_iter().flatten();
            list.into_iter()
                .find(|entry| view::side(self.target, entry) == Some(side))
                .cloned()
                .unwrap_or_default()
        };
        let entry = |side, weight, live: Value| {
            let live = if live.is_null() { of_base(side) } else { live };
            self.destination(Some(special.purpose), side, weight, live)
        };
        let share = RouteRequest::Weighted { canary: special.canary };
        put(&mut route, "route", entries.written([Side::Canary, Side::Primary], &share, entry).into());
        route
    }

    /// One of our destinations. In a base of the user the apex stays, which leads to the primary's pods.
    fn destination(&self, purpose: Option<Purpose>, side: Side, weight: Weight, live: Value) -> Value {
        let target = self.target;
        let mut entry = if live.is_null() { json!({}) } else { live };
        let is_there = view::side(target, &entry) == Some(side);
        let keeps_apex = !self.is_owned && purpose.is_none();
        if !is_there || (view::is_apex(target, &entry) && !keeps_apex) {
            put(&mut entry, "destination.host", target.service(side).into());
        }
        if let Some(port) = settings::port(target) {
            put(&mut entry, "destination.port.number", port.into());
        }
        put(&mut entry, "weight", weight.percent().into());
        match cookie_header(self.want, purpose, side) {
            Some(cookie) => put(&mut entry, COOKIE, cookie.into()),
            None => without_cookie(&mut entry),
        }
        entry
    }

    fn mirror(&self, base: &mut Value) {
        let is_ours = mirrors_to_canary(self.target, base);
        let RouteRequest::Mirrored { percent } = self.want else {
            if let Some(fields) = base.as_object_mut().filter(|_| is_ours) {
                fields.remove("mirror");
                fields.remove("mirrorPercentage");
            }
            return;
        };
        if !is_ours {
            put(base, "mirror", json!({"host": self.target.canary()}));
        }
        if let Some(port) = settings::port(self.target) {
            put(base, "mirror.port.number", port.into());
        }
        put(base, "mirrorPercentage.value", percent.percent().into());
    }
}

/// Removes our cookie from a destination.
pub(crate) fn without_cookie(entry: &mut Value) {
    if entry.pointer("/headers/response/add/Set-Cookie").is_none() {
        return;
    }
    omit(entry, COOKIE);
    if let Some(fields) = entry.as_object_mut()
        && fields.get("headers").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
    {
        fields.remove("headers");
    }
}
