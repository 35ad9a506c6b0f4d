//! What differs between two versions of an object, place by place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::schema::{
        node::{Manner, Node},
        types::ListKind,
    },
    Root,
    fields::{Fields, keyed_step, member_step, value_step},
    is_empty,
};

/// What differs.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Places that are new.
    pub added: Fields,
    /// Places that have another value.
    pub modified: Fields,
    /// Places that are gone.
    pub removed: Fields,
}

/// Compares two versions of an object.
pub(crate) fn compare(root: Root<'_>, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk { path: Vec::new(), found: Comparison::default() };
    for (name, (old, new)) in members(Some(old), Some(new)) {
        let (schema, _) = root.member(name);
        walk.step(member_step(name), schema, old, new);
    }
    walk.found
}

/// All places of an object that a client that applies it claims.
pub(crate) fn all(root: Root<'_>, object: &Value) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in object.as_object().into_iter().flatten() {
        let (schema, _) = root.member(name);
        claim(schema, value, &mut vec![member_step(name)], &mut fields);
    }
    fields
}

fn claim(schema: Node<'_>, value: &Value, path: &mut Vec<String>, fields: &mut Fields) {
    match schema.manner(value) {
        _ if is_empty(Some(value)) => fields.insert(path),
        Manner::Leaf => fields.insert(path),
        Manner::Members => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let (below, named) = schema.member(name);
                path.push(member_step(name));
                claim(below, value, path, fields);
                if !named {
                    fields.insert(path);
                }
                path.pop();
            }
        }
        Manner::Items(kind) => {
            for item in value.as_array().into_iter().flatten() {
                path.push(step_of(&kind, item, schema.item()));
                claim(schema.item(), item, path, fields);
                fields.insert(path);
                path.pop();
            }
        }
    }
}

struct Walk {
    path: Vec<String>,
    found: Comparison,
}

impl Walk {
    fn step(&mut self, step: String, schema: Node<'_>, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(step);
        self.visit(schema, old, new);
        self.path.pop();
    }

    fn visit(&mut self, schema: Node<'_>, old: Option<&Value>, new: Option<&Value>) {
        if old == new {
            return;
        }
        let whole = [old, new].into_iter().flatten().find(|value| !value.is_null());
        let manner = whole.map_or(Manner::Leaf, |value| schema.manner(value));
        let leaf = manner == Manner::Leaf || (is_empty(old) && is_empty(new));
        if leaf || !same_kind(old, new) {
            match (old, new) {
                (Some(old), Some(new)) if old != new => self.found.modified.insert(&self.path),
                _ => self.ends(old, new),
            }
            return;
        }
        match manner {
            Manner::Items(kind) => {
                for (step, (old, new)) in items(&kind, schema.item(), old, new) {
                    self.step(step, schema.item(), old, new);
                }
            }
            _ => {
                for (name, (old, new)) in members(old, new) {
                    let (below, _) = schema.member(name);
                    self.step(member_step(name), below, old, new);
                }
            }
        }
        self.ends(old, new);
    }

    fn ends(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, Some(_)) => self.found.added.insert(&self.path),
            (Some(_), None) => self.found.removed.insert(&self.path),
            _ => {}
        }
    }
}

fn same_kind(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(Value::Null) | None, _) | (_, Some(Value::Null) | None) => true,
        (Some(old), Some(new)) => old.is_object() == new.is_object() && old.is_array() == new.is_array(),
    }
}

type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

fn members<'a>(old: Option<&'a Value>, new: Option<&'a Value>) -> BTreeMap<&'a String, Pair<'a>> {
    let mut pairs: BTreeMap<&String, Pair<'_>> = BTreeMap::new();
    for (name, value) in old.and_then(Value::as_object).into_iter().flatten() {
        pairs.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in new.and_then(Value::as_object).into_iter().flatten() {
        pairs.entry(name).or_default().1 = Some(value);
    }
    pairs
}

fn items<'a>(
    kind: &ListKind,
    schema: Node<'_>,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
) -> BTreeMap<String, Pair<'a>> {
    let mut pairs: BTreeMap<String, Pair<'_>> = BTreeMap::new();
    for item in old.and_then(Value::as_array).into_iter().flatten() {
        pairs.entry(step_of(kind, item, schema)).or_default().0 = Some(item);
    }
    for item in new.and_then(Value::as_array).into_iter().flatten() {
        pairs.entry(step_of(kind, item, schema)).or_default().1 = Some(item);
    }
    pairs
}

/// The step to an item of a list that is merged item by item.
pub(super) fn step_of(kind: &ListKind, item: &Value, schema: Node<'_>) -> String {
    match kind {
        ListKind::Keyed(keys) => keyed_step(item, keys, schema),
        ListKind::Set | ListKind::Atomic => value_step(item),
    }
}
