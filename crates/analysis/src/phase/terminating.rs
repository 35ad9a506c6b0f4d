//! The deletion of a Canary with `revertOnDeletion`: the target gets its pods, then its traffic, and after a drain the
//! primary may go. Nothing that is missing, refused or not ready holds it up for longer than the deadline.

use crate::{
    Convergence, Drain, Exposure, Known, Message, Pending, Phase, Readiness, Side, SyncState, WaitKind,
    Weight,
    draft::{Draft, Need},
    limits::MAX_REFUSED_DELETION_MS,
    phase::{
        binding, initializing,
        waits::{self, Hold},
    },
};

/// Decides for a Canary that is being deleted. Returns whether that was the decision.
pub(crate) fn decide(draft: &mut Draft<'_>) -> Need<bool> {
    match (draft.facts.seen.deleted, draft.memory.phase) {
        // The status of a deleted Canary was restored with another one.
        (false, Phase::Terminating | Phase::Terminated) => initializing::begin(draft)?,
        (false, _) => return Ok(false),
        (true, Phase::Terminated) => {}
        (true, Phase::Terminating) if draft.memory.released => drain(draft)?,
        (true, Phase::Terminating) => wait_for_target(draft)?,
        (true, _) => begin(draft),
    }
    Ok(true)
}

/// The rollout ends here, without a result. Its traffic goes back to the primary, unless the target has all of it
/// already, or is the only copy that serves. A migration ends too: as long as Services lead to the former primary, the
/// former target takes over.
fn begin(draft: &mut Draft<'_>) {
    let (canary, seen) = (draft.canary(), &draft.facts.seen);
    let has_all = draft.memory.weight == Weight::FULL && draft.memory.exposure == Exposure::Share;
    if (has_all || seen.primary_is_gone()) && seen.canary_serves() {
        draft.memory.exposure = Exposure::Share;
        draft.memory.withheld = None;
    } else {
        draft.set_weight(Weight::ZERO);
    }
    let memory = &mut draft.memory;
    (memory.iterations, memory.prepared, memory.released) = (0, false, false);
    (memory.ending, memory.drain, memory.post_rollout) = (None, None, None);
    if draft.memory.phase == Phase::Initializing && draft.facts.seen.former == Some(SyncState::InSync) {
        binding::take_back(draft);
    }
    draft.enter(Phase::Terminating);
    draft.notify(Message::Terminating { canary });
}

/// Traffic goes to the target when its pods are ready. If no pod of the primary serves, one ready pod is better than
/// none; if none is wanted to, as with an autoscaler that went to zero, there is nothing to wait for.
fn wait_for_target(draft: &mut Draft<'_>) -> Need<()> {
    match unsettled(draft)? {
        Hold::No => {}
        Hold::Yes => return Ok(()),
        Hold::Overdue => {
            force(draft);
            release(draft);
            return Ok(());
        }
    }
    let seen = &draft.facts.seen;
    let pods = match &seen.target {
        Known::NotKnown => return Ok(()),
        Known::Absent => {
            draft.notify(draft.target_missing());
            if !binding::take_back(draft) {
                release(draft);
            }
            return Ok(());
        }
        Known::Present(pods) => pods,
    };
    let ready = pods.readiness == Readiness::Ready;
    // A Service that is not as it should be, such as one that a migration has moved, says nothing about the target.
    let serves = match seen.backends {
        SyncState::OutOfSync | SyncState::Missing => ready,
        _ => (ready || seen.primary_is_down()) && seen.canary_serves(),
    };
    if seen.primary_sleeps() || serves {
        let target = draft.target();
        draft.notify(Message::TrafficReleased { target });
        release(draft);
        return Ok(());
    }
    let message = match pods.readiness.text() {
        Some(text) => Message::NotReady { readiness: text.to_owned() },
        None => Message::NoReadyAddress { workload: draft.target() },
    };
    if waits::pods_within_deadline(draft, WaitKind::Canary, Side::Canary, message)? == Hold::Overdue {
        force(draft);
        release(draft);
    }
    Ok(())
}

/// Apex and routes are given back from now on, which has a deadline of its own.
fn release(draft: &mut Draft<'_>) {
    draft.memory.released = true;
    draft.enter(Phase::Terminating);
}

/// Reports that the deletion goes on without what was waited for.
fn force(draft: &mut Draft<'_>) {
    let reason = match &draft.memory.wait {
        Some(wait) => wait.text.clone(),
        None => Message::NotReadyInTime { workload: draft.target() }.to_string(),
    };
    let canary = draft.canary();
    draft.notify(Message::TerminationForced { canary, reason });
}

/// Whether the cluster does not match the memory yet. What is refused or cannot be observed has a shorter deadline than
/// pods have: it rarely changes by itself.
fn unsettled(draft: &mut Draft<'_>) -> Need<Hold> {
    let hold = match draft.facts.convergence {
        Convergence::Pending(Pending::NotObserved) | Convergence::NotKnown => waits::not_observed(draft)?,
        _ => waits::not_settled_within_deadline(draft)?,
    };
    let Some(wait) = draft.memory.wait.as_ref().filter(|_| hold == Hold::Yes) else { return Ok(hold) };
    if matches!(wait.kind, WaitKind::Primary | WaitKind::Canary) {
        return Ok(hold);
    }
    let lasted_ms = wait.lasted_ms(draft.plan, draft.facts.now);
    if lasted_ms >= MAX_REFUSED_DELETION_MS {
        return Ok(Hold::Overdue);
    }
    draft.wake_at(draft.facts.now.plus(MAX_REFUSED_DELETION_MS - lasted_ms));
    Ok(hold)
}

/// Connections to the primary get time to end, after the last change of routes.
fn drain(draft: &mut Draft<'_>) -> Need<()> {
    let now = draft.facts.now;
    if let Some(drain) = draft.memory.drain {
        if now < drain.until {
            draft.wake_at(drain.until);
            return Ok(());
        }
        let canary = draft.canary();
        draft.memory.drain = None;
        draft.enter(Phase::Terminated);
        draft.notify(Message::Terminated { canary });
        return Ok(());
    }
    // A target that still cannot be scaled up was given up before, and holds up nothing more.
    if draft.facts.seen.traffic != SyncState::InSync {
        match unsettled(draft)? {
            Hold::No => {}
            Hold::Yes => return Ok(()),
            Hold::Overdue => force(draft),
        }
    }
    let until = now.plus(draft.plan.drain_ms());
    draft.memory.drain = Some(Drain::begin(until));
    draft.wake_at(until);
    Ok(())
}
