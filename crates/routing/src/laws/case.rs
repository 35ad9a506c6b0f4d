//! One router on one cluster, and the operator's way of using it: look, ask, apply.

use std::collections::BTreeMap;

use proptest::test_runner::TestCaseError;
use serde_json::Value;
use vexil_api::canary::CanarySpec;
use vexil_object::{Action, Change, ObjectKey, Objects, Owner, Precondition, Seen, Store, meta};

use crate::{PodLabels, RouteError, RouteTarget, Router, Routes};

/// A router and what the laws have to know about the objects it writes.
pub struct Case<'a> {
    /// The router.
    pub router: &'a dyn Router,
    /// The Canary.
    pub target: RouteTarget<'a>,
    /// What exists beforehand: definitions of the kinds that are served, objects the router starts from.
    pub cluster: Store,
    /// The object that holds the weights. It must not exist in `cluster`.
    pub route: ObjectKey,
    /// Whether the Canary owns it; an object of the whole cluster has no owner.
    pub owned: bool,
    /// The weights of primary and canary in that object, as the gateway would take them. Written in the plainest way,
    /// so that it can bear witness against the router.
    pub weights: fn(&Value) -> Option<(i64, i64)>,
    /// The list in a new one that holds our two entries, each with its `weight` (JSON pointer); none when
    /// its weights stand elsewhere.
    pub split: Option<&'a str>,
    /// The lists in it that hold entries of others beside ours.
    pub lists: &'a [Shared],
    /// Objects that a user could have made in its place, without a controller.
    pub adoptable: &'a [Value],
    /// Merge patches that make the route somebody else's, for one whose owner is told by other means than a reference.
    pub foreign: &'a [Value],
    /// What the route is a copy of, when it is one.
    pub source: Option<Source>,
}

/// A user's object that the route follows: what is written there arrives in the route, what others write into the copy
/// is put back, and the object itself is never touched.
pub struct Source {
    /// The object. It must exist in the cluster of the case.
    pub key: ObjectKey,
    /// The part that is copied (JSON pointer).
    pub pointer: &'static str,
}

/// A list that is not ours alone.
pub struct Shared {
    /// Where it is (JSON pointer).
    pub pointer: &'static str,
    /// An entry that a user could have put there.
    pub entry: fn() -> Value,
}

/// The Canary `podinfo` of the guides, for the tests of routers.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its uid is `canary-uid`.
    pub owner: Owner,
    /// Annotations of the Canary.
    pub annotations: BTreeMap<String, String>,
    /// Port 80, nothing else, until a test says more.
    pub spec: CanarySpec,
    /// Ports that discovery found.
    pub ports: Vec<(String, u16)>,
    /// The labels of the target's selector; `app` tells primary and canary apart.
    pub canary: BTreeMap<String, String>,
    /// The labels of the primary's pods.
    pub primary: BTreeMap<String, String>,
    /// Those that its pods have in any case.
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

    /// What a router is told: namespace `test`, pods told apart by the label `app`.
    pub fn target(&self) -> RouteTarget<'_> {
        RouteTarget {
            namespace: "test",
            apex: self.spec.apex_name(),
            owner: &self.owner,
            annotations: &self.annotations,
            spec: &self.spec,
            selector: self.labels(),
            discovered_ports: &self.ports,
            bound: None,
        }
    }
}

pub(super) type Held<T = ()> = Result<T, TestCaseError>;

pub(super) fn broken<T>(how: impl Into<String>) -> Held<T> {
    Err(TestCaseError::fail(how.into()))
}

/// Rounds of questions after which a router is taken to ask for ever.
const ROUNDS: usize = 8;

impl Case<'_> {
    /// The same with the Canary as edited.
    pub(super) fn with<'b>(&'b self, target: RouteTarget<'b>) -> Case<'b> {
        Case {
            router: self.router,
            target,
            cluster: self.cluster.clone(),
            route: self.route.clone(),
            owned: self.owned,
            weights: self.weights,
            split: self.split,
            lists: self.lists,
            adoptable: self.adoptable,
            foreign: self.foreign,
            source: None,
        }
    }

    /// Shows the router what it asks for, until it asks no more.
    pub(super) fn look(&self, store: &Store) -> Held<Objects> {
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
        Ok(self.router.read(&self.target, &self.look(store)?))
    }

    /// The changes that the router wants, each of them properly fenced.
    pub(super) fn render(&self, store: &Store, want: &Routes) -> Held<Result<Vec<Change>, RouteError>> {
        let have = self.look(store)?;
        let changes = self.router.render(&self.target, want, &have);
        self.fenced(&have, changes.as_deref().unwrap_or_default())?;
        Ok(changes)
    }

    pub(super) fn release(&self, store: &Store) -> Held<Result<Vec<Change>, RouteError>> {
        let have = self.look(store)?;
        let changes = self.router.release(&self.target, &have);
        self.fenced(&have, changes.as_deref().unwrap_or_default())?;
        Ok(changes)
    }

    /// A create needs an absence that was seen, everything else the very object that was seen.
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

    /// Has the router write `want` and holds it to its word: it is read back, the gateway would do as asked, and
    /// nothing is left to write.
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
        let split = (i64::from(want.primary().percent()), i64::from(want.canary().percent()));
        match store.get(&self.route).map(|live| (live, (self.weights)(live))) {
            Some((_, found)) if found == Some(split) => {}
            found => return broken(format!("{want:?} was written as {found:?}")),
        }
        match self.render(store, want)?.as_deref() {
            Ok([]) => Ok(()),
            again => broken(format!("a second render of {want:?} wants {again:?}")),
        }
    }

    pub(super) fn apply(&self, store: &mut Store, changes: &[Change]) -> Held {
        for change in changes {
            store.apply(change).or_else(|refused| broken(format!("{change:?}: {refused}")))?;
        }
        Ok(())
    }

    /// The cluster with the route at `want`.
    pub(super) fn made(&self, want: &Routes) -> Held<Store> {
        let mut store = self.cluster.clone();
        self.make(&mut store, want)?;
        Ok(store)
    }

    /// The route object, which must exist.
    pub(super) fn live(&self, store: &Store) -> Held<Value> {
        store.get(&self.route).cloned().map_or_else(|| broken(format!("{} is gone", self.route)), Ok)
    }

    /// `store` with the route as somebody else wrote it.
    pub(super) fn put(&self, store: &Store, object: Value) -> Store {
        let mut store = store.clone();
        store.put(self.route.clone(), object);
        store
    }
}
