//! The user's route: how the Canary names it, and which of its rules are for the apex.

use serde_json::Value;
use vexil_api::ObjectReference;
use vexil_object::Kind;
use vexil_routing::{RouteError, RouteTarget, Source, SourceKind, items};

const GROUP: &str = "apisix.apache.org";
pub(crate) const ROUTE: Kind = Kind::namespaced(GROUP, "v2", "ApisixRoute", "apisixroutes");
/// The HTTP rules of both routes.
pub(crate) const HTTP: &str = "spec.http";

/// How Canaries name the user's route.
pub(crate) const ROUTE_SOURCE: SourceKind = SourceKind {
    kind: ROUTE,
    groups: &[GROUP],
    reference: ObjectReference::Route,
    noun: "APISIX route",
    described: "a route",
    generated: |users, apex| format!("{users}-{apex}-canary"),
};

/// A rule that has the apex as its one backend.
pub(crate) struct Rule<'a> {
    pub(crate) path: String,
    pub(crate) rule: &'a Value,
    pub(crate) backend: &'a Value,
}

/// The rules of the user's route for the apex. The errors contain Flagger's texts.
pub(crate) fn rules<'a>(target: &RouteTarget<'_>, source: &Source<'a>) -> Result<Vec<Rule<'a>>, RouteError> {
    let Source { key, live } = source;
    let name = format!("APISIX route {}.{}", key.name(), key.namespace());
    let defect = |path: &str, problem: String| Err(RouteError::malformed(key, path, problem));
    let all = items(key, live, HTTP)?;
    if all.is_empty() {
        return defect(HTTP, format!("has no rule: {name}'s spec.http is empty"));
    }
    let mut rules = Vec::new();
    for (path, rule) in all {
        let backends = format!("{path}.backends");
        let list = items(key, live, &backends)?;
        let is_apex =
            |backend: &Value| backend.get("serviceName").and_then(Value::as_str) == Some(target.apex);
        match list.as_slice() {
            [(_, backend)] if is_apex(backend) => rules.push(Rule { path, rule, backend }),
            list if list.iter().any(|(_, backend)| is_apex(backend)) => {
                let rule = rule.get("name").and_then(Value::as_str).unwrap_or_default();
                let problem = "only one http backend is supported";
                return defect(&backends, format!("has several: {name}'s http route {rule} {problem}"));
            }
            _ => {}
        }
    }
    if rules.is_empty() {
        let problem = format!("Can not find {} backend on apisix route", target.apex);
        let whose = format!("{}.{}", key.name(), key.namespace());
        return defect(HTTP, format!("has no rule for the apex: {problem} {whose}"));
    }
    Ok(rules)
}
