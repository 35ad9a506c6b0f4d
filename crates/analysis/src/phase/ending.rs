//! An ending in order: remembered first, then traffic, then a drain, then pods, then the terminal phase, then hooks.

use crate::{
    Answer, Cause, Drain, Ending, HookKind, Message, Outcome, Phase, Question, Weight,
    draft::{Draft, Need},
    phase::{binding, restart, waits},
};

/// Remembers how the run ended. Everything else follows from that, also after a crash.
pub(crate) fn begin(draft: &mut Draft<'_>, ending: Ending) -> Need<()> {
    draft.memory.ending = Some(ending);
    draft.memory.drain = None;
    draft.memory.wait = None;
    draft.set_weight(Weight::ZERO);
    Ok(())
}

/// Traffic is to go back, or has gone back, or the pods are to go, or have gone.
pub(crate) fn proceed(draft: &mut Draft<'_>) -> Need<()> {
    if restart::superseded_by_push(draft) {
        let runs = matches!(draft.memory.phase, Phase::Progressing | Phase::WaitingPromotion);
        draft.memory.run += u64::from(!runs);
        return restart::restart(draft);
    }
    // A Finalising that another operator left behind ends as a promotion.
    let ending =
        draft.memory.ending.clone().unwrap_or(Ending { result: Outcome::Promoted, cause: Cause::Passed });
    if waits::restarts_drain(draft) {
        return Ok(());
    }
    if waits::blocks_ending(draft)? {
        return Ok(());
    }
    if draft.memory.drain.is_some() {
        finish(draft, ending);
        return Ok(());
    }
    let until = draft.facts.now.plus(draft.plan.drain_ms());
    draft.memory.drain = Some(Drain::begin(until));
    draft.memory.ending = Some(ending);
    draft.wake_at(until);
    Ok(())
}

/// Traffic is back, pods are gone: the terminal phase.
fn finish(draft: &mut Draft<'_>, ending: Ending) {
    if ending.result == Outcome::Rebound {
        let change = draft.memory.binding.as_ref().and_then(|old| old.change_to(&draft.plan.binding));
        return binding::bind(draft, change.as_deref());
    }
    let phase = match ending.result {
        Outcome::Promoted | Outcome::Reverted => Phase::Succeeded,
        Outcome::RolledBack | Outcome::Recovered | Outcome::Rebound => Phase::Failed,
    };
    let memory = &mut draft.memory;
    if ending.result != Outcome::RolledBack {
        memory.promoted.clone_from(&memory.held);
        memory.applied.clone_from(&memory.held);
    } else {
        memory.failed_checks = 0;
    }
    memory.iterations = 0;
    memory.ending = None;
    memory.drain = None;
    draft.enter(phase);
    let asked = draft.plan.hooks_of(HookKind::PostRollout).next().is_some();
    if asked && ending.result != Outcome::Recovered {
        draft.memory.post_rollout = Some(ending);
    } else {
        complete(draft, &ending);
    }
}

/// The post-rollout hooks, once the result is stored. Their answers change nothing.
pub(crate) fn ask_hooks(draft: &mut Draft<'_>) -> Need<()> {
    let Some(ending) = draft.memory.post_rollout.clone() else { return Ok(()) };
    let phase = draft.memory.phase;
    for hook in draft.plan.hooks_of(HookKind::PostRollout) {
        let (id, hook) = (hook.id.clone(), hook.name.clone());
        match draft.ask(Question::Hook(id, phase))?.clone() {
            Answer::Passed => draft.notify(Message::PostRolloutPassed { hook }),
            Answer::Failed(error) | Answer::Unavailable(error) => {
                draft.notify(Message::PostRolloutFailed { hook, error });
                break;
            }
        }
    }
    draft.memory.post_rollout = None;
    complete(draft, &ending);
    Ok(())
}

/// The last word about a run.
fn complete(draft: &mut Draft<'_>, ending: &Ending) {
    let target = draft.target();
    match (ending.result, ending.cause) {
        (Outcome::Promoted, Cause::Skipped) => draft.notify(Message::PromotedWithoutAnalysis { target }),
        (Outcome::Promoted, _) => draft.notify(Message::Promoted { target }),
        (Outcome::Recovered, _) => {
            let primary = draft.primary();
            draft.notify(Message::PrimaryRecovered { primary, target });
        }
        (Outcome::RolledBack | Outcome::Reverted | Outcome::Rebound, _) => {}
    }
}
