//! Generated inputs: requests, and what others may do to an object.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::case::Held;

/// Runs a test on generated inputs, the same ones each time.
pub(super) fn forall<S: Strategy>(inputs: &S, test: impl Fn(S::Value) -> Held) -> Result<(), String> {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::default());
    TestRunner::new_with_rng(config, rng).run(inputs, test).map_err(|error| error.to_string())
}

/// Small JSON of any shape, biased towards the fields of route objects.
pub(super) fn json() -> impl Strategy<Value = Value> {
    let words =
        select(&["", "podinfo", "podinfo-primary", "podinfo-canary", "test", "Service", "100", "~/"][..]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![-1i64..=101, any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        words.prop_map(Value::from),
    ];
    let keys = select(
        &[
            "name", "weight", "kind", "services", "weighted", "conf", "split", "to", "rules", "http",
            "backends",
        ][..],
    );
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(keys.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Fields of others: position and value.
pub(super) fn fields() -> impl Strategy<Value = Vec<(Index, Value)>> {
    vec((any::<Index>(), json()), 0..6)
}

/// Adds fields of others to objects anywhere in `object` and returns them; their keys are unique.
pub(super) fn add_fields(object: &mut Value, fields: &[(Index, Value)]) -> Vec<(String, Value)> {
    let places = pointers(object).into_iter();
    let places: Vec<String> = places.filter(|at| is_object(object, at) && !is_in_a_condition(at)).collect();
    let mut added = Vec::new();
    for (n, (at, value)) in fields.iter().enumerate() {
        let Some(map) = object.pointer_mut(at.get(&places).as_str()).and_then(Value::as_object_mut) else {
            continue;
        };
        let key = format!("x-others-{n}");
        map.insert(key.clone(), value.clone());
        added.push((key, value.clone()));
    }
    added
}

/// Whether a place is inside of an entry of `match`: a field there, like the name of a header, is a condition, and
/// those of our routes are the Canary's.
fn is_in_a_condition(pointer: &str) -> bool {
    pointer.split_once("/match/").is_some_and(|(_, rest)| rest.contains('/'))
}

fn is_object(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).is_some_and(Value::is_object)
}

/// How often `value` contains `key` with exactly this content, at any depth.
pub(super) fn count(value: &Value, key: &str, content: &Value) -> usize {
    match value {
        Value::Object(map) => {
            let below: usize = map.values().map(|inner| count(inner, key, content)).sum();
            below + usize::from(map.get(key) == Some(content))
        }
        Value::Array(list) => list.iter().map(|inner| count(inner, key, content)).sum(),
        _ => 0,
    }
}

/// One edit by hand.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Replace(Index, Value),
    Remove(Index),
    /// Appends a copy to a list, or replaces a field by a copy of another.
    Copy(Index, Index),
}

pub(super) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<Index>(), json()).prop_map(|(at, value)| Edit::Replace(at, value)),
        any::<Index>().prop_map(Edit::Remove),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Copy(from, to)),
    ];
    vec(edit, 1..4)
}

/// Applies edits, as far as their places still exist.
pub(super) fn edit(object: &mut Value, edits: &[Edit]) {
    for edit in edits {
        let places: Vec<String> = pointers(object).into_iter().filter(|at| !at.is_empty()).collect();
        if places.is_empty() {
            return;
        }
        match edit {
            Edit::Replace(at, value) => put(object, at.get(&places).as_str(), value.clone()),
            Edit::Remove(at) => remove(object, at.get(&places).as_str()),
            Edit::Copy(from, to) => {
                let copy = object.pointer(from.get(&places).as_str()).cloned().unwrap_or_default();
                match object.pointer_mut(to.get(&places).as_str()) {
                    Some(Value::Array(list)) => list.push(copy),
                    _ => put(object, to.get(&places).as_str(), copy),
                }
            }
        }
    }
}

fn put(object: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = object.pointer_mut(pointer) {
        *place = value;
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    match object.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(list)) => drop(last.parse().map(|at: usize| list.remove(at))),
        _ => {}
    }
}

/// The JSON pointers of a value and of everything in it.
pub(super) fn pointers(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut below = |step: &str, inner: &Value| {
        found.extend(pointers(inner).into_iter().map(|rest| format!("/{step}{rest}")));
    };
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                below(&key.replace('~', "~0").replace('/', "~1"), inner);
            }
        }
        Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                below(&at.to_string(), inner);
            }
        }
        _ => {}
    }
    found
}
