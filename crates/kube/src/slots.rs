//! The cache of each kind that is watched, and what follows for a kind that the cluster does not serve.

use std::collections::BTreeMap;

use vexil_object::{Kind, ObjectKey, Seen, kinds::CUSTOM_RESOURCE_DEFINITION};

use crate::cache::{Cache, Progress};

/// One kind.
pub(crate) struct Slot {
    pub(crate) cache: Cache,
    /// The error of its watch.
    pub(crate) trouble: Option<String>,
}

/// The kinds that are watched.
pub(crate) type Slots = BTreeMap<Kind, Slot>;

/// The keys of objects of a kind that is watched.
pub(crate) fn listed(
    slots: &Slots,
    kind: Kind,
    keys: impl FnOnce(&Cache) -> Option<Vec<ObjectKey>>,
) -> Option<Vec<ObjectKey>> {
    let slot = slots.get(&kind)?;
    match slot.cache.progress() {
        Progress::NotServed => (undefined(slots, kind) == Seen::Absent).then(Vec::new),
        Progress::Listing | Progress::Synced => keys(&slot.cache),
    }
}

/// What is known of any object of a kind that is not served: absent when the cluster has no definition of it, not known
/// while it has one that is not served (yet).
pub(crate) fn undefined(slots: &Slots, kind: Kind) -> Seen {
    let definition = slots.get(&CUSTOM_RESOURCE_DEFINITION).map(|slot| slot.cache.look(&kind.definition()));
    match definition {
        Some(Seen::Absent) => Seen::Absent,
        Some(Seen::Present(_) | Seen::NotKnown) | None => Seen::NotKnown,
    }
}
