//! The API server: what it is made of, and how clients get to it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::{
    audit::Audit, bell::Bell, faults::Faults, ids::Ids, registry::Registry, service::Service, state::State,
    store::Store,
};
use crate::Clock;

/// How many events are kept before the oldest are forgotten, unless asked otherwise.
const HISTORY: usize = 10_000;

/// A Kubernetes API server in the process. Clones are the same server.
#[derive(Clone)]
pub struct ApiServer {
    pub(crate) inner: Arc<Inner>,
}

/// What a server is made of.
pub(crate) struct Inner {
    state: Mutex<State>,
    /// Time stamps.
    pub clock: Clock,
    /// The record of requests.
    pub audit: Audit,
    /// Faults that wait for a request.
    pub faults: Faults,
    /// Moves when all watches shall end.
    pub epoch: Bell,
}

impl Inner {
    /// What the server remembers. Never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Options of an [`ApiServer`].
#[derive(Clone, Copy, Debug)]
pub struct Builder {
    clock: Clock,
    history: usize,
    seed: u64,
}

impl Builder {
    /// How many events are kept: a watch or continue from before them gets 410. Default 10 000.
    pub fn history(self, events: usize) -> Self {
        Builder { history: events, ..self }
    }

    /// Where uids and generated names begin; servers with the same seed give the same ones. Default 1.
    pub fn seed(self, seed: u64) -> Self {
        Builder { seed, ..self }
    }

    /// The server, with the namespaces that every cluster has.
    pub fn build(self) -> ApiServer {
        let mut state = State {
            registry: Registry::new(),
            store: Store::new(self.history),
            ids: Ids::new(self.seed),
            definitions: BTreeMap::new(),
        };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let uid = state.ids.uid();
            let labels = json!({"kubernetes.io/metadata.name": name});
            state.store.put(
                "namespaces",
                json!({
                    "kind": "Namespace", "apiVersion": "v1",
                    "metadata": {
                        "name": name, "uid": uid, "creationTimestamp": self.clock.stamp(), "labels": labels,
                    },
                    "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
                }),
            );
        }
        ApiServer {
            inner: Arc::new(Inner {
                state: Mutex::new(state),
                clock: self.clock,
                audit: Audit::default(),
                faults: Faults::default(),
                epoch: Bell::default(),
            }),
        }
    }
}

impl ApiServer {
    /// A server with default options, whose time stamps come from `clock`.
    pub fn new(clock: Clock) -> Self {
        Self::builder(clock).build()
    }

    /// Options for a server whose time stamps come from `clock`.
    pub fn builder(clock: Clock) -> Builder {
        Builder { clock, history: HISTORY, seed: 1 }
    }

    /// A client without sockets, whose default namespace is `default`. Needs a tokio runtime.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(Service::new(self.inner.clone(), None), "default")
    }

    /// A client without sockets that calls itself `user_agent`, by which [`Audit`] and [`Faults`] know it.
    pub fn client_as(&self, user_agent: &str) -> kube::Client {
        kube::Client::new(Service::new(self.inner.clone(), Some(user_agent.to_owned())), "default")
    }

    /// The record of all requests.
    pub fn audit(&self) -> &Audit {
        &self.inner.audit
    }

    /// The faults that wait for a request.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The clock of its time stamps.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// The present revision, as `metadata.resourceVersion` of a list would give it.
    pub fn revision(&self) -> u64 {
        self.inner.state().store.revision()
    }

    /// Ends all open watches, as a restart of the real server does.
    pub fn drop_watches(&self) {
        self.inner.epoch.ring_next();
    }

    /// Puts an object of a resource (group, version, plural) into the store as it is, past all checks and defaults, as
    /// a restore of a backup does. Whether the resource is served.
    pub fn restore(&self, of: (&str, &str, &str), object: Value) -> bool {
        let mut state = self.inner.state();
        let Some(resource) = state.registry.find(of.0, of.1, of.2) else { return false };
        state.store.put(&resource.bucket(), object);
        true
    }

    /// One object as it is stored.
    pub fn stored(&self, of: (&str, &str, &str), namespace: &str, name: &str) -> Option<Arc<Value>> {
        let state = self.inner.state();
        let resource = state.registry.find(of.0, of.1, of.2)?;
        state.store.get(&resource.bucket(), namespace, name).cloned()
    }

    /// The objects of a namespace as they are stored, by name.
    pub fn stored_in(&self, of: (&str, &str, &str), namespace: &str) -> Vec<Arc<Value>> {
        let state = self.inner.state();
        let Some(resource) = state.registry.find(of.0, of.1, of.2) else { return Vec::new() };
        let bucket = resource.bucket();
        let all = state.store.within(&bucket, namespace);
        all.map(|(_, object)| object.clone()).collect()
    }

    /// Changes an object that is stored in one step, past all checks. Whether there was one and it differs now.
    pub fn edit(
        &self,
        of: (&str, &str, &str),
        (namespace, name): (&str, &str),
        change: impl FnOnce(&mut Value),
    ) -> bool {
        let mut state = self.inner.state();
        let Some(resource) = state.registry.find(of.0, of.1, of.2) else { return false };
        let bucket = resource.bucket();
        let Some(before) = state.store.get(&bucket, namespace, name).cloned() else { return false };
        let mut object = (*before).clone();
        change(&mut object);
        let differs = object != *before;
        if differs {
            state.store.put(&bucket, object);
        }
        differs
    }

    /// Forgets the history: a watch or continue from before now gets 410.
    pub fn compact(&self) {
        self.inner.state().store.compact();
    }
}

impl fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiServer").finish_non_exhaustive()
    }
}
