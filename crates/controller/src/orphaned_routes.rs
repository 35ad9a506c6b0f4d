//! Sweeps routes that no garbage collector removes, once their Canary is gone: at start, and whenever something that
//! concerns them changes. It works beside the ticks, for there is no Canary left to be ticked.
//!
//! A system counts once its provider is the operator's or a Canary's: what nobody asked for may not be readable at all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::time::timeout;
use vexil_kube::{Changes, Noted, WriteError};
use vexil_object::{Change, Kind, ObjectKey, Seen, kinds, meta};
use vexil_routing::{Router, Unowned};

use crate::Context;

/// How long after a failure it is tried again although nothing has changed.
const RETRY: Duration = Duration::from_secs(10);

/// Sweeps as long as the operator runs; never ends.
pub(crate) async fn collect_orphaned_routes(context: &Context) {
    let routers: Vec<_> = context.registry.routers().filter(|router| router.unowned().is_some()).collect();
    if routers.is_empty() {
        return std::future::pending().await;
    }
    let mut watch =
        Watch { context, routers: &routers, used: BTreeSet::new(), changes: context.cluster.changes() };
    let mut sweeper = Collector { context, reported: BTreeSet::new() };
    watch.use_all();
    let mut dirt = Dirt { everything: true, routes: BTreeSet::new() };
    loop {
        let mut failed = false;
        let unowned = watch.used.iter().filter_map(|place| routers.get(*place)?.unowned());
        for unowned in unowned {
            failed |= !sweeper.sweep(unowned, &dirt).await;
        }
        dirt = match failed {
            false => watch.next().await,
            true => match timeout(RETRY, watch.next()).await {
                Ok(more) => Dirt { everything: true, ..more },
                Err(_) => Dirt { everything: true, routes: BTreeSet::new() },
            },
        };
    }
}

/// What is to be swept.
struct Dirt {
    everything: bool,
    routes: BTreeSet<ObjectKey>,
}

/// Waits for changes that may leave a route without its Canary, or show one.
struct Watch<'a> {
    context: &'a Context,
    routers: &'a [&'a Arc<dyn Router>],
    /// The places of the routers that are in use.
    used: BTreeSet<usize>,
    changes: Changes,
}

impl Watch<'_> {
    /// Looks through all Canaries for routers that are in use.
    fn use_all(&mut self) {
        let canaries = self.context.cluster.list(kinds::CANARY, "").unwrap_or_default();
        let providers = canaries.iter().map(|canary| self.provider(canary));
        let all = providers.chain([self.context.settings.provider.as_str()]);
        let found: Vec<_> = all.filter_map(|provider| self.serving(provider)).collect();
        self.used.extend(found);
    }

    /// The provider of a Canary.
    fn provider<'b>(&'b self, canary: &'b Value) -> &'b str {
        let named = meta::text(canary, "/spec/provider");
        if named.is_empty() { &self.context.settings.provider } else { named }
    }

    /// Where the router of a provider stands.
    fn serving(&self, provider: &str) -> Option<usize> {
        self.routers.iter().position(|router| router.serves(provider))
    }

    /// What the next changes concern; those that come together are swept together.
    async fn next(&mut self) -> Dirt {
        let mut dirt = Dirt { everything: false, routes: BTreeSet::new() };
        while let Some(noted) = self.changes.next().await {
            self.add(noted, &mut dirt);
            while let Some(noted) = self.changes.next().now_or_never().flatten() {
                self.add(noted, &mut dirt);
            }
            if dirt.everything || !dirt.routes.is_empty() {
                break;
            }
        }
        dirt
    }

    fn add(&mut self, noted: Noted, dirt: &mut Dirt) {
        let kinds: Vec<Kind> =
            self.routers.iter().filter_map(|router| router.unowned()).flat_map(Unowned::kinds).collect();
        match noted {
            Noted::Kind(kinds::CANARY) => {
                self.use_all();
                dirt.everything = true;
            }
            Noted::Kind(kind) => {
                dirt.everything |= kinds.contains(&kind) || kind == kinds::CUSTOM_RESOURCE_DEFINITION;
            }
            Noted::Object(key) if key.kind() == kinds::CANARY => match self.context.cluster.look(&key) {
                Seen::Absent => dirt.everything = true,
                Seen::NotKnown => {}
                Seen::Present(canary) => {
                    let serving = self.serving(self.provider(&canary));
                    dirt.everything |= serving.is_some_and(|place| self.used.insert(place));
                }
            },
            Noted::Object(key) if kinds.contains(&key.kind()) => drop(dirt.routes.insert(key)),
            Noted::Object(key) => dirt.everything |= kinds.iter().any(|kind| kind.definition() == key),
            Noted::Listed(_) => {}
        }
    }
}

/// What sweeps, and what it has said.
struct Collector<'a> {
    context: &'a Context,
    /// Routes that could not be deleted.
    reported: BTreeSet<ObjectKey>,
}

impl Collector<'_> {
    /// Looks at what may be left behind. Answers whether nothing is left to be tried again.
    async fn sweep(&mut self, unowned: &dyn Unowned, dirt: &Dirt) -> bool {
        let (cluster, mut done) = (&self.context.cluster, true);
        for kind in unowned.kinds() {
            // What the cluster does not serve is not watched for.
            if !matches!(cluster.look(&kind.definition()), Seen::Present(_)) {
                continue;
            }
            let keys = match dirt.everything {
                true => cluster.list_keys(kind, "").unwrap_or_default(),
                false => dirt.routes.iter().filter(|key| key.kind() == kind).cloned().collect(),
            };
            for key in keys {
                if let Seen::Present(route) = cluster.look(&key) {
                    done &= self.sweep_one(unowned, key, &route).await;
                }
            }
        }
        done
    }

    async fn sweep_one(&mut self, unowned: &dyn Unowned, key: ObjectKey, route: &Value) -> bool {
        let (cluster, Some(canary)) = (&self.context.cluster, unowned.made_for(route)) else { return true };
        // A Canary that nobody watches is not known, and its route is another operator's to sweep.
        if unowned.abandoned(&key, route, &cluster.look(&canary)).is_none() {
            return true;
        }
        // A cache may be behind the route that it is compared with; a deletion is worth a question.
        let Ok(now) = cluster.fetch(&canary).await else { return false };
        let Some(change) = unowned.abandoned(&key, route, &now) else { return true };
        self.delete(&canary, &change).await
    }

    async fn delete(&mut self, canary: &ObjectKey, change: &Change) -> bool {
        let error = match self.context.cluster.apply(change).await {
            Ok(()) => {
                let name = format!("{}.{}", canary.name(), canary.namespace());
                tracing::info!(canary = %name, "{} deleted: its Canary is gone", change.key);
                return true;
            }
            // It is gone, or somebody wrote it; the watch tells.
            Err(WriteError::NotFound { .. } | WriteError::Conflict { .. }) => return true,
            Err(error) => error,
        };
        self.context.telemetry.write_failed(&error);
        if self.reported.insert(change.key.clone()) {
            tracing::warn!("{} of a Canary that is gone could not be deleted: {error}", change.key);
        }
        // Rights do not come by themselves: it is tried again when something changes.
        matches!(error, WriteError::Forbidden { .. } | WriteError::Invalid { .. })
    }
}
