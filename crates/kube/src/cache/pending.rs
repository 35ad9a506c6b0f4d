//! How the events of a watch and the pending states of objects become what a look finds, and what changes by it.

use serde_json::Value;
use vexil_object::{ObjectKey, meta};

use super::{
    Cache, Progress,
    index::Pairs,
    looks_different,
    objects::{Lookup, Replaced, either},
};
use crate::{
    changes::CacheEvent,
    packed::{Packed, place},
    pending::{Pending, PendingState, version},
};

impl Cache {
    /// The watch reported the state of an object at a version.
    pub(super) fn cached_is(
        &mut self,
        key: &ObjectKey,
        packed: Option<Packed>,
        version: u64,
    ) -> Vec<CacheEvent> {
        let Replaced { before, pairs } = self.objects.set(&place(key.namespace(), key.name()), packed);
        let mut events = Vec::new();
        let same = match (&before, self.cached(key)) {
            (Some(before), Some(after)) => before.says_the_same(after),
            (before, after) => before.is_none() && after.is_none(),
        };
        if !same && !self.pending.contains_key(key) {
            events = looks_different(key.clone(), pairs);
        }
        // Everything up to here was reported: pending states that it supersedes go.
        self.reached = self.reached.max(version);
        let superseded = self.pending.iter().filter(|(key, pending)| self.supersedes(key, &pending.state));
        let superseded: Vec<ObjectKey> = superseded.map(|(key, _)| key.clone()).collect();
        events.extend(superseded.iter().flat_map(|key| self.clear_pending(key)));
        events
    }

    /// A list that was requested after ticket `requested` is complete.
    pub(super) fn settle_by_list(&mut self, requested: u64) -> Vec<CacheEvent> {
        let settled = |(key, pending): (&ObjectKey, &Pending)| {
            // The list is the most recent state: it has everything that was acknowledged before it was requested.
            if pending.ticket <= requested || self.supersedes(key, &pending.state) {
                return Some((key.clone(), None));
            }
            match &pending.state {
                // Written while the list was read. Its version is hidden, so it may be from before the write, or from
                // after a deletion.
                PendingState::Present(object) if self.cached(key).is_none() => {
                    let state = PendingState::perhaps_deleted(crate::pending::uid(object), object.version());
                    Some((key.clone(), Some(Pending { state, ticket: pending.ticket, pairs: Pairs::new() })))
                }
                _ => None,
            }
        };
        let settled: Vec<_> = self.pending.iter().filter_map(settled).collect();
        settled.into_iter().flat_map(|(key, pending)| self.replace_pending(&key, pending)).collect()
    }

    fn supersedes(&self, key: &ObjectKey, state: &PendingState) -> bool {
        state.is_superseded(self.reached, self.cached(key))
    }

    pub(super) fn set_pending(&mut self, key: ObjectKey, state: PendingState) -> Vec<CacheEvent> {
        self.ticket += 1;
        if self.supersedes(&key, &state) {
            return self.clear_pending(&key);
        }
        let pairs = self.objects.pairs(state.lookup().packed());
        self.replace_pending(&key, Some(Pending { state, ticket: self.ticket, pairs }))
    }

    /// An answer shows the object like this. `epoch` is that of the request: if a list was completed since then and
    /// does not have the object, the list may be from before the answer, or from after a deletion.
    pub(super) fn set_present(&mut self, key: ObjectKey, object: Value, epoch: u64) -> Vec<CacheEvent> {
        let at = version(&object);
        let state = if epoch != self.epoch && self.cached(&key).is_none() && at > self.reached {
            PendingState::perhaps_deleted(meta::uid(&object).to_owned(), at)
        } else {
            PendingState::Present(self.objects.pack(object))
        };
        self.set_pending(key, state)
    }

    pub(super) fn clear_pending(&mut self, key: &ObjectKey) -> Vec<CacheEvent> {
        self.replace_pending(key, None)
    }

    fn replace_pending(&mut self, key: &ObjectKey, pending: Option<Pending>) -> Vec<CacheEvent> {
        let before = match pending {
            Some(pending) => self.pending.insert(key.clone(), pending),
            None => self.pending.remove(key),
        };
        let cached = match self.cached(key) {
            Some(object) => Lookup::Present(object),
            None if self.progress == Progress::Synced => Lookup::Absent,
            None => Lookup::NotKnown,
        };
        let found = before.as_ref().map_or(cached, |pending| pending.state.lookup());
        let now = self.lookup(key);
        if found == now {
            return Vec::new();
        }
        let pairs = either(self.objects.pairs(found.packed()), self.objects.pairs(now.packed()));
        looks_different(key.clone(), pairs)
    }
}
