//! Where a step of the analysis can lead: on, to the promotion, or back.

use crate::{
    Cause, Ending, Outcome, Phase,
    draft::{Draft, Need},
    phase::ending,
};

/// Ends the run.
pub(crate) fn roll_back(draft: &mut Draft<'_>, cause: Cause) -> Need<()> {
    let canary = draft.canary();
    draft.warn(format!("Canary failed! Scaling down {canary}"));
    ending::begin(draft, Ending { result: Outcome::RolledBack, cause })
}

/// A wait took longer than the deadline allows.
pub(crate) fn exceed_deadline(draft: &mut Draft<'_>, text: &str, cause: Cause) -> Need<()> {
    let canary = draft.canary();
    let colon = if cause == Cause::Deadline { "" } else { ":" };
    draft.warn_with_alert(
        format!("Rolling back {canary} progress deadline exceeded{colon} {text}"),
        format!("Progress deadline exceeded{colon} {text}"),
    );
    roll_back(draft, cause)
}

/// The analysis is complete, or skipped: the primary takes over.
pub(crate) fn promote(draft: &mut Draft<'_>) {
    let (target, primary) = (draft.target(), draft.primary());
    draft.enter(Phase::Promoting);
    draft.normal(format!("Copying {target} template spec to {primary}"));
    draft.memory.last_step = None;
}

/// The next look is when the next step is due.
pub(crate) fn wake_when_due(draft: &mut Draft<'_>) {
    let now = draft.facts.now;
    let due = draft.memory.last_step.map_or(now, |last| last.plus(draft.plan.interval_ms));
    draft.wake_at(due);
}
