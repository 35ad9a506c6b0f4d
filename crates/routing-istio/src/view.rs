//! Which routes of a VirtualService are ours, and which destinations in them.

use serde_json::Value;
use vexil_routing::{Entries, RouteContext, RouteError, RouteTarget, Side, items};

use crate::{session::Purpose, settings::is_tcp};

/// One route of the list.
pub(crate) struct Found<'a> {
    /// `spec.http[0]`.
    pub path: String,
    /// As it was observed.
    pub live: &'a Value,
    /// Its destinations.
    pub entries: Entries<'a>,
    /// Whose it is.
    pub role: Role,
}

/// Whose a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ours: it has the weights.
    Base,
    /// Ours: it has conditions, and is before the base that it belongs to.
    Special(Purpose),
    /// A remainder of one that was ours: both Services and no name, or nothing at all.
    Remainder,
    /// The user's.
    Others,
}

/// How likely a route is the one with the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// It has no destination and does nothing else: the API server dropped its fields.
    Emptied,
    /// It names the canary alone.
    Canary,
    /// It names the canary before the primary, as routes with conditions do.
    Reversed,
    /// It names the primary alone.
    Primary,
    /// It names the primary, then the canary.
    Both,
}

/// The list that has our routes.
pub(crate) fn list(target: &RouteTarget<'_>) -> &'static str {
    if is_tcp(&target.spec.service) { "spec.tcp" } else { "spec.http" }
}

/// Whether the Canary owns the VirtualService. In one of the user, every route to the apex is a base.
pub(crate) fn is_owned(route: &RouteContext<'_>, live: &Value) -> bool {
    route.target.owner.controls(live)
}

/// The routes of a list.
pub(crate) fn routes<'a>(
    route: &'a RouteContext<'_>,
    live: &'a Value,
    list: &str,
) -> Result<Vec<Found<'a>>, RouteError> {
    let (target, is_owned) = (route.target, is_owned(route, live));
    let (mut found, mut likely) = (Vec::new(), Vec::new());
    for (path, item) in items(&route.key, live, list)? {
        let entries = entries(route, live, format!("{path}.route"))?;
        let special = Purpose::of(target, item);
        likely.push(if special.is_some() { None } else { likelihood(target, item, is_owned) });
        let role = special.map_or(Role::Others, Role::Special);
        found.push(Found { path, live: item, entries, role });
    }
    let most = likely.iter().flatten().max().copied();
    let last = likely.iter().rposition(|one| one.is_some() && *one == most);
    for (at, (one, likely)) in found.iter_mut().zip(likely).enumerate() {
        let Some(likely) = likely else { continue };
        one.role = match likely {
            _ if is_owned && Some(at) == last => Role::Base,
            Likely::Both | Likely::Primary if !is_owned => Role::Base,
            Likely::Reversed if !is_owned && Some(at) == last => Role::Base,
            Likely::Primary | Likely::Canary => Role::Others,
            Likely::Both | Likely::Reversed | Likely::Emptied => Role::Remainder,
        };
    }
    Ok(found)
}

/// The destinations of a route.
pub(crate) fn entries<'a>(
    route: &'a RouteContext<'_>,
    live: &'a Value,
    path: String,
) -> Result<Entries<'a>, RouteError> {
    let entries = Entries::at(&route.key, live, path, |entry| side(route.target, entry))?;
    Ok(entries.without_nameless(|entry| host(entry).is_none_or(str::is_empty)))
}

fn likelihood(target: &RouteTarget<'_>, item: &Value, is_owned: bool) -> Option<Likely> {
    let list = item.get("route").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named: Vec<Side> = list.iter().filter_map(|entry| side(target, entry)).collect();
    let has = |side| named.contains(&side);
    match named.first() {
        Some(Side::Primary) if has(Side::Canary) => Some(Likely::Both),
        Some(Side::Primary) => Some(Likely::Primary),
        Some(Side::Canary) if has(Side::Primary) => Some(Likely::Reversed),
        Some(Side::Canary) => Some(Likely::Canary),
        None => {
            let is_empty = list.iter().all(|entry| host(entry).is_none_or(str::is_empty));
            let does =
                ["redirect", "directResponse", "delegate"].iter().any(|field| item.get(*field).is_some());
            (is_owned && is_empty && !does).then_some(Likely::Emptied)
        }
    }
}

fn host(entry: &Value) -> Option<&str> {
    entry.pointer("/destination/host")?.as_str()
}

/// The side that a destination leads to. The apex leads to the primary's pods.
pub(crate) fn side(target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
    host(entry).and_then(|host| side_of(target, host))
}

/// The side of a host: the name of a Service, alone or with its namespace and what may follow it.
pub(crate) fn side_of(target: &RouteTarget<'_>, host: &str) -> Option<Side> {
    let name = name(target, host)?;
    target.side(name).or((name == target.apex).then_some(Side::Primary))
}

/// The name of the Service, if it is one of the Canary's namespace.
fn name<'a>(target: &RouteTarget<'_>, host: &'a str) -> Option<&'a str> {
    let Some((name, rest)) = host.split_once('.') else { return Some(host) };
    let rest = rest.strip_prefix(target.namespace)?;
    (rest.is_empty() || rest == ".svc" || rest.starts_with(".svc.")).then_some(name)
}

/// Whether a destination is the apex itself.
pub(crate) fn is_apex(target: &RouteTarget<'_>, entry: &Value) -> bool {
    host(entry).and_then(|host| name(target, host)) == Some(target.apex)
}

/// Refuses a VirtualService of the user in which weights would have no effect, or not the one that is meant.
pub(crate) fn usable(route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
    let (key, target) = (&route.key, route.target);
    let list = list(target);
    let mut has_base = false;
    for one in routes(route, live, list)?.iter().filter(|one| one.role == Role::Base) {
        has_base = true;
        one.entries.all_named()?;
        let refuse = |field: &str, problem: String| {
            Err(RouteError::malformed(key, format!("{}.{field}", one.path), problem))
        };
        if !one.entries.others().is_empty() {
            let apex = target.apex;
            return refuse(
                "route",
                format!("has other hosts beside {apex}: give {apex} a route of its own, or remove them"),
            );
        }
        let ours = [Side::Primary, Side::Canary].into_iter().filter_map(|side| one.entries.find(side));
        if ours.into_iter().any(|entry| entry.pointer("/destination/subset").is_some_and(|it| !it.is_null()))
        {
            return refuse(
                "route",
                "names a subset, which primary and canary do not have: remove it".to_owned(),
            );
        }
        let mirrors = one.live.pointer("/mirror/host").and_then(Value::as_str);
        let copies = target.spec.analysis().is_some_and(|analysis| analysis.mirror());
        if copies && mirrors.is_some_and(|host| side_of(target, host) != Some(Side::Canary)) {
            let text = "is where requests are copied to already: remove it, or analysis.mirror of the Canary";
            return refuse("mirror", text.to_owned());
        }
    }
    if has_base {
        return Ok(());
    }
    let apex = target.apex;
    Err(RouteError::malformed(key, list, format!("has no route to {apex}: add one to the host {apex}")))
}
