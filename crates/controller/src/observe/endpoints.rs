//! Endpoints behind the Services of a Canary: what decides whether traffic reaches a pod.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;
use vexil_analysis::{Known, SyncState};
use vexil_kube::{Cluster, Listed};
use vexil_object::{kinds, meta};
use vexil_plan::CanaryContext;
use vexil_routing::RouteTarget;
use vexil_workload::{BY_SERVICE, lacks_ports, ready_endpoints};

use crate::Context;

/// Ready addresses behind a Service, as its EndpointSlices list them.
pub(super) fn ready_addresses(cluster: &Cluster, namespace: &str, service: &str) -> Known<u32> {
    let Some(slices) = slices(cluster, namespace, service) else { return Known::NotKnown };
    if slices.is_empty() {
        return Known::Absent;
    }
    let deleted = |slice: &Value| !meta::text(slice, "/metadata/deletionTimestamp").is_empty();
    let ready = ready_endpoints(slices.iter().map(Arc::as_ref).filter(|slice| !deleted(slice)));
    Known::Present(u32::try_from(ready).unwrap_or(u32::MAX))
}

/// The EndpointSlices of a Service, by their label `kubernetes.io/service-name`.
pub(crate) fn slices(cluster: &Cluster, namespace: &str, service: &str) -> Option<Vec<Arc<Value>>> {
    cluster.list_by(kinds::ENDPOINT_SLICE, namespace, BY_SERVICE, service)
}

/// The EndpointSlices of the Services of primary and canary.
pub(super) fn slice_lists(canary: &CanaryContext) -> Vec<Listed> {
    let of = |side| Listed {
        kind: kinds::ENDPOINT_SLICE,
        namespace: canary.key().namespace().to_owned(),
        index: BY_SERVICE,
        value: format!("{}-{side}", canary.spec().apex_name()),
    };
    ["primary", "canary"].map(of).to_vec()
}

/// A Service that is in sync and whose pods have no port of the name in `spec.service.targetPort` routes nowhere: the
/// user has to correct the name.
pub(super) fn check_target_port(
    context: &Context,
    canary: &CanaryContext,
    target: &RouteTarget<'_>,
    state: SyncState,
) -> SyncState {
    let Some(IntOrString::String(name)) = &canary.spec().service.target_port else { return state };
    let primary = target.primary();
    let slices = slices(&context.cluster, canary.key().namespace(), &primary).unwrap_or_default();
    if state != SyncState::InSync || !slices.iter().any(|slice| lacks_ports(slice)) {
        return state;
    }
    SyncState::Invalid(format!(
        "Service {primary}.{} leads nowhere: its pods have no port named {name}; correct spec.service.targetPort, or \
         give a container's port that name",
        canary.key().namespace()
    ))
}
