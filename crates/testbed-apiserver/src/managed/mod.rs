//! Who owns which field: `metadata.managedFields`, as structured-merge-diff computes them.

mod apply;
mod compare;
mod fields;
mod managers;

use serde_json::Value;

pub(crate) use apply::{merge, prune};
pub(crate) use fields::Fields;
pub(crate) use managers::{Contested, Managers, Owner, claims};

use super::schema::{node::Node, types::Shape};

/// The schema of an object: its kind's own, with `metadata` as every object has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    /// The schema of everything but metadata.
    pub node: Node<'a>,
    /// The shape of metadata.
    pub meta: &'a Shape,
}

impl<'a> Root<'a> {
    /// The schema of a top member.
    pub fn member(self, name: &str) -> (Node<'a>, bool) {
        match name {
            "metadata" => (Node::Table(self.meta), true),
            "apiVersion" | "kind" => (Node::Table(&Shape::Text), true),
            _ => self.node.member(name),
        }
    }
}

/// Whether a value is worth nothing to compare: absent, null or empty.
pub(super) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}
