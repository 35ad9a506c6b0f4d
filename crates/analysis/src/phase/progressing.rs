//! The analysis phase: new revisions and reverts first, then pods, then the world, then, at its pace, the checks.

use crate::{
    Cause, Ending, Known, Memory, Millis, Outcome, Phase, Readiness, Revision, Side, WaitKind, Weight,
    converge::stands_in,
    draft::{Draft, Need},
    phase::{analysis, ending, trouble, turn},
};

/// Progressing or WaitingPromotion.
pub(crate) fn look(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.ending.is_some() {
        return ending::go_on(draft);
    }
    if let Some(revision) = new_revision(draft) {
        return if draft.memory.held.as_ref() == Some(&revision) { revert(draft) } else { restart(draft) };
    }
    withhold(draft);
    if let Some(since) = canary_unready(draft)? {
        return expire(draft, since);
    }
    draft.waited(WaitKind::Canary);
    draft.waited(WaitKind::TargetMissing);
    if draft.facts.seen.primary == Known::Absent {
        return trouble::unsettled(draft).map(drop);
    }
    if let Some(text) = primary_unready(draft) {
        return trouble::pods(draft, WaitKind::Primary, Side::Primary, text).map(drop);
    }
    draft.waited(WaitKind::Primary);
    if give_back(draft) {
        return Ok(());
    }
    if let Some(since) = trouble::unsettled(draft)? {
        return blocked(draft, since);
    }
    if draft.plan.skip_analysis {
        turn::promote(draft);
        return Ok(());
    }
    if !draft.facts.due {
        turn::wake_when_due(draft);
        return Ok(());
    }
    analysis::run(draft)
}

/// The target's revision, when it is not the one under analysis.
fn new_revision(draft: &Draft<'_>) -> Option<Revision> {
    let revision = draft.facts.seen.target.present()?.revision.clone()?;
    (draft.memory.applied.as_ref() != Some(&revision)).then_some(revision)
}

/// The target is at the primary's revision again: there is nothing left to analyse.
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
    let stranded = draft.memory.weight == Weight::FULL && !draft.facts.seen.primary_serves();
    let target = draft.target();
    draft.enter(Phase::Progressing);
    draft.normal(format!("New revision detected! Restarting analysis for {target}"));
    draft.shift(if stranded { Weight::FULL } else { Weight::ZERO });
    if stranded && !heals(&draft.memory) {
        // Once the primary is back, the new revision goes through all steps.
        draft.memory.withheld = Some(Weight::ZERO);
    }
    draft.memory.applied = Some(revision);
    draft.memory.iterations = 0;
    draft.memory.failed_checks = 0;
    draft.memory.last_step = None;
    Ok(())
}

/// A copy without a ready pod gets no traffic while the other one has some. The routes have been changed already.
pub(crate) fn withhold(draft: &mut Draft<'_>) {
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
        return;
    };
    trouble::no_pod(draft, &gone, other);
    let before = draft.memory.withheld.unwrap_or(weight);
    draft.shift(all);
    draft.memory.withheld = Some(before);
}

/// Both copies have pods again: the step is tried again.
fn give_back(draft: &mut Draft<'_>) -> bool {
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
    draft.shift(weight);
    draft.memory.last_step = Some(draft.facts.now);
    turn::wake_when_due(draft);
    true
}

/// The run is there to heal a primary whose promotion failed.
fn heals(memory: &Memory) -> bool {
    memory.held.is_some() && memory.held != memory.promoted
}

/// Why the primary is not ready. An analysis needs something to compare with and to go back to, unless it is there to
/// heal a primary whose promotion failed.
fn primary_unready(draft: &Draft<'_>) -> Option<String> {
    if heals(&draft.memory) || draft.plan.skip_analysis {
        return None;
    }
    let seen = &draft.facts.seen;
    let text = seen.primary.present().and_then(|pods| trouble::unready(&pods.readiness));
    match text {
        Some(text) => Some(text.to_owned()),
        None if seen.primary_is_gone() => {
            Some(format!("{} not ready: no pod is ready to take traffic", draft.primary()))
        }
        None => None,
    }
}

/// Since when the canary has not been ready, when it is not. Past its deadline it is rolled back.
fn canary_unready(draft: &mut Draft<'_>) -> Need<Option<Millis>> {
    let pods = match &draft.facts.seen.target {
        Known::NotKnown => return Ok(Some(draft.facts.now)),
        Known::Absent => return trouble::target_missing(draft).map(Some),
        Known::Present(pods) => pods,
    };
    let text = match &pods.readiness {
        Readiness::Ready if draft.facts.seen.canary_serves() => return Ok(None),
        Readiness::Ready if draft.facts.seen.canary_is_gone() => {
            format!("{} not ready: no pod is ready to take traffic", draft.target())
        }
        Readiness::Ready => return Ok(Some(draft.facts.now)),
        Readiness::Waiting(text) => text.clone(),
        Readiness::Failed(text) => {
            let (canary, text) = (draft.canary(), text.clone());
            draft.warn_with_alert(
                format!("Rolling back {canary} progress deadline exceeded {text}"),
                format!("Progress deadline exceeded {text}"),
            );
            turn::roll_back(draft, Cause::Deadline)?;
            return Ok(Some(draft.facts.now));
        }
    };
    trouble::pods(draft, WaitKind::Canary, Side::Canary, text).map(Some)
}

/// A wait for pods lasts no longer than the deadline.
fn expire(draft: &mut Draft<'_>, since: Millis) -> Need<()> {
    if draft.memory.ending.is_some() {
        return Ok(());
    }
    let deadline = since.plus(draft.plan.deadline_ms);
    if draft.facts.now < deadline {
        draft.wake_at(deadline);
        return Ok(());
    }
    let canary = draft.canary();
    let told = draft.facts.seen.target.present().and_then(|pods| trouble::unready(&pods.readiness));
    let text = told.map_or_else(|| format!("{} not ready in time", draft.target()), str::to_owned);
    draft.warn_with_alert(
        format!("Rolling back {canary} progress deadline exceeded {text}"),
        format!("Progress deadline exceeded {text}"),
    );
    turn::roll_back(draft, Cause::Deadline)
}

/// The world does not become as it should: no checks are made meanwhile, and it does not go on for ever.
fn blocked(draft: &mut Draft<'_>, since: Millis) -> Need<()> {
    let deadline = since.plus(draft.plan.deadline_ms);
    if draft.memory.wait.is_none() || draft.facts.now < deadline {
        draft.wake_at(deadline);
        return Ok(());
    }
    let canary = draft.canary();
    draft.warn_with_alert(
        format!("Rolling back {canary} progress deadline exceeded: the step could not be applied"),
        "Progress deadline exceeded: the step could not be applied".to_owned(),
    );
    turn::roll_back(draft, Cause::Blocked)
}
