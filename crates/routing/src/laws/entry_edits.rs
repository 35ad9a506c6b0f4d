//! Edits of our two entries, one by one: each is reported at its place, in the same words by every router.

use serde_json::{Value, json};
use vexil_object::meta;

use super::{
    case::{Case, Held, broken},
    requests::split,
};
use crate::RouteError;

/// The weight of the canary in the route that is edited.
const CANARY: u32 = 10;

/// A name, an edit of the list of our two entries, where below the list it is reported, and the report.
type Edit = (&'static str, fn(&mut Vec<Value>), &'static str, &'static str);

const NO_PERCENT: &str = ", not an integer from 0 to 100";

const EDITS: [Edit; 10] = [
    (
        "weights that do not sum",
        |list| same(list),
        "",
        "has primary 10 and canary 10, which is not 100 in all",
    ),
    ("no weight", |list| omit(list), "[0].weight", "is missing"),
    ("a null for a weight", |list| write(list, 1, Value::Null), "[1].weight", "is missing"),
    ("a text for a weight", |list| write(list, 1, json!("ten")), "[1].weight", "is \"ten\""),
    ("a negative weight", |list| write(list, 1, json!(-10)), "[1].weight", "is -10"),
    ("a weight above 100", |list| write(list, 0, json!(190)), "[0].weight", "is 190"),
    ("half a percent", |list| write(list, 1, json!(9.5)), "[1].weight", "is 9.5"),
    (
        "an entry twice",
        |list| list.extend_from_within(1..),
        "[2]",
        "names a Service that an entry before it names",
    ),
    (
        "an entry that is not an object",
        |list| {
            list.pop();
            list.push(json!(5));
        },
        "[1]",
        "is not an object",
    ),
    ("an empty list", Vec::clear, "", ""),
];

fn write(list: &mut [Value], at: usize, weight: Value) {
    if let Some(entry) = list.get_mut(at) {
        meta::set(entry, &["weight"], weight);
    }
}

/// Gives the primary the canary's weight, as this router writes it: a number or a text.
fn same(list: &mut [Value]) {
    let weights: Vec<Value> = list.iter().filter_map(|entry| entry.get("weight").cloned()).collect();
    let canary =
        weights.into_iter().find(|weight| *weight == json!(CANARY) || *weight == json!(CANARY.to_string()));
    for at in 0..list.len() {
        write(list, at, canary.clone().unwrap_or_default());
    }
}

fn omit(list: &mut [Value]) {
    if let Some(entry) = list.first_mut().and_then(Value::as_object_mut) {
        entry.remove("weight");
    }
}

pub(super) fn are_reported(case: &Case<'_>) -> Result<(), String> {
    let Some(pointer) = case.split.filter(|_| case.router.supports().weights) else { return Ok(()) };
    let place = place(pointer);
    for (what, edit, below, problem) in EDITS {
        let edited = |place: &mut Value| place.as_array_mut().map(edit).is_some();
        let problem = if below.ends_with("weight") && !problem.ends_with("missing") {
            format!("{problem}{NO_PERCENT}")
        } else {
            problem.to_owned()
        };
        one(case, pointer, edited, &format!("{place}{below}"), &problem)
            .map_err(|how| format!("{what}: {how}"))?;
    }
    let no_list = |place: &mut Value| {
        *place = json!("x");
        true
    };
    one(case, pointer, no_list, &place, "is not a list").map_err(|how| format!("no list: {how}"))
}

/// Edits the list of a new route, and checks that the router reports it and corrects or refuses it.
fn one(
    case: &Case<'_>,
    pointer: &str,
    edit: impl Fn(&mut Value) -> bool,
    place: &str,
    problem: &str,
) -> Held {
    let want = split(CANARY);
    let before = case.live(&case.made(&want)?)?;
    let mut object = before.clone();
    if !object.pointer_mut(pointer).is_some_and(edit) {
        return broken(format!("the route has no list at {pointer}: {before}"));
    }
    let mut store = case.put(&case.cluster, object);
    let reported = match case.read(&store)? {
        // Instead of an empty list its parent may be reported.
        Err(error @ (RouteError::Edited { .. } | RouteError::Malformed { .. })) if problem.is_empty() => {
            error
        }
        Err(error) if error.to_string().starts_with(&format!("{}: {place} {problem}", case.route)) => error,
        other => return broken(format!("{other:?} is read where {place} {problem}")),
    };
    if matches!(reported, RouteError::Edited { .. }) {
        case.make(&mut store, &want)?;
        let after = case.live(&store)?;
        let (was, is) = (before.pointer(pointer), after.pointer(pointer));
        return if was == is { Ok(()) } else { broken(format!("{was:?} was edited and became {is:?}")) };
    }
    match case.render(&store, &want)? {
        Err(error) if error == reported => Ok(()),
        other => broken(format!("{reported:?} is read and {other:?} is rendered")),
    }
}

/// `/spec/to/0/rules` as messages name it: `spec.to[0].rules`.
fn place(pointer: &str) -> String {
    let mut place = String::new();
    for step in pointer.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(at) => place.push_str(&format!("[{at}]")),
            Err(_) if place.is_empty() => place.push_str(step),
            Err(_) => place.push_str(&format!(".{step}")),
        }
    }
    place
}
