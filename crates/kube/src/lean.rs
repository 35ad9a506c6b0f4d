//! Reads objects from JSON without `metadata.managedFields`: no decision needs the record of who wrote what, and in a
//! real cluster it is up to half of an object.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// A JSON value; if it is an object of Kubernetes, without `metadata.managedFields`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lean(pub(crate) Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members::Object).map(Lean)
    }
}

/// The members of an object, or of its metadata.
#[derive(Clone, Copy)]
enum Members {
    Object,
    Metadata,
}

impl<'de> Visitor<'de> for Members {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = match (self, name.as_str()) {
                (Members::Object, "metadata") => members.next_value_seed(Members::Metadata)?,
                (Members::Metadata, "managedFields") => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => members.next_value()?,
            };
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_managed_fields_of_the_object_itself_are_left_out() {
        let managed = json!([{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]);
        for (given, expect) in [
            (
                json!({"kind": "Service", "metadata": {"name": "a", "managedFields": managed}}),
                json!({"kind": "Service", "metadata": {"name": "a"}}),
            ),
            (
                json!({"managedFields": managed, "spec": {"metadata": {"managedFields": managed}}}),
                json!({"managedFields": managed, "spec": {"metadata": {"managedFields": managed}}}),
            ),
            (
                json!({"metadata": null, "items": [1, -2, 0.5]}),
                json!({"metadata": null, "items": [1, -2, 0.5]}),
            ),
        ] {
            assert_eq!(serde_json::from_str::<Lean>(&given.to_string()).ok(), Some(Lean(expect)), "{given}");
        }
        assert!(serde_json::from_str::<Lean>("[1]").is_err());
    }
}
