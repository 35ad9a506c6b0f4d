//! One router on one cluster, used as the operator does: observe, read or render, apply.

use std::collections::BTreeMap;

use proptest::test_runner::TestCaseError;
use serde_json::Value;
use vexil_api::canary::{CanarySpec, CanaryView};
use vexil_object::{Action, Change, ObjectKey, Objects, Owner, Precondition, Seen, Store, meta};

use crate::{PodLabels, RouteError, RouteTarget, Router, Routes, SessionCookies};

/// A router and what the laws need to know about the objects that it writes.
pub struct Case<'a> {
    /// The router.
    pub router: &'a dyn Router,
    /// The Canary.
    pub target: RouteTarget<'a>,
    /// What exists beforehand: the CRDs that are served, and objects that the router starts from.
    pub cluster: Store,
    /// The object that holds the routes. It must not exist in `cluster`.
    pub route: ObjectKey,
    /// Whether the Canary owns it; a cluster-scoped object has no owner.
    pub owned: bool,
    /// The weights of primary and canary in that object as the gateway applies them, written independently of the
    /// router and as simply as possible.
    pub weights: fn(&Value) -> Option<(i64, i64)>,
    /// The same for a router that supports more than weights: the routes as the gateway applies them; `None` for an
    /// object that is only weighted.
    pub other_routes: Option<fn(&Value) -> Option<Routes>>,
    /// The list in a new one that holds our two entries, each with its `weight` (JSON pointer); none when its weights
    /// are elsewhere.
    pub split: Option<&'a str>,
    /// The lists in it that may also hold entries of others.
    pub lists: &'a [Shared],
    /// Objects that a user could have created under its name, without a controller.
    pub adoptable: &'a [Value],
    /// Merge patches that give the route another owner, where ownership is not an owner reference.
    pub foreign: &'a [Value],
    /// The object that the route is a copy of, if it is one.
    pub source: Option<Source>,
}

/// An object of the user that the route follows: changes of it arrive in the route, changes of the copy are reverted,
/// and the object itself is only read.
#[derive(Clone)]
pub struct Source {
    /// The object. It must exist in the cluster of the case.
    pub key: ObjectKey,
    /// The part that is copied (JSON pointer).
    pub pointer: &'static str,
}

/// A list with entries of several owners.
pub struct Shared {
    /// Its place (JSON pointer).
    pub pointer: &'static str,
    /// An entry that a user could have added.
    pub entry: fn() -> Value,
}

/// The Canary `podinfo` of the guides, for the tests of routers.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its uid is `canary-uid`.
    pub owner: Owner,
    /// Annotations of the Canary.
    pub annotations: BTreeMap<String, String>,
    /// Port 80; tests add more.
    pub spec: CanarySpec,
    /// Ports that discovery found, or those of a target that is a Service.
    pub ports: Vec<(String, u16)>,
    /// The labels of the target's selector; `app` distinguishes primary and canary.
    pub canary: BTreeMap<String, String>,
    /// The labels of the primary's pods.
    pub primary: BTreeMap<String, String>,
    /// Those that its pods have at any time.
    pub always: BTreeMap<String, String>,
    /// Whether its pods have all of them.
    pub settled: bool,
}

impl Default for Sample {
    fn default() -> Self {
        let mut spec = CanarySpec::default();
        spec.target_ref.name = "podinfo".to_owned();
        spec.service.port = Some(80);
        let labels = |value: &str| BTreeMap::from([("app".to_owned(), value.to_owned())]);
        Sample {
            canary: labels("podinfo"),
            primary: labels("podinfo-primary"),
            always: labels("podinfo-primary"),
            settled: true,
            owner: Owner { name: "podinfo".to_owned(), uid: "canary-uid".to_owned() },
            annotations: BTreeMap::new(),
            spec,
            ports: Vec::new(),
        }
    }
}

impl Sample {
    fn labels(&self) -> PodLabels<'_> {
        PodLabels {
            key: "app",
            canary: &self.canary,
            primary: &self.primary,
            always: &self.always,
            settled: self.settled,
        }
    }

    /// The target of a router: namespace `test`, pods distinguished by the label `app`.
    pub fn target(&self) -> RouteTarget<'_> {
        RouteTarget {
            view: CanaryView::new(&self.owner, "test", &self.spec).with_annotations(&self.annotations),
            selector: self.labels(),
            discovered_ports: &self.ports,
            cookies: SessionCookies::default(),
            bound: None,
        }
    }
}

pub(super) type Held<T = ()> = Result<T, TestCaseError>;

pub(super) fn broken<T>(how: impl Into<String>) -> Held<T> {
    Err(TestCaseError::fail(how.into()))
}

/// An object without the fields that the API server sets.
pub(super) fn unstamped(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("uid");
        metadata.remove("resourceVersion");
    }
    object
}

/// Rounds of questions after which a router is considered to never stop asking.
const ROUNDS: usize = 8;

impl Case<'_> {
    /// The target with another spec, under the same names.
    pub(super) fn target_with<'b>(&'b self, spec: &'b CanarySpec) -> RouteTarget<'b> {
        RouteTarget { view: CanaryView { spec, ..self.target.view }, ..self.target.clone() }
    }

    /// The same case with another Canary.
    pub(super) fn with<'b>(&'b self, target: RouteTarget<'b>) -> Case<'b> {
        Case {
            router: self.router,
            target,
            cluster: self.cluster.clone(),
            route: self.route.clone(),
            owned: self.owned,
            weights: self.weights,
            other_routes: self.other_routes,
            split: self.split,
            lists: self.lists,
            adoptable: self.adoptable,
            foreign: self.foreign,
            source: self.source.clone(),
        }
    }

    /// Observes what the router needs, until it needs nothing more.
    pub(super) fn observe(&self, store: &Store) -> Held<Objects> {
        let mut have = Objects::default();
        for _ in 0..ROUNDS {
            let needs = self.router.needs(&self.target, &have);
            if needs.is_empty() {
                return Ok(have);
            }
            for key in needs {
                if have.has(&key) {
                    return broken(format!("{key} was seen and is asked for again"));
                }
                have.insert(key.clone(), store.look(&key));
            }
        }
        broken(format!("still asking after {ROUNDS} rounds"))
    }

    pub(super) fn read(&self, store: &Store) -> Held<Result<Routes, RouteError>> {
        Ok(self.router.read(&self.target, &self.observe(store)?))
    }

    /// The changes that the router returns, each of them fenced.
    pub(super) fn render(&self, store: &Store, want: &Routes) -> Held<Result<Vec<Change>, RouteError>> {
        let have = self.observe(store)?;
        let changes = self.router.render(&self.target, want, &have);
        self.fenced(&have, changes.as_deref().unwrap_or_default())?;
        Ok(changes)
    }

    pub(super) fn release(&self, store: &Store) -> Held<Result<Vec<Change>, RouteError>> {
        let have = self.observe(store)?;
        let changes = self.router.release(&self.target, &have);
        self.fenced(&have, changes.as_deref().unwrap_or_default())?;
        Ok(changes)
    }

    /// A create requires that the absence was observed, everything else names the object that was observed.
    pub(super) fn fenced(&self, have: &Objects, changes: &[Change]) -> Held {
        for Change { key, action } in changes {
            match (have.get(key), action) {
                (Seen::Absent, Action::Create(object)) => self.well_named(key, object)?,
                (
                    Seen::Present(live),
                    Action::Merge { on, .. } | Action::Json { on, .. } | Action::Delete(on),
                ) if *on == Precondition::of(live) => {}
                (seen, action) => return broken(format!("{action:?} of {key}, of which was seen: {seen:?}")),
            }
        }
        Ok(())
    }

    fn well_named(&self, key: &ObjectKey, object: &Value) -> Held {
        let named = meta::text(object, "/apiVersion") == key.kind().api_version()
            && meta::text(object, "/kind") == key.kind().kind
            && meta::text(object, "/metadata/name") == key.name()
            && meta::text(object, "/metadata/namespace") == key.namespace();
        let owned = key != &self.route || self.target.owner.controls(object) == self.owned;
        if named && owned { Ok(()) } else { broken(format!("{key} would be created as {object}")) }
    }

    /// Applies what the router renders for `want` and checks that it is read back, that the gateway would do as
    /// asked, and that nothing is left to write.
    pub(super) fn make(&self, store: &mut Store, want: &Routes) -> Held {
        let changes =
            self.render(store, want)?.or_else(|error| broken(format!("cannot write {want:?}: {error}")))?;
        self.apply(store, &changes)?;
        let read = self.read(store)?;
        if read.as_ref() != Ok(want) {
            return broken(format!(
                "{want:?} was written, {read:?} is read from {:?}",
                store.get(&self.route)
            ));
        }
        self.shows(&self.live(store)?, want)?;
        match self.render(store, want)?.as_deref() {
            Ok([]) => Ok(()),
            again => broken(format!("a second render of {want:?} returns {again:?}")),
        }
    }

    /// Checks that the gateway does `want` with the route.
    pub(super) fn shows(&self, live: &Value, want: &Routes) -> Held {
        let other = self.other_routes.and_then(|other| other(live));
        let weights = (self.weights)(live);
        let as_wanted = match want {
            Routes::Weighted { .. } => {
                let split = (i64::from(want.primary().percent()), i64::from(want.canary().percent()));
                other.is_none() && weights == Some(split)
            }
            _ => other.as_ref() == Some(want),
        };
        if as_wanted {
            return Ok(());
        }
        broken(format!("instead of {want:?} the gateway does {weights:?} or {other:?} with {live}"))
    }

    pub(super) fn apply(&self, store: &mut Store, changes: &[Change]) -> Held {
        for change in changes {
            store.apply(change).or_else(|refused| broken(format!("{change:?}: {refused}")))?;
        }
        Ok(())
    }

    /// The cluster with a route that says `want`.
    pub(super) fn made(&self, want: &Routes) -> Held<Store> {
        let mut store = self.cluster.clone();
        self.make(&mut store, want)?;
        Ok(store)
    }

    /// The route object, which must exist.
    pub(super) fn live(&self, store: &Store) -> Held<Value> {
        store.get(&self.route).cloned().map_or_else(|| broken(format!("{} is gone", self.route)), Ok)
    }

    /// `store` with the route as others wrote it.
    pub(super) fn put(&self, store: &Store, object: Value) -> Store {
        let mut store = store.clone();
        store.put(self.route.clone(), object);
        store
    }
}
