//! The index of a kind: which objects have which value, so that finding two objects does not need a look at all objects
//! of their namespace.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde_json::Value;
use vexil_object::{ObjectKey, Projection};

use crate::changes::{CacheEvent, Listed};

/// The index of one kind: namespace, name of the index, value and name of the object, each ended by a zero byte.
#[derive(Default)]
pub(super) struct Index {
    by: Option<Arc<dyn Projection>>,
    entries: BTreeSet<Box<str>>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// The pairs of one object.
pub(super) type Pairs = Vec<(&'static str, String)>;

impl Index {
    pub(super) fn by(projection: Arc<dyn Projection>) -> Self {
        Index { by: Some(projection), entries: BTreeSet::new() }
    }

    /// The pairs of an object, none for one that does not exist. `value` is not called for a kind without an index.
    pub(super) fn pairs(&self, value: impl FnOnce() -> Option<Value>) -> Pairs {
        let Some(by) = &self.by else { return Pairs::new() };
        value().map(|value| by.index(&value)).unwrap_or_default()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Moves the entries into full nodes of the tree.
    pub(super) fn compact(&mut self) {
        self.entries = std::mem::take(&mut self.entries).into_iter().collect();
    }

    /// An object has other pairs than before, or has changed under the same. Returns which lists differ.
    pub(super) fn change(&mut self, key: &ObjectKey, before: Pairs, after: Pairs) -> Vec<CacheEvent> {
        for (index, value) in &before {
            self.entries.remove(entry(key.namespace(), index, value, key.name()).as_str());
        }
        for (index, value) in &after {
            self.entries.insert(entry(key.namespace(), index, value, key.name()).into());
        }
        let all: BTreeSet<_> = before.into_iter().chain(after).collect();
        let listed =
            |(index, value)| Listed { kind: key.kind(), namespace: key.namespace().to_owned(), index, value };
        all.into_iter().map(|pair| CacheEvent::Listed(listed(pair))).collect()
    }

    /// The names of the objects of a namespace that have a value.
    pub(super) fn names<'a>(
        &'a self,
        namespace: &str,
        index: &str,
        value: &str,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let from = entry(namespace, index, value, "");
        let from = from.trim_end_matches('\0').to_owned() + "\0";
        let start = from.clone();
        self.entries
            .range::<str, _>((std::ops::Bound::Included(start.as_str()), std::ops::Bound::Unbounded))
            .map_while(move |entry| entry.strip_prefix(from.as_str()))
            .map(|name| name.trim_end_matches('\0'))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn entry(namespace: &str, index: &str, value: &str, name: &str) -> String {
    format!("{namespace}\0{index}\0{value}\0{name}")
}
