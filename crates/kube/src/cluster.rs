//! The handle: what is known of the cluster without a request.

use std::sync::Arc;

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use kube::Client;
use serde_json::Value;
use tokio::sync::mpsc;
use vexil_object::{Kind, ObjectKey, Projection, Seen};

use crate::{
    changes::{Changes, Listed},
    pending::version,
    shared::Shared,
    watch,
};

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

/// Distinguishes one state of an object or list from another. Marks can only be compared for equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    /// The mark of what does not exist, and of an empty list.
    pub const ABSENT: Mark = Mark(0);
    /// The mark of what is not known.
    pub const NOT_KNOWN: Mark = Mark(u64::MAX);

    /// The mark of what was seen.
    pub fn seen(seen: &Seen) -> Self {
        match seen {
            Seen::Present(object) => Mark::of(version(object)),
            Seen::Absent => Mark::ABSENT,
            Seen::NotKnown => Mark::NOT_KNOWN,
        }
    }

    pub(crate) fn of(version: u64) -> Self {
        Mark::ABSENT.with(version)
    }

    /// Half of it, for who keeps many. Of what does not exist, of what is not known, and of objects in versions that
    /// are less than four thousand million apart the halves differ too.
    pub fn low(self) -> u32 {
        (self.0 & u64::from(u32::MAX)) as u32
    }

    /// The mark of a list with one object more.
    pub(crate) fn with(self, version: u64) -> Self {
        let mixed = (self.0.rotate_left(25) ^ version.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Mark(mixed.clamp(1, u64::MAX - 1))
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

    /// What is known of an object without asking: from the cache, or from our own writes that the watch has not
    /// reported yet. A kind that is not watched yet starts being watched and is not known until its list is complete.
    /// Objects of a kind that the cluster does not define are absent. Objects outside of the scope are never known.
    pub fn look(&self, key: &ObjectKey) -> Seen {
        if self.watches(key) { self.shared.look(key) } else { Seen::NotKnown }
    }

    /// The objects of one namespace (empty = all that are watched), by namespace and name; the kind starts being
    /// watched. `None` when its list is not complete yet, a write to one of them has an unknown outcome, or the
    /// namespace is outside of the scope.
    pub fn list(&self, kind: Kind, namespace: &str) -> Option<Vec<Arc<Value>>> {
        self.inside(kind, namespace)?;
        self.shared.list(kind, |cache| cache.keys_in(namespace))
    }

    /// The keys of the objects that [`Cluster::list`] answers, which costs much less.
    pub fn list_keys(&self, kind: Kind, namespace: &str) -> Option<Vec<ObjectKey>> {
        self.inside(kind, namespace)?;
        self.shared.list_keys(kind, |cache| cache.keys_in(namespace))
    }

    /// The objects of one namespace that the kind's projection puts under this value of an index, by name; the kind
    /// starts being watched. Costs the same however many others there are. `None` as for [`Cluster::list`], but an
    /// object of which nothing is known counts only where it may be one of them.
    pub fn list_by(
        &self,
        kind: Kind,
        namespace: &str,
        index: &'static str,
        value: &str,
    ) -> Option<Vec<Arc<Value>>> {
        self.inside(kind, namespace)?;
        self.shared.list(kind, |cache| cache.keys_by(namespace, index, value))
    }

    /// The keys of the objects that [`Cluster::list_by`] answers.
    pub fn list_keys_by(
        &self,
        kind: Kind,
        namespace: &str,
        index: &'static str,
        value: &str,
    ) -> Option<Vec<ObjectKey>> {
        self.inside(kind, namespace)?;
        self.shared.list_keys(kind, |cache| cache.keys_by(namespace, index, value))
    }

    fn inside(&self, kind: Kind, namespace: &str) -> Option<()> {
        let scope = self.shared.scope.namespace();
        (scope.is_empty() || namespace.is_empty() || !kind.namespaced || namespace == scope).then_some(())
    }

    /// Distinguishes one state of an object from another: as long as the mark is the same, [`Cluster::look`] answers
    /// the same.
    pub fn mark(&self, key: &ObjectKey) -> Mark {
        if self.watches(key) { self.shared.mark(key) } else { Mark::NOT_KNOWN }
    }

    /// The same for what [`Cluster::list_by`] answers.
    pub fn mark_by(&self, listed: &Listed) -> Mark {
        match self.inside(listed.kind, &listed.namespace) {
            Some(()) => self.shared.mark_by(listed.kind, &listed.namespace, listed.index, &listed.value),
            None => Mark::NOT_KNOWN,
        }
    }

    /// While the first list of a kind that is watched is not complete: the number of objects that lists have had so
    /// far, of all kinds together. As long as it grows, the lists make progress.
    pub fn listing(&self) -> Option<u64> {
        self.shared.listing()
    }

    /// The changes from now on. Subscribe first, then look.
    pub fn changes(&self) -> Changes {
        self.shared.listeners.add()
    }

    /// The error of the watch of a kind, for a person; `None` when it works or has not been started. While there is
    /// one, [`Cluster::look`] answers what was known before.
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
