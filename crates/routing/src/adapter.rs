//! Every [`RouteObject`] is a [`Router`]: which API is served, who owns the object, and what follows from both.

use serde_json::Value;
use vexil_analysis::{Acceptance, Routes};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, definition};

use crate::{Claim, Companion, RouteContext, RouteError, RouteObject, RouteRequest, RouteTarget, Router};

impl<T: RouteObject> Router for T {
    fn needs(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<ObjectKey> {
        let mut needs: Vec<_> = self.kinds_for(target).iter().filter_map(needed_definition).collect();
        // Versions of a kind have one definition.
        needs.dedup();
        needs.retain(|key| !have.has(key));
        if needs.is_empty() && self.follows_existing() {
            let served = served(self, target, have).unwrap_or_default();
            needs.extend(served.into_iter().filter_map(|kind| self.key(target, kind).ok()));
            needs.retain(|key| !have.has(key));
        }
        if needs.is_empty()
            && let Ok(route) = locate(self, target, have)
        {
            needs.extend(self.sources(&route));
            needs.extend(self.companions(target, have).iter().flat_map(Companion::needs));
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
        for companion in self.companions(target, have) {
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

    fn acceptance(&self, target: &RouteTarget<'_>, have: &Objects) -> Acceptance {
        let Ok(route) = locate(self, target, have) else { return Acceptance::Accepted };
        let live = have.get(&route.key);
        live.object().map_or(Acceptance::Accepted, |live| RouteObject::acceptance(self, &route, live))
    }

    fn release(&self, target: &RouteTarget<'_>, have: &Objects) -> Result<Vec<Change>, RouteError> {
        let route = match locate(self, target, have) {
            Ok(route) => route,
            Err(error) => return nothing_unless_unknown(error),
        };
        let change = match self.claim(&route) {
            Ok(Claim::Absent) => None,
            // It may be named by others.
            Ok(Claim::Ours(_)) if self.unowned().is_none() && !self.is_dispensable() => None,
            Ok(Claim::Ours(live)) if live.pointer("/metadata/deletionTimestamp").is_some() => None,
            Ok(Claim::Ours(live)) => Some(Change::delete(route.key, live)),
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

/// The definition of a kind that every API server serves.
static NO_DEFINITION: Value = Value::Null;

/// The definition without which a kind is not served; `None` for a kind that every API server serves.
fn needed_definition(kind: &Kind) -> Option<ObjectKey> {
    (!kind.is_built_in()).then(|| kind.definition())
}

/// The object of the first kind that the cluster serves.
fn locate<'a, T: RouteObject>(
    router: &T,
    target: &'a RouteTarget<'a>,
    have: &'a Objects,
) -> Result<RouteContext<'a>, RouteError> {
    let served = served(router, target, have)?;
    let mut key = None;
    for kind in &served {
        let found = router.key(target, *kind)?;
        match have.get(&found) {
            Seen::Present(_) if router.follows_existing() => {
                key = Some(found);
                break;
            }
            Seen::NotKnown if router.follows_existing() => {
                return Err(RouteError::NotKnown { object: found.to_string() });
            }
            _ => key = key.or(Some(found)),
        }
    }
    let definition = key.as_ref().and_then(|key| match needed_definition(&key.kind()) {
        None => Some(&NO_DEFINITION),
        Some(definition) => have.get(&definition).object(),
    });
    match key.zip(definition) {
        Some((key, definition)) => Ok(RouteContext { target, key, definition, have }),
        None => {
            let kinds = described(&router.kinds_for(target));
            Err(RouteError::NotServed { kinds, product: router.product() })
        }
    }
}

/// The kinds that the cluster serves, in the order in which they are preferred, each in one version.
fn served<T: RouteObject>(
    router: &T,
    target: &RouteTarget<'_>,
    have: &Objects,
) -> Result<Vec<Kind>, RouteError> {
    let mut served: Vec<Kind> = Vec::new();
    for kind in target.preferred(router.kinds_for(target)) {
        if served.iter().any(|before| before.is_defined_with(&kind)) {
            continue;
        }
        if kind.is_built_in() {
            served.push(kind);
            continue;
        }
        let key = kind.definition();
        match have.get(&key) {
            Seen::Present(live) => {
                let versions = definition::served(live);
                if versions.is_empty() || versions.contains(&kind.version) {
                    served.push(kind);
                }
            }
            Seen::Absent => {}
            // A kind that is preferred decides before the others.
            Seen::NotKnown if served.is_empty() || router.follows_existing() => {
                return Err(RouteError::NotKnown { object: key.to_string() });
            }
            Seen::NotKnown => {}
        }
    }
    Ok(served)
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
