//! Validated specs of the Canaries that were opened last: a reconcile opens its Canary again after each write of the
//! status, and only the status differs.
//!
//! An entry counts as long as `metadata.generation`, the labels and the annotations are the same: the API server raises
//! the generation with each change of the spec, and with no other.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use vexil_object::meta;

use crate::canary_context::Resolved;

/// Number of entries; each Canary has one place, which follows from its uid.
const ENTRIES: usize = 256;

/// Metadata on which a resolved Canary depends.
const METADATA: [&str; 6] = ["uid", "generation", "name", "namespace", "labels", "annotations"];

/// Validated specs by uid. Bounded, and shared by all reconciles.
#[derive(Debug, Default)]
pub(crate) struct ResolvedCache(Mutex<Vec<Option<Entry>>>);

#[derive(Debug)]
struct Entry {
    metadata: [Option<Value>; METADATA.len()],
    resolved: Arc<Resolved>,
}

impl ResolvedCache {
    /// What was resolved of the same generation of this Canary.
    pub(crate) fn get(&self, live: &Value) -> Option<Arc<Resolved>> {
        let metadata = live.get("metadata")?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = all.get(place(live))?.as_ref()?;
        let mut fields = METADATA.iter().zip(&entry.metadata);
        fields
            .all(|(field, known)| metadata.get(field) == known.as_ref())
            .then(|| Arc::clone(&entry.resolved))
    }

    /// Keeps a resolved Canary. One without a generation cannot be distinguished from an edited one and is not kept.
    pub(crate) fn put(&self, live: &Value, resolved: &Arc<Resolved>) {
        let Some(metadata) = live.get("metadata").filter(|metadata| metadata.get("generation").is_some())
        else {
            return;
        };
        let entry = Entry {
            metadata: METADATA.map(|field| metadata.get(field).cloned()),
            resolved: Arc::clone(resolved),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            all.resize_with(ENTRIES, || None);
        }
        if let Some(slot) = all.get_mut(place(live)) {
            *slot = Some(entry);
        }
    }
}

fn place(live: &Value) -> usize {
    let mut hasher = DefaultHasher::new();
    meta::uid(live).hash(&mut hasher);
    usize::try_from(hasher.finish() % ENTRIES as u64).unwrap_or_default()
}
