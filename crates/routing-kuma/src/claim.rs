//! Ownership of routes that cannot have an owner reference: by a label and an annotation.

use serde_json::Value;
use vexil_object::{Change, ObjectKey, Seen, kinds, meta};
use vexil_routing::{Claim, RouteContext, RouteError, RouteTarget};

use crate::view;

/// Label with the uid of the Canary that the route was created for.
pub const UID: &str = "flagger.app/canary-uid";
/// Annotation with the namespace and name of that Canary: `test/podinfo`.
pub const CANARY: &str = "flagger.app/canary";

/// The Canary that `route` was created for; `None` without the label and the annotation: a route of the user.
pub(crate) fn canary_of(route: &Value) -> Option<ObjectKey> {
    meta::label(route, UID)?;
    let (namespace, name) = meta::annotation(route, CANARY)?.split_once('/')?;
    Some(ObjectKey::new(kinds::CANARY, namespace, name))
}

/// The deletion of `route` when the Canary that it was created for ([`canary_of`]) is gone, given what was observed of
/// that Canary. `None` when it exists, was not observed, or the route is the user's. A Canary that was created again
/// under the same name is another one: it takes the route over by writing its own uid, and this deletion is fenced by
/// the resourceVersion that was read.
pub(crate) fn abandoned(key: &ObjectKey, route: &Value, canary: &Seen) -> Option<Change> {
    let uid = meta::label(route, UID)?;
    let gone = match canary {
        Seen::NotKnown => false,
        Seen::Absent => true,
        Seen::Present(canary) => meta::uid(canary) != uid,
    };
    gone.then(|| Change::delete(key.clone(), route))
}

/// Writes the label and the annotation.
pub(crate) fn stamp(route: &mut Value, target: &RouteTarget<'_>) {
    meta::set(route, &["metadata", "labels", UID], target.owner.uid.as_str().into());
    meta::set(route, &["metadata", "annotations", CANARY], canary(target).into());
}

fn canary(target: &RouteTarget<'_>) -> String {
    format!("{}/{}", target.namespace, target.owner.name)
}

/// Who owns the route. One of an earlier Canary of the same name is taken over: no garbage collector is about to delete
/// it.
pub(crate) fn claim<'a>(route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
    let (key, target) = (&route.key, route.target);
    let live = match Claim::of(key, target.owner, route.have)? {
        Claim::Absent => return Ok(Claim::Absent),
        Claim::Ours(live) | Claim::Unclaimed(live) => live,
    };
    let made_for = meta::annotation(live, CANARY);
    let foreign = |owner: String| RouteError::Foreign { object: key.to_string(), owner };
    match meta::label(live, UID) {
        Some(uid) if uid == target.owner.uid || made_for == Some(&canary(target)) => Ok(Claim::Ours(live)),
        Some(uid) => Err(foreign(format!("Canary {} (uid {uid})", made_for.unwrap_or("of another name")))),
        None if view::concerns(route, live) => Ok(Claim::Unclaimed(live)),
        None => Err(foreign(format!("someone else (it is not for {}.{})", target.apex, target.namespace))),
    }
}
