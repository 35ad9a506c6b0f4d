//! The initialisation: the primary is made, traffic moves to it, the target goes to zero.

use crate::{
    Answer, Convergence, Drain, Known, Message, Millis, Pending, Phase, Question, Readiness, WaitKind,
    draft::{Draft, Need},
    next_effect::replaceable,
    phase::waits::{self, Hold},
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
    if let Some(error) = draft.plan.spec_error.clone() {
        return draft.wait(WaitKind::InvalidSpec, |_| Ok(Message::InitializationHalted { error }));
    }
    draft.end_wait(WaitKind::InvalidSpec);
    if matches!(draft.facts.convergence, Convergence::Pending(Pending::TargetChanged))
        || draft.memory.applied.is_none()
    {
        let seen = &draft.facts.seen;
        let unmade = seen.primary == Known::Absent || replaceable(&draft.memory, seen);
        if unmade || draft.memory.applied.is_none() {
            follow_target(draft);
        }
        return match &draft.facts.seen.target {
            Known::Absent => waits::target_missing(draft),
            // Something that it needs is missing.
            Known::Present(pods) if pods.revision.is_none() => waits::not_settled(draft).map(drop),
            Known::NotKnown | Known::Present(_) => Ok(()),
        };
    }
    if pushed_before_it_worked(draft) {
        restart(draft);
        return Ok(());
    }
    if waits::restarts_drain(draft) || primary_unsettled(draft)? {
        return Ok(());
    }
    match draft.memory.drain {
        None => drain(draft),
        Some(_) => {
            finish(draft);
            Ok(())
        }
    }
}

/// The copy was never ready, and the target has moved on: the way out of an image that does not exist.
fn pushed_before_it_worked(draft: &Draft<'_>) -> bool {
    pushed(draft) && replaceable(&draft.memory, &draft.facts.seen)
}

/// Whether the target has another revision than the primary is made from, and the primary is the Canary's.
fn pushed(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    let (Some(target), Some(primary)) = (seen.target.present(), seen.primary.present()) else { return false };
    let of = if draft.memory.held.is_some() { &draft.memory.held } else { &draft.memory.applied };
    target.revision.is_some() && target.revision != *of && primary.owner_conflict.is_none()
}

/// The primary is made from what the target has now.
fn restart(draft: &mut Draft<'_>) {
    let target = draft.target();
    follow_target(draft);
    draft.notify(Message::InitializationRestarted { target });
}

/// Whether the cluster is waited for. A primary with a promoted revision, as after an edit of the binding, is given the
/// whole deadline to have a ready pod: it may have been scaled from zero a moment ago, and what was pushed was not
/// analysed. After that what was pushed is the cure.
fn primary_unsettled(draft: &mut Draft<'_>) -> Need<bool> {
    if draft.memory.held.is_none() {
        return waits::not_settled(draft);
    }
    let hold = waits::not_settled_within_deadline(draft)?;
    let down = draft.facts.seen.primary.present().is_some_and(|primary| {
        primary.replicas > 0 && primary.available == 0 && primary.readiness != Readiness::Ready
    });
    if hold == Hold::Overdue && down && pushed(draft) {
        draft.memory.held = None;
        restart(draft);
    }
    Ok(hold != Hold::No)
}

/// Traffic is on the primary now; connections to the target are given time to end.
fn drain(draft: &mut Draft<'_>) -> Need<()> {
    if !draft.plan.skip_analysis {
        draft.notify(match draft.ask(Question::Providers)?.clone() {
            Answer::Passed => Message::ProvidersAvailable {},
            Answer::Failed(error) | Answer::Unavailable(error) => Message::ProvidersUnavailable { error },
        });
    }
    let until: Millis = draft.facts.now.plus(draft.plan.drain_ms());
    draft.memory.drain = Some(Drain::begin(until));
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
    draft.memory.drain = None;
    let (canary, kind) = (draft.canary(), draft.plan.names.kind.clone());
    draft.notify(Message::Initialized { canary, kind });
}
