//! One step of the analysis: hooks, then metric checks, then more traffic, the promotion, or one more failed check.

use crate::{
    Answer, Cause, HookKind, Message, Phase, Question, Strategy, Weight,
    draft::{Draft, Need},
    phase::transitions,
};

/// Asks what is due now and acts on the answers. The first step asks the hooks before the rollout, and no metrics:
/// there was no traffic yet that they could measure.
pub(crate) fn run(draft: &mut Draft<'_>) -> Need<()> {
    let first = !draft.memory.prepared;
    let passed = if first { prepare(draft)? } else { examine(draft)? };
    draft.memory.last_step = Some(draft.facts.now);
    if !passed {
        return count_failure(draft);
    }
    draft.memory.prepared = true;
    draft.reset_wait_time();
    // A canary that took all traffic from a primary without pods is examined with it before it is promoted.
    if first && !draft.memory.weight.is_zero() {
        let (canary, weight) = (draft.canary(), draft.memory.weight);
        draft.notify(Message::CanaryWeight { canary, weight });
        transitions::wake_when_due(draft);
    } else {
        step(draft);
    }
    Ok(())
}

/// The canary lost its last ready pod while it had traffic: a failed check, which has been reported.
pub(crate) fn lost_pods(draft: &mut Draft<'_>) -> Need<()> {
    count_failure(draft)
}

/// Before the first traffic: the pre-rollout hooks.
fn prepare(draft: &mut Draft<'_>) -> Need<bool> {
    let target = draft.target();
    draft.notify(Message::AnalysisStarted { target });
    for text in draft.plan.warnings.iter().cloned() {
        draft.notify(Message::PlanWarning { text });
    }
    for hook in draft.plan.hooks_of(HookKind::PreRollout) {
        let (canary, id, hook) = (draft.canary(), hook.id.clone(), hook.name.clone());
        match draft.ask(Question::Hook(id, Phase::Progressing))?.clone() {
            Answer::Passed => draft.notify(Message::PreRolloutPassed { hook }),
            Answer::Failed(error) | Answer::Unavailable(error) => {
                draft.notify(Message::PreRolloutFailed { canary, hook, error });
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// With traffic: the rollout hooks, then the metrics. The first failure ends it.
fn examine(draft: &mut Draft<'_>) -> Need<bool> {
    for hook in draft.plan.hooks_of(HookKind::Rollout) {
        let (canary, id, hook) = (draft.canary(), hook.id.clone(), hook.name.clone());
        match draft.ask(Question::Hook(id, Phase::Progressing))?.clone() {
            Answer::Passed => {}
            Answer::Failed(error) | Answer::Unavailable(error) => {
                draft.notify(Message::RolloutHookFailed { canary, hook, error });
                return Ok(false);
            }
        }
    }
    for check in &draft.plan.checks {
        match draft.ask(Question::Check(check.clone()))?.clone() {
            Answer::Passed => {}
            Answer::Failed(text) => {
                draft.notify(Message::CheckFailed { text });
                return Ok(false);
            }
            Answer::Unavailable(text) => {
                draft.notify(Message::CheckUnavailable { text });
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The check that fails is the one that reaches the threshold; Flagger rolls back one interval later.
fn count_failure(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.failed_checks += 1;
    let failed = draft.memory.failed_checks;
    if failed < draft.plan.threshold {
        transitions::wake_when_due(draft);
        return Ok(());
    }
    let canary = draft.canary();
    draft.notify(Message::ThresholdReached { canary, failed });
    transitions::roll_back(draft, Cause::Threshold)
}

/// Everything passed: more traffic, one more iteration, or the promotion.
fn step(draft: &mut Draft<'_>) {
    match &draft.plan.strategy {
        Strategy::Progressive(steps) if steps.complete(draft.memory.weight) => transitions::promote(draft),
        Strategy::Progressive(steps) => {
            let (canary, weight) = (draft.canary(), steps.after(draft.memory.weight));
            draft.set_weight(weight);
            draft.notify(Message::CanaryWeight { canary, weight });
            transitions::wake_when_due(draft);
        }
        Strategy::BlueGreen { iterations } => iterate(draft, *iterations),
    }
}

/// A number of analyses without traffic, then one with all of it on the canary, then the promotion. A canary that has
/// all traffic already, because its revision is to heal the primary, goes straight to the promotion.
fn iterate(draft: &mut Draft<'_>, wanted: u32) {
    if draft.memory.iterations > wanted || draft.memory.weight == Weight::FULL {
        transitions::promote(draft);
        return;
    }
    draft.memory.iterations += 1;
    if draft.memory.iterations <= wanted {
        let (canary, done) = (draft.canary(), draft.memory.iterations);
        draft.notify(Message::Iteration { canary, done, wanted });
    } else if draft.plan.routed {
        draft.notify(Message::AllTrafficToCanary {});
        draft.set_weight(Weight::FULL);
    }
    transitions::wake_when_due(draft);
}
