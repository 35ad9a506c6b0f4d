//! Whose an object is that has the name we would use: decided here once, for Services and for routes of every kind.

use serde_json::Value;
use vexil_object::{ObjectKey, Objects, Owner, Seen, meta};

use crate::RouteError;

/// An object under one of our names, as far as it may be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim<'a> {
    /// Nobody has it: it may be created.
    Absent,
    /// This Canary controls it, metadata included.
    Ours(&'a Value),
    /// No controller at all: somebody made it by hand, or its owner references were stripped. It may be adopted, but it
    /// stays its user's: no owner reference is added, so that it outlives the Canary.
    Unclaimed(&'a Value),
}

impl<'a> Claim<'a> {
    /// What `owner` may do with the object at `key`.
    ///
    /// # Errors
    /// [`RouteError::NotKnown`] when nobody has looked, [`RouteError::Foreign`] when it has another controller. A
    /// Canary that was deleted and made again is another controller than its predecessor, whose objects the garbage
    /// collector is about to remove: adopting one would lose it a moment later.
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

    /// As [`Claim::of`], for a name that is only ever ours: an object without a controller is somebody else's too.
    ///
    /// # Errors
    /// As [`Claim::of`].
    pub fn exclusive(key: &ObjectKey, owner: &Owner, have: &'a Objects) -> Result<Self, RouteError> {
        match Claim::of(key, owner, have)? {
            Claim::Unclaimed(_) => Err(RouteError::Foreign {
                object: key.to_string(),
                owner: "somebody else (it has no controller)".to_owned(),
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
        let told = |claim: Result<Claim<'_>, RouteError>| match claim {
            Ok(Claim::Absent) => "absent".to_owned(),
            Ok(Claim::Ours(_)) => "ours".to_owned(),
            Ok(Claim::Unclaimed(_)) => "unclaimed".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(told(Claim::of(&key, &owner, &have)).starts_with(claim), "{seen:?}");
        assert!(told(Claim::exclusive(&key, &owner, &have)).starts_with(exclusive), "{seen:?}");
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
        let nobody = "Service podinfo.test belongs to somebody else (it has no controller)";
        check(Seen::present(json!({})), "unclaimed", nobody);
        check(controlled("Canary", "podinfo", "u1", false), "unclaimed", nobody);
        let earlier = "Service podinfo.test belongs to an earlier Canary podinfo (uid u0) and is left alone";
        check(controlled("Canary", "podinfo", "u0", true), earlier, earlier);
        let other = "Service podinfo.test belongs to Knob podinfo and is left alone";
        check(controlled("Knob", "podinfo", "u0", true), other, other);
    }
}
