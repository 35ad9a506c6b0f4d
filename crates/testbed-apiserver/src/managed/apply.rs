//! Merging what is applied into what is there, and dropping what its owner applies no longer.

use serde_json::Value;

use super::{
    super::schema::node::{Manner, Node},
    Root,
    compare::step_of,
    fields::Fields,
    is_empty,
};

/// The live object with everything that is applied.
pub(crate) fn merge(root: Root<'_>, live: &Value, applied: &Value) -> Value {
    let mut merged = live.clone();
    let members = applied.as_object().into_iter().flatten();
    for (name, value) in members.filter(|(_, value)| !value.is_null()) {
        let (schema, _) = root.member(name);
        if let Some(object) = merged.as_object_mut() {
            let before = object.remove(name);
            object.insert(name.clone(), merged_value(schema, before, value));
        }
    }
    merged
}

fn merged_value(schema: Node<'_>, live: Option<Value>, applied: &Value) -> Value {
    match (schema.manner(applied), live) {
        (Manner::Members, Some(Value::Object(mut live))) => {
            let members = applied.as_object().into_iter().flatten();
            for (name, value) in members.filter(|(_, value)| !value.is_null()) {
                let (below, _) = schema.member(name);
                let before = live.remove(name);
                live.insert(name.clone(), merged_value(below, before, value));
            }
            Value::Object(live)
        }
        (Manner::Items(kind), Some(Value::Array(mut live))) => {
            for item in applied.as_array().into_iter().flatten() {
                let step = step_of(&kind, item, schema.item());
                let same = live.iter_mut().find(|have| step_of(&kind, have, schema.item()) == step);
                match same {
                    Some(have) => *have = merged_value(schema.item(), Some(have.clone()), item),
                    None => live.push(item.clone()),
                }
            }
            Value::Array(live)
        }
        _ => applied.clone(),
    }
}

/// Removes the places in `last` that no set in `kept` has, and what is empty because of that.
pub(crate) fn prune(root: Root<'_>, object: &mut Value, last: &Fields, kept: &Fields) {
    for (step, below) in last.steps() {
        let Some(name) = step.strip_prefix("f:") else { continue };
        let (schema, _) = root.member(name);
        let Some(members) = object.as_object_mut() else { continue };
        let Some(value) = members.get_mut(name) else { continue };
        if prune_value(schema, value, below, kept.get(step)) {
            members.remove(name);
        }
    }
}

/// Whether the value itself shall go.
fn prune_value(schema: Node<'_>, value: &mut Value, last: &Fields, kept: Option<&Fields>) -> bool {
    let owned = kept.is_some_and(|kept| !kept.is_empty());
    let was_empty = is_empty(Some(value));
    match schema.manner(value) {
        Manner::Leaf => return !owned,
        Manner::Members => {
            for (step, below) in last.steps() {
                let Some(name) = step.strip_prefix("f:") else { continue };
                let (schema, _) = schema.member(name);
                let Some(members) = value.as_object_mut() else { continue };
                let Some(member) = members.get_mut(name) else { continue };
                if prune_value(schema, member, below, kept.and_then(|kept| kept.get(step))) {
                    members.remove(name);
                }
            }
        }
        Manner::Items(kind) => {
            let Some(items) = value.as_array_mut() else { return false };
            items.retain_mut(|item| {
                let step = step_of(&kind, item, schema.item());
                let Some(below) = last.get(&step) else { return true };
                let kept = kept.and_then(|kept| kept.get(&step));
                !prune_value(schema.item(), item, below, kept)
            });
        }
    }
    let is_item = last.is_own();
    !owned && (is_item || (!was_empty && is_empty(Some(value))))
}
