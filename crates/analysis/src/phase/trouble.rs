//! Trouble that can come in any phase: routes edited by others, writes that are refused, pods that do not come.

use crate::{
    Answer, Millis, Pause, Question, Readiness, Side, WaitKind, World,
    draft::{Draft, Need},
};

/// Tells that somebody changed the routes; converging has put them back already.
pub(crate) fn drifted(draft: &mut Draft<'_>) {
    if let Some(what) = draft.facts.drift.clone() {
        let canary = draft.canary();
        draft
            .warn(format!("Routes of {canary} were changed by someone else ({what}) and have been put back"));
    }
}

/// The canary got traffic while its connections were ending: it is taken again, and they get their time anew.
pub(crate) fn drains_anew(draft: &mut Draft<'_>) -> bool {
    let anew = matches!(draft.facts.world, World::Waits(Pause::Traffic));
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

/// Whether the world matches the memory. When it does not, what is waited for is told once, and the time since when
/// is returned for those who have a deadline.
pub(crate) fn unsettled(draft: &mut Draft<'_>) -> Need<Option<Millis>> {
    let (kind, text) = match draft.facts.world.clone() {
        World::Settled => return Ok(None),
        World::NotKnown => return Ok(Some(draft.facts.now)),
        World::Blocked { error, .. } => (WaitKind::Refused, error),
        World::Waits(pause) => {
            if let Pause::Drain(until) = pause {
                draft.wake_at(until);
            }
            let Some(kind) = pause.kind() else { return Ok(Some(draft.facts.now)) };
            (kind, pause_text(draft, &pause))
        }
    };
    if kind == WaitKind::Primary {
        return pods(draft, kind, Side::Primary, text).map(Some);
    }
    draft.wait(kind, |_| Ok(text)).map(Some)
}

/// Whether traffic on its way back has to wait. It does not for objects that have no part in it.
pub(crate) fn holds_up(draft: &mut Draft<'_>) -> Need<bool> {
    if matches!(draft.facts.world, World::Waits(Pause::Unmended(_))) {
        return Ok(false);
    }
    Ok(unsettled(draft)?.is_some())
}

fn pause_text(draft: &Draft<'_>, pause: &Pause) -> String {
    match pause {
        Pause::TargetMissing => missing(draft),
        Pause::PrimaryMissing => format!(
            "{} is gone and {} is not at the promoted revision: nothing is created from a revision that was not \
             analysed; push the promoted revision to have it rebuilt",
            draft.primary(),
            draft.target()
        ),
        Pause::Primary(Some(text)) | Pause::Broken(text) | Pause::Unmended(text) => text.clone(),
        Pause::Primary(None) => {
            format!("{} not ready: no pod is ready to take traffic", draft.primary())
        }
        Pause::Canary => format!("{} not ready: no pod is ready to take traffic", draft.target()),
        Pause::Look | Pause::TargetMoved | Pause::Traffic | Pause::Drain(_) => String::new(),
    }
}

fn missing(draft: &Draft<'_>) -> String {
    format!("{} {} get query error: not found", draft.plan.names.kind.to_lowercase(), draft.target())
}

/// There is no target. Returns since when.
pub(crate) fn target_missing(draft: &mut Draft<'_>) -> Need<Millis> {
    draft.wait(WaitKind::TargetMissing, |draft| Ok(missing(draft)))
}

/// Waits for the pods of one side; when that is told, what keeps them is told with it.
pub(crate) fn pods(draft: &mut Draft<'_>, kind: WaitKind, side: Side, text: String) -> Need<Millis> {
    draft.wait(kind, |draft| match draft.ask(Question::Pods(side))? {
        Answer::Passed => Ok(text),
        Answer::Failed(reason) | Answer::Lost(reason) => Ok(format!("{text}: {reason}")),
    })
}

/// The text of a readiness that is not `Ready`.
pub(crate) fn unready(readiness: &Readiness) -> Option<&str> {
    match readiness {
        Readiness::Ready => None,
        Readiness::Waiting(text) | Readiness::Failed(text) => Some(text),
    }
}
