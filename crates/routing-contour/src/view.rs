//! Which routes of an HTTPProxy are ours, and which Services in them.

use serde_json::Value;
use vexil_routing::{Entries, RouteContext, RouteError, RouteTarget, Side, covers, items};

use crate::settings;

pub(crate) const LIST: &str = "spec.routes";

/// One route of the list.
pub(crate) struct Found<'a> {
    pub(crate) path: String,
    pub(crate) live: &'a Value,
    pub(crate) entries: Entries<'a>,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// Ours: it has the weights. In an HTTPProxy of the user, each route to the apex.
    Base,
    /// Ours: it sends to the canary under the conditions of A/B testing, or is a remainder of such a route.
    Special,
    Others,
}

impl Found<'_> {
    pub(crate) fn meets(&self, conditions: &Value) -> bool {
        self.live.get("conditions").is_some_and(|live| covers(live, conditions))
    }
}

/// All routes. Of ours in an HTTPProxy that the Canary owns, the last one that is most like a base is the base.
pub(crate) fn found<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Vec<Found<'a>>, RouteError> {
    let (target, is_owned) = (route.target, route.target.owner.controls(live));
    let (mut found, mut best) = (Vec::new(), None);
    let base = settings::base(target);
    for (path, item) in items(&route.key, live, LIST)? {
        let entries = entries(route, live, &path)?;
        let services = item.get("services").and_then(Value::as_array).into_iter().flatten();
        let first = services.clone().find_map(|entry| side(target, entry));
        let has_apex = services.clone().any(|entry| name(entry) == Some(target.apex));
        let does =
            ["requestRedirectPolicy", "directResponsePolicy"].iter().any(|field| item.get(field).is_some());
        let is_empty = !does && services.clone().all(|entry| name(entry).is_none());
        let role = match first {
            Some(_) if is_owned => Role::Special,
            Some(Side::Canary) if !has_apex && entries.find(Side::Primary).is_some() => Role::Special,
            Some(_) if entries.find(Side::Primary).is_some() => Role::Base,
            None if is_owned && is_empty => Role::Special,
            _ => Role::Others,
        };
        found.push(Found { path, live: item, entries, role });
        if let Some(one) = found.last().filter(|one| is_owned && one.role == Role::Special) {
            let rank = (one.meets(&base), first == Some(Side::Primary), first.is_some());
            if best.is_none_or(|(before, _)| before <= rank) {
                best = Some((rank, found.len() - 1));
            }
        }
    }
    if let Some(one) = best.and_then(|(_, at)| found.get_mut(at)) {
        one.role = Role::Base;
    }
    Ok(found)
}

pub(crate) fn entries<'a>(
    route: &'a RouteContext<'_>,
    live: &'a Value,
    path: &str,
) -> Result<Entries<'a>, RouteError> {
    let entries =
        Entries::at(&route.key, live, format!("{path}.services"), |entry| side(route.target, entry))?;
    Ok(entries.without_nameless(|entry| name(entry).is_none()))
}

pub(crate) fn name(entry: &Value) -> Option<&str> {
    entry.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

fn is_mirror(entry: &Value) -> bool {
    entry.get("mirror") == Some(&Value::Bool(true))
}

/// The side that an entry leads to. The apex leads to the primary's pods; a mirror gets copies, which are no share.
pub(crate) fn side(target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
    let name = name(entry).filter(|_| !is_mirror(entry))?;
    target.side(name).or((name == target.apex).then_some(Side::Primary))
}

/// Refuses an HTTPProxy of the user in which weights would have no effect, or not the one that is meant.
pub(crate) fn usable(route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
    let (found, apex) = (found(route, live)?, route.target.apex);
    for one in &found {
        one.entries.all_named()?;
        if one.role == Role::Base && !one.entries.others().iter().all(is_mirror) {
            let problem =
                format!("has other Services beside {apex}: give {apex} a route of its own, or remove them");
            return Err(RouteError::malformed(&route.key, one.entries.path(), problem));
        }
    }
    if found.iter().any(|one| one.role == Role::Base) {
        return Ok(());
    }
    let problem = format!("has no route to {apex}: add one to the Service {apex}");
    Err(RouteError::malformed(&route.key, LIST, problem))
}

/// The conditions of a base, to which those of A/B testing are added.
pub(crate) fn conditions(route: &RouteContext<'_>, live: &Value, base: &Value) -> Value {
    if route.target.owner.controls(live) {
        settings::base(route.target)
    } else {
        base.get("conditions").cloned().unwrap_or_default()
    }
}
