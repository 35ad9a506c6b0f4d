//! The analysis phase: new revisions and reverts first, then pods, then the cluster, then, at its pace, the checks.

use crate::{
    Cause, Ending, Known, Message, Outcome, Readiness, Side, WaitKind, Weight,
    draft::{Draft, Need},
    failover::Failover,
    phase::{
        analysis_step, ending, gates,
        restart::{new_revision, restart},
        transitions,
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
    let counted = draft.memory.loss_is_counted();
    match fail_over(draft) {
        Some(Failover::ToPrimary) if counted => return Ok(()),
        Some(Failover::ToPrimary) => return analysis_step::lost_pods(draft),
        Some(Failover::ToCanary) | None if lost_without_primary(draft) => {
            return analysis_step::lost_pods(draft);
        }
        Some(Failover::ToCanary) | None => {}
    }
    if gates::rollback_due(draft) && gates::rollback_requested(draft)? {
        return transitions::manual(draft);
    }
    // The canary stood in for the primary: what was analysed takes over again at once, whatever the canary waits for.
    if draft.memory.weight == Weight::FULL && resume_weight(draft) {
        return Ok(());
    }
    match canary_unready(draft)? {
        Hold::Yes => return Ok(()),
        Hold::Overdue => return unready_too_long(draft),
        Hold::No => {}
    }
    draft.end_wait(WaitKind::Canary);
    if draft.plan.spec_error.is_some() {
        return halted(draft);
    }
    draft.end_wait(WaitKind::InvalidSpec);
    if analysis_step::strategy_left(draft) {
        return Ok(());
    }
    match primary_unready(draft)? {
        Hold::Yes => return Ok(()),
        // It was waited for long enough: what is analysed may be what heals it.
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
    if !transitions::step_due(draft) {
        return Ok(());
    }
    analysis_step::run(draft)
}

/// The target is at the revision of a primary that serves: there is nothing to analyse.
fn reverted(draft: &Draft<'_>) -> bool {
    let revision = draft.facts.seen.target.present().and_then(|pods| pods.revision.as_ref());
    revision.is_some() && revision == draft.memory.held.as_ref() && draft.facts.seen.primary_takes_traffic()
}

/// Ends the rollout without a judgement.
fn revert(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.applied.clone_from(&draft.memory.held);
    let target = draft.target();
    draft.notify(Message::Reverted { target });
    ending::begin(draft, Ending { result: Outcome::Reverted, cause: Cause::Reverted })
}

/// A copy without a ready pod gets no traffic while the other one has some. The routes have been changed already
/// ([`crate::next_effect`]); the memory follows.
pub(crate) fn fail_over(draft: &mut Draft<'_>) -> Option<Failover> {
    let (weight, exposure) = (draft.memory.weight, draft.memory.exposure);
    let routes = draft.memory.routes(draft.plan);
    let failover = Failover::needed(draft.plan, &draft.memory, &draft.facts.seen, &routes)?;
    waits::report_failover(draft, failover);
    let before = draft.memory.withheld.unwrap_or(weight);
    draft.set_weight(failover.weight());
    (draft.memory.withheld, draft.memory.exposure) = (Some(before), exposure);
    if failover == Failover::ToCanary && draft.memory.last_step.is_some() {
        // A short absence of the primary does not promote: a complete interval at this weight is analysed.
        draft.memory.last_step = Some(draft.facts.now);
    }
    Some(failover)
}

/// The canary has lost its last ready pod and the primary cannot take its traffic. That is a failed check as well, once
/// for each loss: what is analysed begins anew when the pods are back.
fn lost_without_primary(draft: &mut Draft<'_>) -> bool {
    let (memory, seen) = (&draft.memory, &draft.facts.seen);
    let carried = memory.prepared && !memory.weight.is_zero();
    if !carried || seen.target.present().is_none() || !seen.canary_is_gone() {
        return false;
    }
    draft.memory.prepared = false;
    let (lost, primary) = (draft.target(), draft.primary());
    draft.notify(Message::NoCopyServes { lost, primary });
    true
}

/// Both copies have ready pods again: the step is tried again.
fn resume_weight(draft: &mut Draft<'_>) -> bool {
    let Some(weight) = draft.memory.withheld else { return false };
    if !draft.facts.seen.primary_serves() || !draft.facts.seen.canary_serves() {
        return false;
    }
    let (canary, exposure) = (draft.canary(), draft.memory.exposure);
    draft.notify(if weight.is_zero() {
        Message::AllTrafficToPrimary {}
    } else {
        Message::CanaryWeight { canary, weight }
    });
    draft.set_weight(weight);
    draft.memory.exposure = exposure;
    draft.memory.last_step = Some(draft.facts.now);
    transitions::wake_when_due(draft);
    true
}

/// Whether the primary has to be waited for. An analysis needs something to compare with and to go back to, unless its
/// purpose is to heal the primary: one whose promotion failed, or one that serves nothing.
fn primary_unready(draft: &mut Draft<'_>) -> Need<Hold> {
    let conflict = waits::primary_not_owned(draft)?;
    if conflict != Hold::No {
        // What was analysed could not be promoted.
        return if conflict == Hold::Overdue { blocked(draft).map(|()| Hold::Yes) } else { Ok(conflict) };
    }
    draft.end_wait(WaitKind::PrimaryNotOwned);
    if draft.memory.heals() || draft.plan.skip_analysis || draft.facts.seen.primary_is_down() {
        draft.end_wait(WaitKind::Primary);
        return Ok(Hold::No);
    }
    let Some(message) = waits::primary_readiness(draft) else {
        draft.end_wait(WaitKind::Primary);
        return Ok(Hold::No);
    };
    waits::pods_within_deadline(draft, WaitKind::Primary, Side::Primary, message)
}

/// Whether the canary's pods have to be waited for.
fn canary_unready(draft: &mut Draft<'_>) -> Need<Hold> {
    let seen = &draft.facts.seen;
    let pods = match &seen.target {
        Known::NotKnown => return Ok(Hold::Yes),
        Known::Absent => return transitions::target_deleted(draft).map(|()| Hold::Yes),
        Known::Present(pods) => pods,
    };
    let message = match &pods.readiness {
        Readiness::Ready if seen.canary_serves() => return Ok(Hold::No),
        Readiness::Ready if seen.canary_is_gone() => Message::NoReadyAddress { workload: draft.target() },
        Readiness::Ready => return Ok(Hold::Yes),
        Readiness::Waiting(text) => {
            waits::scaling_down(draft).unwrap_or_else(|| Message::NotReady { readiness: text.clone() })
        }
        Readiness::Failed(_) => return Ok(Hold::Overdue),
    };
    waits::pods_within_deadline(draft, WaitKind::Canary, Side::Canary, message)
}

/// The canary's pods were waited for as long as the deadline allows.
fn unready_too_long(draft: &mut Draft<'_>) -> Need<()> {
    let readiness = draft.facts.seen.target.present().and_then(|pods| pods.readiness.text());
    let readiness = readiness
        .map_or_else(|| Message::NotReadyInTime { workload: draft.target() }.to_string(), str::to_owned);
    transitions::ready_too_late(draft, readiness)
}

/// The spec is invalid: no checks are made, and the rollout ends at its deadline. The defects have been reported.
fn halted(draft: &mut Draft<'_>) -> Need<()> {
    let error = draft.plan.spec_error.clone().unwrap_or_default();
    if draft.wait_with_deadline(WaitKind::InvalidSpec, |_| Ok(Message::AnalysisHalted { error }))? {
        return transitions::blocked(draft, "the spec is invalid");
    }
    Ok(())
}

/// The cluster does not become as the memory says: no checks are made, and the rollout ends at its deadline.
fn blocked(draft: &mut Draft<'_>) -> Need<()> {
    transitions::blocked(draft, "the step could not be applied")
}
