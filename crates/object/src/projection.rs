//! What a cache keeps of a kind: memory is paid for every object of the cluster, also for those that are not ours.

use serde_json::Value;

use crate::{Kind, ObjectKey};

/// What the cache keeps of each object of one kind. Decisions that need more read the object itself.
pub trait Projection: Send + Sync {
    /// The kind that is watched.
    fn kind(&self) -> Kind;

    /// The part that is kept. `metadata.name`, `namespace`, `uid` and `resourceVersion` must survive.
    fn keep(&self, object: Value) -> Value;

    /// Whether only `metadata` is kept: then the API server is asked for nothing else, which is what makes it cheap to
    /// watch kinds with big or secret contents.
    fn metadata_only(&self) -> bool {
        false
    }

    /// Whether this object is read whole all the same where only metadata is asked for: its content is asked for once
    /// for each of its generations, and [`Projection::keep`] is given all of it.
    fn reads(&self, key: &ObjectKey) -> bool {
        let _ = key;
        false
    }

    /// By what objects of this kind are found besides their names: pairs of an index and a value, made from what is
    /// kept. The cache answers for each pair which objects of a namespace have it, without looking at the others.
    fn index(&self, _kept: &Value) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Keeps objects whole but for `metadata.managedFields`: for route objects, which are few and are written back.
#[derive(Clone, Copy, Debug)]
pub struct Whole(pub Kind);

impl Projection for Whole {
    fn kind(&self) -> Kind {
        self.0
    }

    fn keep(&self, mut object: Value) -> Value {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        object
    }
}

/// Keeps objects without their status: for kinds whose status moves all the time and decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct Wanted(pub Kind);

impl Projection for Wanted {
    fn kind(&self) -> Kind {
        self.0
    }

    fn keep(&self, object: Value) -> Value {
        let mut object = Whole(self.0).keep(object);
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
        }
        object
    }
}

/// Keeps only metadata, and asks for nothing else: for definitions, and for objects whose content is read on use.
/// `managedFields` and kubectl's copy of what was applied last are dropped, for they repeat the content.
#[derive(Clone, Copy, Debug)]
pub struct Metadata(pub Kind);

impl Projection for Metadata {
    fn kind(&self) -> Kind {
        self.0
    }

    fn keep(&self, object: Value) -> Value {
        let Value::Object(mut object) = object else { return object };
        object.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata"));
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
        }
        Value::Object(object)
    }

    fn metadata_only(&self) -> bool {
        true
    }
}
