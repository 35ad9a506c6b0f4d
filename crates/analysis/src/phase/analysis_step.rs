//! One step of the analysis: hooks, then metrics, then more traffic, or promotion, or one failed check more.

use crate::{
    Answer, Cause, HookKind, Phase, Question, Strategy, Weight,
    draft::{Draft, Need},
    phase::transitions,
};

/// Asks what is due now and acts on the answers (`analysis.md` 7, steps 26 to 30).
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
        draft.normal(format!("Advance {canary} canary weight {weight}"));
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
    draft.normal(format!("Starting canary analysis for {target}"));
    for warning in &draft.plan.warnings {
        draft.warn(warning.clone());
    }
    for (place, hook) in draft.plan.hooks_of(HookKind::PreRollout) {
        match draft.ask(Question::Hook(place, Phase::Progressing))? {
            Answer::Passed => draft.normal(format!("Pre-rollout check {} passed", hook.name)),
            Answer::Failed(error) | Answer::Unavailable(error) => {
                let canary = draft.canary();
                draft.warn(format!(
                    "Halt {canary} advancement pre-rollout check {} failed {error}",
                    hook.name
                ));
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// With traffic: the rollout hooks, then the metrics. The first failure ends it.
fn examine(draft: &mut Draft<'_>) -> Need<bool> {
    for (place, hook) in draft.plan.hooks_of(HookKind::Rollout) {
        match draft.ask(Question::Hook(place, Phase::Progressing))? {
            Answer::Passed => {}
            Answer::Failed(error) | Answer::Unavailable(error) => {
                let canary = draft.canary();
                draft.warn(format!("Halt {canary} advancement external check {} failed {error}", hook.name));
                return Ok(false);
            }
        }
    }
    for place in 0..draft.plan.checks.len() {
        match draft.ask(Question::Check(place))? {
            Answer::Passed => {}
            Answer::Failed(message) => {
                draft.warn(message.clone());
                return Ok(false);
            }
            Answer::Unavailable(message) => {
                draft.warn(message.clone());
                draft.as_error();
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The threshold is judged with the check that fails.
fn count_failure(draft: &mut Draft<'_>) -> Need<()> {
    draft.memory.failed_checks += 1;
    let failed = draft.memory.failed_checks;
    if failed < draft.plan.threshold {
        transitions::wake_when_due(draft);
        return Ok(());
    }
    let canary = draft.canary();
    draft.warn_with_alert(
        format!("Rolling back {canary} failed checks threshold reached {failed}"),
        format!("Failed checks threshold reached {failed}"),
    );
    transitions::roll_back(draft, Cause::Threshold)
}

/// All is well: more traffic, one iteration more, or promotion.
fn step(draft: &mut Draft<'_>) {
    match &draft.plan.strategy {
        Strategy::Progressive(steps) if steps.complete(draft.memory.weight) => transitions::promote(draft),
        Strategy::Progressive(steps) => {
            let (canary, weight) = (draft.canary(), steps.after(draft.memory.weight));
            draft.set_weight(weight);
            draft.normal(format!("Advance {canary} canary weight {weight}"));
            transitions::wake_when_due(draft);
        }
        Strategy::BlueGreen { iterations } => iterate(draft, *iterations),
    }
}

/// So many analyses beside the traffic, then all of it to the canary and one more, then promotion. A canary that
/// carries everything already, to heal a primary, has nothing to be tried beside.
fn iterate(draft: &mut Draft<'_>, wanted: u32) {
    if draft.memory.iterations > wanted || draft.memory.weight == Weight::FULL {
        transitions::promote(draft);
        return;
    }
    draft.memory.iterations += 1;
    if draft.memory.iterations <= wanted {
        let (canary, done) = (draft.canary(), draft.memory.iterations);
        draft.normal(format!("Advance {canary} canary iteration {done}/{wanted}"));
    } else if draft.plan.routed {
        draft.normal("Routing all traffic to canary".to_owned());
        draft.set_weight(Weight::FULL);
    }
    transitions::wake_when_due(draft);
}
