//! What a cache keeps of a kind: memory is paid for every object of the cluster, also for those that are not ours.

use serde_json::Value;

use crate::Kind;

/// What the cache keeps of each object of one kind. Decisions that need more read the object itself.
pub trait Projection: Send + Sync {
    /// The kind that is watched.
    fn kind(&self) -> Kind;

    /// The part that is kept. `metadata.name`, `namespace`, `uid` and `resourceVersion` must survive.
    fn keep(&self, object: Value) -> Value;
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
