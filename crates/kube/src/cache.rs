//! The objects of one kind as the watch told them, with our own writes laid over. Pure: no client, no clock.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Precondition, Projection, Seen, meta};

use self::{
    index::Index,
    objects::{Objects, Sight},
};
use crate::{
    changes::Noted,
    overlay::{Laid, What, number, version},
    packed::Packed,
};

/// How much the watch has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No list has arrived yet.
    Listing,
    /// Complete up to the version that was reached.
    Synced,
    /// The API server answers that there is no such resource.
    NotServed,
}

/// A list that is older than what was already told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FromThePast {
    pub(crate) listed: u64,
    pub(crate) reached: u64,
}

/// The objects of one kind.
#[derive(Debug)]
pub(crate) struct Cache {
    kind: Kind,
    progress: Progress,
    reached: u64,
    ticket: u64,
    objects: Objects,
    laid: BTreeMap<ObjectKey, Laid>,
    index: Index,
}

impl Cache {
    #[cfg(test)]
    pub(crate) fn new(kind: Kind) -> Self {
        Cache::with(kind, Index::default())
    }

    /// A cache that also finds objects by what the projection of the kind says.
    pub(crate) fn indexed(projection: Arc<dyn Projection>) -> Self {
        Cache::with(projection.kind(), Index::by(projection))
    }

    fn with(kind: Kind, index: Index) -> Self {
        Cache {
            kind,
            progress: Progress::Listing,
            reached: 0,
            ticket: 0,
            objects: Objects::default(),
            laid: BTreeMap::new(),
            index,
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// What is known of one object; of a kind that is not served, only what was laid over is known here.
    pub(crate) fn look(&self, key: &ObjectKey) -> Seen {
        self.sight(key).seen(key)
    }

    /// The same, not unpacked.
    pub(crate) fn sight(&self, key: &ObjectKey) -> Sight<'_> {
        match (self.laid.get(key), self.objects.get(key), self.progress) {
            (Some(laid), ..) => laid.what.sight(),
            (None, Some(object), _) => Sight::Present(object),
            (None, None, Progress::Synced) => Sight::Absent,
            (None, None, Progress::Listing | Progress::NotServed) => Sight::NotKnown,
        }
    }

    /// The keys of the objects of one namespace, or all for an empty one, by namespace and name. `None` when the list
    /// has not arrived or one of the objects is not known.
    pub(crate) fn keys_in(&self, namespace: &str) -> Option<Vec<ObjectKey>> {
        if self.progress != Progress::Synced {
            return None;
        }
        let within = |key: &&ObjectKey| namespace.is_empty() || key.namespace() == namespace;
        let told = self.objects.keys(self.kind, namespace);
        if !self.laid.keys().any(|key| within(&key)) {
            return Some(told.collect());
        }
        let mut found: std::collections::BTreeSet<ObjectKey> = told.collect();
        for (key, laid) in self.laid.iter().filter(|(key, _)| within(key)) {
            match laid.what.sight() {
                Sight::Present(_) => drop(found.insert(key.clone())),
                Sight::Absent => drop(found.remove(key)),
                Sight::NotKnown => return None,
            }
        }
        Some(found.into_iter().collect())
    }

    /// The keys of the objects of one namespace that an index has under a value. `None` when the list has not arrived
    /// or an object that may be one of them is not known.
    pub(crate) fn keys_by(&self, namespace: &str, index: &str, value: &str) -> Option<Vec<ObjectKey>> {
        if self.progress != Progress::Synced {
            return None;
        }
        let in_doubt = |(key, laid): (&ObjectKey, &Laid)| {
            let has = |pairs: index::Pairs| pairs.iter().any(|(of, is)| (*of, is.as_str()) == (index, value));
            key.namespace() == namespace
                && matches!(laid.what, What::Unknown { .. })
                && self.under(key).is_none_or(|under| has(self.index.pairs(|| Some(under.value_of(key)))))
        };
        if self.laid.iter().any(in_doubt) {
            return None;
        }
        let names = self.index.names(namespace, index, value);
        Some(names.map(|name| ObjectKey::new(self.kind, namespace, name)).collect())
    }

    /// A complete list arrived. Answers what looks different now; nothing for the first list, which changes the
    /// progress.
    ///
    /// # Errors
    /// When the list is older than what the watch already told: nothing is taken from it.
    pub(crate) fn relist(&mut self, listed: u64, objects: Objects) -> Result<Vec<Noted>, FromThePast> {
        if listed < self.reached {
            return Err(FromThePast { listed, reached: self.reached });
        }
        let first = self.progress == Progress::Listing;
        let before = std::mem::replace(&mut self.objects, objects);
        self.progress = Progress::Synced;
        let mut noted = Vec::new();
        if first {
            self.index.clear();
            for key in self.keys() {
                self.indexed_anew(&key, None);
            }
        } else {
            for key in before.differing(&self.objects, self.kind) {
                if !self.laid.contains_key(&key) {
                    noted.extend(self.indexed_anew(&key, before.get(&key)));
                    noted.push(Noted::Object(key));
                }
            }
        }
        let passed = self.reached(listed);
        noted.extend(passed.into_iter().filter(|_| !first));
        Ok(noted)
    }

    /// The kind is not served (any more): whatever was known of it has ended. Answers what was known.
    pub(crate) fn not_served(&mut self) -> Vec<Noted> {
        let keys = self.keys();
        self.objects = Objects::default();
        self.laid.clear();
        self.index.clear();
        self.progress = Progress::NotServed;
        keys.into_iter().map(Noted::Object).collect()
    }

    /// The watch told that an object was made or changed. Answers what looks different now.
    pub(crate) fn told(&mut self, object: &Value) -> Vec<Noted> {
        let at = version(object);
        if at <= self.reached {
            return Vec::new();
        }
        let key = self.key(object);
        // The answer to our own write is the same object, and whole: a watch that was opened under an earlier
        // definition may leave out fields that are new.
        let packed = match self.laid.get(&key) {
            Some(Laid { what: What::Present(answer), .. }) if answer.version() == at => answer.clone(),
            _ => Packed::of(object),
        };
        self.under_is(&key, Some(packed), at)
    }

    /// The watch told that an object was deleted. Answers what looks different now.
    pub(crate) fn told_deleted(&mut self, object: &Value) -> Vec<Noted> {
        let at = version(object);
        if at <= self.reached {
            return Vec::new();
        }
        self.under_is(&self.key(object), None, at)
    }

    /// The watch told that nothing else happened up to `at`. Answers what looks different now.
    pub(crate) fn told_nothing_until(&mut self, at: u64) -> Vec<Noted> {
        self.reached(at)
    }

    /// A write of ours was answered with this object.
    pub(crate) fn wrote(&mut self, object: &Value) -> Vec<Noted> {
        let key = self.key(object);
        let at = version(object);
        let outdated = |what: &What| match what {
            What::Gone { uid, .. } if uid == meta::uid(object) => true,
            other => other.version() > at,
        };
        if self.laid.get(&key).is_some_and(|laid| outdated(&laid.what)) {
            return Vec::new();
        }
        self.lay(key, What::Present(Packed::of(object)))
    }

    /// A delete of ours was answered: the object that was fenced on is gone.
    pub(crate) fn deleted(&mut self, key: &ObjectKey, on: &Precondition) -> Vec<Noted> {
        let at = number(&on.resource_version);
        if self.laid.get(key).is_some_and(|laid| laid.what.version() > at) {
            return Vec::new();
        }
        self.lay(key.clone(), What::Gone { uid: on.uid.clone(), at })
    }

    /// A write of ours got no clear answer, or one that shows that the cache is behind.
    pub(crate) fn unsure(&mut self, key: &ObjectKey, on: Option<&Precondition>) -> Vec<Noted> {
        match What::unknown(on, self.laid.get(key).map(|laid| &laid.what), key) {
            Some(what) => self.lay(key.clone(), what),
            None => Vec::new(),
        }
    }

    fn key(&self, object: &Value) -> ObjectKey {
        let name = meta::text(object, "/metadata/name");
        ObjectKey::new(self.kind, meta::text(object, "/metadata/namespace"), name)
    }

    fn keys(&self) -> Vec<ObjectKey> {
        self.objects.keys(self.kind, "").chain(self.laid.keys().cloned()).collect()
    }

    fn under(&self, key: &ObjectKey) -> Option<&Packed> {
        self.objects.get(key)
    }
}

mod index;
mod laid;
mod objects;
mod reads;
#[cfg(test)]
mod tests;
pub(crate) use objects::{Objects as Packing, Sight as Look};
