//! One view of both kinds of schema: what server-side apply and strategic merge need to know of a place in an object.

use serde_json::{Value, json};

use super::types::{ListKind, Shape, find};

/// The schema at one place in an object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node<'a> {
    /// A shape of the table.
    Table(&'a Shape),
    /// A part of a structural schema.
    Custom(&'a Value),
    /// Nothing is known: objects are merged member by member, lists replaced whole.
    Deduced,
}

/// How a place is merged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Manner {
    /// As one value.
    Leaf,
    /// Member by member.
    Members,
    /// Item by item.
    Items(ListKind),
}

const META: &Shape = &Shape::Any;

impl<'a> Node<'a> {
    /// How the place is merged when it holds `value`.
    pub fn manner(self, value: &Value) -> Manner {
        match (self, value) {
            (_, Value::Object(_)) => self.object_manner(),
            (_, Value::Array(_)) => self.list_manner(),
            _ => Manner::Leaf,
        }
    }

    fn object_manner(self) -> Manner {
        let atomic = match self {
            Node::Table(Shape::Type(name)) => find(name).is_some_and(|typed| typed.atomic),
            Node::Table(Shape::Map(_, atomic)) => *atomic,
            Node::Table(Shape::Any) | Node::Deduced => false,
            Node::Table(_) => true,
            Node::Custom(schema) => word(schema, "x-kubernetes-map-type") == "atomic",
        };
        if atomic { Manner::Leaf } else { Manner::Members }
    }

    fn list_manner(self) -> Manner {
        let kind = match self {
            Node::Table(Shape::List(_, kind)) => kind.clone(),
            Node::Custom(schema) => match word(schema, "x-kubernetes-list-type") {
                "set" => ListKind::Set,
                "map" => {
                    let keys = super::super::json::list(schema, &["x-kubernetes-list-map-keys"]);
                    ListKind::Keyed(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                _ => ListKind::Atomic,
            },
            _ => ListKind::Atomic,
        };
        if kind == ListKind::Atomic { Manner::Leaf } else { Manner::Items(kind) }
    }

    /// The schema of a member, and whether the schema names that member.
    pub fn member(self, name: &str) -> (Node<'a>, bool) {
        match self {
            Node::Table(Shape::Type(typed)) => match find(typed).and_then(|typed| typed.fields.get(name)) {
                Some(field) => (Node::Table(&field.shape), true),
                None => (Node::Deduced, false),
            },
            Node::Table(Shape::Map(inner, _)) => (Node::Table(inner), false),
            Node::Custom(schema) => custom_member(schema, name),
            Node::Table(_) | Node::Deduced => (Node::Deduced, false),
        }
    }

    /// The schema of the items.
    pub fn item(self) -> Node<'a> {
        match self {
            Node::Table(Shape::List(inner, _)) => Node::Table(inner),
            Node::Custom(schema) => schema.get("items").map_or(Node::Deduced, Node::Custom),
            _ => Node::Deduced,
        }
    }

    /// How a strategic merge patch treats the member `name`.
    #[cfg(feature = "kubectl")]
    pub fn strategy(self, name: &str) -> super::types::Strategy {
        match self {
            Node::Table(Shape::Type(typed)) => {
                let field = find(typed).and_then(|typed| typed.fields.get(name));
                field.map(|field| field.strategy.clone()).unwrap_or_default()
            }
            _ => super::types::Strategy::default(),
        }
    }

    /// What a key has where an item does not give it: the one default of built-in keys.
    pub fn key_default(self, key: &str) -> Option<Value> {
        match self {
            Node::Table(_) => (key == "protocol").then(|| json!("TCP")),
            Node::Custom(schema) => schema.get("properties")?.get(key)?.get("default").cloned(),
            Node::Deduced => None,
        }
    }
}

fn custom_member<'a>(schema: &'a Value, name: &str) -> (Node<'a>, bool) {
    let embedded = schema.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true));
    if embedded && name == "metadata" {
        return (Node::Table(META), true);
    }
    if let Some(found) = schema.get("properties").and_then(|properties| properties.get(name)) {
        return (Node::Custom(found), true);
    }
    match schema.get("additionalProperties") {
        Some(found @ Value::Object(_)) => (Node::Custom(found), false),
        _ => (Node::Deduced, false),
    }
}

fn word<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}
