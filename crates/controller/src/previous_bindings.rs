//! Releases what earlier bindings left: their routes, and primaries that no Service selects any more.
//!
//! Objects of the current binding are never changed. An earlier apex stays as it is, and so does the primary that its
//! Services select: clients may still use it.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Binding, Memory, Readiness, SyncState};
use vexil_object::{Change, ObjectKey, Objects, Seen, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_workload::{Demand, Ownership, Side};

use crate::{Context, observe::Observation};

/// Why something cannot be released now.
pub(crate) enum ReleaseError {
    /// An object is not observed yet.
    NotKnown,
    /// It is still in use by these Services; the message names them.
    InUse { message: String, services: Vec<ObjectKey> },
}

/// Whether anything has to be released, and the Services that keep it from being deleted.
pub(crate) fn sync_state(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> (SyncState, Vec<ObjectKey>) {
    let state = match changes(context, canary, memory, observation) {
        Ok(changes) if changes.is_empty() => SyncState::InSync,
        Ok(_) => SyncState::OutOfSync,
        Err(ReleaseError::NotKnown) => SyncState::NotKnown,
        Err(ReleaseError::InUse { message, services }) => return (SyncState::Invalid(message), services),
    };
    (state, Vec::new())
}

/// The changes that release what earlier bindings left. An object in use does not delay the others.
pub(crate) fn changes(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> Result<Vec<Change>, ReleaseError> {
    let (mut changes, mut in_use) = (Vec::new(), None);
    for binding in &memory.previous {
        // A provider that this operator does not have any more cannot release anything.
        let Some(former) = context.planner().under(canary, binding) else { continue };
        changes.extend(route(context, &former, observation)?);
        if !memory.binding.as_ref().is_some_and(|bound| bound.same_target(binding)) {
            match primary(context, canary, &former, binding, observation) {
                Ok(change) => changes.extend(change),
                Err(ReleaseError::NotKnown) => return Err(ReleaseError::NotKnown),
                Err(error @ ReleaseError::InUse { .. }) => in_use = in_use.or(Some(error)),
            }
        }
    }
    changes.retain(|change| !observation.objects.has(&change.key));
    match in_use.filter(|_| changes.is_empty()) {
        Some(error) => Err(error),
        None => Ok(changes),
    }
}

/// Releases the route of an earlier binding, which sends all traffic to the primary.
fn route(
    context: &Context,
    former: &CanaryContext,
    observation: &Observation,
) -> Result<Vec<Change>, ReleaseError> {
    let target = observation.target(former);
    let mut have = Objects::default();
    crate::observe::gather(&context.cluster, &mut have, |have| former.router().needs(&target, have));
    match former.router().release(&target, &have) {
        Ok(changes) => Ok(changes),
        Err(vexil_routing::RouteError::NotKnown { .. }) => Err(ReleaseError::NotKnown),
        // A route that is invalid now belongs to its user.
        Err(_) => Ok(Vec::new()),
    }
}

/// Deletes the primary of an earlier target, if it belongs to this Canary and no Service depends on its pods. A Service
/// that selects the pods of the current primary too, which has the same labels, depends on them until that is ready.
fn primary(
    context: &Context,
    canary: &CanaryContext,
    former: &CanaryContext,
    binding: &Binding,
    observation: &Observation,
) -> Result<Option<Change>, ReleaseError> {
    if !former.workload().copies() {
        return Ok(None);
    }
    let subject = former.subject(&context.settings);
    let key = subject.key(former.workload().kind(), Side::Primary);
    let live = match context.cluster.look(&key) {
        Seen::NotKnown => return Err(ReleaseError::NotKnown),
        Seen::Absent => return Ok(None),
        Seen::Present(live) => live,
    };
    let going = !meta::text(&live, "/metadata/deletionTimestamp").is_empty();
    if going || former.workload().ownership(&subject, &live) != Ownership::Ours {
        return Ok(None);
    }
    let Some(services) = context.cluster.list(kinds::SERVICE, former.key().namespace()) else {
        return Err(ReleaseError::NotKnown);
    };
    let selecting: Vec<_> = services.iter().filter(|service| selects(service, &live)).collect();
    let new = canary.subject(&context.settings).key(canary.workload().kind(), Side::Primary);
    let current = observation.objects.get(&new).object();
    let (shared, alone): (Vec<_>, Vec<_>) =
        selecting.into_iter().partition(|service| current.is_some_and(|current| selects(service, current)));
    let earlier = format!("{key} of the earlier target {} {} is kept", binding.kind, binding.target);
    let names = |services: &[&Arc<Value>]| -> Vec<String> {
        services.iter().map(|service| meta::text(service, "/metadata/name").to_owned()).collect()
    };
    let (message, services) = if !alone.is_empty() {
        let names = names(&alone);
        let what = "delete the Service when no client uses it any more, and the primary goes with it";
        (format!("{earlier}, because Service {} selects its pods; {what}", names.join(", ")), names)
    } else if !shared.is_empty() && !is_ready(context, canary, observation) {
        let names = names(&shared);
        let what = format!("until {} is ready: Service {} selects the pods of both", new, names.join(", "));
        (format!("{earlier} {what}"), names)
    } else {
        return Ok(Some(Change::delete(key, &live)));
    };
    let service = |name: String| ObjectKey::new(kinds::SERVICE, former.key().namespace(), name);
    Err(ReleaseError::InUse { message, services: services.into_iter().map(service).collect() })
}

/// Whether the primary of the current target is ready.
fn is_ready(context: &Context, canary: &CanaryContext, observation: &Observation) -> bool {
    let subject = canary.subject(&context.settings);
    let demand = Demand::default();
    let readiness = canary.workload().readiness(&subject, Side::Primary, &demand, &observation.objects);
    readiness == Ok(Readiness::Ready)
}

/// Whether a Service selects the pods of a workload.
fn selects(service: &Value, workload: &Value) -> bool {
    let labels = workload.pointer("/spec/template/metadata/labels").and_then(Value::as_object);
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    match (selector, labels) {
        (Some(selector), Some(labels)) if !selector.is_empty() => {
            selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        }
        _ => false,
    }
}
