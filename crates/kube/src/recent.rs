//! The objects that were read from the cache most recently, unpacked: one reconcile reads the same dozen objects
//! several times.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use vexil_object::ObjectKey;

use crate::packed::Packed;

/// How many objects are kept, each in the one place that the hash of its key gives: those of a few reconciles. A tree
/// takes up to 16 KiB, and as long as nothing else is read they stay.
const PLACES: usize = 128;

/// The objects that were read most recently.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Vec<Option<Entry>>>);

#[derive(Debug)]
struct Entry {
    key: ObjectKey,
    packed: Packed,
    value: Arc<Value>,
}

impl Recent {
    /// The object as a tree.
    pub(crate) fn value(&self, key: &ObjectKey, packed: &Packed) -> Arc<Value> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.is_empty() {
            entries.resize_with(PLACES, || None);
        }
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default();
        let Some(entry) = entries.get_mut(place) else { return Arc::new(packed.value()) };
        match entry {
            Some(entry) if entry.key == *key && entry.packed == *packed => Arc::clone(&entry.value),
            _ => {
                let value = Arc::new(packed.value());
                *entry = Some(Entry { key: key.clone(), packed: packed.clone(), value: Arc::clone(&value) });
                value
            }
        }
    }
}
