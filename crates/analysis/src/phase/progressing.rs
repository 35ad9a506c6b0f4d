//! The analysis phase: new revisions and reverts first, then pods, then the world, then, at its pace, the checks.

use crate::{
    Cause, Ending, Known, LiveRoutes, Outcome, Phase, Readiness, Revision, Side, WaitKind, Weight,
    draft::{Draft, Need},
    next_effect::stands_in,
    phase::{
        analysis_step, ending, transitions,
        waits::{self, Hold},
    },
};

/// Progressing or WaitingPromotion.
pub(crate) fn decide(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.ending.is_some() {
        return ending::proceed(draft);
    }
    if reverted(draft) {
        return revert(draft);
    }
    if new_revision(draft).is_some() {
        return restart(draft);
    }
    if fail_over(draft) {
        return analysis_step::lost_pods(draft);
    }
    // The canary stood in for the primary: what was analysed takes over again at once, whatever the canary waits for.
    if draft.memory.weight == Weight::FULL && resume_weight(draft) {
        return Ok(());
    }
    match canary_unready(draft)? {
        Hold::Yes => return Ok(()),
        Hold::Overdue => return ready_too_late(draft),
        Hold::No => {}
    }
    draft.end_wait(WaitKind::Canary);
    if draft.plan.spec_error.is_some() {
        return halted(draft);
    }
    draft.end_wait(WaitKind::InvalidSpec);
    match primary_unready(draft)? {
        Hold::Yes => return Ok(()),
        // It was waited for long enough: what is analysed may be what mends it.
        Hold::Overdue | Hold::No => {}
    }
    if resume_weight(draft) {
        return Ok(());
    }
    match waits::not_settled_within_deadline(draft)? {
        Hold::Yes => return Ok(()),
        Hold::Overdue => return blocked(draft),
        Hold::No => {}
    }
    if draft.plan.skip_analysis {
        transitions::promote(draft);
        return Ok(());
    }
    if !draft.facts.due {
        transitions::wake_when_due(draft);
        return Ok(());
    }
    analysis_step::run(draft)
}

/// The rollout is over, but its end is held up because the primary serves nothing; a revision pushed since is the cure.
pub(crate) fn superseded_by_push(draft: &Draft<'_>) -> bool {
    draft.memory.ending.is_some() && draft.facts.seen.primary_is_down() && new_revision(draft).is_some()
}

/// The target is at the revision of a primary that serves: there is nothing to analyse.
fn reverted(draft: &Draft<'_>) -> bool {
    let revision = draft.facts.seen.target.present().and_then(|pods| pods.revision.as_ref());
    revision.is_some() && revision == draft.memory.held.as_ref() && draft.facts.seen.primary_takes_traffic()
}

/// The target's revision, when it is not the one under analysis.
fn new_revision(draft: &Draft<'_>) -> Option<Revision> {
    let revision = draft.facts.seen.target.present()?.revision.clone()?;
    (draft.memory.applied.as_ref() != Some(&revision)).then_some(revision)
}

/// Ends the rollout without a judgement.
fn revert(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.applied.clone_from(&draft.memory.held);
    let target = draft.target();
    draft.normal(format!("{target} is back at the revision of the primary, ending the rollout"));
    ending::begin(draft, Ending { result: Outcome::Reverted, cause: Cause::Reverted })
}

/// Another revision was pushed: from the start, without traffic, unless the canary carries it all because the primary
/// is broken.
pub(crate) fn restart(draft: &mut Draft<'_>) -> Need<()> {
    let Some(revision) = draft.facts.seen.target.present().and_then(|pods| pods.revision.clone()) else {
        return Ok(());
    };
    let stranded = carries_all(draft) && !draft.facts.seen.primary_takes_traffic();
    let target = draft.target();
    draft.enter(Phase::Progressing);
    draft.normal(format!("New revision detected! Restarting analysis for {target}"));
    draft.set_weight(if stranded { Weight::FULL } else { Weight::ZERO });
    if stranded && !draft.memory.heals() {
        // Once the primary is back, the new revision goes through all steps.
        draft.memory.withheld = Some(Weight::ZERO);
    }
    draft.memory.applied = Some(revision);
    draft.memory.ending = None;
    draft.memory.drain_until = None;
    draft.memory.iterations = 0;
    draft.memory.failed_checks = 0;
    draft.memory.prepared = false;
    draft.memory.last_step = None;
    Ok(())
}

/// The canary has all traffic, or still has it although its rollout is to end.
fn carries_all(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    let live = matches!(&seen.routes, LiveRoutes::Present { routes, .. } if routes.canary() == Weight::FULL);
    draft.memory.weight == Weight::FULL || live && draft.memory.ending.is_some() && seen.canary_serves()
}

/// A copy without a ready pod gets no traffic while the other one has some. The routes have been changed already.
/// Returns whether it was the canary that lost its traffic.
pub(crate) fn fail_over(draft: &mut Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    let weight = draft.memory.weight;
    let (gone, other, all) = if !weight.is_zero() && seen.canary_is_gone() && seen.primary_serves() {
        (draft.target(), "primary", Weight::ZERO)
    } else if draft.plan.routed
        && weight < Weight::FULL
        && seen.primary_is_gone()
        && seen.canary_serves()
        && stands_in(&draft.memory, seen)
    {
        (draft.primary(), "canary", Weight::FULL)
    } else {
        return false;
    };
    waits::no_pod(draft, &gone, other);
    let before = draft.memory.withheld.unwrap_or(weight);
    draft.set_weight(all);
    draft.memory.withheld = Some(before);
    if !all.is_zero() && draft.memory.last_step.is_some() {
        // A short absence of the primary does not promote: a whole interval at this weight is analysed.
        draft.memory.last_step = Some(draft.facts.now);
    }
    all.is_zero()
}

/// Both copies have pods again: the step is tried again.
fn resume_weight(draft: &mut Draft<'_>) -> bool {
    let Some(weight) = draft.memory.withheld else { return false };
    if !draft.facts.seen.primary_serves() || !draft.facts.seen.canary_serves() {
        return false;
    }
    if weight.is_zero() {
        draft.normal("Routing all traffic to primary".to_owned());
    } else {
        let canary = draft.canary();
        draft.normal(format!("Advance {canary} canary weight {weight}"));
    }
    draft.set_weight(weight);
    draft.memory.last_step = Some(draft.facts.now);
    transitions::wake_when_due(draft);
    true
}

/// Whether the primary has to be waited for. An analysis needs something to compare with and to go back to, unless it
/// is there to heal a primary: one whose promotion failed, or one that serves nothing.
fn primary_unready(draft: &mut Draft<'_>) -> Need<Hold> {
    let foreign = waits::primary_not_owned(draft)?;
    if foreign != Hold::No {
        // What was analysed could not be promoted.
        return if foreign == Hold::Overdue { blocked(draft).map(|()| Hold::Yes) } else { Ok(foreign) };
    }
    draft.end_wait(WaitKind::PrimaryNotOwned);
    if draft.memory.heals() || draft.plan.skip_analysis || draft.facts.seen.primary_is_down() {
        draft.end_wait(WaitKind::Primary);
        return Ok(Hold::No);
    }
    let Some(text) = waits::primary_text(draft) else {
        draft.end_wait(WaitKind::Primary);
        return Ok(Hold::No);
    };
    waits::pods_within_deadline(draft, WaitKind::Primary, Side::Primary, text)
}

/// Whether the canary's pods have to be waited for. A target that was deleted does not come back: what comes is new.
fn canary_unready(draft: &mut Draft<'_>) -> Need<Hold> {
    let pods = match &draft.facts.seen.target {
        Known::NotKnown => return Ok(Hold::Yes),
        Known::Absent => {
            let (canary, missing) = (draft.canary(), waits::missing(draft));
            draft.warn_with_alert(
                format!("Rolling back {canary} {missing}"),
                format!("Target deleted: {missing}"),
            );
            return transitions::roll_back(draft, Cause::TargetDeleted).map(|()| Hold::Yes);
        }
        Known::Present(pods) => pods,
    };
    let text = match &pods.readiness {
        Readiness::Ready if draft.facts.seen.canary_serves() => return Ok(Hold::No),
        Readiness::Ready if draft.facts.seen.canary_is_gone() => {
            format!("{} not ready: no pod is ready to take traffic", draft.target())
        }
        Readiness::Ready => return Ok(Hold::Yes),
        Readiness::Waiting(text) => text.clone(),
        Readiness::Failed(_) => return Ok(Hold::Overdue),
    };
    waits::pods_within_deadline(draft, WaitKind::Canary, Side::Canary, text)
}

/// Pods were waited for as long as the deadline allows.
fn ready_too_late(draft: &mut Draft<'_>) -> Need<()> {
    let text = draft.facts.seen.target.present().and_then(|pods| waits::unready(&pods.readiness));
    let text = text.map_or_else(|| format!("{} not ready in time", draft.target()), str::to_owned);
    transitions::exceed_deadline(draft, &text, Cause::Deadline)
}

/// The spec is invalid: no checks are made, and it does not go on for ever. What is wrong has been reported.
fn halted(draft: &mut Draft<'_>) -> Need<()> {
    let text = draft.plan.spec_error.clone().unwrap_or_default();
    if draft
        .wait_with_deadline(WaitKind::InvalidSpec, |_| Ok(format!("The analysis stands still: {text}")))?
    {
        return transitions::exceed_deadline(draft, "the spec is invalid", Cause::Blocked);
    }
    Ok(())
}

/// The world does not become as it should: no checks are made meanwhile, and it does not go on for ever.
fn blocked(draft: &mut Draft<'_>) -> Need<()> {
    transitions::exceed_deadline(draft, "the step could not be applied", Cause::Blocked)
}
