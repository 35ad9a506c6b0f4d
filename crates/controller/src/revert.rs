//! What a deletion with `revertOnDeletion` gives back: pods and autoscaler of the target, then apex and routes of the
//! user. What the Canary created goes with it.

use std::collections::{BTreeMap, BTreeSet};

use vexil_analysis::{Memory, SyncState};
use vexil_object::{Change, ObjectKey, Objects, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_routing::{PodLabels, RouteError, RouteTarget};
use vexil_workload::{WorkloadError, Write};

use crate::{
    Context,
    apply::{EffectResult, apply},
    autoscalers::Autoscalers,
    observe::{Observation, gather},
};

/// The changes that give the target the pods and the autoscaler that it needs without a Canary.
///
/// # Errors
/// When target, primary or autoscaler are not known.
pub(crate) fn target_changes(
    context: &Context,
    canary: &CanaryContext,
    objects: &Objects,
) -> Result<(Vec<Change>, Option<Write>), WorkloadError> {
    let subject = canary.subject(&context.settings);
    let resume = Autoscalers::of(canary.subject(&context.settings)).resume(objects)?;
    let scaling = canary.workload().revert(&subject, objects)?;
    let write = scaling.as_ref().map(|scaling| Write::ScaleUp(scaling.replicas));
    Ok((resume.into_iter().chain(scaling.map(|scaling| scaling.change)).collect(), write))
}

/// The same as a state.
pub(crate) fn target_state(context: &Context, canary: &CanaryContext, objects: &Objects) -> SyncState {
    match target_changes(context, canary, objects) {
        Ok((changes, _)) if changes.is_empty() => SyncState::InSync,
        Ok(_) => SyncState::OutOfSync,
        Err(WorkloadError::NotKnown { .. }) => SyncState::NotKnown,
        Err(WorkloadError::Missing { .. }) => SyncState::InSync,
        Err(error) => SyncState::Invalid(error.to_string()),
    }
}

/// Whether apex and routes are to be given back.
pub(crate) fn traffic_state(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> SyncState {
    match traffic_changes(context, canary, memory, observation) {
        Ok(changes) if changes.is_empty() => SyncState::InSync,
        Ok(_) => SyncState::OutOfSync,
        Err(RouteError::NotKnown { .. }) => SyncState::NotKnown,
        Err(error) => SyncState::Invalid(error.to_string()),
    }
}

/// Gives apex and routes back, of this binding and of earlier ones. One that is refused does not hold up the others.
pub(crate) async fn release_traffic(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> EffectResult {
    let changes = match traffic_changes(context, canary, memory, observation) {
        Ok(changes) => changes,
        Err(error) => return EffectResult::Refused(error.to_string()),
    };
    let mut failed = None;
    for change in changes {
        match apply(context, canary, &[change], None).await {
            EffectResult::Done => {}
            other => failed = failed.or(Some(other)),
        }
    }
    failed.unwrap_or(EffectResult::Done)
}

/// Changes of the apex first: when a route of a mesh is gone, its clients follow the apex.
fn traffic_changes(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> Result<Vec<Change>, RouteError> {
    let (mut changes, mut failed) = (Vec::new(), None);
    // What several bindings have in common is given back as the one in force says, or else the latest.
    let mut given = BTreeSet::new();
    let mut collect = |canary: &CanaryContext, selector: &BTreeMap<String, String>| {
        match of_binding(context, canary, selector, observation) {
            Ok((apex, more)) => {
                changes.extend(more.into_iter().filter(|change| !given.contains(&change.key)));
                given.extend(apex);
                given.extend(changes.iter().map(|change| change.key.clone()));
            }
            // What is not known may be written later, what is invalid may not.
            Err(error @ RouteError::NotKnown { .. }) => failed = Some(error),
            Err(error) => failed = failed.take().or(Some(error)),
        }
    };
    let recorded = memory.binding.as_ref().map(|binding| &binding.selector);
    let live = Some(&observation.selector.canary).filter(|labels| !labels.is_empty());
    collect(canary, live.or(recorded).unwrap_or(&BTreeMap::new()));
    for binding in memory.previous.iter().rev() {
        if let Some(former) = context.planner().under(canary, binding) {
            collect(&former, &binding.selector);
        }
    }
    match failed.filter(|_| changes.is_empty()) {
        Some(error) => Err(error),
        None => Ok(changes),
    }
}

/// The changes of one binding, and its apex if that has the selector that it is to have then.
fn of_binding(
    context: &Context,
    bound: &CanaryContext,
    selector: &BTreeMap<String, String>,
    observation: &Observation,
) -> Result<(Option<ObjectKey>, Vec<Change>), RouteError> {
    let services = context.registry.services();
    let target = observation.target(bound);
    let target = RouteTarget { selector: PodLabels { canary: selector, ..target.selector }, ..target };
    let mut have = Objects::default();
    gather(&context.cluster, &mut have, |_| services.needs(&target));
    gather(&context.cluster, &mut have, |have| bound.router().needs(&target, have));
    // Without labels it would select the pods of every workload.
    let apex = (!selector.is_empty()).then(|| ObjectKey::new(kinds::SERVICE, target.namespace, target.apex));
    let mut changes = if selector.is_empty() { Vec::new() } else { services.release(&target, &have)? };
    changes.extend(bound.router().release(&target, &have)?);
    let own = own_route(bound, &target, &have);
    changes.extend(own.filter(|own| changes.iter().all(|change| change.key != own.key)));
    Ok((apex, changes))
}

/// The deletion of a route that the Canary owns. The garbage collector may delete the Services that it names first. If
/// the apex is the Canary's too, nothing is left for clients in any order, and the route stays until then.
fn own_route(bound: &CanaryContext, target: &RouteTarget<'_>, have: &Objects) -> Option<Change> {
    let apex = ObjectKey::new(kinds::SERVICE, target.namespace, target.apex);
    let owned = |key| have.get(key).object().filter(|live| bound.owner().controls(live));
    if owned(&apex).is_some() {
        return None;
    }
    let key = bound.router().route(target, have)?;
    let live = owned(&key)?;
    let going = !meta::text(live, "/metadata/deletionTimestamp").is_empty();
    (!going).then(|| Change::delete(key.clone(), live))
}
