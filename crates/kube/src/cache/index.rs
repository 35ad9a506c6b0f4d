//! The index of a kind: which objects have which value, so that finding two objects does not need a look at all objects
//! of their namespace.

use std::{
    collections::BTreeSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use serde_json::Value;
use vexil_object::Projection;

/// The index of one kind. An entry is the digest of namespace, index and value, and the number of the object: 12 bytes
/// instead of the texts. Two values with one digest would be found together; the namespace is compared again.
#[derive(Clone, Default)]
pub(super) struct Index {
    by: Option<Arc<dyn Projection>>,
    entries: BTreeSet<(u64, u32)>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Index and value, for each index of one object.
pub(crate) type Pairs = Vec<(&'static str, String)>;

impl Index {
    pub(super) fn by(projection: Arc<dyn Projection>) -> Self {
        Index { by: Some(projection), entries: BTreeSet::new() }
    }

    /// The same index without entries.
    pub(super) fn emptied(&self) -> Self {
        Index { by: self.by.clone(), entries: BTreeSet::new() }
    }

    /// The pairs of an object.
    pub(super) fn pairs_of(&self, object: &Value) -> Pairs {
        self.by.as_ref().map(|by| by.index(object)).unwrap_or_default()
    }

    /// Whether objects of this kind have pairs.
    pub(super) fn has_pairs(&self) -> bool {
        self.by.is_some()
    }

    /// Adds the entries of an object.
    pub(super) fn add(&mut self, namespace: &str, pairs: &[(&'static str, String)], object: u32) {
        self.entries.extend(pairs.iter().map(|(index, value)| (digest(namespace, index, value), object)));
    }

    /// Removes the entries of an object.
    pub(super) fn remove(&mut self, namespace: &str, pairs: &[(&'static str, String)], object: u32) {
        for (index, value) in pairs {
            self.entries.remove(&(digest(namespace, index, value), object));
        }
    }

    /// Moves the entries into full nodes of the tree.
    pub(super) fn compact(&mut self) {
        self.entries = std::mem::take(&mut self.entries).into_iter().collect();
    }

    /// The objects of a namespace that have a value.
    pub(super) fn objects(&self, namespace: &str, index: &str, value: &str) -> impl Iterator<Item = u32> {
        let digest = digest(namespace, index, value);
        self.entries.range((digest, 0)..=(digest, u32::MAX)).map(|(_, object)| *object)
    }
}

fn digest(namespace: &str, index: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (namespace, index, value).hash(&mut hasher);
    hasher.finish()
}
