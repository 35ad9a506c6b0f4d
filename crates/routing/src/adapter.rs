//! Every [`RouteObject`] is a [`Router`]: which API is served, who owns the object, and what follows from both.

use vexil_analysis::Routes;
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen};

use crate::{Claim, Companion, RouteContext, RouteError, RouteObject, RouteRequest, RouteTarget, Router};

impl<T: RouteObject> Router for T {
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs: Vec<_> = self.kinds().iter().map(Kind::definition).collect();
        needs.retain(|key| !have.has(key));
        if needs.is_empty()
            && let Ok(route) = locate(self, target, have)
        {
            needs.extend(self.sources(&route));
            needs.extend(self.companions(target).iter().flat_map(Companion::needs));
            needs.push(route.key);
            needs.retain(|key| !have.has(key));
            needs.sort();
            needs.dedup();
        }
        needs
    }

    fn route(&self, target: &RouteTarget<'_>, have: &Objects) -> Option<ObjectKey> {
        locate(self, target, have).ok().map(|route| route.key)
    }

    fn read(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Routes, RouteError> {
        let route = locate(self, target, have)?;
        let live = match self.claim(&route)? {
            Claim::Absent => return Err(RouteError::Absent { object: route.key.to_string() }),
            Claim::Ours(live) => {
                self.check_owned(&route, live)?;
                live
            }
            Claim::Unclaimed(live) => {
                self.check_adopted(&route, live)?;
                live
            }
        };
        self.routes(&route, live)
    }

    fn render(
        &self,
        target: &RouteTarget<'_>,
        want: &Routes,
        have: &Objects,
    ) -> Result<Vec<Change>, RouteError> {
        let want = RouteRequest::of(want, target, self)?;
        let route = locate(self, target, have)?;
        let claim = self.claim(&route)?;
        let mut changes = Vec::new();
        for companion in self.companions(target) {
            let change = companion.change(target.owner, have)?.map_err(|kind| RouteError::NotServed {
                kinds: described(&[kind]),
                product: self.product(),
            })?;
            changes.extend(change);
        }
        let change = match claim {
            Claim::Absent => {
                let bare = route.bare(self.unowned().is_none());
                let object = self.created(&route, &want, bare)?;
                Some(Change::create(route.key, object))
            }
            Claim::Ours(live) => {
                let object = self.owned(&route, &want, live)?;
                Change::between(route.key, live, &object)
            }
            Claim::Unclaimed(live) => {
                self.check_adopted(&route, live)?;
                let object = self.adopted(&route, &want, live)?;
                Change::between(route.key, live, &object)
            }
        };
        changes.extend(change);
        Ok(changes)
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let route = match locate(self, target, have) {
            Ok(route) => route,
            Err(error) => return nothing_unless_unknown(error),
        };
        let change = match self.claim(&route) {
            Ok(Claim::Absent) => None,
            // No garbage collector deletes an object that cannot have the Canary as its owner.
            Ok(Claim::Ours(live)) => self.unowned().map(|_| Change::delete(route.key, live)),
            Ok(Claim::Unclaimed(live)) => {
                let object = self.released(&route, live);
                Change::between(route.key, live, &object)
            }
            Err(error) => return nothing_unless_unknown(error),
        };
        Ok(Vec::from_iter(change))
    }
}

/// A deletion goes on without an object that is of another owner or no longer served, but observes it first.
fn nothing_unless_unknown(error: RouteError) -> Result<Vec<Change>, RouteError> {
    match error {
        RouteError::NotKnown { .. } => Err(error),
        _ => Ok(Vec::new()),
    }
}

/// The object of the first kind that the cluster serves.
fn locate<'a, T: RouteObject>(
    router: &T,
    target: &'a RouteTarget<'a>,
    have: &'a Objects,
) -> Result<RouteContext<'a>, RouteError> {
    for kind in target.preferred(router.kinds()) {
        let definition = kind.definition();
        match have.get(&definition) {
            Seen::Present(definition) => {
                let key = router.key(target, kind)?;
                return Ok(RouteContext { target, key, definition: definition.as_ref(), have });
            }
            Seen::Absent => {}
            Seen::NotKnown => return Err(RouteError::NotKnown { object: definition.to_string() }),
        }
    }
    Err(RouteError::NotServed { kinds: described(&router.kinds()), product: router.product() })
}

/// `TraefikService of traefik.io/v1alpha1 or traefik.containo.us/v1alpha1`.
fn described(kinds: &[Kind]) -> String {
    let join = |mut names: Vec<String>| {
        names.dedup();
        names.join(" or ")
    };
    let versions: Vec<_> = kinds.iter().map(Kind::api_version).collect();
    let names = join(kinds.iter().map(|kind| kind.kind.to_owned()).collect());
    format!("{names} of {}", join(versions))
}
