//! The annotations of the generated Ingress: which requests are the canary's, and those that follow the user's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vexil_routing::{
    RouteContext, RouteError, RouteRequest, RouteTarget, Routes, Weight, follow_annotations,
};

use crate::matches::{Annotations, matched};

/// All that concern canaries begin like this, behind the prefix.
const CANARY: &str = "canary";
const WEIGHT: &str = "canary-weight";

/// The class of an Ingress before `spec.ingressClassName`.
const CLASS: &str = "kubernetes.io/ingress.class";

/// The routes that the annotations say.
pub(crate) fn routes(prefix: &str, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let found = of_canary(prefix, live);
    let edited = |name: &str, problem: String| {
        Err(RouteError::edited(&route.key, format!("metadata.annotations.{prefix}/{name}"), problem))
    };
    match found.get(CANARY) {
        Some(value) if *value == "true" => {}
        Some(value) => return edited(CANARY, format!("is {value}, not \"true\"")),
        None => return edited(CANARY, "is missing".to_owned()),
    }
    let is_split = found.keys().all(|name| [CANARY, WEIGHT].contains(name));
    if !is_split {
        let wanted = with_conditions(route.target);
        let names: BTreeSet<&str> = found.keys().chain(wanted.keys()).copied().collect();
        for name in names {
            match (found.get(name), wanted.get(name)) {
                (Some(value), Some(wanted)) if *value == wanted.as_str() => {}
                (Some(value), Some(wanted)) => return edited(name, format!("is {value}, not {wanted:?}")),
                (None, _) => return edited(name, "is missing".to_owned()),
                (Some(_), None) => {
                    return edited(name, "is a condition that the Canary does not have".to_owned());
                }
            }
        }
        return Ok(Routes::Matched);
    }
    let Some(value) = found.get(WEIGHT) else { return edited(WEIGHT, "is missing".to_owned()) };
    let percent = value.as_str().and_then(|text| text.parse().ok());
    match percent.and_then(|percent| Weight::new(percent).ok()) {
        Some(canary) => Ok(Routes::split(canary)),
        None => edited(WEIGHT, format!("is {value}, not an integer from 0 to 100")),
    }
}

/// The annotations of A/B testing: the conditions, and no share of the other requests.
fn with_conditions(target: &RouteTarget<'_>) -> Annotations {
    let matches = target.spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default();
    // What cannot be expressed was refused when the Canary was validated.
    complete(matched(matches).unwrap_or_default(), Weight::ZERO)
}

fn complete(mut annotations: Annotations, weight: Weight) -> Annotations {
    annotations.insert(CANARY, "true".to_owned());
    annotations.insert(WEIGHT, weight.percent().to_string());
    annotations
}

/// The annotations that concern canaries, by their names without the prefix.
fn of_canary<'a>(prefix: &str, object: &'a Value) -> BTreeMap<&'a str, &'a Value> {
    let all = object.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten();
    let named = all.filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.strip_prefix('/')?, value)));
    named.filter(|(name, _)| name.starts_with(CANARY)).collect()
}

/// Writes which requests are the canary's, and what follows the user's Ingress, if that is known.
pub(crate) fn write(
    prefix: &str,
    object: &mut Value,
    target: &RouteTarget<'_>,
    want: &RouteRequest<'_>,
    users: Option<&Value>,
) {
    let all = format!("{prefix}/");
    let is_canarys = |key: &str| key.strip_prefix(&all).is_some_and(|name| name.starts_with(CANARY));
    let follows = |key: &str| key.starts_with(&all) || key == CLASS;
    let ours = match want {
        RouteRequest::Matched { .. } => with_conditions(target),
        want => complete(Annotations::new(), want.routes().canary()),
    };
    let ours = ours.into_iter().map(|(name, value)| (format!("{prefix}/{name}"), value));
    follow_annotations(object, users, is_canarys, follows, ours);
}
