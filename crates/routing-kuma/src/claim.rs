//! Whose a route is that can have no owner reference: the marks on it, and when they mean nobody's any more.

use serde_json::Value;
use vexil_object::{Change, ObjectKey, Objects, Seen, kinds, meta};
use vexil_routing::{Claim, RouteError, RouteTarget};

use crate::{api::Api, view};

/// Label with the uid of the Canary that the route was made for.
pub const UID: &str = "flagger.app/canary-uid";
/// Annotation with the namespace and name of that Canary: `test/podinfo`.
pub const CANARY: &str = "flagger.app/canary";

/// The Canary that `route` was made for; `None` for one that carries no marks, which is its user's.
pub(crate) fn canary_of(route: &Value) -> Option<ObjectKey> {
    meta::label(route, UID)?;
    let (namespace, name) = meta::annotation(route, CANARY)?.split_once('/')?;
    Some(ObjectKey::new(kinds::CANARY, namespace, name))
}

/// The deletion of `route` when the Canary that it was made for is gone, given what was seen of that Canary
/// ([`canary_of`]). `None` when it is there, when nobody has looked, or when the route is nobody's to sweep. A Canary
/// that was made again under the same name is another one; it takes the route over by writing its own uid, and this
/// deletion is fenced by the version that was read.
pub(crate) fn abandoned(key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change> {
    let uid = meta::label(route, UID)?;
    let gone = match canary {
        Seen::NotKnown => false,
        Seen::Absent => true,
        Seen::Present(canary) => meta::uid(canary) != uid,
    };
    gone.then(|| Change::delete(key.clone(), route))
}

/// Writes the marks.
pub(crate) fn stamp(route: &mut Value, target: &RouteTarget<'_>) {
    meta::set(route, &["metadata", "labels", UID], target.owner.uid.as_str().into());
    meta::set(route, &["metadata", "annotations", CANARY], canary(target).into());
}

fn canary(target: &RouteTarget<'_>) -> String {
    format!("{}/{}", target.namespace, target.owner.name)
}

/// What this Canary may do with the route at `key`. One of an earlier Canary of the same name is taken over: no garbage
/// collector is about to remove it.
pub(crate) fn claim<'a>(
    api: Api,
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    have: &'a Objects,
) -> Result<Claim<'a>, RouteError> {
    let live = match Claim::of(key, target.owner, have)? {
        Claim::Absent => return Ok(Claim::Absent),
        Claim::Ours(live) | Claim::Unclaimed(live) => live,
    };
    let made_for = meta::annotation(live, CANARY);
    let foreign = |owner: String| RouteError::Foreign { object: key.to_string(), owner };
    match meta::label(live, UID) {
        Some(uid) if uid == target.owner.uid || made_for == Some(&canary(target)) => Ok(Claim::Ours(live)),
        Some(uid) => Err(foreign(format!("Canary {} (uid {uid})", made_for.unwrap_or("of another name")))),
        None if view::concerns(api, target, live) => Ok(Claim::Unclaimed(live)),
        None => Err(foreign(format!("somebody else (it is not for {}.{})", target.apex, target.namespace))),
    }
}
