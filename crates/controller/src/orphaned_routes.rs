//! Deletes orphaned routes: routes that cannot have their Canary as owner, so that the garbage collector leaves them
//! when the Canary is gone. It runs at start and whenever a route or a Canary changes, beside the reconciles, for there
//! is no Canary left to reconcile.
//!
//! Only the kinds of providers in use are read (the operator's or a Canary's): the operator may have no rights for
//! others.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use serde_json::Value;
use tokio::time::timeout;
use vexil_kube::{CacheEvent, Changes, Mark, WriteError};
use vexil_object::{Change, Kind, ObjectKey, Seen, kinds, meta};
use vexil_routing::{Router, Unowned};

use crate::{Context, reconcile::span};

/// The pause after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// Deletes orphaned routes as long as the operator runs; never ends.
pub(crate) async fn collect_orphaned_routes(context: &Context) {
    let routers: Vec<_> = context.registry.routers().filter(|router| router.unowned().is_some()).collect();
    if routers.is_empty() {
        return std::future::pending().await;
    }
    let kinds = routers.iter().filter_map(|router| router.unowned()).flat_map(Unowned::kinds).collect();
    let changes = context.cluster.changes();
    let mut watch = Watch { context, routers: &routers, kinds, used: BTreeSet::new(), changes };
    let mut collector = Collector { context, reported: BTreeSet::new() };
    watch.use_all();
    let mut to_check = ToCheck { everything: true, routes: BTreeSet::new() };
    loop {
        let mut failed = false;
        let unowned = watch.used.iter().filter_map(|place| routers.get(*place)?.unowned());
        for unowned in unowned {
            failed |= !collector.check_routes(unowned, &to_check).await;
        }
        to_check = match failed {
            false => watch.next().await,
            true => match timeout(RETRY, watch.next()).await {
                Ok(more) => ToCheck { everything: true, ..more },
                Err(_) => ToCheck { everything: true, routes: BTreeSet::new() },
            },
        };
    }
}

/// Which routes to check.
struct ToCheck {
    everything: bool,
    routes: BTreeSet<ObjectKey>,
}

/// Waits for changes of routes and Canaries.
struct Watch<'a> {
    context: &'a Context,
    routers: &'a [&'a Arc<dyn Router>],
    /// The kinds of their routes.
    kinds: BTreeSet<Kind>,
    /// Indexes of the routers in use.
    used: BTreeSet<usize>,
    changes: Changes,
}

impl Watch<'_> {
    /// Finds the routers in use in all Canaries, one Canary after the other: ten thousand trees at once take 150 MiB.
    fn use_all(&mut self) {
        self.used.extend(self.serving(&self.context.settings.provider));
        for key in self.context.cluster.list_keys(kinds::CANARY, "").unwrap_or_default() {
            if self.used.len() == self.routers.len() {
                break;
            }
            if let Seen::Present(canary) = self.context.cluster.look(&key) {
                self.used.extend(self.serving(self.provider(&canary)));
            }
        }
    }

    /// The provider of a Canary.
    fn provider<'b>(&'b self, canary: &'b Value) -> &'b str {
        let named = meta::text(canary, "/spec/provider");
        if named.is_empty() { &self.context.settings.provider } else { named }
    }

    /// The index of the router of a provider.
    fn serving(&self, provider: &str) -> Option<usize> {
        self.routers.iter().position(|router| router.serves(provider))
    }

    /// The routes that the next changes concern; changes at the same time are handled together.
    async fn next(&mut self) -> ToCheck {
        let mut to_check = ToCheck { everything: false, routes: BTreeSet::new() };
        while let Some(event) = self.changes.next().await {
            self.add(event, &mut to_check);
            while let Some(event) = self.changes.next().now_or_never().flatten() {
                self.add(event, &mut to_check);
            }
            if to_check.everything || !to_check.routes.is_empty() {
                break;
            }
        }
        to_check
    }

    /// Called for each change of the cluster: most are of other kinds, and cost nothing.
    fn add(&mut self, event: CacheEvent, to_check: &mut ToCheck) {
        match event {
            CacheEvent::Kind(kinds::CANARY) => {
                self.use_all();
                to_check.everything = true;
            }
            CacheEvent::Kind(kind) => {
                to_check.everything |=
                    self.kinds.contains(&kind) || kind == kinds::CUSTOM_RESOURCE_DEFINITION;
            }
            CacheEvent::Object(key) if key.kind() == kinds::CANARY => self.add_canary(&key, to_check),
            CacheEvent::Object(key) if key.kind() == kinds::CUSTOM_RESOURCE_DEFINITION => {
                to_check.everything |= self.kinds.iter().any(|kind| kind.definition() == key);
            }
            CacheEvent::Object(key) if self.kinds.contains(&key.kind()) => {
                to_check.routes.insert(key);
            }
            CacheEvent::Object(_) | CacheEvent::Listed(_) => {}
        }
    }

    fn add_canary(&mut self, key: &ObjectKey, to_check: &mut ToCheck) {
        if self.context.cluster.mark(key) == Mark::ABSENT {
            to_check.everything = true;
        } else if self.used.len() < self.routers.len()
            && let Seen::Present(canary) = self.context.cluster.look(key)
        {
            let serving = self.serving(self.provider(&canary));
            to_check.everything |= serving.is_some_and(|place| self.used.insert(place));
        }
    }
}

/// Deletes orphaned routes, and remembers which failures it has logged.
struct Collector<'a> {
    context: &'a Context,
    /// Routes that could not be deleted.
    reported: BTreeSet<ObjectKey>,
}

impl Collector<'_> {
    /// Checks routes. Returns whether nothing has to be tried again.
    async fn check_routes(&mut self, unowned: &dyn Unowned, to_check: &ToCheck) -> bool {
        let (cluster, mut done) = (&self.context.cluster, true);
        for kind in unowned.kinds() {
            // A kind that the cluster does not serve is not watched.
            if !matches!(cluster.look(&kind.definition()), Seen::Present(_)) {
                continue;
            }
            let keys = match to_check.everything {
                true => cluster.list_keys(kind, "").unwrap_or_default(),
                false => to_check.routes.iter().filter(|key| key.kind() == kind).cloned().collect(),
            };
            for key in keys {
                if let Seen::Present(route) = cluster.look(&key) {
                    done &= self.check_route(unowned, key, &route).await;
                }
            }
        }
        done
    }

    async fn check_route(&mut self, unowned: &dyn Unowned, key: ObjectKey, route: &Value) -> bool {
        let (cluster, Some(canary)) = (&self.context.cluster, unowned.made_for(route)) else { return true };
        // A Canary outside of the watched namespace is unknown; its routes are another operator's.
        if unowned.abandoned(&key, route, &cluster.look(&canary)).is_none() {
            return true;
        }
        // The cache of Canaries may be behind that of routes: read the Canary before deleting.
        let Ok(now) = cluster.fetch(&canary).await else { return false };
        let Some(change) = unowned.abandoned(&key, route, &now) else { return true };
        self.delete(&canary, &change).await
    }

    async fn delete(&mut self, canary: &ObjectKey, change: &Change) -> bool {
        let error = match self.context.cluster.apply(change).await {
            Ok(()) => {
                span(canary).in_scope(|| tracing::info!("{} deleted: its Canary is gone", change.key));
                return true;
            }
            // It is gone or was written; the watch brings the change.
            Err(WriteError::NotFound { .. } | WriteError::Conflict { .. }) => return true,
            Err(error) => error,
        };
        self.context.telemetry.write_failed(&error);
        if self.reported.insert(change.key.clone()) {
            tracing::warn!("{} of a Canary that is gone could not be deleted: {error}", change.key);
        }
        // Missing rights are not retried on a timer.
        matches!(error, WriteError::Forbidden { .. } | WriteError::Invalid { .. })
    }
}
