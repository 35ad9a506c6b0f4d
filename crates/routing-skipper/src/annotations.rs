//! The annotations of the generated Ingress: the shares, the predicate that gives it precedence, and those that follow
//! the user's.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{RouteContext, RouteError, Routes, Side, Weight, follow_annotations};

/// The shares of the Services of a path, as JSON.
const WEIGHTS: &str = "zalando.org/backend-weights";
/// Further conditions of all paths.
const PREDICATE: &str = "zalando.org/skipper-predicate";
/// Routes that Skipper adds to those of the paths: the user's Ingress has them already.
const ROUTES: &str = "zalando.org/skipper-routes";
/// All of Skipper's begin like this.
const PREFIX: &str = "zalando.org/";

/// The class of an Ingress before `spec.ingressClassName`.
const CLASS: &str = "kubernetes.io/ingress.class";

/// What the predicate of the generated Ingress begins with.
const fn switch(canary: Weight) -> &'static str {
    if canary.is_zero() { "False()" } else { "Weight(100)" }
}

/// The routes that the annotations say.
pub(crate) fn routes(route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
    let edited = |key: &str, problem: String| {
        Err(RouteError::edited(&route.key, format!("metadata.annotations.{key}"), problem))
    };
    let Some(text) = meta::annotation(live, WEIGHTS) else { return edited(WEIGHTS, "is missing".to_owned()) };
    let found: Value = serde_json::from_str(text).unwrap_or_default();
    let share = |side| found.get(route.target.service(side)).and_then(Value::as_i64);
    let shares = (share(Side::Primary), share(Side::Canary).and_then(|canary| Weight::new(canary).ok()));
    let canary = match shares {
        (Some(primary), Some(canary)) if primary == i64::from(canary.rest().percent()) => canary,
        _ => {
            let problem = format!("is {text:?}, not the shares of the primary and the canary, 100 in all");
            return edited(WEIGHTS, problem);
        }
    };
    if found.as_object().is_none_or(|shares| shares.len() != 2) {
        return edited(WEIGHTS, format!("is {text:?}, with other Services than ours"));
    }
    let wanted = switch(canary);
    let predicate = meta::annotation(live, PREDICATE).unwrap_or_default();
    match predicate.strip_prefix(wanted) {
        Some(rest) if rest.is_empty() || rest.starts_with(" && ") => Ok(Routes::split(canary)),
        _ => edited(PREDICATE, format!("is {predicate:?}, which does not begin with {wanted}")),
    }
}

/// Writes the shares, the predicate, and what follows the user's Ingress, if that is known.
pub(crate) fn write(route: &RouteContext<'_>, object: &mut Value, canary: Weight, users: Option<&Value>) {
    let service = |side| route.target.service(side);
    let shares = json!({
        service(Side::Primary): canary.rest().percent(),
        service(Side::Canary): canary.percent(),
    });
    let rest = match users {
        Some(users) => meta::annotation(users, PREDICATE).map(str::to_owned),
        None => meta::annotation(object, PREDICATE).and_then(|live| {
            let (_, rest) = live.split_once(" && ")?;
            Some(rest.to_owned())
        }),
    };
    let predicate = [Some(switch(canary).to_owned()), rest.filter(|rest| !rest.trim().is_empty())];
    let predicate = predicate.into_iter().flatten().collect::<Vec<_>>().join(" && ");
    let is_ours = |key: &str| [WEIGHTS, PREDICATE, ROUTES].contains(&key);
    let follows = |key: &str| key.starts_with(PREFIX) || key == CLASS;
    let ours = [(WEIGHTS.to_owned(), shares.to_string()), (PREDICATE.to_owned(), predicate)];
    follow_annotations(object, users, is_ours, follows, ours);
}
