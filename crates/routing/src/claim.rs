//! Ownership of objects: decided here once, for Services and for routes of every kind.

use serde_json::Value;
use vexil_object::{ObjectKey, Objects, Owner, Seen, meta};

use crate::RouteError;

/// Who owns the object that has a name we want to use, and so how much of it may be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim<'a> {
    /// There is no such object: it may be created.
    Absent,
    /// This Canary is its controller; its metadata is ours too.
    Ours(&'a Value),
    /// It has no controller: the user created it, or its owner references were removed. It may be adopted, but remains
    /// the user's: it gets no owner reference and outlives the Canary.
    Unclaimed(&'a Value),
}

impl<'a> Claim<'a> {
    /// What `owner` may do with the object at `key`.
    ///
    /// # Errors
    /// [`RouteError::NotKnown`] when it was not observed, [`RouteError::Foreign`] when it has another controller. A
    /// Canary that was deleted and created again is not the controller of its predecessor's objects: the garbage
    /// collector is about to delete those, so adopting one would lose it a moment later.
    pub fn of(key: &ObjectKey, owner: &Owner, have: &'a Objects) -> Result<Self, RouteError> {
        let live = match have.get(key) {
            Seen::NotKnown => return Err(RouteError::NotKnown { object: key.to_string() }),
            Seen::Absent => return Ok(Claim::Absent),
            Seen::Present(object) => object.as_ref(),
        };
        match meta::controller(live) {
            None => Ok(Claim::Unclaimed(live)),
            Some(_) if owner.controls(live) => Ok(Claim::Ours(live)),
            Some(reference) => {
                Err(RouteError::Foreign { object: key.to_string(), owner: named(reference, owner) })
            }
        }
    }

    /// As [`Claim::of`], for a generated name: an object without a controller is not ours either.
    ///
    /// # Errors
    /// As [`Claim::of`].
    pub fn exclusive(key: &ObjectKey, owner: &Owner, have: &'a Objects) -> Result<Self, RouteError> {
        match Claim::of(key, owner, have)? {
            Claim::Unclaimed(_) => Err(RouteError::Foreign {
                object: key.to_string(),
                owner: "someone else (it has no controller)".to_owned(),
            }),
            claim => Ok(claim),
        }
    }
}

fn named(reference: &Value, owner: &Owner) -> String {
    let (kind, name) = (meta::text(reference, "/kind"), meta::text(reference, "/name"));
    if kind == "Canary" && name == owner.name {
        format!("an earlier Canary {name} (uid {})", meta::text(reference, "/uid"))
    } else {
        format!("{kind} {name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vexil_object::kinds;

    use super::*;

    fn check(seen: Seen, claim: &str, exclusive: &str) {
        let key = ObjectKey::new(kinds::SERVICE, "test", "podinfo");
        let owner = Owner { name: "podinfo".to_owned(), uid: "u1".to_owned() };
        let have: Objects = [(key.clone(), seen.clone())].into_iter().collect();
        let text = |claim: Result<Claim<'_>, RouteError>| match claim {
            Ok(Claim::Absent) => "absent".to_owned(),
            Ok(Claim::Ours(_)) => "ours".to_owned(),
            Ok(Claim::Unclaimed(_)) => "unclaimed".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(text(Claim::of(&key, &owner, &have)).starts_with(claim), "{seen:?}");
        assert!(text(Claim::exclusive(&key, &owner, &have)).starts_with(exclusive), "{seen:?}");
    }

    fn controlled(kind: &str, name: &str, uid: &str, controller: bool) -> Seen {
        let reference = json!({"kind": kind, "name": name, "uid": uid, "controller": controller});
        Seen::present(json!({"metadata": {"ownerReferences": [reference]}}))
    }

    #[test]
    fn the_uid_of_the_controller_decides() {
        check(Seen::NotKnown, "Service podinfo.test is not known", "Service podinfo.test is not known");
        check(Seen::Absent, "absent", "absent");
        check(controlled("Canary", "podinfo", "u1", true), "ours", "ours");
        let unowned = "Service podinfo.test belongs to someone else (it has no controller)";
        check(Seen::present(json!({})), "unclaimed", unowned);
        check(controlled("Canary", "podinfo", "u1", false), "unclaimed", unowned);
        let earlier = "Service podinfo.test belongs to an earlier Canary podinfo (uid u0) and is left alone";
        check(controlled("Canary", "podinfo", "u0", true), earlier, earlier);
        let other = "Service podinfo.test belongs to Knob podinfo and is left alone";
        check(controlled("Knob", "podinfo", "u0", true), other, other);
    }
}
