//! What a controller wants done to the API, as data, and what it was shown of the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::kinds::{ENDPOINTS, Resource};
use crate::view;

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// Creates an object in its namespace.
    Create(Resource, Value),
    /// Merge-patches an object.
    Patch(Target, Value),
    /// Merge-patches an object's status.
    PatchStatus(Target, Value),
    /// Deletes an object, with whatever grace the API gives it.
    Delete(Target),
    /// Deletes an object without any grace: what held it is gone.
    Kill(Target),
    /// Tells of an object in an Event of type `Normal`.
    Tell { about: Value, component: &'static str, reason: &'static str, message: String },
}

/// The object of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub resource: Resource,
    pub namespace: String,
    pub name: String,
}

impl Target {
    /// The object `of` of the given kind.
    pub fn new(resource: Resource, of: &Value) -> Self {
        Target { resource, namespace: view::namespace(of).to_owned(), name: view::name(of).to_owned() }
    }
}

impl Op {
    /// Whether it is for people and older clients alone: no request depends on it.
    pub fn is_aside(&self) -> bool {
        match self {
            Op::Tell { .. } | Op::Create(ENDPOINTS, _) => true,
            Op::Patch(target, _) | Op::PatchStatus(target, _) | Op::Delete(target) | Op::Kill(target) => {
                target.resource == ENDPOINTS
            }
            Op::Create(..) => false,
        }
    }

    /// An Event about `object`.
    pub fn tell(
        component: &'static str,
        resource: Resource,
        object: &Value,
        reason: &'static str,
        message: String,
    ) -> Self {
        let about = json!({
            "apiVersion": resource.api_version(), "kind": resource.kind, "namespace": view::namespace(object),
            "name": view::name(object), "uid": view::uid(object),
            "resourceVersion": view::text(object, "/metadata/resourceVersion"),
        });
        Op::Tell { about, component, reason, message }
    }
}

/// What a controller answers: writes in order, and when to ask again although nothing has changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub ops: Vec<Op>,
    pub wake: Option<Timestamp>,
}

impl Plan {
    /// Takes over the writes of `other` and the earlier of the two wake-ups.
    pub fn join(&mut self, other: Plan) {
        self.ops.extend(other.ops);
        self.wake_at(other.wake);
    }

    /// Asks again at `at`, or earlier.
    pub fn wake_at(&mut self, at: Option<Timestamp>) {
        self.wake = [self.wake, at].into_iter().flatten().min();
    }
}

/// The objects of the API by kind, then by namespace and name. Never goes back: what an answer to a write has shown is
/// not overwritten by an event from before it. Clones share what neither of them changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    objects: BTreeMap<Resource, Arc<ByName>>,
    /// How often each kind has changed.
    changes: BTreeMap<Resource, u64>,
    /// Uids of objects known to be deleted whose last event is still to come.
    gone: BTreeSet<String>,
}

/// Objects by namespace and name.
type ByName = BTreeMap<(String, String), Arc<Value>>;

impl Snapshot {
    /// Replaces what is known of one kind by a list.
    pub fn replace(&mut self, resource: Resource, objects: Vec<Value>) {
        let by_name = objects.into_iter().map(|object| (key(&object), Arc::new(object)));
        self.objects.insert(resource, Arc::new(by_name.collect()));
        self.count(resource);
    }

    /// Whether all objects of a kind were listed once: what is not known of it then does not exist.
    pub fn is_listed(&self, resource: Resource) -> bool {
        self.objects.contains_key(&resource)
    }

    /// Adds or replaces one object, unless a newer version of it is known.
    pub fn put(&mut self, resource: Resource, object: Value) {
        if self.gone.contains(view::uid(&object)) {
            return;
        }
        let objects = self.objects.entry(resource).or_default();
        let key = key(&object);
        if objects.get(&key).is_none_or(|known| is_newer(&object, known)) {
            Arc::make_mut(objects).insert(key, Arc::new(object));
            self.count(resource);
        }
    }

    /// Forgets one object of which an event says that it is deleted.
    pub fn remove(&mut self, resource: Resource, object: &Value) {
        self.gone.remove(view::uid(object));
        let objects = self.objects.entry(resource).or_default();
        let key = key(object);
        if objects.get(&key).is_some_and(|known| view::uid(known) == view::uid(object)) {
            Arc::make_mut(objects).remove(&key);
            self.count(resource);
        }
    }

    /// Forgets one object that was just deleted; its events still to come change nothing.
    pub fn bury(&mut self, resource: Resource, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        let objects = self.objects.get_mut(&resource);
        if let Some(object) = objects.and_then(|objects| Arc::make_mut(objects).remove(&key)) {
            self.gone.insert(view::uid(&object).to_owned());
            self.count(resource);
        }
    }

    /// A number that grows with every change of these kinds.
    pub fn age(&self, resources: &[Resource]) -> u64 {
        resources.iter().filter_map(|resource| self.changes.get(resource)).sum()
    }

    fn count(&mut self, resource: Resource) {
        *self.changes.entry(resource).or_default() += 1;
    }

    /// All objects of a kind, by namespace and name.
    pub fn all(&self, resource: Resource) -> impl Iterator<Item = &Value> {
        self.objects.get(&resource).into_iter().flat_map(|objects| objects.values().map(Arc::as_ref))
    }

    /// One object.
    pub fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&resource)?.get(&(namespace.to_owned(), name.to_owned())).map(Arc::as_ref)
    }

    /// The objects of a kind by the uid of their controller.
    pub fn by_owner(&self, resource: Resource) -> Owned<'_> {
        let mut owned = BTreeMap::<&str, Vec<&Value>>::new();
        for object in self.all(resource) {
            if let Some(owner) = view::controller(object) {
                owned.entry(owner).or_default().push(object);
            }
        }
        Owned(owned)
    }
}

/// Objects by the uid of their controller.
#[derive(Debug)]
pub(crate) struct Owned<'a>(BTreeMap<&'a str, Vec<&'a Value>>);

impl<'a> Owned<'a> {
    /// What an object controls, by name.
    pub fn of(&self, owner: &Value) -> &[&'a Value] {
        self.0.get(view::uid(owner)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn key(object: &Value) -> (String, String) {
    (view::namespace(object).to_owned(), view::name(object).to_owned())
}

/// Whether an object is another one than the one known under its name, or a later version of it.
fn is_newer(object: &Value, known: &Value) -> bool {
    let version = |object| view::text(object, "/metadata/resourceVersion").parse::<u64>().unwrap_or(u64::MAX);
    version(object) > version(known) || view::uid(object) != view::uid(known)
}

/// The merge patch that turns the `live` status into `want`, `None` when they say the same.
pub(crate) fn status_patch(live: Option<&Value>, want: &Value) -> Option<Value> {
    let none = Map::new();
    let live = live.and_then(Value::as_object).unwrap_or(&none);
    let want = want.as_object().unwrap_or(&none);
    let gone =
        live.iter().filter(|(key, value)| !view::alike(value, &Value::Null) && !want.contains_key(*key));
    let gone = gone.map(|(key, _)| (key.clone(), Value::Null));
    let changed =
        want.iter().filter(|(key, value)| !view::alike(live.get(*key).unwrap_or(&Value::Null), value));
    let patch: Map<String, Value> =
        gone.chain(changed.map(|(key, value)| (key.clone(), value.clone()))).collect();
    (!patch.is_empty()).then(|| json!({ "status": patch }))
}
