//! The handle: what is known of the cluster without asking it.

use std::sync::Arc;

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use kube::Client;
use serde_json::Value;
use tokio::sync::mpsc;
use vexil_object::{Kind, ObjectKey, Projection, Seen};

use crate::{changes::Changes, shared::Shared, watch};

/// Which namespaces are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// This one. Cluster-scoped kinds are watched all the same.
    Namespace(String),
}

impl Scope {
    /// The namespace as paths want it: empty for all.
    pub(crate) fn namespace(&self) -> &str {
        match self {
            Scope::All => "",
            Scope::Namespace(namespace) => namespace,
        }
    }
}

/// The cluster as Vexil knows it. Cheap to clone; all clones share the caches.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) shared: Arc<Shared>,
}

/// Drives every watch; nothing is seen unless [`Watches::run`] is polled.
pub struct Watches {
    shared: Arc<Shared>,
    started: mpsc::UnboundedReceiver<Kind>,
}

impl Cluster {
    /// A handle and the watches that feed it. Kinds without a projection are kept whole. No request is sent yet.
    pub fn new(client: Client, scope: Scope, projections: Vec<Box<dyn Projection>>) -> (Cluster, Watches) {
        let (sender, started) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(client, scope, projections, sender));
        (Cluster { shared: Arc::clone(&shared) }, Watches { shared, started })
    }

    /// Starts watching a kind, if it is not watched yet.
    pub fn watch(&self, kind: Kind) {
        self.shared.start(kind);
    }

    /// Whether objects with this key are watched. Outside of the scope only [`Cluster::fetch`] answers.
    pub fn watches(&self, key: &ObjectKey) -> bool {
        let scope = self.shared.scope.namespace();
        scope.is_empty() || !key.kind().namespaced || key.namespace() == scope
    }

    /// What is known of an object without asking: from the cache, with our own writes laid over. A kind that is not
    /// watched yet starts being watched and is not known until its list has come. Objects of a kind that the cluster
    /// does not define are absent. Objects outside of the scope are never known.
    pub fn look(&self, key: &ObjectKey) -> Seen {
        if self.watches(key) { self.shared.look(key) } else { Seen::NotKnown }
    }

    /// The objects of one namespace (empty = all that are watched), by namespace and name; the kind starts being
    /// watched. `None` when its list has not come yet, a write to one of them has an unknown outcome, or the namespace
    /// is outside of the scope.
    pub fn list(&self, kind: Kind, namespace: &str) -> Option<Vec<Arc<Value>>> {
        let scope = self.shared.scope.namespace();
        let inside = scope.is_empty() || namespace.is_empty() || !kind.namespaced || namespace == scope;
        if inside { self.shared.list(kind, namespace) } else { None }
    }

    /// What looks different from now on. Subscribe first, then look.
    pub fn changes(&self) -> Changes {
        self.shared.listeners.add()
    }

    /// What is wrong with the watch of a kind, for a person; `None` when it works or has not been started. While there
    /// is trouble, looks answer what was known before.
    pub fn trouble(&self, kind: Kind) -> Option<String> {
        self.shared.trouble(kind)
    }
}

impl Watches {
    /// Keeps all caches fed. Never returns; dropping it ends all watches.
    pub async fn run(mut self) {
        let mut running: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(kind) = self.started.recv() => running.push(Box::pin(watch::keep(Arc::clone(&self.shared), kind))),
                Some(()) = running.next(), if !running.is_empty() => {}
            }
        }
    }
}
