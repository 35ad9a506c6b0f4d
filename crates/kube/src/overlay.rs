//! What we know better than the watch: our own acknowledged writes, until the watch has caught up with them.
//!
//! A watch tells the past. Right after a write the cache still holds the object as it was before, and a decision on
//! that repeats itself. So the answer of each write is laid over the cache until the watch is known to have passed it.
//! Versions are compared as numbers, which Kubernetes promises for its own and for custom resources (API concepts,
//! "resource versions", since 1.35; true of every release before).

use serde_json::Value;
use vexil_object::{ObjectKey, Precondition, meta};

use crate::{cache::Look, packed::Packed};

/// The version of an object as a number; 0 when it has none, which is older than everything.
pub(crate) fn version(object: &Value) -> u64 {
    number(meta::resource_version(object))
}

/// A resourceVersion as a number; 0 when it is none.
pub(crate) fn number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

/// What is laid over one object.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub(crate) what: What,
    /// When it was laid, in the order of the cache's tickets: an answer to an older question does not replace it.
    pub(crate) ticket: u64,
}

/// Why the cache is not to be believed about an object.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// It looks like this; the watch has not come to this version yet.
    Present(Packed),
    /// The object of this uid, which existed at this version, is gone; the watch has not told its end yet.
    Gone { uid: String, at: u64 },
    /// A write got no clear answer. Settled by a newer version of the object, by the end of the object that was
    /// fenced on, or by reading it; not by news of an object that is known to be gone.
    Unknown { floor: u64, fenced: Option<String>, doomed: Option<String> },
}

impl What {
    /// A write that was fenced on `on` (`None` = a create) has an unknown outcome. `None` when what is laid over
    /// already tells more: an object that is gone cannot be written any more.
    pub(crate) fn unknown(on: Option<&Precondition>, laid: Option<&What>, key: &ObjectKey) -> Option<Self> {
        let written = on.map_or(0, |on| number(&on.resource_version));
        let fenced = on.map(|on| on.uid.clone());
        match laid {
            None => Some(What::Unknown { floor: written, fenced, doomed: None }),
            Some(What::Gone { .. }) if on.is_some() => None,
            Some(What::Gone { uid, at }) => {
                Some(What::Unknown { floor: *at, fenced: None, doomed: Some(uid.clone()) })
            }
            Some(What::Present(object)) if object.version() >= written => {
                let fenced = Some(uid(object, key));
                Some(What::Unknown { floor: object.version(), fenced, doomed: None })
            }
            Some(What::Present(_)) => Some(What::Unknown { floor: written, fenced, doomed: None }),
            Some(What::Unknown { floor, fenced: before, doomed }) => Some(What::Unknown {
                floor: written.max(*floor),
                fenced: if written > *floor { fenced } else { before.clone() },
                doomed: doomed.clone(),
            }),
        }
    }

    /// What a look sees through it.
    pub(crate) fn sight(&self) -> Look<'_> {
        match self {
            What::Present(object) => Look::Present(object),
            What::Gone { .. } => Look::Absent,
            What::Unknown { .. } => Look::NotKnown,
        }
    }

    /// The version that the cache must not fall behind.
    pub(crate) fn version(&self) -> u64 {
        match self {
            What::Present(object) => object.version(),
            What::Gone { at, .. } => *at,
            What::Unknown { floor, .. } => *floor,
        }
    }

    /// Whether the cache knows as much or more: the watch has told everything up to `reached`, and `under` is what it
    /// told of this object.
    pub(crate) fn is_past(&self, reached: u64, under: Option<&Packed>, key: &ObjectKey) -> bool {
        let is = |of: &str| under.is_some_and(|object| uid(object, key) == of);
        match self {
            What::Present(object) => reached >= object.version(),
            What::Gone { uid, at } => reached >= *at && !is(uid),
            What::Unknown { floor, fenced, doomed } => {
                let news = under.filter(|_| !doomed.as_deref().is_some_and(is));
                news.is_some_and(|object| object.version() > *floor)
                    || fenced.as_deref().is_some_and(|uid| reached > *floor && !is(uid))
            }
        }
    }
}

/// The uid of an object that is kept.
pub(crate) fn uid(object: &Packed, key: &ObjectKey) -> String {
    meta::uid(&object.value_of(key)).to_owned()
}
