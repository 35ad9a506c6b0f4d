//! Waits of any phase: a cluster that does not match the memory yet, pods that are not ready, an owner conflict.

use crate::{
    Answer, Convergence, Drain, Message, Pending, Question, Readiness, Side, SyncState, WaitKind,
    draft::{Draft, Need},
    failover::Failover,
    next_effect::lacks_pods,
};

/// Reports that the routes were edited by someone else. They have been put back already.
pub(crate) fn report_drift(draft: &mut Draft<'_>) {
    if let Some(what) = draft.facts.drift.clone() {
        let canary = draft.canary();
        draft.notify(Message::RoutesRestored { canary, what });
    }
}

/// Restarts the drain: the canary got traffic meanwhile, which is taken back, or the end of the drain was not observed.
/// In a migration it ends when the former primary serves again, because the new one has lost all of its pods.
pub(crate) fn restarts_drain(draft: &mut Draft<'_>) -> bool {
    match draft.facts.convergence {
        Convergence::Pending(Pending::TrafficReturned) => {
            draft.memory.drain = None;
            if draft.facts.seen.former == Some(SyncState::InSync) {
                report_former_primary(draft);
            } else if draft.facts.seen.primary_is_gone() {
                report_failover(draft, Failover::ToCanary);
            }
            true
        }
        Convergence::Pending(Pending::DrainNotObserved) => {
            let until = draft.facts.now.plus(draft.plan.drain_ms());
            draft.memory.drain = Some(Drain::restart(draft.memory.drain, until));
            draft.wake_at(until);
            true
        }
        _ => false,
    }
}

/// Reports that the new primary of a migration has lost its last ready pod. Services lead to the former one already.
fn report_former_primary(draft: &mut Draft<'_>) {
    if lacks_pods(&draft.facts.seen) {
        let (lost, canary) = (draft.primary(), draft.canary());
        draft.notify(Message::FailedOver { lost, canary, to: "the earlier primary" });
    }
}

/// Reports that one copy has lost its last ready pod and the other one takes over. The routes have been changed
/// already.
pub(crate) fn report_failover(draft: &mut Draft<'_>, failover: Failover) {
    let (lost, to) = match failover {
        Failover::ToPrimary => (draft.target(), "primary"),
        Failover::ToCanary => (draft.primary(), "canary"),
    };
    let canary = draft.canary();
    draft.notify(Message::FailedOver { lost, canary, to });
}

/// Whether the cluster does not match the memory yet. What is waited for is reported once.
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
    /// It does not.
    No,
    /// It does.
    Yes,
    /// It did for as long as the deadline allows.
    Overdue,
}

impl Hold {
    fn overdue(overdue: bool) -> Self {
        if overdue { Hold::Overdue } else { Hold::Yes }
    }
}

fn hold(draft: &mut Draft<'_>, deadline: bool) -> Need<Hold> {
    let (kind, message) = match draft.facts.convergence.clone() {
        Convergence::Settled => return Ok(Hold::No),
        Convergence::NotKnown => return Ok(Hold::Yes),
        Convergence::Blocked { error, .. } => (WaitKind::Refused, Message::Object { text: error }),
        Convergence::Pending(pending) => {
            if let Pending::Draining(until) = pending {
                draft.wake_at(until);
            }
            match pending.kind().zip(pending_message(draft, pending)) {
                Some(wait) => wait,
                None => return Ok(Hold::Yes),
            }
        }
    };
    match (kind, deadline) {
        (WaitKind::Primary, true) => pods_within_deadline(draft, kind, Side::Primary, message),
        (WaitKind::Primary, false) => pods(draft, kind, Side::Primary, message).map(|()| Hold::Yes),
        (_, true) => draft.wait_with_deadline(kind, |_| Ok(message)).map(Hold::overdue),
        (_, false) => draft.wait(kind, |_| Ok(message)).map(|()| Hold::Yes),
    }
}

/// Whether traffic on its way back to the primary has to wait. It does not wait for objects that carry no traffic.
pub(crate) fn blocks_ending(draft: &mut Draft<'_>) -> Need<bool> {
    if matches!(draft.facts.convergence, Convergence::Pending(Pending::DegradedOptional(_))) {
        return Ok(false);
    }
    not_settled(draft)
}

/// What is reported of it; `None` for what ends by itself.
fn pending_message(draft: &Draft<'_>, pending: Pending) -> Option<Message> {
    Some(match pending {
        Pending::TargetMissing => draft.target_missing(),
        Pending::PrimaryMissing => {
            Message::PrimaryMissing { primary: draft.primary(), target: draft.target() }
        }
        Pending::PrimaryNotReady(Some(readiness)) => Message::NotReady { readiness },
        Pending::PrimaryNotReady(None) => Message::NoReadyAddress { workload: draft.primary() },
        Pending::CanaryNotReady => Message::NoReadyAddress { workload: draft.target() },
        Pending::TargetScalingDown => Message::StillScalingDown { target: draft.target() },
        Pending::Invalid(text) | Pending::DegradedOptional(text) => Message::Object { text },
        Pending::NotObserved
        | Pending::TargetChanged
        | Pending::TrafficReturned
        | Pending::DrainNotObserved
        | Pending::Draining(_) => return None,
    })
}

/// Pods that are waited for are not wanted yet, because those of the last scale-down still exist.
pub(crate) fn scaling_down(draft: &Draft<'_>) -> Option<Message> {
    match draft.facts.convergence {
        Convergence::Pending(Pending::TargetScalingDown) => {
            pending_message(draft, Pending::TargetScalingDown)
        }
        _ => None,
    }
}

/// Waits for an object that cannot be observed, for as long as the deadline allows.
pub(crate) fn not_observed(draft: &mut Draft<'_>) -> Need<Hold> {
    draft.wait_with_deadline(WaitKind::NotObserved, |_| Ok(Message::NotObserved {})).map(Hold::overdue)
}

/// There is no target.
pub(crate) fn target_missing(draft: &mut Draft<'_>) -> Need<()> {
    draft.wait(WaitKind::TargetMissing, |draft| Ok(draft.target_missing()))
}

/// Waits for the pods of one side; the reason why they are not ready is reported with it.
pub(crate) fn pods(draft: &mut Draft<'_>, kind: WaitKind, side: Side, message: Message) -> Need<()> {
    draft.wait(kind, |draft| with_reason(draft, side, message))
}

/// The same with a deadline.
pub(crate) fn pods_within_deadline(
    draft: &mut Draft<'_>,
    kind: WaitKind,
    side: Side,
    message: Message,
) -> Need<Hold> {
    draft.wait_with_deadline(kind, |draft| with_reason(draft, side, message)).map(Hold::overdue)
}

fn with_reason(draft: &mut Draft<'_>, side: Side, message: Message) -> Need<Message> {
    Ok(match draft.ask(Question::Pods(side))?.clone() {
        Answer::Passed => message,
        Answer::Failed(reason) | Answer::Unavailable(reason) => {
            Message::NotReadyBecause { readiness: message.to_string(), reason }
        }
    })
}

/// The Canary does not own the primary, so it cannot promote to it. Whether there is such a wait.
pub(crate) fn primary_not_owned(draft: &mut Draft<'_>) -> Need<Hold> {
    let Some(text) = draft.facts.seen.primary_owner_conflict().map(str::to_owned) else {
        return Ok(Hold::No);
    };
    draft.wait_with_deadline(WaitKind::PrimaryNotOwned, |_| Ok(Message::Object { text })).map(Hold::overdue)
}

/// Why the primary takes no traffic: its readiness, or that it has no ready address.
pub(crate) fn primary_readiness(draft: &Draft<'_>) -> Option<Message> {
    let seen = &draft.facts.seen;
    if seen.primary_sleeps() {
        return None;
    }
    match seen.primary.present().and_then(|pods| pods.readiness.text()) {
        Some(readiness) => Some(Message::NotReady { readiness: readiness.to_owned() }),
        None if seen.primary_is_gone() => Some(Message::NoReadyAddress { workload: draft.primary() }),
        None => None,
    }
}

impl Readiness {
    /// Why it is not `Ready`.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Readiness::Ready => None,
            Readiness::Waiting(text) | Readiness::Failed(text) => Some(text),
        }
    }
}
