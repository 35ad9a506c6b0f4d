//! Trouble that can come in any phase: routes edited by others, writes that are refused, pods that do not come.

use crate::{
    Answer, Convergence, Pending, Question, Readiness, Side, WaitKind,
    draft::{Draft, Need},
};

/// Tells that somebody changed the routes; converging has put them back already.
pub(crate) fn report_drift(draft: &mut Draft<'_>) {
    if let Some(what) = draft.facts.drift.clone() {
        let canary = draft.canary();
        draft
            .warn(format!("Routes of {canary} were changed by someone else ({what}) and have been put back"));
    }
}

/// The canary got traffic while its connections were ending: it is taken again, and they get their time anew.
pub(crate) fn restarts_drain(draft: &mut Draft<'_>) -> bool {
    let anew = matches!(draft.facts.convergence, Convergence::Pending(Pending::TrafficReturned));
    if anew {
        draft.memory.drain_until = None;
        if draft.facts.seen.primary_is_gone() {
            no_pod(draft, &draft.primary(), "canary");
        }
    }
    anew
}

/// Tells that one copy has lost its last pod and that the other one takes over. The routes have been changed already.
pub(crate) fn no_pod(draft: &mut Draft<'_>, gone: &str, other: &str) {
    let canary = draft.canary();
    draft.warn(format!("No pod of {gone} is ready, routing all traffic of {canary} to {other}"));
}

/// Whether the world does not match the memory yet. What is waited for is reported once.
pub(crate) fn not_settled(draft: &mut Draft<'_>) -> Need<bool> {
    Ok(hold(draft, false)? != Hold::No)
}

/// The same with a deadline.
pub(crate) fn not_settled_within_deadline(draft: &mut Draft<'_>) -> Need<Hold> {
    hold(draft, true)
}

/// Whether a decision has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It need not.
    No,
    /// It has to.
    Yes,
    /// It had to for longer than the deadline.
    Overdue,
}

impl Hold {
    fn overdue(overdue: bool) -> Self {
        if overdue { Hold::Overdue } else { Hold::Yes }
    }
}

fn hold(draft: &mut Draft<'_>, in_time: bool) -> Need<Hold> {
    let (kind, text) = match draft.facts.convergence.clone() {
        Convergence::Settled => return Ok(Hold::No),
        Convergence::NotKnown => return Ok(Hold::Yes),
        Convergence::Blocked { error, .. } => (WaitKind::Refused, error),
        Convergence::Pending(pause) => {
            if let Pending::Draining(until) = pause {
                draft.wake_at(until);
            }
            let Some(kind) = pause.kind() else { return Ok(Hold::Yes) };
            (kind, pause_text(draft, &pause))
        }
    };
    match (kind, in_time) {
        (WaitKind::Primary, true) => pods_within_deadline(draft, kind, Side::Primary, text),
        (WaitKind::Primary, false) => pods(draft, kind, Side::Primary, text).map(|()| Hold::Yes),
        (_, true) => draft.wait_with_deadline(kind, |_| Ok(text)).map(Hold::overdue),
        (_, false) => draft.wait(kind, |_| Ok(text)).map(|()| Hold::Yes),
    }
}

/// Whether traffic on its way back has to wait. It does not for objects that have no part in it.
pub(crate) fn blocks_ending(draft: &mut Draft<'_>) -> Need<bool> {
    if matches!(draft.facts.convergence, Convergence::Pending(Pending::DegradedOptional(_))) {
        return Ok(false);
    }
    not_settled(draft)
}

fn pause_text(draft: &Draft<'_>, pause: &Pending) -> String {
    match pause {
        Pending::TargetMissing => missing(draft),
        Pending::PrimaryMissing => format!(
            "{} is gone and {} is not at the promoted revision: nothing is created from a revision that was not \
             analysed; push the promoted revision to have it rebuilt",
            draft.primary(),
            draft.target()
        ),
        Pending::PrimaryNotReady(Some(text)) | Pending::Invalid(text) | Pending::DegradedOptional(text) => {
            text.clone()
        }
        Pending::PrimaryNotReady(None) => {
            format!("{} not ready: no pod is ready to take traffic", draft.primary())
        }
        Pending::CanaryNotReady => format!("{} not ready: no pod is ready to take traffic", draft.target()),
        Pending::NotObserved | Pending::TargetChanged | Pending::TrafficReturned | Pending::Draining(_) => {
            String::new()
        }
    }
}

pub(crate) fn missing(draft: &Draft<'_>) -> String {
    format!("{} {} get query error: not found", draft.plan.names.kind.to_lowercase(), draft.target())
}

/// There is no target.
pub(crate) fn target_missing(draft: &mut Draft<'_>) -> Need<()> {
    draft.wait(WaitKind::TargetMissing, |draft| Ok(missing(draft)))
}

/// Waits for the pods of one side; what keeps them from being ready is reported with it.
pub(crate) fn pods(draft: &mut Draft<'_>, kind: WaitKind, side: Side, text: String) -> Need<()> {
    draft.wait(kind, |draft| with_reason(draft, side, text))
}

/// The same with a deadline.
pub(crate) fn pods_within_deadline(
    draft: &mut Draft<'_>,
    kind: WaitKind,
    side: Side,
    text: String,
) -> Need<Hold> {
    draft.wait_with_deadline(kind, |draft| with_reason(draft, side, text)).map(Hold::overdue)
}

fn with_reason(draft: &mut Draft<'_>, side: Side, text: String) -> Need<String> {
    match draft.ask(Question::Pods(side))? {
        Answer::Passed => Ok(text),
        Answer::Failed(reason) | Answer::Unavailable(reason) => Ok(format!("{text}: {reason}")),
    }
}

/// The primary is not the Canary's: it cannot be promoted to. Whether there is such a wait.
pub(crate) fn primary_not_owned(draft: &mut Draft<'_>) -> Need<Hold> {
    let Some(text) = draft.facts.seen.primary_owner_conflict().map(str::to_owned) else {
        return Ok(Hold::No);
    };
    draft.wait_with_deadline(WaitKind::PrimaryNotOwned, |_| Ok(text)).map(Hold::overdue)
}

/// Why the primary takes no traffic: its readiness, or that it has no ready address.
pub(crate) fn primary_text(draft: &Draft<'_>) -> Option<String> {
    let seen = &draft.facts.seen;
    if seen.primary_sleeps() {
        return None;
    }
    let text = seen.primary.present().and_then(|pods| unready(&pods.readiness));
    match text {
        Some(text) => Some(text.to_owned()),
        None if seen.primary_is_gone() => {
            Some(format!("{} not ready: no pod is ready to take traffic", draft.primary()))
        }
        None => None,
    }
}

/// The text of a readiness that is not `Ready`.
pub(crate) fn unready(readiness: &Readiness) -> Option<&str> {
    match readiness {
        Readiness::Ready => None,
        Readiness::Waiting(text) | Readiness::Failed(text) => Some(text),
    }
}
