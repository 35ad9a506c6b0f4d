//! What a tick sees: the caches, reduced to what the engine decides on.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;
use vexil_analysis::{Known, LiveRoutes, Memory, Millis, Observed, Phase, Route, SyncState};
use vexil_kube::{Cluster, Listed, Mark};
use vexil_object::{Change, ObjectKey, Objects, Seen, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_routing::{BoundKind, PodLabels, RouteError, RouteTarget};
use vexil_workload::{BY_SERVICE, Selector, ServicePort, WorkloadError, lacks_ports, ready_endpoints};

use crate::{Context, autoscalers::Autoscalers, previous_bindings, warnings, watch_index::Dependencies};

mod pods;

/// What was seen, and what it was derived from.
pub(crate) struct Observation {
    /// What the engine is told.
    pub(crate) seen: Observed,
    /// The objects.
    pub(crate) have: Objects,
    /// What makes no sense about routes that can be put right; the text names the path.
    pub(crate) edited: Option<String>,
    /// The labels by which pods are selected.
    pub(crate) selector: Selector,
    ports: Vec<(String, u16)>,
    bound: Option<BoundKind>,
    lists: Vec<(Listed, Mark)>,
}

impl Observation {
    /// Looks at everything that concerns one Canary. Costs no request.
    pub(crate) fn take(
        context: &Context,
        canary: &CanaryContext,
        memory: &Memory,
        now: Millis,
    ) -> Observation {
        let mut have = Objects::default();
        let subject = canary.subject(&context.settings);
        gather(&context.cluster, &mut have, |have| canary.workload().needs(&subject, have));
        let scalers = Autoscalers::of(canary.subject(&context.settings));
        let lists = scalers.lists(&context.cluster);
        // The mark comes first: what is listed may be newer than it says, never older.
        let marked = lists.iter().cloned().chain(slice_lists(canary));
        let marked = marked.map(|list| (list.clone(), context.cluster.mark_by(&list))).collect();
        let scalers_known = scalers.gather(&context.cluster, &lists, &mut have);
        let selector = canary.workload().selector(&subject, &have);
        let mixed = selector
            .as_ref()
            .ok()
            .and_then(|it| warnings::overlapping_deployments(context, canary, it, &mut have));
        let ports = ports(context, canary, &have);
        let trouble = selector.as_ref().err().or(ports.as_ref().err()).cloned();
        let mut observation = Observation {
            seen: Observed::default(),
            have,
            edited: None,
            selector: selector.unwrap_or_default(),
            ports: ports.unwrap_or_default(),
            bound: vexil_plan::bound_kind(memory.binding.as_ref()),
            lists: marked,
        };
        observation.gather_routes(context, canary);
        observation.observe(context, canary, memory, now, trouble);
        if let Some(text) = mixed {
            observation.seen.backends = SyncState::Invalid(text);
        }
        // Which scalers there are decides whose the primary's replicas are.
        if !scalers_known {
            observation.seen.scaler = SyncState::NotKnown;
        }
        observation
    }

    /// Everything that was dependencies at, and what was seen there.
    pub(crate) fn dependencies(&self, context: &Context, canary: &CanaryContext) -> Dependencies {
        let have = self.have.iter().map(|(key, seen)| (key.clone(), Mark::seen(seen)));
        let own = (canary.key().clone(), Mark::seen(&Seen::Present(Arc::clone(canary.live()))));
        let kinds = Dependencies::at(&context.cluster, Autoscalers::definitions()).objects;
        Dependencies { objects: have.chain([own]).chain(kinds).collect(), lists: self.lists.clone() }
    }

    /// The Canary as its router sees it.
    pub(crate) fn target<'a>(&'a self, canary: &'a CanaryContext) -> RouteTarget<'a> {
        RouteTarget {
            namespace: canary.key().namespace(),
            apex: canary.spec().apex_name(),
            owner: canary.owner(),
            annotations: canary.annotations(),
            spec: &canary.spec(),
            selector: PodLabels {
                key: &self.selector.key,
                canary: &self.selector.canary,
                primary: &self.selector.primary,
                always: &self.selector.always,
                settled: self.selector.settled,
            },
            discovered_ports: &self.ports,
            bound: self.bound.as_ref(),
        }
    }

    fn gather_routes(&mut self, context: &Context, canary: &CanaryContext) {
        let mut have = std::mem::take(&mut self.have);
        let target = self.target(canary);
        gather(&context.cluster, &mut have, |have| {
            let needs = context.registry.services().needs(&target);
            needs.into_iter().filter(|key| !have.has(key)).collect()
        });
        gather(&context.cluster, &mut have, |have| canary.router().needs(&target, have));
        self.have = have;
    }

    fn observe(
        &mut self,
        context: &Context,
        canary: &CanaryContext,
        memory: &Memory,
        _now: Millis,
        trouble: Option<WorkloadError>,
    ) {
        let target = pods::of_target(context, canary, &self.have);
        let revision = target.present().and_then(|pods| pods.revision.clone());
        let primary = pods::of_primary(context, canary, memory, revision.as_ref(), &self.have);
        let (services, scalers) =
            (context.registry.services(), Autoscalers::of(canary.subject(&context.settings)));
        let route_target = self.target(canary);
        let (backends, apex) = match trouble {
            None => (
                reaching(context, canary, &route_target, fit(services.backends(&route_target, &self.have))),
                fit(services.apex(&route_target, &self.have)),
            ),
            Some(WorkloadError::NotKnown { .. }) => (SyncState::NotKnown, SyncState::NotKnown),
            // Without the target there is nothing to derive Services from: they stay as they are.
            Some(WorkloadError::Missing { .. }) if memory.phase != Phase::Initializing => {
                (SyncState::InSync, SyncState::InSync)
            }
            Some(WorkloadError::Missing { .. }) => (SyncState::NotKnown, SyncState::NotKnown),
            Some(error) => (SyncState::Invalid(error.to_string()), SyncState::Invalid(error.to_string())),
        };
        let edited = match canary.router().read(&route_target, &self.have) {
            Err(error @ RouteError::Edited { .. }) => Some(error.to_string()),
            _ => None,
        };
        let addresses = |name: String| addresses(&context.cluster, canary.key().namespace(), &name);
        self.seen = Observed {
            backends,
            apex,
            scaler: scalers.fit(&self.have),
            target_scaler: scalers.of_target(&self.have),
            routes: self.routes(canary),
            primary_addresses: addresses(route_target.primary()),
            canary_addresses: addresses(route_target.canary()),
            leftovers: previous_bindings::fit(context, canary, memory, self),
            route: self.route(canary),
            selector: self.selector.canary.clone(),
            target,
            primary,
        };
        self.edited = edited;
    }

    /// The route object, once there is one.
    fn route(&self, canary: &CanaryContext) -> Option<Route> {
        let key = canary.router().route(&self.target(canary), &self.have)?;
        self.have.get(&key).object().map(|_| vexil_plan::route(&key))
    }

    fn routes(&self, canary: &CanaryContext) -> LiveRoutes {
        let target = self.target(canary);
        match canary.router().read(&target, &self.have) {
            Ok(routes) => match canary.router().render(&target, &routes, &self.have) {
                Ok(changes) => LiveRoutes::Present { routes, in_sync: changes.is_empty() },
                Err(error) => LiveRoutes::Invalid(error.to_string()),
            },
            Err(RouteError::NotKnown { .. }) => LiveRoutes::NotKnown,
            Err(RouteError::Absent { .. }) => LiveRoutes::Absent,
            // Put right like any other edit: as if there were none.
            Err(RouteError::Edited { .. }) => LiveRoutes::Absent,
            Err(error) => LiveRoutes::Invalid(error.to_string()),
        }
    }
}

/// Looks until nothing more is asked for. Each round answers every question, so this ends.
pub(crate) fn gather(cluster: &Cluster, have: &mut Objects, needs: impl Fn(&Objects) -> Vec<ObjectKey>) {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let missing: Vec<ObjectKey> = needs(have).into_iter().filter(|key| !have.has(key)).collect();
        if missing.is_empty() {
            return;
        }
        for key in missing {
            let seen = cluster.look(&key);
            have.insert(key, seen);
        }
    }
}

fn ports(
    context: &Context,
    canary: &CanaryContext,
    have: &Objects,
) -> Result<Vec<(String, u16)>, WorkloadError> {
    let subject = canary.subject(&context.settings);
    discovery(canary, |port| canary.workload().ports(&subject, port, have)).unwrap_or_else(|| Ok(Vec::new()))
}

/// Asks about port discovery, beside the port that the Canary names; `None` where the user has not asked for it.
pub(crate) fn discovery<T>(canary: &CanaryContext, ask: impl FnOnce(&ServicePort<'_>) -> T) -> Option<T> {
    let service = &canary.spec().service;
    service.port_discovery.filter(|discovers| *discovers)?;
    let target = service.target_port.as_ref().and_then(|port| serde_json::to_value(port).ok());
    Some(ask(&ServicePort {
        port: service.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
        name: service.port_name.as_deref().unwrap_or("http"),
        target: target.as_ref(),
    }))
}

fn fit(changes: Result<Vec<Change>, RouteError>) -> SyncState {
    match changes {
        Ok(changes) if changes.is_empty() => SyncState::InSync,
        Ok(_) => SyncState::OutOfSync,
        Err(RouteError::NotKnown { .. }) => SyncState::NotKnown,
        Err(error) => SyncState::Invalid(error.to_string()),
    }
}

/// Ready addresses behind a Service, as gateways know them.
fn addresses(cluster: &Cluster, namespace: &str, service: &str) -> Known<u32> {
    let Some(slices) = slices(cluster, namespace, service) else { return Known::NotKnown };
    if slices.is_empty() {
        return Known::Absent;
    }
    let going = |slice: &Value| !meta::text(slice, "/metadata/deletionTimestamp").is_empty();
    let ready = ready_endpoints(slices.iter().map(Arc::as_ref).filter(|slice| !going(slice)));
    Known::Present(u32::try_from(ready).unwrap_or(u32::MAX))
}

pub(crate) fn slices(cluster: &Cluster, namespace: &str, service: &str) -> Option<Vec<Arc<Value>>> {
    cluster.list_by(kinds::ENDPOINT_SLICE, namespace, BY_SERVICE, service)
}

/// The slices of the Services of primary and canary.
fn slice_lists(canary: &CanaryContext) -> Vec<Listed> {
    let of = |side| Listed {
        kind: kinds::ENDPOINT_SLICE,
        namespace: canary.key().namespace().to_owned(),
        index: BY_SERVICE,
        value: format!("{}-{side}", canary.spec().apex_name()),
    };
    ["primary", "canary"].map(of).to_vec()
}

/// Services that are as wanted and lead to no port are of no use: that the primary's pods have no port of the name is
/// told, as the user has to put it right.
fn reaching(
    context: &Context,
    canary: &CanaryContext,
    target: &RouteTarget<'_>,
    fit: SyncState,
) -> SyncState {
    let Some(IntOrString::String(name)) = &canary.spec().service.target_port else { return fit };
    let primary = target.primary();
    let slices = slices(&context.cluster, canary.key().namespace(), &primary).unwrap_or_default();
    if fit != SyncState::InSync || !slices.iter().any(|slice| lacks_ports(slice)) {
        return fit;
    }
    SyncState::Invalid(format!(
        "Service {primary}.{} leads nowhere: its pods have no port named {name}; correct spec.service.targetPort, or \
         give a container's port that name",
        canary.key().namespace()
    ))
}
