//! The user's route: which object it is, and which of its rules are for the apex.

use serde_json::Value;
use vexil_api::{Defect, canary::CanarySpec};
use vexil_object::{Kind, MAX_NAME_BYTES, ObjectKey, Seen, kinds};
use vexil_routing::{RouteContext, RouteError, RouteTarget, items};

pub(crate) const GROUP: &str = "apisix.apache.org";
pub(crate) const ROUTE: Kind = Kind::namespaced(GROUP, "v2", "ApisixRoute", "apisixroutes");
/// The HTTP rules of both routes.
pub(crate) const HTTP: &str = "spec.http";

/// The user's route, as `spec.routeRef` names it.
pub(crate) fn source(target: &RouteTarget<'_>) -> Result<ObjectKey, RouteError> {
    let (source, _) = named(target)?;
    Ok(ObjectKey::new(ROUTE, target.namespace, source))
}

/// The generated route.
pub(crate) fn generated(target: &RouteTarget<'_>) -> Result<ObjectKey, RouteError> {
    let (_, generated) = named(target)?;
    Ok(ObjectKey::new(ROUTE, target.namespace, generated))
}

fn named<'a>(target: &RouteTarget<'a>) -> Result<(&'a str, String), RouteError> {
    names(target.spec, target.apex).map_err(|defect| {
        let canary = ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name);
        RouteError::malformed(&canary, defect.path, defect.message)
    })
}

/// Names of the user's route and of the generated one.
///
/// # Errors
/// The defect of `spec.routeRef`, whatever the cluster contains.
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
    if generated.len() > MAX_NAME_BYTES {
        let text = format!(
            "is too long: the generated {generated} would be longer than {MAX_NAME_BYTES} characters"
        );
        return defect("spec.routeRef.name", text);
    }
    Ok((&reference.name, generated))
}

/// The user's route, with its rules for the apex.
pub(crate) struct Source<'a> {
    pub(crate) key: ObjectKey,
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
    /// Finds the rules. The errors contain Flagger's texts.
    pub(crate) fn of(route: &RouteContext<'a>) -> Result<Self, RouteError> {
        let target = route.target;
        let key = &source(target)?;
        let name = format!("APISIX route {}.{}", key.name(), key.namespace());
        let defect = |path: &str, problem: String| Err(RouteError::malformed(key, path, problem));
        let live = match route.have.get(key) {
            Seen::NotKnown => return Err(RouteError::NotKnown { object: key.to_string() }),
            Seen::Absent => {
                let canary = ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name);
                let problem = format!("names a route that does not exist: {name} get query error: not found");
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
        Ok(Source { key: key.clone(), live, rules })
    }
}
