//! One step of the analysis: hooks, then metric checks, then more traffic, the promotion, or one more failed check.

use crate::{
    Answer, Cause, Exposure, HookKind, Message, Phase, Question, Routes, Strategy, Weight,
    draft::{Draft, Need},
    phase::{gates, transitions},
};

/// Asks what is due now and acts on the answers. The first step asks the hooks before the rollout, and no metrics:
/// there was no traffic yet that they could measure.
pub(crate) fn run(draft: &mut Draft<'_>) -> Need<()> {
    if gates::rollback_requested(draft)? {
        return transitions::manual(draft);
    }
    let first = !draft.memory.prepared;
    let passed = if first { prepare(draft)? } else { untried(draft) || examine(draft)? };
    let before = draft.memory.last_step.replace(draft.facts.now);
    if !passed {
        return count_failure(draft);
    }
    draft.memory.prepared = true;
    draft.reset_wait_time();
    // A canary that took all traffic from a primary without pods is examined with it before it is promoted.
    if first && !draft.memory.weight.is_zero() {
        let (canary, weight) = (draft.canary(), draft.memory.weight);
        draft.notify(Message::CanaryWeight { canary, weight });
    } else if !step(draft)? {
        // A gate is closed. That the hooks before the rollout have passed is remembered, and nothing else.
        draft.memory.last_step = before;
    }
    if draft.memory.phase != Phase::Promoting {
        transitions::wake_when_due(draft);
    }
    Ok(())
}

/// The canary had no traffic yet, because a gate was closed: there is nothing to measure.
fn untried(draft: &Draft<'_>) -> bool {
    let progressive = matches!(draft.plan.strategy, Strategy::Progressive(_));
    progressive && draft.memory.routes(draft.plan) == Routes::PRIMARY
}

/// An edit of the strategy ends an A/B test: the analysis begins anew, or all requests would go to the canary. Whether
/// that was the decision.
pub(crate) fn strategy_left(draft: &mut Draft<'_>) -> bool {
    let matched = draft.memory.exposure == Exposure::Matched;
    let tests = matches!(draft.plan.strategy, Strategy::AbTesting { .. });
    if !matched || tests || !draft.facts.seen.primary_takes_traffic() {
        return false;
    }
    draft.set_weight(Weight::ZERO);
    (draft.memory.iterations, draft.memory.prepared, draft.memory.last_step) = (0, false, None);
    true
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

/// Everything passed: more traffic, one more iteration, or the promotion. Returns whether the gates before it are open.
fn step(draft: &mut Draft<'_>) -> Need<bool> {
    match &draft.plan.strategy {
        Strategy::Progressive(steps) => {
            let complete = steps.complete(draft.memory.weight);
            if !complete {
                go_on(draft);
            }
            // A rollout that waits for the promotion has passed the gate before more traffic.
            let mirrored = matches!(draft.memory.routes(draft.plan), Routes::Mirrored { .. });
            let asks = draft.memory.phase != Phase::WaitingPromotion && !mirrored;
            if asks && !gates::more_traffic(draft)? {
                return Ok(false);
            }
            if complete {
                return promote(draft);
            }
            if mirror(draft) {
                let (canary, weight) = (draft.canary(), Weight::ZERO);
                draft.notify(Message::CanaryWeight { canary, weight });
                return Ok(true);
            }
            let (canary, weight) = (draft.canary(), steps.after(draft.memory.weight));
            draft.set_weight(weight);
            draft.notify(Message::CanaryWeight { canary, weight });
            Ok(true)
        }
        Strategy::BlueGreen { iterations } => iterate(draft, *iterations),
        Strategy::AbTesting { iterations } => test(draft, *iterations),
    }
}

/// Requests are copied to a canary that has no traffic, if the user wants that. Whether it begins now.
fn mirror(draft: &mut Draft<'_>) -> bool {
    let memory = &mut draft.memory;
    let begins = draft.plan.mirror.is_some() && memory.weight.is_zero() && memory.exposure == Exposure::Share;
    if begins {
        memory.exposure = Exposure::Mirrored;
    }
    begins
}

/// A number of analyses with the requests that match, then the promotion. A canary that has all traffic already goes
/// straight to it.
fn test(draft: &mut Draft<'_>, wanted: u32) -> Need<bool> {
    let matched = draft.memory.exposure == Exposure::Matched;
    if draft.memory.iterations >= wanted || draft.memory.weight == Weight::FULL && !matched {
        return promote(draft);
    }
    go_on(draft);
    if !matched {
        draft.set_weight(Weight::FULL);
        draft.memory.exposure = Exposure::Matched;
    }
    count_iteration(draft, wanted);
    Ok(true)
}

fn count_iteration(draft: &mut Draft<'_>, wanted: u32) {
    draft.memory.iterations += 1;
    let (canary, done) = (draft.canary(), draft.memory.iterations);
    draft.notify(Message::Iteration { canary, done, wanted });
}

/// The promotion, once its gate is open.
fn promote(draft: &mut Draft<'_>) -> Need<bool> {
    let open = gates::promotion(draft)?;
    if open {
        transitions::promote(draft);
    }
    Ok(open)
}

/// An edit of the steps takes a rollout that waits at the gate before the promotion back to the analysis.
fn go_on(draft: &mut Draft<'_>) {
    if draft.memory.phase == Phase::WaitingPromotion {
        draft.enter(Phase::Progressing);
    }
}

/// A number of analyses without traffic, then one with all of it on the canary, then the promotion. The gate before the
/// promotion is asked once: before the traffic, or, where none is routed, before the promotion. A canary that has all
/// traffic already, because its revision is to heal the primary, goes straight to the promotion.
fn iterate(draft: &mut Draft<'_>, wanted: u32) -> Need<bool> {
    let (done, full) = (draft.memory.iterations, draft.memory.weight == Weight::FULL);
    if full && done > wanted && draft.memory.phase != Phase::WaitingPromotion {
        transitions::promote(draft);
        return Ok(true);
    }
    if full || done > wanted && !draft.plan.routed {
        return promote(draft);
    }
    if done < wanted || !draft.plan.routed {
        go_on(draft);
        if done < wanted {
            mirror(draft);
            count_iteration(draft, wanted);
        } else {
            draft.memory.iterations += 1;
        }
        return Ok(true);
    }
    if !gates::promotion(draft)? {
        return Ok(false);
    }
    go_on(draft);
    draft.memory.iterations = wanted.saturating_add(1);
    let mirrored = draft.memory.exposure == Exposure::Mirrored;
    draft.notify(if mirrored { Message::MirroringEnds {} } else { Message::AllTrafficToCanary {} });
    draft.set_weight(Weight::FULL);
    Ok(true)
}
