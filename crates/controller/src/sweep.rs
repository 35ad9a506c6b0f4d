//! Sweeps routes that no garbage collector removes, once their Canary is gone: at start, and whenever something that
//! concerns them changes. It works beside the ticks, for there is no Canary left to be ticked.
//!
//! A system counts once its provider is the operator's or a Canary's: what nobody asked for may not be readable at all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::StreamExt;
use serde_json::Value;
use tokio::time::timeout;
use vexil_kube::{Changes, Noted, WriteError};
use vexil_object::{Change, Kind, ObjectKey, Seen, kinds, meta};
use vexil_routing::{Router, Unowned};

use crate::Context;

/// How long after a failure it is tried again although nothing has changed.
const RETRY: Duration = Duration::from_secs(10);

/// Sweeps as long as the operator runs; never ends.
pub(crate) async fn keep_swept(context: &Context) {
    let routers: Vec<_> = context.registry.routers().filter(|router| router.unowned().is_some()).collect();
    if routers.is_empty() {
        return std::future::pending().await;
    }
    let mut changes = context.cluster.changes();
    let mut used = BTreeSet::new();
    let mut sweeper = Sweeper { context, told: BTreeSet::new() };
    loop {
        let mut failed = false;
        let canaries = context.cluster.list(kinds::CANARY, "").unwrap_or_default();
        let providers = canaries.iter().map(|canary| provider(context, canary));
        let all = providers.chain([context.settings.provider.as_str()]);
        used.extend(all.filter_map(|provider| serving(&routers, provider)));
        for unowned in used.iter().filter_map(|place| routers.get(*place)?.unowned()) {
            failed |= !sweeper.sweep(unowned).await;
        }
        let change = next(context, &routers, &used, &mut changes);
        if failed {
            let _or_again = timeout(RETRY, change).await;
        } else {
            change.await;
        }
    }
}

/// The provider of a Canary.
fn provider<'a>(context: &'a Context, canary: &'a Value) -> &'a str {
    let named = meta::text(canary, "/spec/provider");
    if named.is_empty() { &context.settings.provider } else { named }
}

/// Where the router of a provider stands.
fn serving(routers: &[&Arc<dyn Router>], provider: &str) -> Option<usize> {
    routers.iter().position(|router| router.serves(provider))
}

/// Waits for a change that may leave a route without its Canary, or show one.
async fn next(
    context: &Context,
    routers: &[&Arc<dyn Router>],
    used: &BTreeSet<usize>,
    changes: &mut Changes,
) {
    let kinds: Vec<Kind> =
        routers.iter().filter_map(|router| router.unowned()).flat_map(Unowned::kinds).collect();
    while let Some(noted) = changes.next().await {
        let concerns = match &noted {
            Noted::Kind(kind) => {
                kinds.contains(kind) || [kinds::CANARY, kinds::CUSTOM_RESOURCE_DEFINITION].contains(kind)
            }
            Noted::Object(key) if key.kind() == kinds::CANARY => match context.cluster.look(key) {
                Seen::Absent => true,
                Seen::NotKnown => false,
                Seen::Present(canary) => {
                    serving(routers, provider(context, &canary)).is_some_and(|at| !used.contains(&at))
                }
            },
            Noted::Listed(_) => false,
            Noted::Object(key) => {
                kinds.contains(&key.kind()) || kinds.iter().any(|kind| kind.definition() == *key)
            }
        };
        if concerns {
            return;
        }
    }
}

/// What sweeps, and what it has said.
struct Sweeper<'a> {
    context: &'a Context,
    /// Routes that could not be deleted.
    told: BTreeSet<ObjectKey>,
}

impl Sweeper<'_> {
    /// Looks at every route there is. Answers whether nothing is left to be tried again.
    async fn sweep(&mut self, unowned: &dyn Unowned) -> bool {
        let (cluster, mut done) = (&self.context.cluster, true);
        for kind in unowned.kinds() {
            // What the cluster does not serve is not watched for.
            if !matches!(cluster.look(&kind.definition()), Seen::Present(_)) {
                continue;
            }
            for route in cluster.list(kind, "").unwrap_or_default() {
                done &= self.sweep_one(unowned, kind, &route).await;
            }
        }
        done
    }

    async fn sweep_one(&mut self, unowned: &dyn Unowned, kind: Kind, route: &Value) -> bool {
        let text = |path| meta::text(route, path);
        let key = ObjectKey::new(kind, text("/metadata/namespace"), text("/metadata/name"));
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
        if self.told.insert(change.key.clone()) {
            tracing::warn!("{} of a Canary that is gone could not be deleted: {error}", change.key);
        }
        // Rights do not come by themselves: it is tried again when something changes.
        matches!(error, WriteError::Forbidden { .. } | WriteError::Invalid { .. })
    }
}
