//! The objects of one kind as the watch told them, with our own writes laid over. Pure: no client, no clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Precondition, Seen, meta};

use crate::overlay::{Laid, What, number, version};

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
    /// By namespace, then by name.
    objects: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
    laid: BTreeMap<ObjectKey, Laid>,
}

impl Cache {
    pub(crate) fn new(kind: Kind) -> Self {
        Cache {
            kind,
            progress: Progress::Listing,
            reached: 0,
            ticket: 0,
            objects: BTreeMap::new(),
            laid: BTreeMap::new(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// What is known of one object; of a kind that is not served, only what was laid over is known here.
    pub(crate) fn look(&self, key: &ObjectKey) -> Seen {
        if let Some(laid) = self.laid.get(key) {
            return laid.what.seen();
        }
        match (self.under(key), self.progress) {
            (Some(object), _) => Seen::Present(Arc::clone(object)),
            (None, Progress::Synced) => Seen::Absent,
            (None, Progress::Listing | Progress::NotServed) => Seen::NotKnown,
        }
    }

    /// The objects of one namespace, or all for an empty one, by namespace and name. `None` when the list has not
    /// arrived or one of the objects is not known.
    pub(crate) fn list(&self, namespace: &str) -> Option<Vec<Arc<Value>>> {
        if self.progress != Progress::Synced {
            return None;
        }
        let within = |key: &ObjectKey| namespace.is_empty() || key.namespace() == namespace;
        let told = self.objects.iter().filter(|(name, _)| namespace.is_empty() || name.as_str() == namespace);
        if !self.laid.keys().any(within) {
            return Some(told.flat_map(|(_, objects)| objects.values().cloned()).collect());
        }
        let mut found: BTreeMap<ObjectKey, Arc<Value>> = told
            .flat_map(|(namespace, objects)| {
                objects.iter().map(move |(name, object)| (namespace, name, object))
            })
            .map(|(namespace, name, object)| (ObjectKey::new(self.kind, namespace, name), Arc::clone(object)))
            .collect();
        for (key, laid) in self.laid.iter().filter(|(key, _)| within(key)) {
            match laid.what.seen() {
                Seen::Present(object) => found.insert(key.clone(), object),
                Seen::Absent => found.remove(key),
                Seen::NotKnown => return None,
            };
        }
        Some(found.into_values().collect())
    }

    /// A complete list arrived. Answers the keys that look different now.
    ///
    /// # Errors
    /// When the list is older than what the watch already told: nothing is taken from it.
    pub(crate) fn relist(&mut self, listed: u64, objects: Vec<Value>) -> Result<Vec<ObjectKey>, FromThePast> {
        if listed < self.reached {
            return Err(FromThePast { listed, reached: self.reached });
        }
        let mut fresh: BTreeMap<String, BTreeMap<String, Arc<Value>>> = BTreeMap::new();
        let mut keys: BTreeSet<ObjectKey> = self.keys().collect();
        for object in objects {
            let key = self.key(&object);
            fresh
                .entry(key.namespace().to_owned())
                .or_default()
                .insert(key.name().to_owned(), Arc::new(object));
            keys.insert(key);
        }
        let before: Vec<(ObjectKey, Seen)> =
            keys.into_iter().map(|key| (key.clone(), self.look(&key))).collect();
        self.objects = fresh;
        self.progress = Progress::Synced;
        self.reached(listed);
        Ok(before.into_iter().filter(|(key, seen)| self.look(key) != *seen).map(|(key, _)| key).collect())
    }

    /// The kind is not served (any more): whatever was known of it has ended. Answers the keys that were known.
    pub(crate) fn not_served(&mut self) -> Vec<ObjectKey> {
        let keys = self.keys().collect();
        self.objects.clear();
        self.laid.clear();
        self.progress = Progress::NotServed;
        keys
    }

    /// The watch told that an object was made or changed. Answers the keys that look different now.
    pub(crate) fn told(&mut self, object: Value) -> Vec<ObjectKey> {
        let at = version(&object);
        if at <= self.reached {
            return Vec::new();
        }
        let key = self.key(&object);
        let before = self.look(&key);
        // The answer to our own write is the same object, and whole: a watch that was opened under an earlier
        // definition may leave out fields that are new.
        let object = match self.laid.get(&key) {
            Some(Laid { what: What::Present(answer), .. }) if version(answer) == at => Arc::clone(answer),
            _ => Arc::new(object),
        };
        let names = self.objects.entry(key.namespace().to_owned()).or_default();
        names.insert(key.name().to_owned(), object);
        self.moved(key, before, at)
    }

    /// The watch told that an object was deleted. Answers the keys that look different now.
    pub(crate) fn told_deleted(&mut self, object: &Value) -> Vec<ObjectKey> {
        let at = version(object);
        if at <= self.reached {
            return Vec::new();
        }
        let key = self.key(object);
        let before = self.look(&key);
        if let Some(names) = self.objects.get_mut(key.namespace()) {
            names.remove(key.name());
            if names.is_empty() {
                self.objects.remove(key.namespace());
            }
        }
        self.moved(key, before, at)
    }

    /// The watch told that nothing else happened up to `at`. Answers the keys that look different now.
    pub(crate) fn told_nothing_until(&mut self, at: u64) -> Vec<ObjectKey> {
        let before: Vec<(ObjectKey, Seen)> =
            self.laid.iter().map(|(key, laid)| (key.clone(), laid.what.seen())).collect();
        self.reached(at);
        before.into_iter().filter(|(key, seen)| self.look(key) != *seen).map(|(key, _)| key).collect()
    }

    /// A write of ours was answered with this object.
    pub(crate) fn wrote(&mut self, object: Value) -> Vec<ObjectKey> {
        let key = self.key(&object);
        let at = version(&object);
        let outdated = |what: &What| match what {
            What::Gone { uid, .. } if uid == meta::uid(&object) => true,
            other => other.version() > at,
        };
        if self.laid.get(&key).is_some_and(|laid| outdated(&laid.what)) {
            return Vec::new();
        }
        self.lay(key, What::Present(Arc::new(object)))
    }

    /// A delete of ours was answered: the object that was fenced on is gone.
    pub(crate) fn deleted(&mut self, key: &ObjectKey, on: &Precondition) -> Vec<ObjectKey> {
        let at = number(&on.resource_version);
        if self.laid.get(key).is_some_and(|laid| laid.what.version() > at) {
            return Vec::new();
        }
        self.lay(key.clone(), What::Gone { uid: on.uid.clone(), at })
    }

    /// A write of ours got no clear answer, or one that shows that the cache is behind.
    pub(crate) fn unsure(&mut self, key: &ObjectKey, on: Option<&Precondition>) -> Vec<ObjectKey> {
        match What::unknown(on, self.laid.get(key).map(|laid| &laid.what)) {
            Some(what) => self.lay(key.clone(), what),
            None => Vec::new(),
        }
    }

    fn key(&self, object: &Value) -> ObjectKey {
        let name = meta::text(object, "/metadata/name");
        ObjectKey::new(self.kind, meta::text(object, "/metadata/namespace"), name)
    }

    fn keys(&self) -> impl Iterator<Item = ObjectKey> {
        let told = self.objects.iter().flat_map(move |(namespace, names)| {
            names.keys().map(move |name| ObjectKey::new(self.kind, namespace, name))
        });
        told.chain(self.laid.keys().cloned())
    }

    fn under(&self, key: &ObjectKey) -> Option<&Arc<Value>> {
        self.objects.get(key.namespace())?.get(key.name())
    }

    fn moved(&mut self, key: ObjectKey, before: Seen, at: u64) -> Vec<ObjectKey> {
        let mut changed = self.told_nothing_until(at);
        if self.look(&key) != before && !changed.contains(&key) {
            changed.push(key);
        }
        changed
    }

    /// Everything up to `at` has been told: what was laid over and is past goes.
    fn reached(&mut self, at: u64) {
        self.reached = self.reached.max(at);
        let (reached, objects) = (self.reached, &self.objects);
        self.laid.retain(|key, laid| {
            let under = objects.get(key.namespace()).and_then(|names| names.get(key.name()));
            !laid.what.is_past(reached, under.map(Arc::as_ref))
        });
    }

    fn lay(&mut self, key: ObjectKey, what: What) -> Vec<ObjectKey> {
        let before = self.look(&key);
        self.ticket += 1;
        if what.is_past(self.reached, self.under(&key).map(Arc::as_ref)) {
            self.laid.remove(&key);
        } else {
            self.laid.insert(key.clone(), Laid { what, ticket: self.ticket });
        }
        if self.look(&key) == before { Vec::new() } else { vec![key] }
    }

    fn lift(&mut self, key: &ObjectKey) -> Vec<ObjectKey> {
        let before = self.look(key);
        self.laid.remove(key);
        if self.look(key) == before { Vec::new() } else { vec![key.clone()] }
    }
}

mod reads;
#[cfg(test)]
mod tests;
