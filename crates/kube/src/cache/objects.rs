//! The objects of one kind, packed, by namespace and name, and their index.

use std::sync::Arc;

use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Projection};

use super::index::{Index, Pairs};
use crate::{
    packed::{Packed, place},
    recent::Recent,
};

/// What is known of one object, not unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lookup<'a> {
    Present(&'a Packed),
    Absent,
    NotKnown,
}

impl<'a> Lookup<'a> {
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

/// The objects of one kind. Besides its bytes an object costs twenty bytes here: a cluster may have a hundred thousand.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// The objects by their numbers. A number is used again after its object is gone.
    slots: Vec<Option<Packed>>,
    free: Vec<u32>,
    /// The numbers, by namespace and name of their objects.
    sorted: Vec<u32>,
    index: Index,
    recent: Recent,
}

/// What an object was before, and by which pairs it was found before or is found now.
pub(super) struct Replaced {
    pub(super) before: Option<Packed>,
    pub(super) pairs: Pairs,
}

impl Objects {
    /// No objects yet, to be found by what the projection of the kind says.
    pub(crate) fn indexed(projection: Arc<dyn Projection>) -> Self {
        Objects { index: Index::by(projection), ..Objects::default() }
    }

    /// No objects, found by the same index.
    pub(super) fn emptied(&self) -> Self {
        Objects { index: self.index.emptied(), ..Objects::default() }
    }

    /// Adds an object, or replaces it.
    pub(crate) fn add(&mut self, object: &Value) {
        let packed = Packed::of(object);
        if self.last().is_some_and(|last| last.place() >= packed.place()) {
            let place = packed.place().to_owned();
            self.set(&place, Some(packed));
            return;
        }
        // Lists are in order.
        let pairs = self.index.pairs_of(object);
        let number = self.insert(packed, &pairs);
        self.sorted.push(number);
    }

    /// Gives back room that was reserved for more objects.
    pub(super) fn compact(mut self) -> Self {
        self.slots.shrink_to_fit();
        self.sorted.shrink_to_fit();
        self.index.compact();
        self
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Packed> {
        self.at(&place(key.namespace(), key.name()))
    }

    fn at(&self, place: &str) -> Option<&Packed> {
        let at = self.search(place).ok()?;
        self.slot(*self.sorted.get(at)?)
    }

    /// Replaces the object of a place, or removes it.
    pub(super) fn set(&mut self, place: &str, packed: Option<Packed>) -> Replaced {
        let found = self.search(place);
        let number = found.ok().and_then(|at| self.sorted.get(at).copied());
        let before = number.and_then(|number| self.slots.get_mut(number as usize)?.take());
        let same = before.as_ref().zip(packed.as_ref()).is_some_and(|(one, other)| one.says_the_same(other));
        if let Some(number) = number.filter(|_| same) {
            self.put(number, packed);
            return Replaced { before, pairs: Pairs::new() };
        }
        let namespace = place.split_once('\0').unwrap_or_default().0;
        let (pairs_before, pairs_after) = (self.pairs(before.as_ref()), self.pairs(packed.as_ref()));
        if let Some(number) = number {
            self.index.remove(namespace, &pairs_before, number);
        }
        match (packed, found, number) {
            (Some(packed), Ok(_), Some(number)) => {
                self.index.add(namespace, &pairs_after, number);
                self.put(number, Some(packed));
            }
            (Some(packed), Ok(at) | Err(at), _) => {
                let number = self.insert(packed, &pairs_after);
                self.sorted.insert(at.min(self.sorted.len()), number);
            }
            (None, Ok(at), Some(number)) => {
                self.sorted.remove(at);
                self.free.push(number);
            }
            (None, ..) => {}
        }
        Replaced { before, pairs: either(pairs_before, pairs_after) }
    }

    fn insert(&mut self, packed: Packed, pairs: &[(&'static str, String)]) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.index.add(packed.place().split_once('\0').unwrap_or_default().0, pairs, number);
        self.put(number, Some(packed));
        number
    }

    fn put(&mut self, number: u32, packed: Option<Packed>) {
        if let Some(slot) = self.slots.get_mut(number as usize) {
            *slot = packed;
        }
    }

    fn slot(&self, number: u32) -> Option<&Packed> {
        self.slots.get(number as usize)?.as_ref()
    }

    fn search(&self, place: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|number| self.slot(*number).map_or("", Packed::place).cmp(place))
    }

    fn last(&self) -> Option<&Packed> {
        self.slot(*self.sorted.last()?)
    }

    fn iter(&self) -> impl Iterator<Item = &Packed> {
        self.sorted.iter().filter_map(|number| self.slot(*number))
    }

    /// The keys of one namespace, or all for an empty one.
    pub(super) fn keys(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = ObjectKey> {
        let within = if namespace.is_empty() { String::new() } else { place(namespace, "") };
        let (Ok(from) | Err(from)) = self.search(&within);
        let numbers = self.sorted.get(from..).unwrap_or_default();
        numbers
            .iter()
            .filter_map(|number| self.slot(*number))
            .map(Packed::place)
            .take_while(move |place| place.starts_with(&within))
            .map(move |place| key(kind, place))
    }

    /// The keys of the objects of a namespace that an index has under a value.
    pub(super) fn keys_by(
        &self,
        kind: Kind,
        namespace: &str,
        index: &str,
        value: &str,
    ) -> impl Iterator<Item = ObjectKey> {
        let objects = self.index.objects(namespace, index, value).filter_map(|number| self.slot(number));
        objects.map(move |packed| key(kind, packed.place())).filter(move |key| key.namespace() == namespace)
    }

    /// The pairs of an object, none for one that does not exist. Of a kind without an index nothing is unpacked.
    pub(super) fn pairs(&self, packed: Option<&Packed>) -> Pairs {
        match packed.filter(|_| self.index.has_pairs()) {
            Some(packed) => self.index.pairs_of(&self.recent.value_once(packed)),
            None => Pairs::new(),
        }
    }

    /// Packs an object that will be read soon.
    pub(super) fn pack(&self, object: Value) -> Packed {
        let packed = Packed::of(&object);
        self.recent.keep(&packed, Arc::new(object));
        packed
    }

    /// A packed object of this kind as a tree.
    pub(super) fn value(&self, packed: &Packed) -> Arc<Value> {
        self.recent.value(packed)
    }

    /// The highest version of an object; 0 without objects.
    pub(super) fn latest(&self) -> u64 {
        self.iter().map(Packed::version).max().unwrap_or_default()
    }

    /// An object that `self` has in an older version than `known`, and both versions.
    pub(super) fn older_than(&self, known: &Objects, kind: Kind) -> Option<(ObjectKey, u64, u64)> {
        self.iter().find_map(|listed| {
            let known = known.at(listed.place()).filter(|known| listed.version() < known.version())?;
            Some((key(kind, listed.place()), listed.version(), known.version()))
        })
    }

    /// The keys of the objects that differ.
    pub(super) fn differing(&self, other: &Objects, kind: Kind) -> Vec<ObjectKey> {
        let same =
            |packed: &Packed| other.at(packed.place()).is_some_and(|other| other.says_the_same(packed));
        let gone = self.iter().filter(|packed| !same(packed));
        let new = other.iter().filter(|packed| self.at(packed.place()).is_none());
        let mut keys: Vec<ObjectKey> = gone.chain(new).map(|packed| key(kind, packed.place())).collect();
        keys.sort();
        keys
    }
}

/// The pairs of one, the other or both, in order.
pub(super) fn either(one: Pairs, other: Pairs) -> Pairs {
    let mut pairs: Pairs = one.into_iter().chain(other).collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

fn key(kind: Kind, place: &str) -> ObjectKey {
    let (namespace, name) = place.split_once('\0').unwrap_or_default();
    ObjectKey::new(kind, namespace, name)
}
