//! Which Canaries depend on which objects and lists, and the version that each has observed: a change enqueues the
//! Canaries that depend on it and have not observed it yet, and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
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

/// Which Canary depends on what. A dependency is kept as numbers: ten thousand Canaries have some twenty each.
#[derive(Debug, Default)]
pub(crate) struct WatchIndex {
    /// The dependency and the number of a Canary that has it: a set of pairs takes half of what a list for each takes.
    by_place: BTreeSet<(Place, u32)>,
    ids: BTreeMap<ObjectKey, u32>,
    canaries: Vec<Option<Box<Looks>>>,
    free: Vec<u32>,
}

/// A dependency: a digest of its name. Two with one number enqueue each other's Canaries needlessly.
type Place = u32;

/// What one Canary depends on.
#[derive(Debug)]
struct Looks {
    canary: ObjectKey,
    /// Objects. Two versions of an object differ in these bits of their marks as long as they are less than four
    /// thousand million apart.
    objects: Box<[(Place, u32)]>,
    /// Lists. Their marks are digests, and kept whole.
    lists: Box<[(Place, Mark)]>,
    /// Kinds of objects and lists that could not be observed.
    unknown: Box<[Kind]>,
}

impl Looks {
    fn places(&self) -> BTreeSet<Place> {
        let objects = self.objects.iter().map(|(place, _)| *place);
        objects.chain(self.lists.iter().map(|(place, _)| *place)).collect()
    }
}

impl WatchIndex {
    /// Replaces the dependencies of a Canary.
    pub(crate) fn set(&mut self, canary: &ObjectKey, dependencies: &Dependencies) {
        let Dependencies { objects, lists } = dependencies;
        let unknown = objects.iter().filter(|(_, mark)| *mark == Mark::NOT_KNOWN).map(|(key, _)| key.kind());
        let unlisted = lists.iter().filter(|(_, mark)| *mark == Mark::NOT_KNOWN).map(|(list, _)| list.kind);
        let looks = Looks {
            canary: canary.clone(),
            objects: objects.iter().map(|(key, mark)| (of_object(key), mark.low())).collect(),
            lists: lists.iter().map(|(listed, mark)| (of_list(listed), *mark)).collect(),
            unknown: unknown.chain(unlisted).collect::<BTreeSet<_>>().into_iter().collect(),
        };
        let after = looks.places();
        let id = self.id(canary);
        let slot = self.canaries.get_mut(id as usize);
        let before = slot.and_then(|slot| slot.replace(Box::new(looks)));
        let before = before.map(|looks| looks.places()).unwrap_or_default();
        for gone in before.difference(&after) {
            self.by_place.remove(&(*gone, id));
        }
        self.by_place.extend(after.difference(&before).map(|new| (*new, id)));
    }

    /// Removes a Canary that is gone.
    pub(crate) fn forget(&mut self, canary: &ObjectKey) {
        let Some(id) = self.ids.remove(canary) else { return };
        let looks = self.canaries.get_mut(id as usize).and_then(Option::take);
        for place in looks.iter().flat_map(|looks| looks.places()) {
            self.by_place.remove(&(place, id));
        }
        self.free.push(id);
    }

    /// The Canaries that depend on an object and have not observed this version. A Canary always depends on itself.
    pub(crate) fn changed(&self, object: &ObjectKey, mark: Mark) -> Vec<ObjectKey> {
        let place = of_object(object);
        let other = |(at, seen): &(Place, u32)| *at == place && *seen != mark.low();
        let looks = self.at(place).filter(|looks| looks.objects.iter().any(other));
        let mut canaries: Vec<ObjectKey> = looks.map(|looks| looks.canary.clone()).collect();
        if object.kind() == kinds::CANARY && !canaries.contains(object) && !self.has_seen(object, place, mark)
        {
            canaries.push(object.clone());
        }
        canaries
    }

    /// The Canaries that depend on a list and have not observed this version.
    pub(crate) fn listed(&self, listed: &Listed, mark: Mark) -> Vec<ObjectKey> {
        let place = of_list(listed);
        let other = |(at, seen): &(Place, Mark)| *at == place && *seen != mark;
        let looks = self.at(place).filter(|looks| looks.lists.iter().any(other));
        looks.map(|looks| looks.canary.clone()).collect()
    }

    /// The Canaries that depend on an object or list of this kind that they could not observe.
    pub(crate) fn waiting_for(&self, kind: Kind) -> Vec<ObjectKey> {
        let waiting = self.canaries.iter().flatten().filter(|looks| looks.unknown.contains(&kind));
        waiting.map(|looks| looks.canary.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The Canaries with a dependency, by their numbers.
    fn at(&self, place: Place) -> impl Iterator<Item = &Looks> {
        let ids = self.by_place.range((place, 0)..=(place, u32::MAX)).map(|(_, id)| *id);
        ids.filter_map(|id| self.canaries.get(id as usize)?.as_deref())
    }

    fn has_seen(&self, canary: &ObjectKey, place: Place, mark: Mark) -> bool {
        let id = self.ids.get(canary);
        let looks = id.and_then(|id| self.canaries.get(*id as usize)?.as_ref());
        looks.is_some_and(|looks| looks.objects.contains(&(place, mark.low())))
    }

    fn id(&mut self, canary: &ObjectKey) -> u32 {
        if let Some(id) = self.ids.get(canary) {
            return *id;
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.canaries.push(None);
            u32::try_from(self.canaries.len() - 1).unwrap_or(u32::MAX)
        });
        self.ids.insert(canary.clone(), id);
        id
    }
}

fn of_object(key: &ObjectKey) -> Place {
    place(&(key.kind(), key.namespace(), key.name()))
}

fn of_list(listed: &Listed) -> Place {
    place(&(listed.kind, &listed.namespace, listed.index, &listed.value))
}

fn place(what: &impl Hash) -> Place {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

#[cfg(test)]
mod tests;
