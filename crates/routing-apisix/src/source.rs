//! The user's route: which one it is, and which of its rules are for the apex.

use serde_json::Value;
use vexil_api::{Defect, canary::CanarySpec};
use vexil_object::{Kind, ObjectKey, Objects, Seen, kinds};
use vexil_routing::{RouteError, RouteTarget, items};

pub(crate) const GROUP: &str = "apisix.apache.org";
pub(crate) const ROUTE: Kind = Kind::namespaced(GROUP, "v2", "ApisixRoute", "apisixroutes");
/// Where both routes have their HTTP rules.
pub(crate) const HTTP: &str = "spec.http";

/// The user's route, and the one that is made from it.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) source: ObjectKey,
    pub(crate) generated: ObjectKey,
}

/// The longest name an object can have.
const NAME_MAX: usize = 253;

impl Keys {
    /// As `spec.routeRef` names them.
    pub(crate) fn of(target: &RouteTarget<'_>) -> Result<Self, RouteError> {
        let (source, generated) = names(target.spec, target.apex).map_err(|defect| {
            let canary = ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name);
            RouteError::malformed(&canary, defect.path, defect.message)
        })?;
        Ok(Keys {
            source: ObjectKey::new(ROUTE, target.namespace, source),
            generated: ObjectKey::new(ROUTE, target.namespace, generated),
        })
    }
}

/// Names of the user's route and of the one that is made from it.
///
/// # Errors
/// What is wrong with `spec.routeRef`, whatever the cluster holds.
pub(crate) fn names<'a>(spec: &'a CanarySpec, apex: &str) -> Result<(&'a str, String), Defect> {
    let defect = |path: &str, message: String| Err(Defect { path: path.to_owned(), message });
    let Some(reference) = spec.route_ref.as_ref().filter(|reference| !reference.name.is_empty()) else {
        return defect("spec.routeRef.name", "is missing: apisix route selector is empty".to_owned());
    };
    let version = reference.api_version.as_deref().unwrap_or_default();
    if !version.is_empty() && version.split('/').next() != Some(GROUP) {
        return defect("spec.routeRef.apiVersion", format!("is {version:?}, not one of {GROUP}"));
    }
    if !reference.kind.is_empty() && reference.kind != ROUTE.kind {
        return defect("spec.routeRef.kind", format!("is {:?}, not {}", reference.kind, ROUTE.kind));
    }
    let generated = format!("{}-{apex}-canary", reference.name);
    if generated.len() > NAME_MAX {
        let text =
            format!("is too long: the generated {generated} would be longer than {NAME_MAX} characters");
        return defect("spec.routeRef.name", text);
    }
    Ok((&reference.name, generated))
}

/// The user's route, with its rules for the apex.
pub(crate) struct Source<'a> {
    pub(crate) live: &'a Value,
    pub(crate) rules: Vec<Rule<'a>>,
}

/// A rule that has the apex as its one backend.
pub(crate) struct Rule<'a> {
    pub(crate) path: String,
    pub(crate) rule: &'a Value,
    pub(crate) backend: &'a Value,
}

impl<'a> Source<'a> {
    /// Finds the rules, with the errors of the contract (8.3).
    pub(crate) fn of(
        key: &ObjectKey,
        target: &RouteTarget<'_>,
        have: &'a Objects,
    ) -> Result<Self, RouteError> {
        let name = format!("APISIX route {}.{}", key.name(), key.namespace());
        let defect = |path: &str, problem: String| Err(RouteError::malformed(key, path, problem));
        let live = match have.get(key) {
            Seen::NotKnown => return Err(RouteError::NotKnown { object: key.to_string() }),
            Seen::Absent => {
                let canary = ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name);
                let problem = format!("names what is not there: {name} get query error: not found");
                return Err(RouteError::malformed(&canary, "spec.routeRef.name", problem));
            }
            Seen::Present(live) => live.as_ref(),
        };
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
        Ok(Source { live, rules })
    }
}
