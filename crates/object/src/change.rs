//! One wanted change of one object, fenced against other writers.

use serde_json::Value;

use crate::{ObjectKey, merge_patch, meta};

/// A change that shall be made to one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The object.
    pub key: ObjectKey,
    /// What shall happen to it.
    pub action: Action,
}

/// What shall happen to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create it; an object of that name that exists already is left alone and reported.
    Create(Value),
    /// Change only the named fields (RFC 7386).
    Merge {
        /// The fields to write; `null` removes one.
        body: Value,
        /// The object that was read.
        on: Precondition,
    },
    /// Change by position (RFC 6902), for parts that must be replaced whole.
    Json {
        /// The operations, in order.
        ops: Vec<JsonOp>,
        /// The object that was read.
        on: Precondition,
    },
    /// Delete it.
    Delete(Precondition),
}

/// One operation of a JSON patch.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonOp {
    /// Sets the value at a path, whether or not there was one before.
    Add(String, Value),
    /// Removes the value at a path that exists.
    Remove(String),
}

impl JsonOp {
    /// Carries out the operation; `None` when its path leads nowhere.
    #[must_use]
    pub fn apply(&self, object: &mut Value) -> Option<()> {
        let (path, value) = match self {
            JsonOp::Add(path, value) => (path, Some(value)),
            JsonOp::Remove(path) => (path, None),
        };
        let (parent, last) = path.rsplit_once('/')?;
        let name = last.replace("~1", "/").replace("~0", "~");
        match (object.pointer_mut(parent)?, value) {
            (Value::Object(map), Some(value)) => drop(map.insert(name, value.clone())),
            (Value::Object(map), None) => drop(map.remove(&name)?),
            (Value::Array(list), Some(value)) => {
                let at = if name == "-" { list.len() } else { name.parse().ok()? };
                (at <= list.len()).then(|| list.insert(at, value.clone()))?;
            }
            (Value::Array(list), None) => {
                let at: usize = name.parse().ok()?;
                (at < list.len()).then(|| list.remove(at))?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// Which version of an object a change was computed from. The API server refuses the write when it has moved on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// Refuses an object that was deleted and made again under the same name.
    pub uid: String,
    /// Refuses an object that another client has written meanwhile.
    pub resource_version: String,
}

impl Precondition {
    /// The precondition "still as in `live`".
    pub fn of(live: &Value) -> Self {
        Precondition {
            uid: meta::uid(live).to_owned(),
            resource_version: meta::resource_version(live).to_owned(),
        }
    }
}

impl Change {
    /// Creates `object`.
    pub fn create(key: ObjectKey, object: Value) -> Self {
        Change { key, action: Action::Create(object) }
    }

    /// The narrowest patch that turns `live` into `want`; `None` when they are equal already.
    pub fn between(key: ObjectKey, live: &Value, want: &Value) -> Option<Self> {
        let body = merge_patch(live, want)?;
        Some(Change { key, action: Action::Merge { body, on: Precondition::of(live) } })
    }

    /// Deletes `live`.
    pub fn delete(key: ObjectKey, live: &Value) -> Self {
        Change { key, action: Action::Delete(Precondition::of(live)) }
    }

    /// Whether it creates the object.
    pub fn creates(&self) -> bool {
        matches!(self.action, Action::Create(_))
    }
}
