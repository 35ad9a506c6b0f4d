//! An edit of what traffic depends on is a migration: the rollout ends on the old binding, the new side is built until
//! it serves, and then the old one is released.

use crate::{
    Binding, Cause, Convergence, Ending, Known, LiveRoutes, Message, Outcome, Phase, SyncState, WaitKind,
    draft::{Draft, Need},
    phase::{binding::bind, ending},
};

/// Records the binding, and acts on an edit of it. Returns whether that was the decision.
pub(crate) fn decide(draft: &mut Draft<'_>) -> Need<bool> {
    if draft.memory.phase == Phase::New || draft.plan.spec_error.is_some() {
        return Ok(false);
    }
    draft.memory.limits = Some(draft.plan.limits());
    let Some(binding) = draft.memory.binding.clone() else {
        // Made by an earlier version or by another operator: the spec as it is now counts.
        draft.memory.binding = Some(draft.plan.binding.clone());
        return Ok(false);
    };
    if let Some(change) = binding.change_to(&draft.plan.binding) {
        return edited(draft, &change);
    }
    observe(draft, binding);
    forget_released(draft);
    Ok(false)
}

/// What the router wrote, and what selects the pods, is recorded when it is seen.
fn observe(draft: &mut Draft<'_>, mut binding: Binding) {
    let seen = &draft.facts.seen;
    // A route of another kind is taken up only when the router has moved to it.
    if seen.route.is_some() {
        binding.route.clone_from(&seen.route);
    }
    if !seen.selector.is_empty() && seen.primary != Known::NotKnown {
        binding.selector.clone_from(&seen.selector);
    }
    binding.service_port.clone_from(&draft.plan.binding.service_port);
    draft.memory.binding = Some(binding);
}

/// Nothing is left of the earlier bindings.
fn forget_released(draft: &mut Draft<'_>) {
    let done =
        draft.facts.convergence == Convergence::Settled && draft.facts.seen.leftovers == SyncState::InSync;
    if done && draft.memory.phase != Phase::Initializing {
        draft.memory.previous.clear();
    }
}

/// A rollout ends first. A promotion is finished once the primary is overwritten, and so is an ending.
fn edited(draft: &mut Draft<'_>, change: &str) -> Need<bool> {
    let overwritten = draft
        .facts
        .seen
        .primary
        .present()
        .is_some_and(|primary| primary.revision.is_some() && primary.revision == draft.memory.applied);
    match draft.memory.phase {
        // What is analysed is to heal the primary, and carries its traffic until then.
        _ if draft.memory.runs() && draft.facts.seen.primary_is_down() => return Ok(false),
        Phase::Progressing | Phase::WaitingPromotion if draft.memory.ending.is_none() => end(draft, change)?,
        Phase::Promoting if !overwritten => {
            draft.enter(Phase::Progressing);
            end(draft, change)?;
        }
        Phase::Initializing if carries(draft) => return Ok(false),
        Phase::Initializing => bind(draft, Some(change)),
        // What keeps the cluster from matching the memory is waited for below, and reported as such.
        _ if draft.memory.at_rest() && carries(draft) && !draft.is_settled() => return Ok(false),
        _ if draft.memory.at_rest() && carries(draft) => {
            let (primary, target) = (draft.primary(), draft.target());
            let change = change.to_owned();
            draft.wait(WaitKind::Primary, |_| Ok(Message::MigrationWaits { change, primary, target }))?;
            return Ok(false);
        }
        _ if draft.memory.at_rest() => bind(draft, Some(change)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The canary has traffic, or is to have some. The route that leads it there is left alone once another binding is in
/// force, so it goes back first.
fn carries(draft: &Draft<'_>) -> bool {
    let live = match &draft.facts.seen.routes {
        LiveRoutes::NotKnown => true,
        LiveRoutes::Present { routes, .. } => !routes.canary().is_zero(),
        LiveRoutes::Absent | LiveRoutes::Invalid(_) => false,
    };
    live || !draft.memory.weight.is_zero()
}

/// Traffic goes back to the primary of the old binding, and connections get their time.
fn end(draft: &mut Draft<'_>, change: &str) -> Need<()> {
    let canary = draft.canary();
    draft.notify(Message::MigrationEndsRollout { change: change.to_owned(), canary });
    ending::begin(draft, Ending { result: Outcome::Rebound, cause: Cause::Rebound })
}
