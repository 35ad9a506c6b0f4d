//! Releases what earlier bindings left: their routes, and primaries that no Service selects any more.
//!
//! Objects of the current binding are never changed. An earlier apex stays as it is, and so does the primary that its
//! Services select: clients may still use it.

use serde_json::Value;
use vexil_analysis::{Binding, Memory, SyncState};
use vexil_object::{Change, ObjectKey, Objects, Seen, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_workload::{Ownership, Side};

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
            match primary(context, &former, binding) {
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

/// Deletes the primary of an earlier target, if it belongs to this Canary and no Service selects its pods.
fn primary(
    context: &Context,
    former: &CanaryContext,
    binding: &Binding,
) -> Result<Option<Change>, ReleaseError> {
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
    let selecting: Vec<&str> = services
        .iter()
        .filter(|service| selects(service, &live))
        .map(|s| meta::text(s, "/metadata/name"))
        .collect();
    if selecting.is_empty() {
        return Ok(Some(Change::delete(key, &live)));
    }
    let message = format!(
        "{key} of the earlier target {} {} is kept, because Service {} selects its pods; delete the Service when no \
         client uses it any more, and the primary goes with it",
        binding.kind,
        binding.target,
        selecting.join(", ")
    );
    let service = |name| ObjectKey::new(kinds::SERVICE, former.key().namespace(), name);
    Err(ReleaseError::InUse { message, services: selecting.into_iter().map(service).collect() })
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
