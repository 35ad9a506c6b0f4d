//! The deletion of a Canary: pods of the target first, then its traffic.

use super::{Effect, Next, failover, shift_back};
use crate::{Known, Memory, Observed, Pending, Phase, Plan, SyncState, TargetScaler};

/// The next effect of a Canary that is being deleted. Nothing else is changed any more.
pub(super) fn choose(plan: &Plan, memory: &Memory, seen: &Observed) -> Next {
    if memory.phase != Phase::Terminating {
        return Next::Settled;
    }
    if memory.released {
        return match apply(&seen.traffic, Effect::ReleaseTraffic) {
            Next::Settled if is_idle(seen) => Next::Do(Effect::RevertTarget),
            next => next,
        };
    }
    let target = || match &seen.target {
        Known::NotKnown => Next::Wait(Pending::NotObserved),
        Known::Absent => Next::Settled,
        Known::Present(_) => apply(&seen.reverted, Effect::RevertTarget),
    };
    failover(plan, memory, seen).or_else(|| shift_back(plan, memory, seen)).unwrap_or_else(target)
}

/// The target has no pods, or a paused autoscaler: a write that was refused is tried again until the end. Replicas that
/// its autoscaler has changed since are left alone.
fn is_idle(seen: &Observed) -> bool {
    let rests = seen.target_scaler == TargetScaler::Rests;
    let idle = seen.target.present().is_some_and(|pods| pods.replicas == 0 || rests);
    idle && matches!(seen.reverted, SyncState::OutOfSync | SyncState::Missing)
}

fn apply(state: &SyncState, effect: Effect) -> Next {
    match state {
        SyncState::NotKnown => Next::Wait(Pending::NotObserved),
        SyncState::InSync => Next::Settled,
        SyncState::OutOfSync | SyncState::Missing => Next::Do(effect),
        SyncState::Invalid(text) => Next::Wait(Pending::Invalid(text.clone())),
    }
}
