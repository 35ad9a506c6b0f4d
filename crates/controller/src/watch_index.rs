//! Which Canaries depend on which objects and lists, and the version that each has observed: a change enqueues the
//! Canaries that depend on it and have not observed it yet, and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use vexil_kube::{Cluster, Listed, Mark};
use vexil_object::{Kind, ObjectKey, kinds};

/// What a reconcile has observed, each with its version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dependencies {
    /// Objects.
    pub(crate) objects: Vec<(ObjectKey, Mark)>,
    /// Lists by an index.
    pub(crate) lists: Vec<(Listed, Mark)>,
}

impl Dependencies {
    /// Objects as they are now.
    pub(crate) fn at(cluster: &Cluster, keys: impl IntoIterator<Item = ObjectKey>) -> Self {
        let objects = keys.into_iter().map(|key| {
            let mark = cluster.mark(&key);
            (key, mark)
        });
        Dependencies { objects: objects.collect(), lists: Vec::new() }
    }
}

/// Which Canary depends on what. A dependency is kept as a number: ten thousand Canaries have some twenty each.
#[derive(Debug, Default)]
pub(crate) struct WatchIndex {
    kinds: Vec<Kind>,
    /// The dependency and the number of a Canary that has it: a set of pairs takes half of what a list for each takes.
    by_place: BTreeSet<(Place, u32)>,
    ids: BTreeMap<Arc<str>, u32>,
    canaries: Vec<Option<Looks>>,
    free: Vec<u32>,
}

/// A dependency: the kind in the highest byte, the rest a digest of its name. Two with one number enqueue each other's
/// Canaries needlessly.
type Place = u64;

const KIND_SHIFT: u32 = 56;

#[derive(Debug)]
struct Looks {
    canary: Arc<str>,
    at: Box<[(Place, Mark)]>,
}

impl WatchIndex {
    /// Replaces the dependencies of a Canary.
    pub(crate) fn set(&mut self, canary: &ObjectKey, dependencies: &Dependencies) {
        let objects =
            dependencies.objects.iter().map(|(key, mark)| (self.of_object(key), *mark)).collect::<Vec<_>>();
        let lists = dependencies.lists.iter().map(|(listed, mark)| (self.of_list(listed), *mark));
        let at: Box<[_]> = objects.into_iter().chain(lists.collect::<Vec<_>>()).collect();
        let id = self.id(canary);
        let looks = self.canaries.get_mut(id as usize).and_then(Option::as_mut);
        let before = looks.map(|looks| std::mem::replace(&mut looks.at, at.clone())).unwrap_or_default();
        let places = |at: &[(Place, Mark)]| at.iter().map(|(place, _)| *place).collect::<BTreeSet<_>>();
        let (before, after) = (places(&before), places(&at));
        for gone in before.difference(&after) {
            self.by_place.remove(&(*gone, id));
        }
        self.by_place.extend(after.difference(&before).map(|new| (*new, id)));
    }

    /// Removes a Canary that is gone.
    pub(crate) fn forget(&mut self, canary: &ObjectKey) {
        let Some(id) = self.ids.remove(name(canary).as_str()) else { return };
        let looks = self.canaries.get_mut(id as usize).and_then(Option::take);
        for place in looks.iter().flat_map(|looks| looks.at.iter().map(|(place, _)| *place)) {
            self.by_place.remove(&(place, id));
        }
        self.free.push(id);
    }

    /// The Canaries that depend on an object and have not observed this version. A Canary always depends on itself.
    pub(crate) fn changed(&mut self, object: &ObjectKey, mark: Mark) -> Vec<ObjectKey> {
        let place = self.of_object(object);
        let mut canaries = self.at(place, |seen| seen != mark);
        if object.kind() == kinds::CANARY && !canaries.contains(object) && !self.has_seen(object, place, mark)
        {
            canaries.push(object.clone());
        }
        canaries
    }

    /// The Canaries that depend on a list and have not observed this version.
    pub(crate) fn listed(&mut self, listed: &Listed, mark: Mark) -> Vec<ObjectKey> {
        let place = self.of_list(listed);
        self.at(place, |seen| seen != mark)
    }

    /// The Canaries that depend on an object or list of this kind that they could not observe.
    pub(crate) fn waiting_for(&mut self, kind: Kind) -> Vec<ObjectKey> {
        let from = self.kind(kind) << KIND_SHIFT;
        let all = (from, 0)..=(from | ((1 << KIND_SHIFT) - 1), u32::MAX);
        let places: BTreeSet<Place> = self.by_place.range(all).map(|(place, _)| *place).collect();
        let waiting = places.into_iter().flat_map(|place| self.at(place, |seen| seen == Mark::NOT_KNOWN));
        waiting.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn at(&self, place: Place, concerns: impl Fn(Mark) -> bool) -> Vec<ObjectKey> {
        let ids = self.by_place.range((place, 0)..=(place, u32::MAX)).map(|(_, id)| *id);
        let looks = ids.filter_map(|id| self.canaries.get(id as usize)?.as_ref());
        let concerned =
            looks.filter(|looks| looks.at.iter().any(|(at, seen)| *at == place && concerns(*seen)));
        concerned.map(|looks| key(&looks.canary)).collect()
    }

    fn has_seen(&self, canary: &ObjectKey, place: Place, mark: Mark) -> bool {
        let id = self.ids.get(name(canary).as_str());
        let looks = id.and_then(|id| self.canaries.get(*id as usize)?.as_ref());
        looks.is_some_and(|looks| looks.at.contains(&(place, mark)))
    }

    fn id(&mut self, canary: &ObjectKey) -> u32 {
        let name = name(canary);
        if let Some(id) = self.ids.get(name.as_str()) {
            return *id;
        }
        let canary: Arc<str> = name.into();
        let looks = Some(Looks { canary: Arc::clone(&canary), at: Box::default() });
        let id = self.free.pop().unwrap_or_else(|| {
            self.canaries.push(None);
            u32::try_from(self.canaries.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.canaries.get_mut(id as usize) {
            *slot = looks;
        }
        self.ids.insert(canary, id);
        id
    }

    fn kind(&mut self, kind: Kind) -> u64 {
        let place = self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        place as u64 & 0xff
    }

    fn of_object(&mut self, key: &ObjectKey) -> Place {
        let kind = self.kind(key.kind());
        place(kind, &(key.namespace(), key.name()))
    }

    fn of_list(&mut self, listed: &Listed) -> Place {
        let kind = self.kind(listed.kind);
        place(kind, &(&listed.namespace, listed.index, &listed.value))
    }
}

fn place(kind: u64, what: &impl Hash) -> Place {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    kind << KIND_SHIFT | hasher.finish() >> (64 - KIND_SHIFT)
}

fn name(canary: &ObjectKey) -> String {
    format!("{}/{}", canary.namespace(), canary.name())
}

fn key(name: &str) -> ObjectKey {
    let (namespace, name) = name.split_once('/').unwrap_or_default();
    ObjectKey::new(kinds::CANARY, namespace, name)
}

#[cfg(test)]
mod tests;
