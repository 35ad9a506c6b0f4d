//! The objects of one kind as the watch reports them, behind the answers to our own writes. Pure: no client, no clock.
//!
//! The versions of lists are hidden (`kube::runtime::watcher` passes on objects only). Four rules keep the promise that
//! nothing older than an acknowledged write is shown:
//!
//! 1. The cache has everything up to `reached`, the highest version that it was given: an answer at or below it adds
//!    nothing.
//! 2. Each complete list begins a new `epoch`. If it changed while a write or read was under way, and the cache does
//!    not have the object, the list may be from before the answer or after a deletion: the object is not known.
//! 3. A list settles all that was acknowledged before it was requested. An object that was written while it was read,
//!    and is not in it, is not known; one that was deleted meanwhile stays deleted.
//! 4. What is not known is settled by a later version, by the end of the object, or by a read; an object that is not
//!    found by that read stays deleted until the watch has reported its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Precondition, Projection, Seen, meta};

use self::objects::{Objects, either};
use crate::{
    changes::{CacheEvent, Listed},
    packed::Packed,
    pending::{Pending, PendingState, number, version},
};

/// How much of the kind is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The first list is not complete yet.
    Listing,
    /// The cache is complete up to the version that was reached.
    Synced,
    /// The API server answers that there is no such resource.
    NotServed,
}

/// A list that has an object in an older version than the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StaleList {
    pub(crate) key: ObjectKey,
    pub(crate) listed: u64,
    pub(crate) known: u64,
}

/// The objects of one kind.
#[derive(Debug)]
pub(crate) struct Cache {
    kind: Kind,
    progress: Progress,
    /// The cache has everything up to this version.
    reached: u64,
    /// Counts complete lists.
    epoch: u64,
    /// Counts pending states.
    ticket: u64,
    /// The ticket when the list that is under way was requested.
    requested: u64,
    objects: Objects,
    pending: BTreeMap<ObjectKey, Pending>,
}

impl Cache {
    #[cfg(test)]
    pub(crate) fn new(kind: Kind) -> Self {
        Cache::with(kind, Objects::default())
    }

    /// A cache that also finds objects by what the projection of the kind says.
    pub(crate) fn indexed(projection: Arc<dyn Projection>) -> Self {
        Cache::with(projection.kind(), Objects::indexed(projection))
    }

    fn with(kind: Kind, objects: Objects) -> Self {
        Cache {
            kind,
            progress: Progress::Listing,
            reached: 0,
            epoch: 0,
            ticket: 0,
            requested: 0,
            objects,
            pending: BTreeMap::new(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// What is known of one object; of a kind that is not served, only pending states are known here.
    pub(crate) fn look(&self, key: &ObjectKey) -> Seen {
        match self.lookup(key) {
            Lookup::Present(packed) => Seen::Present(self.objects.value(packed)),
            Lookup::Absent => Seen::Absent,
            Lookup::NotKnown => Seen::NotKnown,
        }
    }

    /// The same, not unpacked.
    pub(crate) fn lookup(&self, key: &ObjectKey) -> Lookup<'_> {
        match (self.pending.get(key), self.objects.get(key), self.progress) {
            (Some(pending), ..) => pending.state.lookup(),
            (None, Some(object), _) => Lookup::Present(object),
            (None, None, Progress::Synced) => Lookup::Absent,
            (None, None, Progress::Listing | Progress::NotServed) => Lookup::NotKnown,
        }
    }

    /// The keys of the objects of one namespace, or all for an empty one, by namespace and name. `None` when the list
    /// has not arrived or one of the objects is not known.
    pub(crate) fn keys_in(&self, namespace: &str) -> Option<Vec<ObjectKey>> {
        if self.progress != Progress::Synced {
            return None;
        }
        let within = |key: &&ObjectKey| namespace.is_empty() || key.namespace() == namespace;
        let cached = self.objects.keys(self.kind, namespace);
        if !self.pending.keys().any(|key| within(&key)) {
            return Some(cached.collect());
        }
        let mut found: BTreeSet<ObjectKey> = cached.collect();
        for (key, pending) in self.pending.iter().filter(|(key, _)| within(key)) {
            match pending.state.lookup() {
                Lookup::Present(_) => drop(found.insert(key.clone())),
                Lookup::Absent => drop(found.remove(key)),
                Lookup::NotKnown => return None,
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
        let mut keys: BTreeSet<ObjectKey> =
            self.objects.keys_by(self.kind, namespace, index, value).collect();
        let within = self.pending.iter().filter(|(key, _)| key.namespace() == namespace);
        for (key, pending) in within {
            let has = pending.pairs.iter().any(|(of, is)| (*of, is.as_str()) == (index, value));
            match &pending.state {
                PendingState::Present(_) if has => drop(keys.insert(key.clone())),
                PendingState::Present(_) | PendingState::Deleted { .. } => drop(keys.remove(key)),
                PendingState::Unknown { .. } if keys.contains(key) || self.cached(key).is_none() => {
                    return None;
                }
                PendingState::Unknown { .. } => {}
            }
        }
        Some(keys.into_iter().collect())
    }

    /// A list is about to be requested.
    pub(crate) fn list_started(&mut self) {
        self.requested = self.ticket;
    }

    /// The list is complete. Returns what looks different now; nothing for the first list, which changes the progress.
    ///
    /// # Errors
    /// When the list is older than the cache: nothing is taken from it.
    pub(crate) fn list_finished(&mut self, objects: Objects) -> Result<Vec<CacheEvent>, Box<StaleList>> {
        if let Some((key, listed, known)) = objects.older_than(&self.objects, self.kind) {
            return Err(Box::new(StaleList { key, listed, known }));
        }
        let first = self.progress == Progress::Listing;
        let before = std::mem::replace(&mut self.objects, objects.compact());
        self.progress = Progress::Synced;
        self.reached = self.reached.max(self.objects.latest());
        self.epoch += 1;
        let mut events = Vec::new();
        if !first {
            let shown = |key: &ObjectKey| !self.pending.contains_key(key);
            for key in before.differing(&self.objects, self.kind).into_iter().filter(shown) {
                let pairs = [&before, &self.objects].map(|objects| objects.pairs(objects.get(&key)));
                events.extend(looks_different(key, pairs.into_iter().reduce(either).unwrap_or_default()));
            }
        }
        let settled = self.settle_by_list(self.requested);
        events.extend(settled.into_iter().filter(|_| !first));
        Ok(events)
    }

    /// The kind is not served (any more): all its objects are gone. Returns what was known.
    pub(crate) fn not_served(&mut self) -> Vec<CacheEvent> {
        let keys = self.keys();
        self.objects = self.objects.emptied();
        self.pending.clear();
        self.progress = Progress::NotServed;
        keys.into_iter().map(CacheEvent::Object).collect()
    }

    /// The watch reports that an object was created or changed. Returns what looks different now.
    pub(crate) fn object_applied(&mut self, object: Value) -> Vec<CacheEvent> {
        let at = version(&object);
        if at <= self.reached {
            return Vec::new();
        }
        let key = self.key(&object);
        // The answer to our own write is the same object with all its fields: a watch that was opened under an earlier
        // definition may leave out fields that are new.
        let packed = match self.pending.get(&key) {
            Some(Pending { state: PendingState::Present(answer), .. }) if answer.version() == at => {
                answer.clone()
            }
            _ => self.objects.pack(object),
        };
        self.cached_is(&key, Some(packed), at)
    }

    /// The watch reports that an object was deleted. Returns what looks different now.
    pub(crate) fn object_deleted(&mut self, object: &Value) -> Vec<CacheEvent> {
        let at = version(object);
        if at <= self.reached {
            return Vec::new();
        }
        self.cached_is(&self.key(object), None, at)
    }

    /// What [`Cache::write_acknowledged`] needs to know of the time when the write was sent.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A write of ours that was sent in this epoch was answered with this object.
    pub(crate) fn write_acknowledged(&mut self, object: Value, epoch: u64) -> Vec<CacheEvent> {
        let key = self.key(&object);
        let at = version(&object);
        let outdated = |state: &PendingState| match state {
            PendingState::Deleted { uid, .. } if uid == meta::uid(&object) => true,
            other => other.version() > at,
        };
        if self.pending.get(&key).is_some_and(|pending| outdated(&pending.state)) {
            return Vec::new();
        }
        self.set_present(key, object, epoch)
    }

    /// A delete of ours was acknowledged: the object that it was fenced on is gone.
    pub(crate) fn delete_acknowledged(&mut self, key: &ObjectKey, on: &Precondition) -> Vec<CacheEvent> {
        let version = number(&on.resource_version);
        if self.pending.get(key).is_some_and(|pending| pending.state.version() > version) {
            return Vec::new();
        }
        self.set_pending(key.clone(), PendingState::Deleted { uid: on.uid.clone(), version })
    }

    /// A write of ours got no clear answer, or one that shows that the cache is behind.
    pub(crate) fn write_unknown(&mut self, key: &ObjectKey, on: Option<&Precondition>) -> Vec<CacheEvent> {
        match PendingState::unknown(on, self.pending.get(key).map(|pending| &pending.state)) {
            Some(state) => self.set_pending(key.clone(), state),
            None => Vec::new(),
        }
    }

    fn key(&self, object: &Value) -> ObjectKey {
        let name = meta::text(object, "/metadata/name");
        ObjectKey::new(self.kind, meta::text(object, "/metadata/namespace"), name)
    }

    fn keys(&self) -> Vec<ObjectKey> {
        self.objects.keys(self.kind, "").chain(self.pending.keys().cloned()).collect()
    }

    fn cached(&self, key: &ObjectKey) -> Option<&Packed> {
        self.objects.get(key)
    }
}

/// An object looks different, and so do the lists that have or had it.
fn looks_different(key: ObjectKey, pairs: Pairs) -> Vec<CacheEvent> {
    let listed = |(index, value)| {
        let namespace = key.namespace().to_owned();
        CacheEvent::Listed(Listed { kind: key.kind(), namespace, index, value })
    };
    let mut events: Vec<CacheEvent> = pairs.into_iter().map(listed).collect();
    events.push(CacheEvent::Object(key));
    events
}

mod index;
mod objects;
mod pending;
mod reads;
#[cfg(test)]
mod tests;
pub(crate) use index::Pairs;
pub(crate) use objects::{Lookup, Objects as Packing};
