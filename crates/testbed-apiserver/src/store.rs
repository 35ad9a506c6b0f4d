//! The objects, their revisions, and what happened to them: what etcd is to the real API server.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::{bell::Bell, json::put};

/// Namespace and name; the namespace is empty for cluster-scoped objects.
pub(crate) type Key = (String, String);

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It was created.
    Added,
    /// It was written.
    Modified,
    /// It is gone.
    Deleted,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The revision at which it happened.
    pub revision: u64,
    /// When it happened.
    pub at: Instant,
    /// The place of its kind.
    pub bucket: String,
    /// What happened.
    pub happening: Happening,
    /// The object after it, or as it last was when it is gone; its resourceVersion is `revision`.
    pub object: Arc<Value>,
    /// The object before it.
    pub before: Option<Arc<Value>>,
    text: OnceLock<String>,
}

impl Event {
    fn new(
        revision: u64,
        bucket: &str,
        happening: Happening,
        object: Arc<Value>,
        before: Option<Arc<Value>>,
    ) -> Self {
        let (at, bucket) = (Instant::now(), bucket.to_owned());
        Event { revision, at, bucket, happening, object, before, text: OnceLock::new() }
    }

    /// The object as JSON. Most events are sent to several watches, so it is written once for all of them.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| self.object.to_string())
    }
}

/// All objects, at one revision, and as much of the history as is kept.
#[derive(Debug)]
pub(crate) struct Store {
    buckets: BTreeMap<String, BTreeMap<Key, Arc<Value>>>,
    history: VecDeque<Event>,
    keep: usize,
    compacted: u64,
    revision: Bell,
    followers: Vec<mpsc::UnboundedSender<Event>>,
}

impl Store {
    /// An empty store that keeps the last `keep` events.
    pub fn new(keep: usize) -> Self {
        Store {
            buckets: BTreeMap::new(),
            history: VecDeque::new(),
            keep,
            compacted: 0,
            revision: Bell::new(1),
            followers: Vec::new(),
        }
    }

    /// The present revision.
    pub fn revision(&self) -> u64 {
        self.revision.number()
    }

    /// Tells of every new revision.
    pub fn bell(&self) -> Bell {
        self.revision.clone()
    }

    /// Every event from now on, whatever is forgotten of the history.
    pub fn follow(&mut self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.followers.push(sender);
        receiver
    }

    /// The oldest revision from which a watch can start.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Forgets the history.
    pub fn compact(&mut self) {
        self.history.clear();
        self.compacted = self.revision();
    }

    /// One object.
    pub fn get(&self, bucket: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.buckets.get(bucket)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// All objects of a kind, by namespace and name.
    pub fn all(&self, bucket: &str) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.buckets.get(bucket).into_iter().flatten()
    }

    /// All objects of a kind in one namespace, by name.
    pub fn within(&self, bucket: &str, namespace: &str) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        let from = (namespace.to_owned(), String::new());
        let objects = self.buckets.get(bucket).into_iter().flat_map(move |all| all.range(from.clone()..));
        objects.take_while(move |((within, _), _)| within == namespace)
    }

    /// All objects of all kinds with the place of their kind.
    pub fn everything(&self) -> impl Iterator<Item = (&str, &Key, &Arc<Value>)> {
        self.buckets
            .iter()
            .flat_map(|(bucket, all)| all.iter().map(move |(key, o)| (bucket.as_str(), key, o)))
    }

    /// What the objects of a kind were at `revision` that were written since then; `None` when the history does not
    /// reach that far back.
    pub fn undone(&self, bucket: &str, revision: u64) -> Option<BTreeMap<Key, Option<Arc<Value>>>> {
        if revision < self.compacted {
            return None;
        }
        let later = self.history.iter().rev().take_while(|event| event.revision > revision);
        let later = later.filter(|event| event.bucket == bucket);
        Some(later.map(|event| (key_of(&event.object), event.before.clone())).collect())
    }

    /// The objects of a kind after a key, by namespace and name, but for those of `undone` as they were.
    pub fn after<'a>(
        &'a self,
        bucket: &str,
        undone: &'a BTreeMap<Key, Option<Arc<Value>>>,
        key: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let from = key.map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
        let live = self.buckets.get(bucket).map(|all| all.range((from.clone(), Bound::Unbounded)));
        let mut live = live.into_iter().flatten().filter(|(key, _)| !undone.contains_key(*key)).peekable();
        let before = undone.range((from, Bound::Unbounded));
        let mut before = before.filter_map(|(key, object)| Some((key, object.as_ref()?))).peekable();
        std::iter::from_fn(move || match (live.peek(), before.peek()) {
            (Some((key, _)), Some((other, _))) if other < key => before.next(),
            (Some(_), _) => live.next(),
            (None, _) => before.next(),
        })
    }

    /// What happened after `revision`; `None` when the history does not reach that far back.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Event>> {
        if revision < self.compacted {
            return None;
        }
        let first = self.history.partition_point(|event| event.revision <= revision);
        Some(self.history.range(first..))
    }

    /// Creates or replaces an object and gives it the next revision.
    pub fn put(&mut self, bucket: &str, mut object: Value) -> Arc<Value> {
        let revision = self.revision() + 1;
        put(&mut object, &["metadata", "resourceVersion"], json!(revision.to_string()));
        let object = Arc::new(object);
        let objects = self.buckets.entry(bucket.to_owned()).or_default();
        let before = objects.insert(key_of(&object), object.clone());
        let happening = if before.is_some() { Happening::Modified } else { Happening::Added };
        self.record(Event::new(revision, bucket, happening, object.clone(), before));
        object
    }

    /// Removes an object; the answer is what it was.
    pub fn remove(&mut self, bucket: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let before = self.buckets.get_mut(bucket)?.remove(&(namespace.to_owned(), name.to_owned()))?;
        let revision = self.revision() + 1;
        let mut object = (*before).clone();
        put(&mut object, &["metadata", "resourceVersion"], json!(revision.to_string()));
        let object = Arc::new(object);
        self.record(Event::new(revision, bucket, Happening::Deleted, object, Some(before.clone())));
        Some(before)
    }

    fn record(&mut self, event: Event) {
        let revision = event.revision;
        self.followers.retain(|follower| follower.send(event.clone()).is_ok());
        self.history.push_back(event);
        while self.history.len() > self.keep {
            if let Some(old) = self.history.pop_front() {
                self.compacted = old.revision;
            }
        }
        self.revision.ring(revision);
    }
}

fn key_of(object: &Value) -> Key {
    (super::json::namespace(object).to_owned(), super::json::name(object).to_owned())
}
