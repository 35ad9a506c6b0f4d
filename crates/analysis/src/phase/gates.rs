//! Gates, which hold a rollout until their hooks pass, and hooks that end it.
//!
//! A closed gate is reported once and asked again every interval. That it was asked is kept by the process
//! ([`crate::Polls`]): as long as nothing else changes, nothing is written.

use crate::{
    Answer, HookKind, Message, Phase, Question, Wait, WaitKind, bounded,
    draft::{Draft, Need},
};

/// The gate before the target is scaled up; closed, the phase is Waiting. What carries the traffic already cannot be
/// held up.
pub(crate) fn rollout(draft: &mut Draft<'_>) -> Need<bool> {
    if !draft.memory.weight.is_zero() {
        return Ok(true);
    }
    if !due(draft) {
        wake(draft);
        return Ok(false);
    }
    ask(draft, &ROLLOUT)
}

/// The gate before more traffic; closed, the weight stays.
pub(crate) fn more_traffic(draft: &mut Draft<'_>) -> Need<bool> {
    ask(draft, &TRAFFIC)
}

/// The gate before the promotion; closed, the phase is WaitingPromotion.
pub(crate) fn promotion(draft: &mut Draft<'_>) -> Need<bool> {
    ask(draft, &PROMOTION)
}

/// Whether a gate that was closed may be asked again.
pub(crate) fn due(draft: &Draft<'_>) -> bool {
    interval_passed(draft, draft.waiting.polls.gate)
}

/// Whether the `rollback` hooks are to be asked: every interval, whatever else the rollout waits for.
pub(crate) fn rollback_due(draft: &mut Draft<'_>) -> bool {
    if draft.plan.hooks_of(HookKind::Rollback).next().is_none() {
        return false;
    }
    let asked = draft.waiting.polls.rollback;
    if interval_passed(draft, asked) {
        return true;
    }
    if let Some(asked) = asked {
        draft.wake_at(asked.plus(draft.plan.interval_ms));
    }
    false
}

/// Asks the `rollback` hooks in order, until one passes.
pub(crate) fn rollback_requested(draft: &mut Draft<'_>) -> Need<bool> {
    if draft.waiting.polls.rollback == Some(draft.facts.now) {
        return Ok(false);
    }
    let phase = draft.memory.phase;
    // In the first call of a run they are reported; Flagger does that in each.
    let first = draft.facts.waiting.polls.rollback.is_none() && draft.memory.last_step.is_none();
    for hook in draft.plan.hooks_of(HookKind::Rollback) {
        let (id, hook) = (hook.id.clone(), hook.name.clone());
        match draft.ask(Question::Hook(id, phase))? {
            Answer::Passed => {
                draft.notify(Message::RollbackRequested { hook });
                return Ok(true);
            }
            Answer::Failed(_) | Answer::Unavailable(_) if first => {
                draft.notify(Message::RollbackNotRequested { hook });
            }
            Answer::Failed(_) | Answer::Unavailable(_) => {}
        }
    }
    if draft.plan.hooks_of(HookKind::Rollback).next().is_some() {
        let next = draft.facts.now.plus(draft.plan.interval_ms);
        draft.waiting.polls.rollback = Some(draft.facts.now);
        draft.wake_at(next);
    }
    Ok(false)
}

/// What distinguishes one kind of gate from another.
struct Gate {
    hooks: HookKind,
    /// The phase while it is closed, when that is one of its own.
    phase: Option<Phase>,
    open: fn(hook: String) -> Message,
    closed: fn(canary: String, hook: String) -> Message,
}

const ROLLOUT: Gate = Gate {
    hooks: HookKind::ConfirmRollout,
    phase: Some(Phase::Waiting),
    open: |hook| Message::RolloutGateOpen { hook },
    closed: |canary, hook| Message::RolloutGateClosed { canary, hook },
};

const TRAFFIC: Gate = Gate {
    hooks: HookKind::ConfirmTrafficIncrease,
    phase: None,
    open: |hook| Message::TrafficGateOpen { hook },
    closed: |canary, hook| Message::TrafficGateClosed { canary, hook },
};

const PROMOTION: Gate = Gate {
    hooks: HookKind::ConfirmPromotion,
    phase: Some(Phase::WaitingPromotion),
    open: |hook| Message::PromotionGateOpen { hook },
    closed: |canary, hook| Message::PromotionGateClosed { canary, hook },
};

/// Asks the hooks of a gate in order. The first that fails closes it.
fn ask(draft: &mut Draft<'_>, gate: &Gate) -> Need<bool> {
    // The payload of the gates of an analysis says Progressing, whatever the phase is.
    let phase = if gate.hooks == HookKind::ConfirmRollout { draft.memory.phase } else { Phase::Progressing };
    for hook in draft.plan.hooks_of(gate.hooks) {
        let closed = (gate.closed)(draft.canary(), hook.name.clone());
        match draft.ask(Question::Hook(hook.id.clone(), phase))? {
            Answer::Passed => {}
            Answer::Failed(_) => {
                close(draft, gate, closed, None, hook.muted);
                return Ok(false);
            }
            Answer::Unavailable(error) => {
                close(draft, gate, closed, Some(error), hook.muted);
                return Ok(false);
            }
        }
    }
    draft.waiting.polls.gate = None;
    draft.end_wait(WaitKind::Approval);
    for hook in draft.plan.hooks_of(gate.hooks) {
        draft.notify((gate.open)(hook.name.clone()));
    }
    Ok(true)
}

/// Reports a closed gate, unless it was reported before, and remembers it. A gate that could not be asked is closed,
/// and the wait says why.
fn close(draft: &mut Draft<'_>, gate: &Gate, message: Message, error: Option<&String>, muted: bool) {
    let (now, text) = (draft.facts.now, message.to_string());
    let waited = draft.memory.wait.as_ref().filter(|wait| wait.kind == WaitKind::Approval);
    let reported = |wait: &Wait| wait.text == text || wait.text.starts_with(&format!("{text}: "));
    let same = waited.is_some_and(reported);
    let entered = gate.phase.is_some_and(|phase| phase == draft.memory.phase);
    // In a phase of its own, a wait for something else does not make it new.
    if !same && (!entered || waited.is_some()) {
        draft.notify_muted(message, muted);
    }
    if let Some(phase) = gate.phase.filter(|_| !entered) {
        draft.enter(phase);
    }
    if !same {
        let text = error.map_or(text.clone(), |error| format!("{text}: {error}"));
        draft.stop_wait_clock();
        draft.memory.wait =
            Some(Wait { kind: WaitKind::Approval, since: now, waited_ms: 0, at: now, text: bounded(text) });
    }
    draft.waiting.polls.gate = Some(now);
    wake(draft);
}

fn wake(draft: &mut Draft<'_>) {
    if let Some(asked) = draft.waiting.polls.gate {
        draft.wake_at(asked.plus(draft.plan.interval_ms));
    }
}

/// A time in the future was stored before the clock was set back.
fn interval_passed(draft: &Draft<'_>, asked: Option<crate::Millis>) -> bool {
    let now = draft.facts.now;
    asked.is_none_or(|asked| asked > now || now.since(asked) >= draft.plan.interval_ms)
}
