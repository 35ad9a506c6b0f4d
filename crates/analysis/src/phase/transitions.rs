//! Where a step of the analysis can lead: on, to the promotion, or back.

use crate::{
    Cause, Ending, Message, Outcome, Phase, WaitKind,
    draft::{Draft, Need},
    phase::{ending, gates},
};

/// Ends the run.
pub(crate) fn roll_back(draft: &mut Draft<'_>, cause: Cause) -> Need<()> {
    let canary = draft.canary();
    draft.notify(Message::RolledBack { canary });
    ending::begin(draft, Ending { result: Outcome::RolledBack, cause })
}

/// The pods of the canary were not ready in time.
pub(crate) fn ready_too_late(draft: &mut Draft<'_>, readiness: String) -> Need<()> {
    let canary = draft.canary();
    draft.notify(Message::ReadyTooLate { canary, readiness });
    roll_back(draft, Cause::Deadline)
}

/// Something else than pods took longer than the deadline allows.
pub(crate) fn blocked(draft: &mut Draft<'_>, reason: &str) -> Need<()> {
    let (canary, reason) = (draft.canary(), reason.to_owned());
    draft.notify(Message::Blocked { canary, reason });
    roll_back(draft, Cause::Blocked)
}

/// The target was deleted. What is created later under its name is another one, so there is nothing to wait for.
pub(crate) fn target_deleted(draft: &mut Draft<'_>) -> Need<()> {
    let (canary, missing) = (draft.canary(), draft.target_missing().to_string());
    draft.notify(Message::TargetDeleted { canary, missing });
    roll_back(draft, Cause::TargetDeleted)
}

/// The analysis is complete, or skipped: the primary takes over.
pub(crate) fn promote(draft: &mut Draft<'_>) {
    let (target, primary) = (draft.target(), draft.primary());
    draft.enter(Phase::Promoting);
    draft.notify(Message::Promoting { target, primary });
    draft.memory.last_step = None;
}

/// A `rollback` hook has passed.
pub(crate) fn manual(draft: &mut Draft<'_>) -> Need<()> {
    let canary = draft.canary();
    draft.notify(Message::ManualRollback { canary });
    roll_back(draft, Cause::Manual)
}

/// Whether the next step is due. An interval that was over before this process looked is not trusted, because the clock
/// that stored its begin may be another one: it begins anew, once for each step, so that an operator that is killed
/// again and again gets on.
pub(crate) fn step_due(draft: &mut Draft<'_>) -> bool {
    let due = draft.facts.due && gates::due(draft);
    if due && !is_unobserved(draft) {
        return true;
    }
    if due {
        draft.memory.last_step = Some(draft.facts.now);
    }
    wake_when_due(draft);
    false
}

/// The interval was over for longer than one look when this process started. What waits for approval had its interval
/// before it was asked for.
fn is_unobserved(draft: &Draft<'_>) -> bool {
    let memory = &draft.memory;
    let Some(last) = memory.last_step else { return false };
    let over = last.plus(draft.plan.interval_ms).plus(draft.plan.max_observed_gap_ms());
    // Every step is a change, in the same second; an interval that begins anew changes nothing else.
    let begun_anew = memory.changed.is_some_and(|changed| last.whole_second() > changed);
    let asked = memory.wait.as_ref().is_some_and(|wait| wait.kind == WaitKind::Approval);
    over < draft.facts.seen.since && !begun_anew && !asked
}

/// The next look is when the next step is due: an interval after the last one, or after a gate was found closed.
pub(crate) fn wake_when_due(draft: &mut Draft<'_>) {
    let asked = draft.waiting.polls.gate;
    let last = draft.memory.last_step.into_iter().chain(asked).max();
    let due = last.map_or(draft.facts.now, |last| last.plus(draft.plan.interval_ms));
    draft.wake_at(due);
}
