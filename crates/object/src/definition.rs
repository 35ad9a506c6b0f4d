//! A CustomResourceDefinition, reduced to its versions and the names of their fields.
//!
//! An API server drops the fields that the definition does not have, silently. A router that can write more than one
//! form of an object chooses by what is here, and a message about a dropped field names the definition.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{Kind, ObjectKey, Projection, kinds::CUSTOM_RESOURCE_DEFINITION, meta};

/// Keeps the metadata of every definition, and of those that are named also which fields their versions have. Only
/// those are read whole, once for each generation: all definitions of a cluster together have tens of MiB.
#[derive(Clone, Debug, Default)]
pub struct Definitions(BTreeSet<String>);

impl Definitions {
    /// Keeps the fields of the definitions of these kinds.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Definitions(kinds.into_iter().map(|kind| kind.definition().name().to_owned()).collect())
    }
}

impl Projection for Definitions {
    fn kind(&self) -> Kind {
        CUSTOM_RESOURCE_DEFINITION
    }

    fn keep(&self, object: Value) -> Value {
        if self.0.contains(meta::text(&object, "/metadata/name")) {
            shaped(object)
        } else {
            crate::Metadata(CUSTOM_RESOURCE_DEFINITION).keep(object)
        }
    }

    fn metadata_only(&self) -> bool {
        true
    }

    fn reads(&self, key: &ObjectKey) -> bool {
        self.0.contains(key.name())
    }
}

/// A definition with its metadata, and of its versions the names and the names of their fields.
pub fn shaped(object: Value) -> Value {
    let spec = object.get("spec").map(shape);
    let mut kept = crate::Metadata(CUSTOM_RESOURCE_DEFINITION).keep(object);
    if let Some(spec) = spec {
        meta::set(&mut kept, &["spec"], spec);
    }
    kept
}

fn shape(spec: &Value) -> Value {
    let versions = spec.get("versions").and_then(Value::as_array).into_iter().flatten();
    let versions = versions.map(|version| {
        let mut kept = json!({"name": version.get("name"), "served": version.get("served")});
        let schema = version.pointer("/schema/openAPIV3Schema");
        if let Some(schema) = schema.filter(|schema| schema.is_object()) {
            meta::set(&mut kept, &["schema", "openAPIV3Schema"], fields(schema));
        }
        kept
    });
    json!({"versions": versions.collect::<Vec<_>>()})
}

const ANYTHING: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";

fn fields(schema: &Value) -> Value {
    let mut kept = Map::new();
    for (name, below) in schema.as_object().into_iter().flatten() {
        match (name.as_str(), below) {
            (ANYTHING | EMBEDDED, _) | ("additionalProperties", Value::Bool(_)) => {
                kept.insert(name.clone(), below.clone());
            }
            ("items" | "additionalProperties", _) => {
                kept.insert(name.clone(), fields(below));
            }
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter().map(|(name, below)| (name.clone(), fields(below)));
                kept.insert(name.clone(), properties.collect::<Map<_, _>>().into());
            }
            _ => {}
        }
    }
    kept.into()
}

/// The versions that a definition serves, in its order; none when only its metadata is known.
pub fn served(definition: &Value) -> Vec<&str> {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let served = versions.filter(|version| version.get("served") != Some(&Value::Bool(false)));
    served.filter_map(|version| version.get("name").and_then(Value::as_str)).collect()
}

/// Whether objects of this version have a field, as far as the definition says; `None` when it does not say. A step of
/// the path is the name of a field or of a map's key; an item of a list is any number.
pub fn has_field<'a>(
    definition: &Value,
    version: &str,
    path: impl IntoIterator<Item = &'a str>,
) -> Option<bool> {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array)?;
    let version = versions.iter().find(|found| found.get("name").and_then(Value::as_str) == Some(version))?;
    let mut schema = version.pointer("/schema/openAPIV3Schema").filter(|schema| schema.is_object())?;
    for (depth, step) in path.into_iter().enumerate() {
        // Every object has these, whatever its schema says of them.
        if depth == 0 && matches!(step, "apiVersion" | "kind" | "metadata") {
            return Some(true);
        }
        let is = |mark: &str| schema.get(mark) == Some(&Value::Bool(true));
        let index = step.bytes().all(|byte| byte.is_ascii_digit());
        let below = schema.get("items").filter(|_| index);
        let below = below.or_else(|| schema.get("properties").and_then(|all| all.get(step)));
        let below = below.or_else(|| schema.get("additionalProperties").filter(|below| below.is_object()));
        match below {
            Some(below) => schema = below,
            None => return Some(is(ANYTHING) || is(EMBEDDED) || is("additionalProperties")),
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Kind = Kind::namespaced("mesh.test", "v1", "Route", "routes");

    fn definition() -> Value {
        let reference = json!({"type": "object", "description": "long", "properties": {
            "name": {"type": "string", "maxLength": 63},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }});
        let to = json!({"type": "array", "items": {"type": "object", "properties": {"ref": reference}}});
        let schema = json!({"type": "object", "properties": {"spec": {"properties": {"to": to}}}});
        json!({
            "metadata": {"name": "routes.mesh.test", "managedFields": []},
            "spec": {"group": "mesh.test", "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
                {"name": "v0", "served": false},
            ]},
        })
    }

    #[test]
    fn only_named_definitions_keep_their_fields() {
        let named = Definitions::of([ROUTE]);
        let kept = named.keep(definition());
        assert_eq!(named.keep(kept.clone()), kept, "keeping twice is keeping once");
        assert!(!kept.to_string().contains("long") && !kept.to_string().contains("maxLength"), "{kept}");
        assert_eq!(served(&kept), ["v1"]);
        assert_eq!(
            Definitions::default().keep(definition()),
            json!({"metadata": {"name": "routes.mesh.test"}})
        );
        assert!(named.reads(&ROUTE.definition()) && !Definitions::default().reads(&ROUTE.definition()));
    }

    #[test]
    fn a_field_is_found_where_the_schema_has_it() {
        let kept = Definitions::of([ROUTE]).keep(definition());
        let check = |version: &str, path: &str, has: Option<bool>| {
            assert_eq!(has_field(&kept, version, path.split('/')), has, "{version} {path}");
        };
        check("v1", "spec/to/0/ref/name", Some(true));
        check("v1", "spec/to/0/ref/labels", Some(false));
        check("v1", "spec/to/0/ref/tags/a", Some(true));
        check("v1", "spec/to/0/ref/any/thing/else", Some(true));
        check("v1", "spec/from", Some(false));
        check("v1", "metadata/labels/x", Some(true));
        check("v0", "spec/to", None);
        check("v2", "spec/to", None);
    }
}
