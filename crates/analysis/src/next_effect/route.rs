//! The write of the route: only to a side that serves, and until the gateways apply it.

use super::{Effect, Next, not_ready};
use crate::{Acceptance, LiveRoutes, Memory, Observed, Pending, Phase, Plan, Routes};

/// Writes the routes that the memory says, or waits for the side that gets more, and for gateways that report.
pub(super) fn choose(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let want = memory.routes(plan);
    let (live, in_sync) = match &seen.routes {
        LiveRoutes::NotKnown => return Some(Next::Wait(Pending::NotObserved)),
        LiveRoutes::Invalid(text) => return Some(Next::Wait(Pending::Invalid(text.clone()))),
        LiveRoutes::Absent if want.canary().is_zero() || seen.canary_serves() => {
            return Some(Next::Do(Effect::Route(want)));
        }
        LiveRoutes::Absent => return Some(Next::Wait(Pending::CanaryNotReady)),
        LiveRoutes::Present { routes, in_sync } => (routes, *in_sync),
    };
    let copies = matches!(want, Routes::Mirrored { .. }) && *live != want;
    if (copies || want.canary() > live.canary()) && !seen.canary_serves() {
        return Some(not_ready(&seen.canary_addresses, Pending::CanaryNotReady));
    }
    let less = want.canary() < live.canary() || want.need_primary() && !live.need_primary();
    if less && !seen.primary_takes_traffic() && !seen.canary_is_gone() {
        return Some(not_ready(&seen.primary_addresses, Pending::PrimaryNotReady(None)));
    }
    if *live != want || !in_sync {
        return Some(Next::Do(Effect::Route(want)));
    }
    not_accepted(memory, seen)
}

/// What a gateway does not apply is no exposure of the canary: a step waits for it. An ending waits only while a
/// gateway may still send traffic to the canary, as an earlier version of the route said.
fn not_accepted(memory: &Memory, seen: &Observed) -> Option<Next> {
    let text = match &seen.acceptance {
        Acceptance::Accepted => return None,
        Acceptance::Refused(_) if memory.ending.is_some() => return None,
        Acceptance::Refused(text) | Acceptance::Outdated(text) => text,
    };
    (memory.phase != Phase::Initializing).then(|| Next::Wait(Pending::Invalid(text.clone())))
}
