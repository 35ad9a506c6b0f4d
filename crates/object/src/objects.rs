//! What is known of the cluster: present, absent, or not known.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::ObjectKey;

/// What is known of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Seen {
    /// It exists and looked like this (possibly only the fields that its [`crate::Projection`] keeps).
    Present(Arc<Value>),
    /// It does not exist.
    Absent,
    /// It was not read yet, or a write to it has an unknown outcome. Nothing may be created or decided on this.
    #[default]
    NotKnown,
}

impl Seen {
    /// Wraps an object that was seen.
    pub fn present(object: Value) -> Self {
        Seen::Present(Arc::new(object))
    }

    /// The object, when it is known to exist.
    pub fn object(&self) -> Option<&Value> {
        match self {
            Seen::Present(object) => Some(object),
            Seen::Absent | Seen::NotKnown => None,
        }
    }

    /// The same, to be held on to.
    pub fn shared(self) -> Option<Arc<Value>> {
        match self {
            Seen::Present(object) => Some(object),
            Seen::Absent | Seen::NotKnown => None,
        }
    }

    /// Whether it is known to exist or known not to.
    pub fn is_known(&self) -> bool {
        !matches!(self, Seen::NotKnown)
    }
}

/// The objects that one decision was given, ordered by key so that nothing depends on chance.
#[derive(Clone, Debug, Default)]
pub struct Objects(BTreeMap<ObjectKey, Seen>);

impl Objects {
    /// What is known of `key`; an object that was not looked at is not known.
    pub fn get(&self, key: &ObjectKey) -> &Seen {
        static NOT_KNOWN: Seen = Seen::NotKnown;
        self.0.get(key).unwrap_or(&NOT_KNOWN)
    }

    /// Whether `key` was looked at, with any result.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.0.contains_key(key)
    }

    /// Adds or replaces what is known of one object.
    pub fn insert(&mut self, key: ObjectKey, seen: Seen) {
        self.0.insert(key, seen);
    }

    /// Every object that was looked at, in order of its key.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Seen)> {
        self.0.iter()
    }
}

impl FromIterator<(ObjectKey, Seen)> for Objects {
    fn from_iter<T: IntoIterator<Item = (ObjectKey, Seen)>>(items: T) -> Self {
        Objects(items.into_iter().collect())
    }
}
