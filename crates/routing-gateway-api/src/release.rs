//! A user's route as it was before it was adopted.

use serde_json::{Value, json};
use vexil_object::meta;
use vexil_routing::{RouteContext, RouteError, Side, omit, put};

use crate::{
    cookie,
    overlay::filter,
    rules::{self, Part, RULES, Rule, is_mirror},
    service::settle,
};

/// The weights of the entries of a user's route before it was adopted, one for each split rule.
const ORIGINAL: &str = "flagger.app/original-weights";

/// Records the weights of a route that is being adopted. The API server's default needs no record.
pub(crate) fn remember(rules: &[Rule<'_>], object: &mut Value) {
    let split = || rules.iter().filter(|rule| rule.part == Part::Split);
    if split().any(|rule| rule.entries.find(Side::Canary).is_some()) {
        return;
    }
    let weight = |rule: &Rule<'_>| rule.entries.find(Side::Primary)?.get("weight").cloned();
    let weights: Vec<Value> = split().map(|rule| weight(rule).unwrap_or_default()).collect();
    if weights.iter().any(|weight| *weight != json!(1)) {
        meta::set(object, &["metadata", "annotations", ORIGINAL], json!(weights).to_string().into());
    }
}

/// A route of the user without anything of ours.
pub(crate) fn released(route: &RouteContext<'_>, live: &Value) -> Result<Value, RouteError> {
    let rules = rules::rules(route, live)?;
    let mut object = live.clone();
    let original =
        meta::annotation(live, ORIGINAL).and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
    let mut weights = original.unwrap_or_default().into_iter();
    let mut list = Vec::new();
    for rule in &rules {
        let mut left = rule.live.clone();
        match rule.part {
            Part::Added(_) => continue,
            Part::Other => {}
            Part::Split => {
                filter(&mut left, |filter| is_mirror(route.target, filter), Vec::new());
                let weight = weights.next().unwrap_or(json!(1));
                put(&mut left, "backendRefs", restored(route, rule, &weight).into());
            }
        }
        list.push(left);
    }
    if rules.iter().any(|rule| rule.part != Part::Other) {
        put(&mut object, RULES, list.into());
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(ORIGINAL);
        if annotations.is_empty() {
            omit(&mut object, "metadata.annotations");
        }
    }
    Ok(object)
}

/// The backends of a rule without the canary, and with the weight that the primary's entry had.
fn restored(route: &RouteContext<'_>, rule: &Rule<'_>, weight: &Value) -> Vec<Value> {
    let all = rule.live.get("backendRefs").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut left = Vec::new();
    for mut entry in all {
        match rules::side(route.target, &entry) {
            Some(Side::Canary) => continue,
            // An entry that was not touched has no canary beside it.
            Some(Side::Primary) if rule.entries.find(Side::Canary).is_some() => {
                cookie::set(route, &mut entry, None);
                settle(&mut entry, "weight", (!weight.is_null()).then(|| weight.clone()));
            }
            Some(Side::Primary) | None => {}
        }
        left.push(entry);
    }
    left
}
