//! Services and routes that clients need: the apex, and what was deleted.

use super::{Effect, Next, sync};
use crate::{Exposure, LiveRoutes, Memory, Observed, Phase, Plan, SyncState};

/// While the spec is invalid: Services and routes that clients need and that do not exist any more, from what is in
/// force.
pub(super) fn missing(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    if memory.phase == Phase::Initializing {
        return None;
    }
    if seen.backends == SyncState::Missing {
        return Some(Next::Do(Effect::Backends));
    }
    if seen.apex == SyncState::Missing {
        return Some(Next::Do(Effect::Apex));
    }
    // The conditions of an A/B test are part of what is invalid.
    let known = memory.exposure == Exposure::Share && (memory.weight.is_zero() || seen.canary_serves());
    let absent = seen.routes == LiveRoutes::Absent && known;
    absent.then(|| Next::Do(Effect::Route(memory.routes(plan))))
}

/// The apex moves only to ready pods. Once it selects the primary it needs no care in a rollout. One that was deleted
/// is made at once: clients find its name, and the primary's pods when they come back.
pub(super) fn apex(memory: &Memory, seen: &Observed) -> Option<Next> {
    match sync(memory, &seen.apex, Effect::Apex)? {
        // It was edited while the primary is down: restoring it can wait, decisions cannot.
        Next::Do(_) if !seen.primary_takes_traffic() && !is_deleted(memory, seen) => None,
        other => Some(other),
    }
}

fn is_deleted(memory: &Memory, seen: &Observed) -> bool {
    memory.phase != Phase::Initializing && seen.apex == SyncState::Missing
}
