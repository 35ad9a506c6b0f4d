//! The deletion of a Canary: pods of the target first, then its traffic.

use super::{Effect, Next, failover, shift_back};
use crate::{Known, Memory, Observed, Pending, Phase, Plan, SyncState};

/// The next effect of a Canary that is being deleted. Nothing else is changed any more.
pub(super) fn choose(plan: &Plan, memory: &Memory, seen: &Observed) -> Next {
    if memory.phase != Phase::Terminating {
        return Next::Settled;
    }
    if memory.released {
        return apply(&seen.traffic, Effect::ReleaseTraffic);
    }
    let target = || match &seen.target {
        Known::NotKnown => Next::Wait(Pending::NotObserved),
        Known::Absent => Next::Settled,
        Known::Present(_) => apply(&seen.reverted, Effect::RevertTarget),
    };
    failover(plan, memory, seen).or_else(|| shift_back(plan, memory, seen)).unwrap_or_else(target)
}

fn apply(state: &SyncState, effect: Effect) -> Next {
    match state {
        SyncState::NotKnown => Next::Wait(Pending::NotObserved),
        SyncState::InSync => Next::Settled,
        SyncState::OutOfSync => Next::Do(effect),
        SyncState::Invalid(text) => Next::Wait(Pending::Invalid(text.clone())),
    }
}
