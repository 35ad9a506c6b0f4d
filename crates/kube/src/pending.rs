//! What is known of an object before the watch reports it: the answers to our own writes and reads.
//!
//! A watch reports the past. Right after a write the cache still holds the object as it was before, and a decision on
//! that is made twice. So the answer of each write hides the cached object until the watch has reached it. Versions are
//! compared as numbers, which Kubernetes promises for its own and for custom resources (API concepts, "resource
//! versions", since 1.35; true of every release before).

use serde_json::Value;
use vexil_object::{Precondition, meta};

use crate::{
    cache::{Lookup, Pairs},
    packed::Packed,
};

/// The version of an object as a number; 0 when it has none, which is older than everything.
pub(crate) fn version(object: &Value) -> u64 {
    number(meta::resource_version(object))
}

/// A resourceVersion as a number; 0 when it is none.
pub(crate) fn number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

/// What hides the cached state of one object.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) state: PendingState,
    /// When it was set, in the order of the cache's tickets: an answer to an older read does not replace it.
    pub(crate) ticket: u64,
    /// By which indexes the object is found that it looks like.
    pub(crate) pairs: Pairs,
}

/// The state of an object that the watch has not reported yet.
#[derive(Clone, Debug)]
pub(crate) enum PendingState {
    /// It looks like this.
    Present(Packed),
    /// The object of this uid, which existed at this version, is deleted.
    Deleted { uid: String, version: u64 },
    /// A write got no clear answer. Settled by a version above `floor`, by the end of the object that the write was
    /// fenced on, or by reading the object; not by an event of the object `deleted`, which is known to be gone.
    Unknown { floor: u64, fenced: Option<String>, deleted: Option<String> },
}

impl PendingState {
    /// The object was at this version, and may be deleted since.
    pub(crate) fn perhaps_deleted(uid: String, version: u64) -> Self {
        PendingState::Unknown { floor: version.saturating_sub(1), fenced: Some(uid), deleted: None }
    }

    /// A write that was fenced on `on` (`None` = a create) has an unknown outcome. `None` when the pending state
    /// already decides it: a deleted object cannot be written.
    pub(crate) fn unknown(on: Option<&Precondition>, pending: Option<&PendingState>) -> Option<Self> {
        let written = on.map_or(0, |on| number(&on.resource_version));
        let fenced = on.map(|on| on.uid.clone());
        match pending {
            None => Some(PendingState::Unknown { floor: written, fenced, deleted: None }),
            Some(PendingState::Deleted { .. }) if on.is_some() => None,
            Some(PendingState::Deleted { uid, version }) => {
                Some(PendingState::Unknown { floor: *version, fenced: None, deleted: Some(uid.clone()) })
            }
            Some(PendingState::Present(object)) if object.version() >= written => {
                let fenced = Some(uid(object));
                Some(PendingState::Unknown { floor: object.version(), fenced, deleted: None })
            }
            Some(PendingState::Present(_)) => {
                Some(PendingState::Unknown { floor: written, fenced, deleted: None })
            }
            Some(PendingState::Unknown { floor, fenced: before, deleted }) => Some(PendingState::Unknown {
                floor: written.max(*floor),
                fenced: if written > *floor { fenced } else { before.clone() },
                deleted: deleted.clone(),
            }),
        }
    }

    /// What a look at the object finds.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        match self {
            PendingState::Present(object) => Lookup::Present(object),
            PendingState::Deleted { .. } => Lookup::Absent,
            PendingState::Unknown { .. } => Lookup::NotKnown,
        }
    }

    /// The version that the cache must not show anything older than.
    pub(crate) fn version(&self) -> u64 {
        match self {
            PendingState::Present(object) => object.version(),
            PendingState::Deleted { version, .. } => *version,
            PendingState::Unknown { floor, .. } => *floor,
        }
    }

    /// Whether the cache knows as much or more: it has everything up to `reached`, and `cached` is its object.
    pub(crate) fn is_superseded(&self, reached: u64, cached: Option<&Packed>) -> bool {
        let is = |of: &str| cached.is_some_and(|object| uid(object) == of);
        match self {
            PendingState::Present(object) => reached >= object.version(),
            PendingState::Deleted { uid, version } => reached >= *version && !is(uid),
            PendingState::Unknown { floor, fenced, deleted } => {
                let news = cached.filter(|_| !deleted.as_deref().is_some_and(is));
                news.is_some_and(|object| object.version() > *floor)
                    || fenced.as_deref().is_some_and(|uid| reached > *floor && !is(uid))
            }
        }
    }
}

/// The uid of an object that is kept.
pub(crate) fn uid(object: &Packed) -> String {
    meta::uid(&object.value()).to_owned()
}
