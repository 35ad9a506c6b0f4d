//! The caches of all kinds behind one lock, which is held only for memory: never over a request or a decode.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use kube::Client;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use vexil_object::{
    Change, Kind, Metadata, ObjectKey, Projection, Seen, Whole, kinds::CUSTOM_RESOURCE_DEFINITION, meta,
};

use crate::{
    Altered, Mark, Scope, altered,
    cache::{Cache, Lookup, Progress},
    changes::{CacheEvent, Listeners},
    packed::Packed,
    retry_after::Pauses,
    slots::{Slot, Slots, listed, undefined},
};

/// What the handle and the watches share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) scope: Scope,
    pub(crate) listeners: Listeners,
    projections: BTreeMap<Kind, Arc<dyn Projection>>,
    slots: Mutex<Slots>,
    started: mpsc::UnboundedSender<Kind>,
    definitions: Notify,
    altered: Mutex<altered::Memory>,
    pauses: Mutex<Pauses>,
    /// Objects in the pages of all lists so far.
    listed: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        client: Client,
        scope: Scope,
        projections: Vec<Box<dyn Projection>>,
        started: mpsc::UnboundedSender<Kind>,
    ) -> Self {
        let projections: Vec<Arc<dyn Projection>> = projections.into_iter().map(Arc::from).collect();
        Shared {
            client,
            scope,
            listeners: Listeners::default(),
            projections: projections.into_iter().map(|projection| (projection.kind(), projection)).collect(),
            slots: Mutex::default(),
            started,
            definitions: Notify::new(),
            altered: Mutex::default(),
            pauses: Mutex::default(),
            listed: AtomicU64::default(),
        }
    }

    /// What is kept of this kind.
    pub(crate) fn projection(&self, kind: Kind) -> Arc<dyn Projection> {
        match self.projections.get(&kind) {
            Some(projection) => Arc::clone(projection),
            None if kind == CUSTOM_RESOURCE_DEFINITION => Arc::new(Metadata(kind)),
            None => Arc::new(Whole(kind)),
        }
    }

    /// The part of an object that is kept. Items of lists have no type, so it is added.
    pub(crate) fn kept(&self, kind: Kind, mut object: Value) -> Value {
        meta::set(&mut object, &["apiVersion"], Value::String(kind.api_version()));
        meta::set(&mut object, &["kind"], Value::String(kind.kind.to_owned()));
        self.projection(kind).keep(object)
    }

    /// Starts watching a kind that is not watched yet.
    pub(crate) fn start(&self, kind: Kind) {
        self.start_in(&mut self.slots(), kind);
    }

    pub(crate) fn look(&self, key: &ObjectKey) -> Seen {
        let mut slots = self.slots();
        self.start_in(&mut slots, key.kind());
        self.look_in(&slots, key)
    }

    fn look_in(&self, slots: &Slots, key: &ObjectKey) -> Seen {
        let Some(slot) = slots.get(&key.kind()) else { return Seen::NotKnown };
        match slot.cache.look(key) {
            Seen::NotKnown if slot.cache.progress() == Progress::NotServed => undefined(slots, key.kind()),
            seen => seen,
        }
    }

    /// The objects of these keys, or none of a kind that the cluster does not define.
    pub(crate) fn list(
        &self,
        kind: Kind,
        keys: impl FnOnce(&Cache) -> Option<Vec<ObjectKey>>,
    ) -> Option<Vec<Arc<Value>>> {
        let mut slots = self.slots();
        self.start_in(&mut slots, kind);
        let keys = listed(&slots, kind, keys)?;
        keys.iter().map(|key| self.look_in(&slots, key).shared()).collect()
    }

    /// The keys alone.
    pub(crate) fn list_keys(
        &self,
        kind: Kind,
        keys: impl FnOnce(&Cache) -> Option<Vec<ObjectKey>>,
    ) -> Option<Vec<ObjectKey>> {
        let mut slots = self.slots();
        self.start_in(&mut slots, kind);
        listed(&slots, kind, keys)
    }

    /// Distinguishes one state of an object from another.
    pub(crate) fn mark(&self, key: &ObjectKey) -> Mark {
        let slots = self.slots();
        let Some(slot) = slots.get(&key.kind()) else { return Mark::NOT_KNOWN };
        match slot.cache.lookup(key) {
            Lookup::Present(packed) => Mark::of(packed.version()),
            Lookup::Absent => Mark::ABSENT,
            Lookup::NotKnown if slot.cache.progress() == Progress::NotServed => {
                let seen = undefined(&slots, key.kind());
                if seen == Seen::Absent { Mark::ABSENT } else { Mark::NOT_KNOWN }
            }
            Lookup::NotKnown => Mark::NOT_KNOWN,
        }
    }

    /// Distinguishes one list from another.
    pub(crate) fn mark_by(&self, kind: Kind, namespace: &str, index: &str, value: &str) -> Mark {
        let slots = self.slots();
        let Some(keys) = listed(&slots, kind, |cache| cache.keys_by(namespace, index, value)) else {
            return Mark::NOT_KNOWN;
        };
        let Some(slot) = slots.get(&kind) else { return Mark::NOT_KNOWN };
        let versions = keys.iter().filter_map(|key| slot.cache.lookup(key).packed().map(Packed::version));
        versions.fold(Mark::ABSENT, Mark::with)
    }

    /// How many objects the lists have had, while a watched kind has not been listed yet although its watch has no
    /// error.
    pub(crate) fn listing(&self) -> Option<u64> {
        let listing = |slot: &Slot| slot.cache.progress() == Progress::Listing && slot.trouble.is_none();
        self.slots().values().any(listing).then(|| self.listed.load(Ordering::Relaxed))
    }

    /// A list has one more object.
    pub(crate) fn count_listed(&self) {
        self.listed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trouble(&self, kind: Kind) -> Option<String> {
        self.slots().get(&kind)?.trouble.clone()
    }

    /// Remembers the error of a watch, or that it works.
    pub(crate) fn set_trouble(&self, kind: Kind, trouble: Option<String>) {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(&kind) else { return };
        if slot.trouble == trouble {
            return;
        }
        match &trouble {
            Some(message) => {
                tracing::warn!(kind = kind.kind, api = kind.api_version(), message, "watch failed")
            }
            None => tracing::info!(kind = kind.kind, api = kind.api_version(), "watch recovered"),
        }
        slot.trouble = trouble;
        drop(slots);
        self.listeners.send([CacheEvent::Kind(kind)]);
    }

    /// Changes the cache of a kind, if it is watched, and sends the events.
    pub(crate) fn update<E>(
        &self,
        kind: Kind,
        change: impl FnOnce(&mut Cache) -> Result<Vec<CacheEvent>, E>,
    ) -> Result<(), E> {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(&kind) else { return Ok(()) };
        let before = slot.cache.progress();
        let changed = change(&mut slot.cache)?;
        let mut events = Vec::new();
        if before != slot.cache.progress() {
            events.push(CacheEvent::Kind(kind));
        }
        if kind == CUSTOM_RESOURCE_DEFINITION && !(changed.is_empty() && events.is_empty()) {
            let concerned =
                |kind: &Kind| !events.is_empty() || changed.contains(&CacheEvent::Object(kind.definition()));
            let not_served = slots.iter().filter(|(_, slot)| slot.cache.progress() == Progress::NotServed);
            let waiting: Vec<Kind> = not_served.map(|(kind, _)| *kind).filter(concerned).collect();
            events.extend(waiting.into_iter().map(CacheEvent::Kind));
            // In the order in which they began to wait, so that a run can be replayed.
            self.definitions.notify_waiters();
        }
        events.extend(changed);
        drop(slots);
        self.listeners.send(events);
        Ok(())
    }

    /// [`Shared::update`] for changes that cannot fail.
    pub(crate) fn note(&self, kind: Kind, change: impl FnOnce(&mut Cache) -> Vec<CacheEvent>) {
        let done: Result<(), std::convert::Infallible> = self.update(kind, |cache| Ok(change(cache)));
        match done {
            Ok(()) => {}
        }
    }

    /// Reads the cache of a kind, if it is watched.
    pub(crate) fn with<T>(&self, kind: Kind, read: impl FnOnce(&Cache) -> T) -> Option<T> {
        self.slots().get(&kind).map(|slot| read(&slot.cache))
    }

    /// What is known of the definition of a kind.
    pub(crate) fn definition(&self, kind: Kind) -> Seen {
        let slots = self.slots();
        slots
            .get(&CUSTOM_RESOURCE_DEFINITION)
            .map_or(Seen::NotKnown, |slot| slot.cache.look(&kind.definition()))
    }

    /// The report about an earlier write, when a change repeats it.
    pub(crate) fn repeats(&self, change: &Change) -> Option<Altered> {
        let kind = change.key.kind();
        let (definition, seen) = (self.definition(kind), self.with(kind, |cache| cache.look(&change.key)));
        let object = seen.as_ref().and_then(Seen::object);
        self.altered().repeats(change, &altered::Known { object, definition: definition.object() })
    }

    pub(crate) fn altered(&self) -> MutexGuard<'_, altered::Memory> {
        self.altered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pauses(&self) -> MutexGuard<'_, Pauses> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the definition of a kind is not as it was.
    pub(crate) async fn definition_differs(&self, kind: Kind, from: &Seen) {
        loop {
            let mut changed = std::pin::pin!(self.definitions.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.definition(kind) != *from {
                return;
            }
            changed.await;
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_in(&self, slots: &mut Slots, kind: Kind) {
        slots.entry(kind).or_insert_with(|| {
            // Fails only when the watches were dropped, and then nothing is ever known.
            let _ = self.started.send(kind);
            Slot { cache: Cache::indexed(self.projection(kind)), trouble: None }
        });
    }
}
