//! The promotion: the primary takes over what was analysed, then traffic goes back to it.

use crate::{
    Cause, Ending, Exposure, Known, Message, Outcome, Phase, Readiness, Side, WaitKind, Weight,
    draft::{Draft, Need},
    phase::{
        ending, progressing, restart, transitions,
        waits::{self, Hold},
    },
};

/// Promoting.
pub(crate) fn decide(draft: &mut Draft<'_>) -> Need<()> {
    progressing::fail_over(draft);
    if draft.facts.seen.primary_owner_conflict().is_some() {
        let hold = waits::primary_not_owned(draft)?;
        return give_up(draft, hold);
    }
    let seen = &draft.facts.seen;
    let Some(primary) = seen.primary.present() else { return uncopied(draft) };
    if primary.revision.is_none() || primary.revision != draft.memory.applied {
        return uncopied(draft);
    }
    if primary.replicas == 0 {
        return hand_back(draft);
    }
    let message = match primary.readiness.clone() {
        Readiness::Failed(readiness) => return failed(draft, Message::NotReady { readiness }),
        Readiness::Waiting(readiness) => Message::NotReady { readiness },
        Readiness::Ready if seen.primary_is_gone() => Message::NoReadyAddress { workload: draft.primary() },
        Readiness::Ready if !seen.primary_serves() => return waits::not_settled(draft).map(drop),
        Readiness::Ready => return hand_back(draft),
    };
    match waits::pods_within_deadline(draft, WaitKind::Primary, Side::Primary, message.clone())? {
        Hold::Overdue => failed(draft, message),
        Hold::Yes | Hold::No => Ok(()),
    }
}

/// The primary does not hold what was analysed yet. What was pushed since is analysed first; without a target, or
/// when the copy is refused for too long, there is nothing to promote.
fn uncopied(draft: &mut Draft<'_>) -> Need<()> {
    match &draft.facts.seen.target {
        Known::Present(target) if target.revision.is_some() && target.revision != draft.memory.applied => {
            restart::restart(draft)
        }
        Known::Absent => {
            draft.enter(Phase::Progressing);
            transitions::target_deleted(draft)
        }
        _ if draft.plan.spec_error.is_some() => {
            let error = draft.plan.spec_error.clone().unwrap_or_default();
            let message = Message::PromotionHalted { error };
            let overdue = draft.wait_with_deadline(WaitKind::InvalidSpec, |_| Ok(message))?;
            give_up(draft, if overdue { Hold::Overdue } else { Hold::Yes })
        }
        _ => {
            let hold = waits::not_settled_within_deadline(draft)?;
            give_up(draft, hold)
        }
    }
}

/// The copy could not be made in time: the primary is what it was, so traffic goes back to it.
fn give_up(draft: &mut Draft<'_>, hold: Hold) -> Need<()> {
    if hold != Hold::Overdue {
        return Ok(());
    }
    draft.enter(Phase::Progressing);
    transitions::blocked(draft, "the primary could not be updated")
}

/// The primary runs the new revision and is ready: traffic goes back to it, in steps when asked.
fn hand_back(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.held.clone_from(&draft.memory.applied);
    // Requests that match go back all at once.
    let in_steps = !draft.plan.promotion_step.is_zero() && draft.memory.exposure != Exposure::Matched;
    let weight = if in_steps { draft.plan.after_promotion_step(draft.memory.weight) } else { Weight::ZERO };
    let stepwise = in_steps && !draft.memory.weight.is_zero();
    if stepwise {
        if waits::blocks_ending(draft)? {
            return Ok(());
        }
        if !transitions::step_due(draft) {
            return Ok(());
        }
        let canary = draft.canary();
        draft.notify(Message::PrimaryWeight { canary, weight: weight.rest() });
        draft.memory.last_step = Some(draft.facts.now);
        draft.set_weight(weight);
    } else if !draft.memory.weight.is_zero() {
        draft.notify(Message::AllTrafficToPrimary {});
    }
    if !weight.is_zero() {
        return Ok(());
    }
    draft.enter(Phase::Finalising);
    draft.memory.iterations = 0;
    let cause = if draft.plan.skip_analysis { Cause::Skipped } else { Cause::Passed };
    ending::begin(draft, Ending { result: Outcome::Promoted, cause })
}

/// The primary did not become ready. Traffic goes to the canary, the only copy that is known to work, as long as it
/// has a pod and still runs what was analysed. What was pushed since gets traffic only when there is nothing else.
fn failed(draft: &mut Draft<'_>, message: Message) -> Need<()> {
    draft.memory.held.clone_from(&draft.memory.applied);
    let target = draft.target();
    let readiness = message.to_string();
    draft.notify(message);
    draft.notify(Message::PromotionFailed { target, readiness });
    draft.enter(Phase::Failed);
    // A revision that was promoted once and fails now is not what a primary can be trusted with.
    if draft.memory.promoted == draft.memory.held {
        draft.memory.promoted = None;
    }
    let seen = &draft.facts.seen;
    let analysed = seen.target.present().is_some_and(|pods| pods.revision == draft.memory.applied);
    let serving = seen.canary_serves() && (analysed || seen.primary_is_gone());
    draft.set_weight(if serving && draft.plan.routed { Weight::FULL } else { Weight::ZERO });
    draft.memory.iterations = 0;
    draft.memory.failed_checks = 0;
    Ok(())
}
