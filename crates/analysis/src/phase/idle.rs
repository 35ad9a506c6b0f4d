//! Between rollouts: look for a new revision, for a primary that has recovered, and for hooks still to be asked.

use crate::{
    Cause, Ending, HookKind, Known, Message, Outcome, Phase, Readiness, Revision, Side, Wait, WaitKind,
    draft::{Draft, Need},
    phase::{
        ending, gates, progressing, transitions,
        waits::{self, Hold},
    },
};

/// The user wants nothing to happen. Reported once.
pub(crate) fn suspended(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.wait.as_ref().is_none_or(|wait| wait.kind != WaitKind::Suspended) {
        let (kind, since) = (WaitKind::Suspended, draft.facts.now);
        let message = Message::Suspended {};
        let text = message.to_string();
        draft.memory.wait = Some(Wait { kind, since, waited_ms: 0, at: since, text });
        draft.notify(message);
    }
    Ok(())
}

/// Initialized, Waiting, Succeeded or Failed.
pub(crate) fn decide(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.ending.is_some() {
        return ending::proceed(draft);
    }
    if draft.memory.post_rollout.is_some() {
        return ending::ask_hooks(draft);
    }
    progressing::fail_over(draft);
    if draft.plan.spec_error.is_some() {
        return Ok(());
    }
    if draft.memory.promotion_failed() && primary_ready(draft) {
        return ending::begin(draft, Ending { result: Outcome::Recovered, cause: Cause::Promotion });
    }
    if waits::primary_not_owned(draft)? != Hold::No {
        return Ok(());
    }
    draft.end_wait(WaitKind::PrimaryNotOwned);
    let Some(revision) = draft.facts.seen.target.present().and_then(|pods| pods.revision.clone()) else {
        return match draft.facts.seen.target {
            Known::Absent => waits::target_missing(draft),
            Known::NotKnown | Known::Present(_) => waits::not_settled(draft).map(drop),
        };
    };
    draft.end_wait(WaitKind::TargetMissing);
    let held = draft.memory.held.as_ref() == Some(&revision);
    if held || draft.memory.applied.as_ref() == Some(&revision) {
        // Flagger may have left a Canary in Waiting whose gate is gone.
        let gated = held || draft.plan.hooks_of(HookKind::ConfirmRollout).next().is_some();
        if draft.memory.phase == Phase::Waiting && gated {
            withdrawn(draft, held);
        }
        if held {
            // Back to what the primary runs: pushing the failed revision once more is then a new run.
            draft.memory.applied = Some(revision);
        }
        return rest(draft);
    }
    if draft.memory.phase == Phase::Waiting && gates::rollback_due(draft) && gates::rollback_requested(draft)?
    {
        draft.memory.applied = Some(revision);
        return transitions::manual(draft);
    }
    if may_start(draft)? && gates::rollout(draft)? {
        start(draft, revision);
    }
    Ok(())
}

/// The target is not at the revision any more that waited for approval.
fn withdrawn(draft: &mut Draft<'_>, held: bool) {
    let target = draft.target();
    draft.notify(if held { Message::Reverted { target } } else { Message::Withdrawn { target } });
    let promoted = held && draft.memory.promoted == draft.memory.held;
    draft.enter(if promoted { Phase::Succeeded } else { Phase::Failed });
}

/// A rollout needs a primary to compare with and to go back to. One that is wanted to have no pods is no obstacle, and
/// one that is down is a reason to start: the new revision is the cure. One that lacks some pods is waited for, but not
/// for longer than the deadline.
fn may_start(draft: &mut Draft<'_>) -> Need<bool> {
    let seen = &draft.facts.seen;
    if draft.memory.heals() || primary_ready(draft) || seen.primary_sleeps() || seen.primary_is_down() {
        return Ok(true);
    }
    let Some(message) = waits::primary_readiness(draft) else {
        waits::not_settled(draft)?;
        return Ok(false);
    };
    let hold = waits::pods_within_deadline(draft, WaitKind::Primary, Side::Primary, message)?;
    Ok(hold == Hold::Overdue)
}

/// Nothing is new. Zero replicas are an act, not a state: a target that was given pods is left alone, and reported
/// once; so is a primary that does not run what was promoted.
fn rest(draft: &mut Draft<'_>) -> Need<()> {
    if waits::not_settled(draft)? || draft.memory.promotion_failed() {
        return Ok(());
    }
    if draft.facts.seen.primary.present().is_some_and(|pods| pods.edited) {
        return draft
            .wait(WaitKind::PrimaryEdited, |draft| Ok(Message::PrimaryEdited { primary: draft.primary() }));
    }
    if draft.facts.seen.target.present().is_none_or(|pods| pods.replicas == 0) {
        return Ok(());
    }
    draft.wait(WaitKind::ScaledUp, |draft| Ok(Message::ScaledUp { target: draft.target() }))
}

fn primary_ready(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    seen.primary_serves() && seen.primary.present().is_some_and(|pods| pods.readiness == Readiness::Ready)
}

/// A new revision. After a failed promotion the canary keeps the traffic that it carries.
fn start(draft: &mut Draft<'_>, revision: Revision) {
    let carried = draft.memory.weight;
    draft.enter(Phase::Progressing);
    draft.set_weight(carried);
    draft.memory.analyse(revision);
    draft.memory.run += 1;
    let target = draft.target();
    draft.notify(Message::NewRevision { target });
}
