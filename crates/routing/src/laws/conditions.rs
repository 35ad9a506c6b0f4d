//! A condition of A/B testing that the Canary no longer has is removed from the route.

use serde_json::Value;
use vexil_api::{Canary, HttpMatch, canary::CanarySpec};
use vexil_object::Store;

use super::case::{Case, Held, broken, unstamped};
use crate::Routes;

/// Values of `analysis.match`: several headers, entries and kinds of condition, of which later ones lack some.
const MATCHES: [&str; 11] = [
    r#"[{"headers": {"x-canary": {"exact": "insider"}, "x-beta": {"exact": "1"}}},
        {"headers": {"cookie": {"regex": "^(.*?;)?(canary=always)(;.*)?$"}}}]"#,
    r#"[{"headers": {"x-canary": {"exact": "insider"}}}, {"headers": {"cookie": {"exact": "canary"}}}]"#,
    r#"[{"headers": {"x-canary": {"exact": "insider"}}}]"#,
    r#"[{"headers": {"x-canary": {"regex": "in.*"}}}]"#,
    r#"[{"headers": {"x-beta": {"exact": "1"}}}]"#,
    r#"[{"headers": {"cookie": {"exact": "canary"}}}]"#,
    r#"[{"headers": {"x-canary": {"exact": "insider"}}, "uri": {"prefix": "/api"}, "method": {"exact": "GET"}}]"#,
    r#"[{"headers": {"x-canary": {"exact": "insider"}}, "queryParams": {"beta": {"exact": "1"}}}]"#,
    r#"[{"headers": {"x-canary": {"exact": "insider"}}, "method": {"exact": "GET"}}]"#,
    r#"[{"headers": {"x-canary": {}}}]"#,
    r#"[{"uri": {"prefix": "/api"}}, {"headers": {"x-canary": {"exact": "insider"}}}]"#,
];

/// The route that follows one value of `analysis.match` after another is the one that the later value alone makes.
pub(super) fn leave_with_the_canary(case: &Case<'_>) -> Result<(), String> {
    if !case.router.supports().matches {
        return Ok(());
    }
    let specs: Vec<_> = MATCHES.iter().filter_map(|text| accepted(case, text)).collect();
    if specs.len() < 2 {
        return Err(format!("the router accepts {} of the values of analysis.match", specs.len()));
    }
    let mut starts = vec![case.cluster.clone()];
    starts.extend(case.adoptable.iter().map(|object| case.put(&case.cluster, object.clone())));
    for start in &starts {
        for then in &specs {
            let alone = after(case, start, &[then]).map_err(|error| error.to_string())?;
            for first in &specs {
                let live = after(case, start, &[first, then]).map_err(|error| error.to_string())?;
                if live != alone {
                    let (first, then) = (matches(first), matches(then));
                    return Err(format!("{first:?} and then {then:?} make {live}, the latter alone {alone}"));
                }
            }
        }
    }
    Ok(())
}

/// The spec of the case with these conditions, unless the router refuses them.
fn accepted(case: &Case<'_>, text: &str) -> Option<CanarySpec> {
    let mut spec = case.target.spec.clone();
    let mut analysis = spec.analysis().cloned().unwrap_or_default();
    analysis.match_ = serde_json::from_str(text).ok()?;
    spec.analysis = Some(analysis);
    let canary = Canary::new(&case.target.owner.name, spec.clone());
    case.router.defects(&canary).is_empty().then_some(spec)
}

fn matches(spec: &CanarySpec) -> &[HttpMatch] {
    spec.analysis().map(|analysis| analysis.match_.as_slice()).unwrap_or_default()
}

/// The route after the Canary had each of these specs, without an order: all conditions lead to the canary.
fn after(case: &Case<'_>, start: &Store, specs: &[&CanarySpec]) -> Held<Value> {
    let mut store = start.clone();
    for spec in specs {
        let case = case.with(case.target_with(spec));
        let changes = case.render(&store, &Routes::Matched)?;
        let changes =
            changes.or_else(|error| broken(format!("cannot write {:?}: {error}", matches(spec))))?;
        case.apply(&mut store, &changes)?;
        let read = case.read(&store)?;
        if read != Ok(Routes::Matched) {
            return broken(format!("{:?} was written, {read:?} is read", matches(spec)));
        }
    }
    Ok(sorted(unstamped(case.live(&store)?)))
}

/// The same with every list in the order of its texts.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(sorted).collect();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, sorted(value))).collect(),
        other => other,
    }
}
