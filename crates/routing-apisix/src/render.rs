//! The generated route as wanted, made from the user's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{RouteContext, RouteError, RouteRequest, RouteTarget, Side, Source, Weight, put};

use crate::{
    read,
    source::{Rule, rules},
};

/// Higher than users set by hand, so that a copy wins over its original.
const PRIORITY: i64 = 10_000;

const SIDES: [Side; 2] = [Side::Primary, Side::Canary];

/// The spec of the generated route, which follows the user's.
pub(crate) fn spec(
    target: &RouteTarget<'_>,
    want: &RouteRequest<'_>,
    source: &Source<'_>,
) -> Result<Value, RouteError> {
    let found = rules(target, source)?;
    let mut spec = source.live.get("spec").cloned().unwrap_or_default();
    if let Some(spec) = spec.as_object_mut() {
        // A second listener on the same port would conflict.
        spec.remove("stream");
    }
    found.iter().try_for_each(|rule| check_port(target, source, rule))?;
    let copies = found.iter().zip(priorities(source, &found)?).map(|(rule, priority)| {
        let mut copy = rule.rule.clone();
        let backends = SIDES.map(|side| entry(target, side, want.weight(side), rule.backend.clone()));
        put(&mut copy, "priority", priority.into());
        put(&mut copy, "backends", json!(backends));
        copy
    });
    meta::set(&mut spec, &["http"], copies.collect());
    Ok(spec)
}

/// The generated route with other weights and nothing else changed.
pub(crate) fn weighted(
    route: &RouteContext<'_>,
    want: &RouteRequest<'_>,
    live: Value,
) -> Result<Value, RouteError> {
    let mut object = live.clone();
    for entries in read::lists(route, &live)? {
        let entry = |side, weight, backend| entry(route.target, side, weight, backend);
        let list = entries.written(SIDES, want, entry);
        put(&mut object, entries.path(), list.into());
    }
    Ok(object)
}

/// The priority of each copy: at least [`PRIORITY`], higher than the rule that it was copied from, and in the user's
/// order of rules that match the same requests.
fn priorities(source: &Source<'_>, rules: &[Rule<'_>]) -> Result<Vec<i64>, RouteError> {
    let own = |rule: &Rule<'_>| match rule.rule.get("priority") {
        None | Some(Value::Null) => Ok(0),
        Some(priority) => priority.as_i64().ok_or_else(|| {
            let problem = format!("is {priority}, not an integer");
            RouteError::malformed(&source.key, format!("{}.priority", rule.path), problem)
        }),
    };
    let own: Vec<i64> = rules.iter().map(own).collect::<Result<_, _>>()?;
    let mut ranked: BTreeMap<i64, i64> = own.iter().map(|priority| (*priority, PRIORITY)).collect();
    let mut above = PRIORITY;
    for (own, copy) in &mut ranked {
        *copy = above.max(own.saturating_add(1));
        above = copy.saturating_add(1);
    }
    Ok(own.iter().filter_map(|priority| ranked.get(priority).copied()).collect())
}

/// The port that a rule names must be one of the Services, or neither backend would have endpoints.
fn check_port(target: &RouteTarget<'_>, source: &Source<'_>, rule: &Rule<'_>) -> Result<(), RouteError> {
    let Some(asked) = rule.backend.get("servicePort") else { return Ok(()) };
    let Some(problem) = target.port_problem(asked)? else { return Ok(()) };
    Err(RouteError::malformed(&source.key, format!("{}.backends[0].servicePort", rule.path), problem))
}

fn entry(target: &RouteTarget<'_>, side: Side, weight: Weight, mut backend: Value) -> Value {
    put(&mut backend, "serviceName", target.service(side).into());
    put(&mut backend, "weight", weight.percent().into());
    backend
}
