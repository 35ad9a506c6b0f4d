//! Where the route object of one Canary is, and what was observed around it.

use serde_json::{Value, json};
use vexil_object::{Kind, ObjectKey, Objects};

use crate::RouteTarget;

/// The route object of one Canary in one cluster.
#[derive(Clone, Debug)]
pub struct RouteContext<'a> {
    /// The Canary.
    pub target: &'a RouteTarget<'a>,
    /// The object that is read and written. Its kind is one that the cluster serves.
    pub key: ObjectKey,
    /// The CustomResourceDefinition of that kind; null for a kind that every API server serves.
    pub definition: &'a Value,
    /// Everything that was observed.
    pub have: &'a Objects,
}

impl RouteContext<'_> {
    /// The kind of the object.
    pub fn kind(&self) -> Kind {
        self.key.kind()
    }

    /// A new object that has nothing but its identity and, if `is_owned`, the Canary as its owner.
    pub(crate) fn bare(&self, is_owned: bool) -> Value {
        let kind = self.kind();
        let mut metadata = json!({"name": self.key.name()});
        if let Some(fields) = metadata.as_object_mut() {
            if kind.namespaced {
                fields.insert("namespace".to_owned(), self.key.namespace().into());
            }
            if is_owned {
                fields.insert("ownerReferences".to_owned(), json!([self.target.owner.reference()]));
            }
        }
        json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata})
    }
}
