//! The rules of a live route: which are split, which were added by us, and what they say.

use serde_json::Value;
use vexil_object::meta;
use vexil_routing::{
    Entries, NAMELESS, RouteContext, RouteError, RouteTarget, Routes, Side, Weight, agreed, covers, items,
};

use crate::added::{Added, carries};

pub(crate) const RULES: &str = "spec.rules";

/// What a rule is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Sends requests to our Services, and is split.
    Split,
    /// Was added for a strategy; the side is its backend.
    Added(Side),
    /// Does not concern us.
    Other,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule<'a> {
    pub(crate) path: String,
    pub(crate) live: &'a Value,
    pub(crate) entries: Entries<'a>,
    pub(crate) part: Part,
}

impl Rule<'_> {
    fn matches(&self) -> &Value {
        self.live.get("matches").unwrap_or(&Value::Null)
    }

    fn has_only_canary(&self) -> bool {
        self.entries.find(Side::Canary).is_some() && self.entries.find(Side::Primary).is_none()
    }
}

/// All rules, in their order.
pub(crate) fn rules<'a>(route: &'a RouteContext<'_>, live: &'a Value) -> Result<Vec<Rule<'a>>, RouteError> {
    let is_owned = is_owned(route, live);
    let mut rules = Vec::new();
    for (path, rule) in items(&route.key, live, RULES)? {
        let list = format!("{path}.backendRefs");
        let is_empty = items(&route.key, live, &list)?.is_empty() && !answers(rule);
        let entries = Entries::at(&route.key, live, list, |entry| side(route.target, entry))?
            .without_nameless(|entry| entry.get("name").is_none_or(Value::is_null));
        let ours = entries.has_ours() || is_owned && (entries.has_nameless() || is_empty);
        let part = if ours { Part::Split } else { Part::Other };
        rules.push(Rule { path, live: rule, entries, part });
    }
    let parts: Vec<Part> = (0..rules.len()).map(|at| part(route, &rules, at, is_owned)).collect();
    for (rule, part) in rules.iter_mut().zip(parts) {
        rule.part = part;
    }
    Ok(rules)
}

/// Whether a rule needs no backends, since a filter answers the requests, or may.
fn answers(rule: &Value) -> bool {
    let filters = rule.get("filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    filters.iter().any(|filter| matches!(meta::text(filter, "/type"), "ExtensionRef" | "RequestRedirect"))
}

/// A rule that was added has the canary as its only backend of ours, with all the weight, or is for requests with one
/// of our cookies.
fn part(route: &RouteContext<'_>, rules: &[Rule<'_>], at: usize, is_owned: bool) -> Part {
    let Some(rule) = rules.get(at).filter(|rule| rule.part == Part::Split) else { return Part::Other };
    let cookies = route.target.cookies;
    let canary_only = rule.has_only_canary();
    let for_session = |rule: &Rule<'_>| {
        [cookies.canary, cookies.primary, cookies.previous].iter().any(|cookie| carries(rule.live, *cookie))
    };
    let is_session = for_session(rule);
    let others = || rules.iter().enumerate().filter(|(other, rule)| *other != at && rule.part == Part::Split);
    let known = Added::known(route);
    let made = |is: fn(&Value, &Value) -> bool| {
        let mut lists = others().flat_map(|(_, of)| {
            // A rule is made from one whose requests include its own.
            let wider = is_left_of(of.matches(), rule.matches());
            known.iter().filter(move |_| wider).filter_map(|added| added.matches(of.matches()))
        });
        lists.any(|made| is(rule.matches(), &made.into()))
    };
    let weight = rule.entries.find(Side::Canary).and_then(|entry| entry.get("weight"));
    // An API server adds the weight 1 to an entry of a user that has none.
    let is_whole = weight.is_none_or(|weight| *weight == 100);
    let is_added = is_session
        || canary_only && is_whole
        || rule.entries.has_nameless() && made(is_left_of)
        || is_owned && made(covers);
    // Of two rules with the same matches the later one has no effect.
    let repeated = is_owned
        && others().any(|(other, of)| other > at && of.matches() == rule.matches() && !of.has_only_canary());
    // A rule that lost its backends answers with an error. Beside one that splits, and before another that lost them,
    // it is one that was added.
    let splits = |of: &Rule<'_>| of.entries.find(Side::Primary).is_some() && !for_session(of);
    let emptied = is_owned
        && !rule.entries.has_ours()
        && !rule.entries.has_nameless()
        && others().any(|(other, of)| splits(of) || other > at && !of.entries.has_ours());
    match (is_added || repeated || emptied, canary_only) {
        (true, true) => Part::Added(Side::Canary),
        (true, false) => Part::Added(Side::Primary),
        // A user may send some requests to the canary at any time.
        (false, true) if !is_owned => Part::Other,
        (false, _) => Part::Split,
    }
}

/// Whether `live` is `made` but for fields that were dropped.
fn is_left_of(live: &Value, made: &Value) -> bool {
    match (live, made) {
        (Value::Null, _) => true,
        (Value::Object(live), Value::Object(made)) => {
            live.iter().all(|(name, live)| made.get(name).is_some_and(|made| is_left_of(live, made)))
        }
        (Value::Array(live), Value::Array(made)) => {
            live.len() == made.len() && live.iter().zip(made).all(|(live, made)| is_left_of(live, made))
        }
        (live, made) => live == made,
    }
}

/// The side of a backend: a reference to a Service in the route's own namespace. In a user's route the apex is the
/// primary, whose pods it selects.
pub(crate) fn side(target: &RouteTarget<'_>, entry: &Value) -> Option<Side> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
    let is_service = matches!(text("group"), "" | "core") && matches!(text("kind"), "" | "Service");
    let is_here = matches!(text("namespace"), "") || text("namespace") == target.namespace;
    let name = text("name");
    let side = if name == target.apex { Some(Side::Primary) } else { target.side(name) };
    side.filter(|_| is_service && is_here)
}

/// Refuses a route of the user in which our entries have no place.
pub(crate) fn has_place(route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
    let rules = rules(route, live)?;
    rules.iter().try_for_each(|rule| rule.entries.all_named())?;
    if rules.iter().any(|rule| rule.part == Part::Split) {
        return Ok(());
    }
    let problem = format!(
        "has no rule with Service {} among its backendRefs; add it to the rules whose requests are to be split",
        route.target.apex
    );
    Err(RouteError::malformed(&route.key, RULES, problem))
}

/// The routes that the rules say.
pub(crate) fn routes(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let rules = rules(route, live)?;
    let edited = |path: &str, problem: &str| Err(RouteError::edited(&route.key, path, problem));
    let split: Vec<&Rule<'_>> = rules.iter().filter(|rule| rule.part == Part::Split).collect();
    let Some(routes) = agreed(split.iter().map(|rule| &rule.entries), Value::as_i64)? else {
        return edited(RULES, "has no rule that sends requests to our Services");
    };
    let mut copies = None;
    for (at, rule) in split.iter().enumerate() {
        let found = mirrored(route, live, rule)?;
        if at > 0 && copies != found {
            return edited(&rule.path, "mirrors another share of the requests than a rule before it");
        }
        copies = found;
    }
    let mut sessions = Vec::new();
    for rule in &rules {
        match rule.part {
            Part::Added(Side::Canary) => {
                let weight = rule.entries.find(Side::Canary).and_then(|entry| entry.get("weight")?.as_i64());
                if weight != Some(100) {
                    return edited(rule.entries.path(), "does not send all requests to the canary");
                }
                sessions.push(carries(rule.live, route.target.cookies.canary));
            }
            Part::Added(Side::Primary) if !is_session_of_primary(route, rule.live) => {
                return edited(&rule.path, "repeats another rule, or was changed");
            }
            Part::Added(Side::Primary) | Part::Split | Part::Other => {}
        }
    }
    let (canary, none) = (routes.canary(), routes.canary().is_zero());
    let testing = Added::testing(route);
    let tested = split.iter().filter(|rule| testing.matches(rule.matches()).is_some()).count();
    let all = sessions.len();
    match (copies, sessions.iter().filter(|is_session| **is_session).count()) {
        (None, 0) if all == 0 => Ok(routes),
        (Some(percent), 0) if all == 0 && none => Ok(Routes::Mirrored { percent }),
        (None, 0) if all == tested.max(1) && none => Ok(Routes::Matched),
        (None, sticky) if sticky == all && all == split.len() => Ok(Routes::Sticky { canary }),
        _ => edited(RULES, "has rules or filters that do not belong to one strategy"),
    }
}

fn is_session_of_primary(route: &RouteContext<'_>, rule: &Value) -> bool {
    let cookies = route.target.cookies;
    [cookies.primary, cookies.previous].iter().any(|cookie| carries(rule, *cookie))
}

/// The share of the requests that a rule copies to the canary.
fn mirrored(route: &RouteContext<'_>, live: &Value, rule: &Rule<'_>) -> Result<Option<Weight>, RouteError> {
    let mut found = None;
    let path = format!("{}.filters", rule.path);
    // What is no list of objects is replaced, as the next write does.
    let filters = items(&route.key, live, &path)
        .map_err(|_malformed| RouteError::edited(&route.key, path, "is not a list of objects"))?;
    for (path, filter) in filters {
        if !is_mirror(route.target, filter) {
            continue;
        }
        let body = filter.get("requestMirror").unwrap_or(&Value::Null);
        let share = match (body.get("percent"), body.get("fraction")) {
            (None | Some(Value::Null), None | Some(Value::Null)) => Some(Weight::FULL),
            (Some(percent), None | Some(Value::Null)) => percent
                .as_i64()
                .and_then(|percent| Weight::new(percent).ok())
                .filter(|share| !share.is_zero()),
            _ => None,
        };
        let is_complete = body.pointer("/backendRef/name").is_some();
        match share.filter(|_| found.is_none() && is_complete) {
            Some(share) => found = Some(share),
            None => {
                let problem = if is_complete { "is not one copy of a whole percentage" } else { NAMELESS };
                return Err(RouteError::edited(&route.key, path, problem));
            }
        }
    }
    Ok(found)
}

/// Whether a filter copies requests to the canary, or did before an API server dropped its fields.
pub(crate) fn is_mirror(target: &RouteTarget<'_>, filter: &Value) -> bool {
    let kind = filter.get("type").and_then(Value::as_str);
    let body = filter.get("requestMirror");
    let is_kind = kind == Some("RequestMirror") || kind.is_none() && body.is_some();
    let reference = body.and_then(|body| body.get("backendRef"));
    let name = reference.and_then(|reference| reference.get("name"));
    let is_ours = match name {
        None | Some(Value::Null) => true,
        Some(_) => reference.and_then(|reference| side(target, reference)) == Some(Side::Canary),
    };
    is_kind && is_ours || filter == &serde_json::json!({})
}

/// Whether the Canary is the controller of the route.
pub(crate) fn is_owned(route: &RouteContext<'_>, live: &Value) -> bool {
    meta::controller(live).is_some() && route.target.owner.controls(live)
}
