//! The second of the two pure functions: from what is remembered and observed to the next change of the cluster. The
//! one place that knows in which order changes are safe.
//!
//! Capacity before traffic, traffic before scale-down; the apex moves only to ready pods; a route never points at a
//! workload that is not ready while the other one is. [`next_effect`] is called until it returns something else than
//! [`Next::Do`]; every effect is idempotent, so a crash between any two of them is an ordinary input.

mod former;
mod primary;
mod route;
mod services;
mod terminating;

pub(crate) use former::{lacks_pods, may_restore};
pub(crate) use primary::{holds_the_target, replaceable};

use primary::{configs, primary, promotion};
use services::{apex, missing};

use crate::{
    Exposure, Known, LiveRoutes, Memory, Millis, Observed, Pending, Phase, Plan, Revision, Routes, SyncState,
    TargetScaler, failover::Failover, laws,
};

/// What to do next so that the cluster matches the memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Do this, observe again, ask again.
    Do(Effect),
    /// Nothing can be done now.
    Wait(Pending),
    /// The cluster matches the memory.
    Settled,
    /// The effect would break this law, by a defect of the engine. Nothing may be written; it is to be reported.
    Unlawful(&'static str),
}

/// One idempotent change of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make the `-primary` and `-canary` Services as wanted.
    Backends,
    /// Make the primary from the target, if the target is at this revision.
    CreatePrimary(Revision),
    /// Restore the primary's copies of ConfigMaps and Secrets, and delete those that nothing uses any more.
    Configs,
    /// Make the primary's autoscaler follow the user's.
    Scaler,
    /// Make the apex Service select the primary.
    Apex,
    /// Make the Services, apex included, select the primary of the binding before this one.
    Restore,
    /// Make the routes say this.
    Route(Routes),
    /// Scale the target up and resume its autoscaler.
    ScaleUp,
    /// Pause the target's autoscaler and scale the target to zero.
    ScaleToZero,
    /// Copy the target to the primary, if the target is at this revision.
    Promote(Revision),
    /// Give the target the pods that it needs without a Canary, and resume its autoscaler.
    RevertTarget,
    /// Give apex and routes of the user back: they lead to the target again.
    ReleaseTraffic,
    /// Release what earlier bindings left: routes, and primaries that no Service selects any more.
    Release,
}

/// The next effect, in the order that keeps traffic safe.
pub fn next_effect(plan: &Plan, memory: &Memory, seen: &Observed, now: Millis) -> Next {
    match choose(plan, memory, seen, now) {
        Next::Do(effect) => match laws::broken_by_effect(memory, seen, &effect) {
            None => Next::Do(effect),
            Some(law) => Next::Unlawful(law),
        },
        other => other,
    }
}

fn choose(plan: &Plan, memory: &Memory, seen: &Observed, now: Millis) -> Next {
    if seen.deleted || matches!(memory.phase, Phase::Terminating | Phase::Terminated) {
        return terminating::choose(plan, memory, seen);
    }
    if plan.suspended || memory.phase == Phase::New {
        return Next::Settled;
    }
    let safe = unadopted(memory, seen)
        .or_else(|| failover(plan, memory, seen))
        .or_else(|| restart_drain(memory, seen))
        .or_else(|| shift_back(plan, memory, seen));
    if plan.spec_error.is_some() {
        // Only what takes traffic back, and what is missing: nothing is written from a spec that makes no sense.
        return safe
            .or_else(|| missing(plan, memory, seen))
            .or_else(|| former::missing(memory, seen))
            .or_else(|| shift_back_unsafe_primary(plan, memory, seen))
            .or_else(|| scale_down(memory, seen, now))
            .unwrap_or(Next::Settled);
    }
    safe.or_else(|| unroutable(memory, seen))
        .or_else(|| services_and_primary(plan, memory, seen))
        .or_else(|| initial_addresses(memory, seen))
        .or_else(|| configs(memory, seen))
        .or_else(|| sync(memory, &seen.scaler, Effect::Scaler))
        .or_else(|| apex(memory, seen))
        .or_else(|| promotion(memory, seen))
        .or_else(|| capacity(memory, seen))
        .or_else(|| route::choose(plan, memory, seen))
        .or_else(|| scale_down(memory, seen, now))
        .or_else(|| release_previous(memory, seen))
        .or_else(|| degraded(seen))
        .unwrap_or(Next::Settled)
}

/// The Services and the primary. During a migration the Services still select the former primary, so the new one is
/// created first.
fn services_and_primary(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let backends = || sync(memory, &seen.backends, Effect::Backends);
    if former::moves(memory) {
        former::choose(plan, memory, seen).or_else(|| primary(memory, seen)).or_else(backends)
    } else {
        backends().or_else(|| primary(memory, seen))
    }
}

/// Nothing is touched before what another operator left behind has been adopted.
fn unadopted(memory: &Memory, seen: &Observed) -> Option<Next> {
    if !memory.from_flagger || memory.phase == Phase::Initializing {
        return None;
    }
    Some(match (&seen.target, &seen.primary) {
        (Known::Absent, _) => Next::Wait(Pending::TargetMissing),
        _ => Next::Wait(Pending::NotObserved),
    })
}

/// Nothing is made for a Canary before its route can be: what cannot work should leave nothing behind.
fn unroutable(memory: &Memory, seen: &Observed) -> Option<Next> {
    let begins =
        memory.phase == Phase::Initializing && seen.primary == Known::Absent && !former::moves(memory);
    seen.unroutable.as_ref().filter(|_| begins).map(|text| Next::Wait(Pending::Invalid(text.clone())))
}

/// A copy without a ready pod gets no traffic while the other one has some. Before anything else.
fn failover(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let LiveRoutes::Present { routes, .. } = &seen.routes else { return None };
    let failover = Failover::needed(plan, memory, seen, routes)?;
    Some(Next::Do(Effect::Route(Routes::split(failover.weight()))))
}

/// A drain counts from when the canary lost its traffic. Traffic that it got since, by an edit or a failover, ends it,
/// and so does a former primary that serves again: what drains then has to wait for the next move.
fn restart_drain(memory: &Memory, seen: &Observed) -> Option<Next> {
    if former::took_over(memory, seen) {
        return Some(Next::Wait(Pending::TrafficReturned));
    }
    let LiveRoutes::Present { routes, .. } = &seen.routes else { return None };
    let drained = memory.drain.is_some() && !routes.canary().is_zero();
    drained.then_some(Next::Wait(Pending::TrafficReturned))
}

/// Traffic that is to go back to the primary goes first: nothing that is broken elsewhere may hold it up.
fn shift_back(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let LiveRoutes::Present { routes, .. } = &seen.routes else { return None };
    let back = memory.weight < routes.canary() && seen.primary_takes_traffic();
    back.then_some(Next::Do(Effect::Route(memory.routes(plan))))
}

/// The same while the spec is invalid and neither copy, or only the canary, has a ready pod, or the routes are unknown.
fn shift_back_unsafe_primary(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    match &seen.routes {
        LiveRoutes::NotKnown => Some(Next::Wait(Pending::NotObserved)),
        // The canary may have traffic, and keeps its pods until it is known that it has none.
        LiveRoutes::Invalid(text) if memory.ending.is_some() || memory.drain.is_some() => {
            Some(Next::Wait(Pending::Invalid(text.clone())))
        }
        LiveRoutes::Present { routes, .. } if memory.weight < routes.canary() => {
            Some(if seen.canary_is_gone() {
                Next::Do(Effect::Route(memory.routes(plan)))
            } else if seen.primary == Known::Absent {
                // It is not made from a spec that is invalid, and from no revision that was not analysed.
                Next::Wait(Pending::PrimaryMissing)
            } else {
                not_ready(&seen.primary_addresses, Pending::PrimaryNotReady(None))
            })
        }
        _ => None,
    }
}

/// A Service or an autoscaler that cannot be written holds up an initialisation; later, nothing that takes traffic
/// back.
fn sync(memory: &Memory, fit: &SyncState, effect: Effect) -> Option<Next> {
    match fit {
        SyncState::InSync => None,
        SyncState::NotKnown => Some(Next::Wait(Pending::NotObserved)),
        SyncState::OutOfSync | SyncState::Missing => Some(Next::Do(effect)),
        SyncState::Invalid(text) if memory.phase == Phase::Initializing => {
            Some(Next::Wait(Pending::Invalid(text.clone())))
        }
        SyncState::Invalid(_) => None,
    }
}

/// Objects that cannot be written and held up nothing.
fn degraded(seen: &Observed) -> Option<Next> {
    [&seen.backends, &seen.configs, &seen.scaler, &seen.apex].into_iter().find_map(|fit| match fit {
        SyncState::Invalid(text) => Some(Next::Wait(Pending::DegradedOptional(text.clone()))),
        SyncState::NotKnown | SyncState::InSync | SyncState::OutOfSync | SyncState::Missing => None,
    })
}

/// Gateways know a ready address of the new primary before anything else moves to it.
fn initial_addresses(memory: &Memory, seen: &Observed) -> Option<Next> {
    let waits = memory.phase == Phase::Initializing && !seen.primary_takes_traffic();
    waits.then(|| not_ready(&seen.primary_addresses, Pending::PrimaryNotReady(None)))
}

/// No ready addresses, or endpoints not yet observed.
fn not_ready(addresses: &Known<u32>, pause: Pending) -> Next {
    Next::Wait(if *addresses == Known::NotKnown { Pending::NotObserved } else { pause })
}

/// A rollout needs pods of the target, before any traffic. It is scaled up when an earlier scale-down has been carried
/// out: until then its status counts pods that are about to be deleted, as if they were those of the scale-up.
fn capacity(memory: &Memory, seen: &Observed) -> Option<Next> {
    let running = matches!(memory.phase, Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting);
    if !running || memory.ending.is_some() {
        return None;
    }
    let pods = seen.target.present()?;
    if pods.replicas == 0 && pods.available > 0 && !canary_gets_requests(seen) {
        return Some(Next::Wait(Pending::TargetScalingDown));
    }
    let idle = pods.replicas == 0 || seen.target_scaler == TargetScaler::Rests;
    idle.then_some(Next::Do(Effect::ScaleUp))
}

/// While it does, missing pods are more urgent than pods of which the status is uncertain.
fn canary_gets_requests(seen: &Observed) -> bool {
    let LiveRoutes::Present { routes, .. } = &seen.routes else { return false };
    !routes.canary().is_zero() || Exposure::of(routes) == Exposure::Matched
}

/// The last act of an initialisation and of an ending: zero replicas, once, when connections had time to end.
fn scale_down(memory: &Memory, seen: &Observed, now: Millis) -> Option<Next> {
    let winding_up = memory.ending.is_some() || memory.phase == Phase::Initializing;
    let drain = memory.drain.filter(|_| winding_up)?;
    if now < drain.until {
        return Some(Next::Wait(Pending::Draining(drain.until)));
    }
    match &seen.target {
        Known::NotKnown => Some(Next::Wait(Pending::NotObserved)),
        Known::Present(pods) if pods.replicas == 0 && seen.target_scaler != TargetScaler::Scales => None,
        Known::Present(_) if drain.is_unobserved(seen.since) => Some(Next::Wait(Pending::DrainNotObserved)),
        // The last copy that works is not taken, whatever the memory says.
        Known::Present(_) if !seen.primary_takes_traffic() && !seen.canary_is_gone() => {
            Some(Next::Wait(Pending::PrimaryNotReady(None)))
        }
        Known::Present(_) => Some(Next::Do(Effect::ScaleToZero)),
        Known::Absent => None,
    }
}

/// What earlier bindings left goes last: traffic, Services and the drain are done with it.
fn release_previous(memory: &Memory, seen: &Observed) -> Option<Next> {
    if memory.previous.is_empty() || memory.phase == Phase::Initializing {
        return None;
    }
    match &seen.leftovers {
        // What cannot be released harms no traffic; a warning about the cluster reports it.
        SyncState::InSync | SyncState::Invalid(_) => None,
        SyncState::NotKnown => Some(Next::Wait(Pending::NotObserved)),
        // Services that are not as wanted may select what was left.
        SyncState::OutOfSync | SyncState::Missing
            if seen.backends != SyncState::InSync || seen.apex != SyncState::InSync =>
        {
            None
        }
        SyncState::OutOfSync | SyncState::Missing => Some(Next::Do(Effect::Release)),
    }
}
