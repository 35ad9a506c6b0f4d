//! The rules as wanted, made from the live ones.

use serde_json::{Value, json};
use vexil_object::definition;
use vexil_routing::{Entries, RouteContext, RouteError, RouteRequest, Side, Weight, covers, put};

use crate::{
    added::Added,
    cookie,
    overlay::{OPTIONAL, filter, overlaid},
    release,
    rules::{self, Part, RULES, Rule, is_mirror, is_owned},
    service::{self, settle},
};

const ORDER: [Side; 2] = [Side::Primary, Side::Canary];

/// Fields that an added rule has from the rule that it was added for.
const COPIED: [&str; 4] = ["filters", "timeouts", "retry", "sessionPersistence"];

/// The route with rules that say `want`.
pub(crate) fn written(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let rules = rules::rules(route, live)?;
    let is_owned = is_owned(route, live);
    let mirror = mirror(route, want)?;
    let main = main(route, &rules).filter(|_| is_owned);
    let mut split = Vec::new();
    for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.part == Part::Split) {
        split.push((at, split_rule(route, want, Some(rule), main == Some(at), mirror.as_ref())?));
    }
    if split.is_empty() && is_owned {
        split.push((rules.len(), split_rule(route, want, None, true, mirror.as_ref())?));
    }
    let mut added = added(route, want, &split, &rules);
    let mut list = Vec::new();
    for at in 0..=rules.len() {
        let part = rules.get(at).map(|rule| rule.part);
        if let Some(Part::Added(_)) = part {
            list.extend(added.extract_if(.., |new| new.replaces == Some(at)).map(|new| new.rule));
        }
        if let Some((_, rule)) = split.iter().find(|(of, _)| *of == at) {
            list.extend(
                added.extract_if(.., |new| new.before == at && new.replaces.is_none()).map(|new| new.rule),
            );
            list.push(rule.clone());
        } else if let (Some(Part::Other), Some(rule)) = (part, rules.get(at)) {
            list.push(rule.live.clone());
        }
    }
    let mut object = live.clone();
    if !is_owned {
        release::remember(&rules, &mut object);
    }
    put(&mut object, RULES, list.into());
    Ok(object)
}

/// The rule that follows `spec.service`: the one with its matches, else the last one.
fn main(route: &RouteContext<'_>, rules: &[Rule<'_>]) -> Option<usize> {
    let wanted = service::matches(route);
    let split = || rules.iter().enumerate().filter(|(_, rule)| rule.part == Part::Split);
    let same = split().find(|(_, rule)| rule.live.get("matches").is_some_and(|live| covers(live, &wanted)));
    same.or_else(|| split().next_back()).map(|(at, _)| at)
}

/// A rule that is split.
fn split_rule(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: Option<&Rule<'_>>,
    follows_service: bool,
    mirror: Option<&Value>,
) -> Result<Value, RouteError> {
    let mut rule = live.map_or_else(|| json!({}), |rule| rule.live.clone());
    let target = route.target;
    let mut wanted = Vec::new();
    if follows_service {
        settle_matches(&mut rule, service::matches(route));
        settle(&mut rule, "timeouts", service::timeouts(route));
        wanted = service::filters(route);
    }
    wanted.extend(mirror.cloned());
    let theirs = |filter: &Value| {
        matches!(filter.get("type").and_then(Value::as_str), Some("ExtensionRef" | "RequestRedirect"))
    };
    filter(
        &mut rule,
        |filter| if follows_service { !theirs(filter) } else { is_mirror(target, filter) },
        wanted,
    );
    let share = match want {
        RouteRequest::Weighted { canary } | RouteRequest::Sticky { canary, .. } => *canary,
        RouteRequest::Matched { .. } | RouteRequest::Mirrored { .. } => Weight::ZERO,
    };
    let cookies = match want {
        RouteRequest::Sticky { session, .. } => (Some(session.set_canary()), session.set_primary()),
        _ => (None, None),
    };
    let entry = Entry { route, is_owned: live.is_none_or(|_| follows_service), port: target.port()? };
    let made = |side, weight, base| {
        let cookie = if side == Side::Canary { &cookies.0 } else { &cookies.1 };
        entry.made(side, weight, base, cookie.as_deref())
    };
    let share = RouteRequest::Weighted { canary: share };
    let list = match live {
        Some(live) => live.entries.written(ORDER, &share, made),
        None => ORDER.map(|side| made(side, share.weight(side), Value::Null)).to_vec(),
    };
    put(&mut rule, "backendRefs", list.into());
    Ok(rule)
}

/// Writes the matches of a rule. A condition that is not wanted any more is removed; fields that this version does not
/// know stay.
fn settle_matches(rule: &mut Value, wanted: Value) {
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let live = rule.get("matches").cloned().unwrap_or_default();
    let further = items(&live).iter().zip(items(&wanted)).any(|(live, wanted)| {
        let is_further = |(name, value): (&String, &Value)| {
            // The API server adds this path to a match without one.
            let is_default = name == "path" && *value == json!({"type": "PathPrefix", "value": "/"});
            OPTIONAL.contains(&name.as_str()) && wanted.get(name).is_none() && !is_default
        };
        live.as_object().into_iter().flatten().any(is_further)
    });
    match (wanted == json!([]), further) {
        (true, _) => settle(rule, "matches", None),
        (false, true) => put(rule, "matches", overlaid(&live, &wanted)),
        (false, false) => settle(rule, "matches", Some(wanted)),
    }
}

/// A rule that is added: before which one, and which live one it replaces.
struct New {
    before: usize,
    replaces: Option<usize>,
    rule: Value,
}

/// The rules that are added, each with the live one that has its matches.
fn added(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    split: &[(usize, Value)],
    rules: &[Rule<'_>],
) -> Vec<New> {
    let mut all: Vec<New> = Vec::new();
    for (before, of) in split {
        for added in Added::wanted(route, want) {
            let Some(matches) = added.matches(of.get("matches").unwrap_or(&Value::Null)) else { continue };
            let matches = Value::from(matches);
            if all.iter().any(|new| new.rule.get("matches").is_some_and(|live| covers(live, &matches))) {
                continue;
            }
            let find = |is: &dyn Fn(&Value) -> bool| {
                let free = |at: &usize| !all.iter().any(|new| new.replaces == Some(*at));
                let is = |rule: &Rule<'_>| {
                    rule.part == Part::Added(added.to) && rule.live.get("matches").is_some_and(is)
                };
                (0..rules.len()).filter(free).find(|at| rules.get(*at).is_some_and(is))
            };
            let replaces = find(&|live| covers(live, &matches)).or_else(|| find(&|live| added.is_for(live)));
            let live = replaces.and_then(|at| rules.get(at)).map(|rule| rule.live);
            all.push(New { before: *before, replaces, rule: added_rule(route, &added, of, matches, live) });
        }
    }
    all
}

/// A rule that is added for `of`.
fn added_rule(
    route: &RouteContext<'_>,
    added: &Added,
    of: &Value,
    matches: Value,
    live: Option<&Value>,
) -> Value {
    let mut rule = live.cloned().unwrap_or_else(|| json!({}));
    for (field, value) in of.as_object().into_iter().flatten() {
        // Names of rules are unique in a route.
        if !matches!(field.as_str(), "name" | "matches" | "backendRefs") {
            settle(&mut rule, field, Some(value.clone()));
        }
    }
    for field in COPIED.into_iter().filter(|field| of.get(field).is_none()) {
        settle(&mut rule, field, None);
    }
    let live = rule.get("matches").cloned().unwrap_or_default();
    put(&mut rule, "matches", overlaid(&live, &matches));
    let side = |entry: &Value| rules::side(route.target, entry);
    let list = |rule| Entries::at(&route.key, rule, "backendRefs", side).ok().map(Entries::without_zero);
    let base = list(of).and_then(|entries| entries.find(added.to).cloned()).unwrap_or_default();
    let weight = if added.to == Side::Canary { Weight::FULL } else { Weight::ZERO };
    let share = RouteRequest::Weighted { canary: weight };
    let made = |_: Side, weight: Weight, live: Value| {
        let mut entry = if live.is_null() { base.clone() } else { live };
        for field in ["name", "port"] {
            settle(&mut entry, field, base.get(field).cloned());
        }
        put(&mut entry, "weight", weight.percent().into());
        cookie::set(route, &mut entry, added.cookie.as_deref());
        entry
    };
    let nothing = json!({});
    let entries = list(&rule).or_else(|| list(&nothing));
    let backends = entries.map(|entries| entries.written(ORDER, &share, made)).unwrap_or_default();
    put(&mut rule, "backendRefs", backends.into());
    rule
}

/// How an entry of ours is written.
struct Entry<'a> {
    route: &'a RouteContext<'a>,
    is_owned: bool,
    port: i64,
}

impl Entry<'_> {
    fn made(&self, side: Side, weight: Weight, base: Value, cookie: Option<&str>) -> Value {
        let target = self.route.target;
        let mut entry = if base.is_null() { json!({"group": "", "kind": "Service"}) } else { base };
        let is_apex = entry.get("name").and_then(Value::as_str) == Some(target.apex);
        if self.is_owned || side == Side::Canary || !is_apex {
            put(&mut entry, "name", target.service(side).into());
        }
        if self.is_owned || entry.get("port").is_none_or(|port| !port.is_number()) {
            put(&mut entry, "port", self.port.into());
        }
        put(&mut entry, "weight", weight.percent().into());
        cookie::set(self.route, &mut entry, cookie);
        entry
    }
}

/// The filter that copies requests to the canary.
fn mirror(route: &RouteContext<'_>, want: &RouteRequest<'_>) -> Result<Option<Value>, RouteError> {
    let RouteRequest::Mirrored { percent } = want else { return Ok(None) };
    let backend =
        json!({"group": "", "kind": "Service", "name": route.target.canary(), "port": route.target.port()?});
    let mut body = json!({"backendRef": backend});
    if *percent != Weight::FULL {
        let path = ["spec", "rules", "0", "filters", "0", "requestMirror", "percent"];
        if definition::has_field(route.definition, route.kind().version, path) == Some(false) {
            let problem = "cannot copy a part of the requests: the CRD in the cluster has no field for it; upgrade the \
                           Gateway API to 1.3, or set spec.analysis.mirrorWeight to 100";
            return Err(RouteError::malformed(&route.key, "spec.rules", problem));
        }
        put(&mut body, "percent", percent.percent().into());
    }
    Ok(Some(json!({"type": "RequestMirror", "requestMirror": body})))
}
