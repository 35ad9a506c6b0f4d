//! Observes everything that concerns one Canary: the caches, reduced to what the engine decides on.

use std::{collections::BTreeMap, sync::Arc};

use vexil_analysis::{Memory, Millis, Observed, Phase, SyncState};
use vexil_api::CanaryStatus;
use vexil_kube::{Listed, Mark};
use vexil_object::{ObjectKey, Objects, Seen};
use vexil_plan::{CanaryContext, Tracked};
use vexil_routing::{BoundKind, PodLabels, RouteTarget, SessionCookies};
use vexil_workload::{Selector, Side, TrackedConfigs, WorkloadError};

use crate::{
    Context, autoscalers::Autoscalers, config_copies, configs, finalizer::reverts, former_primary,
    previous_bindings, revert, warnings, watch_index::Dependencies,
};

mod endpoints;
mod gather;
mod pods;
mod ports;
mod routes;

pub(crate) use endpoints::slices;
use endpoints::{check_target_port, ready_addresses, slice_lists};
pub(crate) use gather::gather;
pub(crate) use ports::{ports, with_port};
use routes::sync_state;

/// What was observed, and what it was derived from.
pub(crate) struct Observation {
    /// What the engine decides on.
    pub(crate) observed: Observed,
    /// The objects.
    pub(crate) objects: Objects,
    /// Fields of the route that someone edited; the message names the path. The next write restores them.
    pub(crate) edited: Option<String>,
    /// The labels by which pods are selected.
    pub(crate) selector: Selector,
    /// Checksums of the ConfigMaps and Secrets of the target; `None` if they are not known.
    configs: Option<TrackedConfigs>,
    /// Those whose content was not read, with the version of their metadata.
    unread: BTreeMap<ObjectKey, Mark>,
    /// Whether ConfigMaps and Secrets are tracked at all.
    tracks: bool,
    ports: Vec<(String, u16)>,
    bound: Option<BoundKind>,
    lists: Vec<(Listed, Mark)>,
    /// What was read of earlier bindings: former primaries, and the Services that keep them from being deleted.
    earlier: Vec<(ObjectKey, Mark)>,
}

impl Observation {
    /// Observes what concerns one Canary. Reads the caches only and sends no request. `since`: when this process began
    /// to observe it.
    pub(crate) fn take(
        context: &Context,
        canary: &CanaryContext,
        memory: &Memory,
        since: Millis,
    ) -> Observation {
        let (cluster, mut objects) = (&context.cluster, Objects::default());
        let subject = canary.subject(&context.settings);
        gather(cluster, &mut objects, |objects| canary.workload().needs(&subject, objects));
        let configs = configs::gather(context, canary, &mut objects);
        let copies = config_copies::lists(context, canary, &objects);
        let autoscalers = Autoscalers::of(canary.subject(&context.settings));
        let lists = autoscalers.lists(cluster);
        let selector = canary.workload().selector(&subject, &objects);
        let label_lists =
            selector.as_ref().map(|selector| warnings::label_lists(canary, selector)).unwrap_or_default();
        // The mark is read first: the list may be newer than its mark, never older.
        let marked = lists.iter().cloned().chain(slice_lists(canary)).chain(label_lists).chain(copies);
        let marked = marked.map(|list| (list.clone(), cluster.mark_by(&list))).collect();
        let autoscalers_known = autoscalers.gather(cluster, &lists, &mut objects);
        let overlap = selector
            .as_ref()
            .ok()
            .and_then(|selector| warnings::overlapping_deployments(context, canary, selector));
        let ports = ports(context, canary, &objects);
        let error = selector.as_ref().err().or(ports.as_ref().err()).cloned();
        let mut observation = Observation {
            observed: Observed { since, ..Observed::default() },
            objects,
            edited: None,
            selector: selector.unwrap_or_default(),
            configs: configs.tracked,
            unread: configs.unread,
            tracks: context.settings.workloads.config_tracking,
            ports: ports.unwrap_or_default(),
            bound: vexil_plan::bound_kind(memory.binding.as_ref()),
            lists: marked,
            earlier: Vec::new(),
        };
        observation.gather_routes(context, canary);
        observation.observe(context, canary, memory, error);
        if let Some(text) = overlap.or(configs.problem) {
            observation.observed.backends = SyncState::Invalid(text);
        }
        // Which autoscalers exist decides who owns the primary's replicas.
        if !autoscalers_known {
            observation.observed.scaler = SyncState::NotKnown;
        }
        observation
    }

    /// Everything that was read, with the version of each object and list.
    pub(crate) fn dependencies(&self, context: &Context, canary: &CanaryContext) -> Dependencies {
        let mark = |(key, seen)| self.unread.get(key).copied().unwrap_or_else(|| Mark::seen(seen));
        let read = self.objects.iter().map(|(key, seen)| (key.clone(), mark((key, seen))));
        let own = (canary.key().clone(), Mark::seen(&Seen::Present(Arc::clone(canary.live()))));
        let kinds =
            Dependencies::at(&context.cluster, Autoscalers::definitions(&context.settings.workloads)).objects;
        Dependencies {
            objects: read.chain([own]).chain(kinds).chain(self.earlier.iter().cloned()).collect(),
            lists: self.lists.clone(),
        }
    }

    /// The Canary as its router sees it.
    pub(crate) fn target<'a>(&'a self, canary: &'a CanaryContext) -> RouteTarget<'a> {
        RouteTarget {
            view: canary.view(),
            selector: PodLabels {
                key: &self.selector.key,
                canary: &self.selector.canary,
                primary: &self.selector.primary,
                always: &self.selector.always,
                settled: self.selector.settled,
            },
            cookies: cookies(canary.status()),
            discovered_ports: &self.ports,
            bound: self.bound.as_ref(),
        }
    }

    fn gather_routes(&mut self, context: &Context, canary: &CanaryContext) {
        let mut objects = std::mem::take(&mut self.objects);
        let target = self.target(canary);
        gather(&context.cluster, &mut objects, |objects| {
            let needs = context.registry.services().needs(&target);
            needs.into_iter().filter(|key| !objects.has(key)).collect()
        });
        gather(&context.cluster, &mut objects, |objects| canary.router().needs(&target, objects));
        self.objects = objects;
    }

    fn observe(
        &mut self,
        context: &Context,
        canary: &CanaryContext,
        memory: &Memory,
        error: Option<WorkloadError>,
    ) {
        let target = pods::of_target(context, canary, memory, &self.objects);
        let revision = target.present().and_then(|pods| pods.revision.clone());
        let primary = pods::of_primary(context, canary, memory, revision.as_ref(), &self.objects);
        let autoscalers = Autoscalers::of(canary.subject(&context.settings));
        let route_target = self.target(canary);
        let (backends, apex) = self.services(context, canary, memory, error);
        let (routes, edited) = self.routes(canary);
        let (leftovers, services) = previous_bindings::sync_state(context, canary, memory, self);
        let former = former_primary::services(context, canary, memory, self);
        let subject = canary.subject(&context.settings);
        let addresses = |side: Side| {
            let analysed = memory.applied.as_ref();
            let own = canary.workload().addresses(&subject, side, analysed, &self.objects);
            own.unwrap_or_else(|| {
                ready_addresses(&context.cluster, canary.key().namespace(), &route_target.service(side))
            })
        };
        self.observed = Observed {
            backends,
            apex,
            configs: SyncState::NotKnown,
            scaler: autoscalers.sync_state(&self.objects),
            target_scaler: autoscalers.of_target(&self.objects),
            routes,
            unroutable: self.unroutable(canary, memory, &primary),
            acceptance: canary.router().acceptance(&route_target, &self.objects),
            primary_addresses: addresses(Side::Primary),
            canary_addresses: addresses(Side::Canary),
            former: former.changes.map(sync_state),
            leftovers,
            route: self.route(canary),
            selector: self.selector.canary.clone(),
            target,
            primary,
            deleted: reverts(canary.live()),
            reverted: SyncState::NotKnown,
            traffic: SyncState::NotKnown,
            since: self.observed.since,
        };
        let earlier = services.into_iter().chain(former.read);
        self.earlier = earlier.map(|key| (key.clone(), context.cluster.mark(&key))).collect();
        if self.observed.deleted {
            self.observed.reverted = revert::target_state(context, canary, &self.objects);
            self.observed.traffic = revert::traffic_state(context, canary, memory, self);
        }
        self.edited = edited;
        self.observed.configs = config_copies::sync_state(context, canary, memory, self);
    }

    /// What the status records of the configuration, which belongs to the revision that was applied.
    pub(crate) fn tracked(&self, memory: &Memory) -> Tracked<'_> {
        let target = self.observed.target.present().and_then(|pods| pods.revision.as_ref());
        match &self.configs {
            Some(configs) if memory.applied.is_some() && memory.applied.as_ref() == target => {
                if self.tracks {
                    Tracked::Are(configs)
                } else {
                    Tracked::Off
                }
            }
            _ => Tracked::Unchanged,
        }
    }

    /// The checksums of the ConfigMaps and Secrets of the target.
    pub(crate) fn configs(&self) -> Option<&TrackedConfigs> {
        self.configs.as_ref()
    }

    /// The Services of primary and canary, and the apex.
    fn services(
        &self,
        context: &Context,
        canary: &CanaryContext,
        memory: &Memory,
        error: Option<WorkloadError>,
    ) -> (SyncState, SyncState) {
        let (services, target) = (context.registry.services(), self.target(canary));
        match error {
            None => (
                check_target_port(
                    context,
                    canary,
                    &target,
                    sync_state(services.backends(&target, &self.objects)),
                ),
                sync_state(services.apex(&target, &self.objects)),
            ),
            Some(WorkloadError::NotKnown { .. }) => (SyncState::NotKnown, SyncState::NotKnown),
            // Services are derived from the target: without one they stay as they are.
            Some(WorkloadError::Missing { .. }) if memory.phase != Phase::Initializing => {
                (SyncState::InSync, SyncState::InSync)
            }
            Some(WorkloadError::Missing { .. }) => (SyncState::NotKnown, SyncState::NotKnown),
            Some(error) => (SyncState::Invalid(error.to_string()), SyncState::Invalid(error.to_string())),
        }
    }
}

/// The cookies of session affinity that the status records.
fn cookies(status: &CanaryStatus) -> SessionCookies<'_> {
    SessionCookies {
        canary: cookie(&status.session_affinity_cookie),
        primary: cookie(&status.primary_session_affinity_cookie),
        previous: cookie(&status.previous_session_affinity_cookie),
    }
}

fn cookie(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
