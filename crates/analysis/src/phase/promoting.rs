//! The promotion: the primary takes over what was analysed, then traffic goes back to it.

use crate::{
    Cause, Ending, Known, Outcome, Phase, Readiness, Side, WaitKind, Weight,
    draft::{Draft, Need},
    phase::{ending, progressing, trouble, turn},
};

/// Promoting.
pub(crate) fn look(draft: &mut Draft<'_>) -> Need<()> {
    progressing::withhold(draft);
    let seen = &draft.facts.seen;
    let Some(primary) = seen.primary.present() else { return trouble::unsettled(draft).map(drop) };
    let copied = primary.revision.is_some() && primary.revision == draft.memory.applied;
    if !copied {
        let moved = match &seen.target {
            Known::Present(target) => target.revision.is_some() && target.revision != draft.memory.applied,
            Known::NotKnown | Known::Absent => false,
        };
        return if moved { progressing::restart(draft) } else { trouble::unsettled(draft).map(drop) };
    }
    match primary.readiness.clone() {
        Readiness::Failed(text) => failed(draft, &text),
        Readiness::Waiting(text) => {
            let since = trouble::pods(draft, WaitKind::Primary, Side::Primary, text)?;
            // Readiness changes by the clock alone when the deadline is past: look again then.
            let deadline = since.plus(draft.plan.deadline_ms);
            if draft.facts.now < deadline {
                draft.wake_at(deadline);
            }
            Ok(())
        }
        Readiness::Ready if !seen.primary_serves() => trouble::unsettled(draft).map(drop),
        Readiness::Ready => hand_back(draft),
    }
}

/// The primary runs the new revision and is ready: traffic goes back to it, in steps when asked.
fn hand_back(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.held.clone_from(&draft.memory.applied);
    let weight = draft.plan.back_from(draft.memory.weight);
    let stepwise = !draft.plan.back.is_zero() && !draft.memory.weight.is_zero();
    if stepwise {
        if trouble::holds_up(draft)? {
            return Ok(());
        }
        if !draft.facts.due {
            turn::wake_when_due(draft);
            return Ok(());
        }
        let canary = draft.canary();
        draft.normal(format!("Advance {canary} primary weight {}", weight.rest()));
        draft.memory.last_step = Some(draft.facts.now);
        draft.shift(weight);
    } else if !draft.memory.weight.is_zero() {
        draft.normal("Routing all traffic to primary".to_owned());
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
fn failed(draft: &mut Draft<'_>, text: &str) -> Need<()> {
    draft.memory.held.clone_from(&draft.memory.applied);
    let target = draft.target();
    draft.warn(text.to_owned());
    draft.warn_with_alert(
        format!("Promotion of {target} failed, primary not ready: {text}"),
        format!("Promotion failed, primary not ready: {text}"),
    );
    draft.enter(Phase::Failed);
    // A revision that was promoted once and fails now is not what a primary can be trusted with.
    if draft.memory.promoted == draft.memory.held {
        draft.memory.promoted = None;
    }
    let seen = &draft.facts.seen;
    let analysed = seen.target.present().is_some_and(|pods| pods.revision == draft.memory.applied);
    let serving = seen.canary_serves() && (analysed || seen.primary_is_gone());
    draft.shift(if serving && draft.plan.routed { Weight::FULL } else { Weight::ZERO });
    draft.memory.iterations = 0;
    draft.memory.failed_checks = 0;
    Ok(())
}
