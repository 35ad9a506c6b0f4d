//! The initialisation: the primary is made, traffic moves to it, the target goes to zero.

use crate::{
    Answer, Convergence, Known, Millis, Pending, Phase, Question,
    draft::{Draft, Need},
    next_effect::replaceable,
    phase::waits,
};

/// A Canary that was not looked at yet.
pub(crate) fn begin(draft: &mut Draft<'_>) -> Need<()> {
    draft.enter(Phase::Initializing);
    draft.memory.binding = Some(draft.plan.binding.clone());
    draft.memory.limits = Some(draft.plan.limits());
    follow_target(draft);
    Ok(())
}

/// The primary is to be made from the revision that the target has now. Remembered first, so that the copy can be
/// checked against it.
fn follow_target(draft: &mut Draft<'_>) {
    if let Some(pods) = draft.facts.seen.target.present() {
        draft.memory.applied.clone_from(&pods.revision);
    }
}

/// The steps after the primary is ready: wait until traffic is there, drain, scale down.
pub(crate) fn proceed(draft: &mut Draft<'_>) -> Need<()> {
    if draft.plan.spec_error.is_some() {
        return Ok(());
    }
    if matches!(draft.facts.convergence, Convergence::Pending(Pending::TargetChanged))
        || draft.memory.applied.is_none()
    {
        let seen = &draft.facts.seen;
        let unmade = seen.primary == Known::Absent || replaceable(&draft.memory, seen);
        if unmade || draft.memory.applied.is_none() {
            follow_target(draft);
        }
        return if draft.facts.seen.target == Known::Absent { waits::target_missing(draft) } else { Ok(()) };
    }
    if pushed_before_it_worked(draft) {
        let target = draft.target();
        follow_target(draft);
        draft.normal(format!("New revision detected! Restarting initialization with {target}"));
        return Ok(());
    }
    if waits::restarts_drain(draft) || waits::not_settled(draft)? {
        return Ok(());
    }
    match draft.memory.drain_until {
        None => drain(draft),
        Some(_) => {
            finish(draft);
            Ok(())
        }
    }
}

/// The copy never had a working pod, and the target has moved on: the way out of an image that does not exist.
fn pushed_before_it_worked(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    let (Some(target), Some(primary)) = (seen.target.present(), seen.primary.present()) else { return false };
    let pushed = target.revision.is_some() && target.revision != draft.memory.applied;
    pushed && primary.owner_conflict.is_none() && replaceable(&draft.memory, seen)
}

/// Traffic is on the primary now; connections to the target are given time to end.
fn drain(draft: &mut Draft<'_>) -> Need<()> {
    if !draft.plan.skip_analysis {
        match draft.ask(Question::Providers)? {
            Answer::Passed => draft.normal("all the metrics providers are available!".to_owned()),
            Answer::Failed(error) | Answer::Unavailable(error) => {
                draft.warn(format!("Error checking metric providers: {error}"));
                draft.as_error();
            }
        }
    }
    let until: Millis = draft.facts.now.plus(draft.plan.drain_ms());
    draft.memory.drain_until = Some(until);
    draft.wake_at(until);
    Ok(())
}

fn finish(draft: &mut Draft<'_>) {
    let held = draft.facts.seen.primary.present().and_then(|pods| pods.revision.clone());
    draft.enter(Phase::Initialized);
    draft.memory.applied.clone_from(&held);
    draft.memory.promoted.clone_from(&held);
    draft.memory.held = held;
    draft.memory.from_flagger = false;
    draft.memory.drain_until = None;
    let (canary, kind) = (draft.canary(), &draft.plan.names.kind);
    let alert = format!("New {kind} detected, initialization completed.");
    draft.normal_with_alert(format!("Initialization done! {canary}"), alert);
}
