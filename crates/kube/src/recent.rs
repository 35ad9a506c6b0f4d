//! The objects of a kind that were read, written or reported most recently, unpacked: a reconcile reads the same few
//! objects several times, and first of all those that have just changed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use crate::packed::Packed;

/// How many objects of a kind are kept, each in the one place that the hash of its namespace and name gives: those of
/// some reconciles at once. A tree takes up to 16 KiB, and as long as nothing else is read they stay.
const PLACES: usize = 64;

/// The objects of one kind that were used most recently.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Vec<Option<Entry>>>);

#[derive(Debug)]
struct Entry {
    packed: Packed,
    value: Arc<Value>,
}

impl Recent {
    /// The object as a tree.
    pub(crate) fn value(&self, packed: &Packed) -> Arc<Value> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(number(packed)).and_then(Option::as_ref) {
            Some(entry) if entry.packed == *packed => Arc::clone(&entry.value),
            _ => {
                let value = Arc::new(packed.value());
                put(&mut entries, packed, Arc::clone(&value));
                value
            }
        }
    }

    /// Keeps an object that was packed from this tree: it will be read soon.
    pub(crate) fn keep(&self, packed: &Packed, value: Arc<Value>) {
        put(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), packed, value);
    }
}

fn put(entries: &mut Vec<Option<Entry>>, packed: &Packed, value: Arc<Value>) {
    if entries.is_empty() {
        entries.resize_with(PLACES, || None);
    }
    if let Some(entry) = entries.get_mut(number(packed)) {
        *entry = Some(Entry { packed: packed.clone(), value });
    }
}

fn number(packed: &Packed) -> usize {
    let mut hasher = DefaultHasher::new();
    packed.place().hash(&mut hasher);
    usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default()
}
