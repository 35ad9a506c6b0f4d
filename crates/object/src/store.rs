//! A cluster as small as it gets: objects in memory that take changes behind the same fences as the API server's.
//!
//! Laws and simulations run on it: what a pure function wants is applied, and the function is asked again. It knows
//! no schema, no defaults and no subresources; where those matter, the testbed's API server is the one to ask.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Action, Change, JsonOp, ObjectKey, Objects, Precondition, Seen, merge, meta};

/// Objects that exist, each with a uid and a resourceVersion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Store {
    objects: BTreeMap<ObjectKey, Value>,
    revision: u64,
}

/// Why a change was not made. Which object it was, the change says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is an object of that name already.
    #[error("the object exists already")]
    Exists,
    /// There is no such object.
    #[error("the object does not exist")]
    Missing,
    /// It is not the object, or not the version of it, that the change was computed from.
    #[error("the object was changed since it was read")]
    Conflict,
    /// An operation of a JSON patch points nowhere (a JSON pointer, RFC 6901).
    #[error("the object has nothing at {0}")]
    NoSuchPath(String),
}

impl Store {
    /// The object, when it exists.
    pub fn get(&self, key: &ObjectKey) -> Option<&Value> {
        self.objects.get(key)
    }

    /// What a look at `key` shows: present or absent, and never not known.
    pub fn look(&self, key: &ObjectKey) -> Seen {
        self.get(key).cloned().map_or(Seen::Absent, Seen::present)
    }

    /// Writes an object as another client would, without a fence. One that exists keeps its uid.
    pub fn put(&mut self, key: ObjectKey, mut object: Value) {
        self.revision = self.revision.saturating_add(1);
        let uid = match self.objects.get(&key) {
            Some(live) => meta::uid(live).to_owned(),
            None => format!("uid-{}", self.revision),
        };
        meta::set(&mut object, &["metadata", "uid"], uid.into());
        meta::set(&mut object, &["metadata", "resourceVersion"], self.revision.to_string().into());
        self.objects.insert(key, object);
    }

    /// Deletes an object as another client would.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<Value> {
        self.objects.remove(key)
    }

    /// Makes one change, or none of it. A patch that changes nothing leaves the resourceVersion as it is, as the API
    /// server does.
    ///
    /// # Errors
    /// When the object is not as the change expects it.
    pub fn apply(&mut self, change: &Change) -> Result<(), Refused> {
        let key = &change.key;
        let changed = match &change.action {
            Action::Create(_) if self.objects.contains_key(key) => return Err(Refused::Exists),
            Action::Create(object) => object.clone(),
            Action::Delete(on) => {
                self.fenced(key, on)?;
                self.objects.remove(key);
                return Ok(());
            }
            Action::Merge { body, on } => {
                let mut object = self.fenced(key, on)?.clone();
                merge(&mut object, body);
                object
            }
            Action::Json { ops, on } => {
                let mut object = self.fenced(key, on)?.clone();
                for op in ops {
                    op.apply(&mut object).ok_or_else(|| nowhere(op))?;
                }
                object
            }
        };
        if self.objects.get(key) != Some(&changed) {
            self.put(key.clone(), changed);
        }
        Ok(())
    }

    fn fenced(&self, key: &ObjectKey, on: &Precondition) -> Result<&Value, Refused> {
        let live = self.objects.get(key).ok_or(Refused::Missing)?;
        if Precondition::of(live) == *on { Ok(live) } else { Err(Refused::Conflict) }
    }
}

/// Every object that exists; others are not known.
impl From<&Store> for Objects {
    fn from(store: &Store) -> Self {
        store.objects.iter().map(|(key, object)| (key.clone(), Seen::present(object.clone()))).collect()
    }
}

fn nowhere(op: &JsonOp) -> Refused {
    let (JsonOp::Add(path, _) | JsonOp::Remove(path)) = op;
    Refused::NoSuchPath(path.clone())
}

#[cfg(test)]
mod tests;
