//! From which moment on a new binding is in force, and when the one before it is again.

use crate::{LiveRoutes, Message, Phase, Weight, draft::Draft, limits::MAX_PREVIOUS_BINDINGS};

/// From here on the new binding is in force, and the Canary is initialised on it. `change` is what is reported.
pub(crate) fn bind(draft: &mut Draft<'_>, change: Option<&str>) {
    let wanted = draft.plan.binding.clone();
    if let Some(change) = change {
        let canary = draft.canary();
        draft.notify(Message::MigrationStarts { change: change.to_owned(), canary });
    }
    let memory = &mut draft.memory;
    let before = memory.binding.replace(wanted.clone());
    if before.as_ref().is_none_or(|before| !before.same_target(&wanted)) {
        // Nothing of it was promoted here.
        (memory.held, memory.promoted) = (None, None);
    }
    memory.previous.extend(before);
    memory.previous.retain(|previous| !previous.agrees(&wanted));
    let most = memory.previous.len().saturating_sub(MAX_PREVIOUS_BINDINGS);
    memory.previous.drain(..most);
    memory.applied = None;
    (memory.iterations, memory.failed_checks, memory.prepared, memory.last_step) = (0, 0, false, None);
    (memory.ending, memory.drain, memory.post_rollout) = (None, None, None);
    draft.enter(Phase::Initializing);
    draft.set_weight(Weight::ZERO);
}

/// Ends a migration that never served: the binding before it, which has the same Services, is in force again. Returns
/// whether there is one.
pub(crate) fn take_back(draft: &mut Draft<'_>) -> bool {
    let (memory, seen) = (&mut draft.memory, &draft.facts.seen);
    let Some(bound) = memory.binding.clone() else { return false };
    let served = memory.held.is_some() || memory.promoted.is_some();
    let carries = matches!(&seen.routes, LiveRoutes::Present { routes, .. } if !routes.canary().is_zero());
    let Some(place) = memory.previous.iter().rposition(|former| former.shares_services(&bound)) else {
        return false;
    };
    if served || carries || !memory.weight.is_zero() {
        return false;
    }
    // The other one is forgotten: it has no route of its own, and its primary goes with the Canary.
    memory.binding = Some(memory.previous.remove(place));
    memory.applied = None;
    true
}
