//! During a migration: what clients use leads to the primary of the binding before this one until the new one has ready
//! pods, and again if it loses all of them.

use super::{Effect, Next};
use crate::{Binding, Known, LiveRoutes, Memory, Observed, Phase, Plan, Readiness, SyncState};

/// Whether another binding is being initialised, while the one before it is kept.
pub(super) fn moves(memory: &Memory) -> bool {
    memory.phase == Phase::Initializing && !memory.previous.is_empty()
}

/// Services, and a route that both bindings share, are kept as the former primary needs them.
pub(super) fn choose(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    if !serves_instead(memory, seen) {
        return None;
    }
    match seen.former.as_ref()? {
        SyncState::OutOfSync | SyncState::Missing => Some(Next::Do(Effect::Restore)),
        SyncState::InSync => route(plan, memory, seen),
        SyncState::NotKnown | SyncState::Invalid(_) => None,
    }
}

/// Services that clients need and that do not exist any more, while the spec is invalid.
pub(super) fn missing(memory: &Memory, seen: &Observed) -> Option<Next> {
    let absent = serves_instead(memory, seen) && seen.former == Some(SyncState::Missing);
    absent.then_some(Next::Do(Effect::Restore))
}

/// Whether Services lead to the former primary although they led to the new one before.
pub(super) fn took_over(memory: &Memory, seen: &Observed) -> bool {
    let restored = seen.former == Some(SyncState::InSync) && seen.backends != SyncState::InSync;
    memory.drain.is_some() && moves(memory) && restored
}

/// The former primary has a ready pod, and the new one has none. Services that do not exist or were edited lead to the
/// former one until the new one is ready, as if it had never been.
fn serves_instead(memory: &Memory, seen: &Observed) -> bool {
    moves(memory) && may_restore(seen)
}

/// Whether Services may be made to select the former primary.
pub(crate) fn may_restore(seen: &Observed) -> bool {
    let is_ready = seen.primary.present().is_some_and(|primary| primary.readiness == Readiness::Ready);
    let lead_nowhere = match seen.former {
        None => return false,
        Some(SyncState::Missing) => true,
        // They select neither primary: they were edited.
        Some(SyncState::OutOfSync) => !matches!(seen.backends, SyncState::InSync | SyncState::NotKnown),
        Some(_) => false,
    };
    lacks_pods(seen) || lead_nowhere && !is_ready && seen.primary != Known::NotKnown
}

/// The new primary has no pod that works, although it should have some.
pub(crate) fn lacks_pods(seen: &Observed) -> bool {
    match &seen.primary {
        Known::NotKnown => false,
        Known::Absent => true,
        Known::Present(primary) => primary.replicas > 0 && primary.available == 0,
    }
}

fn route(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let shares = |bound: &Binding| memory.previous.iter().any(|former| former.shares_route(bound));
    if !memory.binding.as_ref().is_some_and(shares) || !seen.primary_takes_traffic() {
        return None;
    }
    let want = memory.routes(plan);
    let fits = match &seen.routes {
        LiveRoutes::NotKnown | LiveRoutes::Invalid(_) => true,
        LiveRoutes::Absent => false,
        LiveRoutes::Present { routes, in_sync } => *routes == want && *in_sync,
    };
    (!fits).then_some(Next::Do(Effect::Route(want)))
}
