//! From which moment on a new binding is in force.

use crate::{Message, Phase, Weight, draft::Draft, limits::MAX_PREVIOUS_BINDINGS};

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
