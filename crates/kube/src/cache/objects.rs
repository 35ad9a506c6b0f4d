//! The objects of one kind, packed, by namespace and name.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Seen, meta};

use crate::packed::Packed;

/// What is known of one object, not unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lookup<'a> {
    Present(&'a Packed),
    Absent,
    NotKnown,
}

impl<'a> Lookup<'a> {
    pub(crate) fn seen(self, key: &ObjectKey) -> Seen {
        match self {
            Lookup::Present(packed) => Seen::Present(Arc::new(packed.value_of(key))),
            Lookup::Absent => Seen::Absent,
            Lookup::NotKnown => Seen::NotKnown,
        }
    }

    pub(crate) fn packed(self) -> Option<&'a Packed> {
        match self {
            Lookup::Present(packed) => Some(packed),
            Lookup::Absent | Lookup::NotKnown => None,
        }
    }
}

/// Whether both look the same, whatever their versions.
impl PartialEq for Lookup<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Lookup::Present(one), Lookup::Present(other)) => one.says_the_same(other),
            (Lookup::Absent, Lookup::Absent) | (Lookup::NotKnown, Lookup::NotKnown) => true,
            _ => false,
        }
    }
}

/// The objects of one kind. The keys are namespace and name with a zero byte between them, which sorts them by
/// namespace, then by name, in one tree: a cluster may have as many namespaces as Canaries.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<Box<str>, Packed>);

impl Objects {
    /// Adds an object, or replaces it.
    pub(crate) fn add(&mut self, object: &Value) {
        let (namespace, name) =
            (meta::text(object, "/metadata/namespace"), meta::text(object, "/metadata/name"));
        self.0.insert(place(namespace, name).into(), Packed::of(object));
    }

    /// The same in full nodes of the tree: objects that are added in their order leave each node half empty.
    pub(super) fn compact(self) -> Self {
        Objects(self.0.into_iter().collect())
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Packed> {
        self.0.get(place(key.namespace(), key.name()).as_str())
    }

    /// Replaces one object, or removes it. Returns what it was.
    pub(super) fn set(&mut self, key: &ObjectKey, packed: Option<Packed>) -> Option<Packed> {
        let place = place(key.namespace(), key.name());
        match packed {
            Some(packed) => self.0.insert(place.into(), packed),
            None => self.0.remove(place.as_str()),
        }
    }

    /// The keys of one namespace, or all for an empty one.
    pub(super) fn keys(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = ObjectKey> {
        let within = if namespace.is_empty() { String::new() } else { place(namespace, "") };
        self.0
            .range::<str, _>((Bound::Included(within.as_str()), Bound::Unbounded))
            .take_while(move |(place, _)| place.starts_with(&within))
            .map(move |(place, _)| key(kind, place))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The highest version of an object; 0 without objects.
    pub(super) fn latest(&self) -> u64 {
        self.0.values().map(Packed::version).max().unwrap_or_default()
    }

    /// An object that `self` has in an older version than `known`, and both versions.
    pub(super) fn older_than(&self, known: &Objects, kind: Kind) -> Option<(ObjectKey, u64, u64)> {
        self.0.iter().find_map(|(place, listed)| {
            let known = known.0.get(place).filter(|known| listed.version() < known.version())?;
            Some((key(kind, place), listed.version(), known.version()))
        })
    }

    /// The keys of the objects that differ.
    pub(super) fn differing(&self, other: &Objects, kind: Kind) -> Vec<ObjectKey> {
        let gone = self
            .0
            .iter()
            .filter(|(place, packed)| !other.0.get(*place).is_some_and(|other| other.says_the_same(packed)));
        let new = other.0.keys().filter(|place| !self.0.contains_key(*place));
        let mut keys: Vec<ObjectKey> =
            gone.map(|(place, _)| place).chain(new).map(|place| key(kind, place)).collect();
        keys.sort();
        keys
    }
}

impl FromIterator<Value> for Objects {
    fn from_iter<T: IntoIterator<Item = Value>>(items: T) -> Self {
        let mut objects = Objects::default();
        items.into_iter().for_each(|object| objects.add(&object));
        objects
    }
}

fn place(namespace: &str, name: &str) -> String {
    format!("{namespace}\0{name}")
}

fn key(kind: Kind, place: &str) -> ObjectKey {
    let (namespace, name) = place.split_once('\0').unwrap_or_default();
    ObjectKey::new(kind, namespace, name)
}
