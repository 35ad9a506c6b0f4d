//! The one place that knows the order in which it is safe to change the world.
//!
//! Capacity before traffic, traffic before scale-down; the apex moves only to ready pods; a route never points at a
//! workload that is not ready while the other one is. [`next_effect`] is called until it says [`Next::Settled`] or
//! [`Next::Wait`]; every effect is idempotent, so a crash between any two of them is an ordinary input.

use crate::{
    Fit, Known, LiveRoutes, Memory, Millis, Observed, Pause, Phase, Plan, Pods, Readiness, Revision, Routes,
    TargetScaler, Weight,
};

/// What to do next so that the world matches the memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Do this, look again, ask again.
    Do(Effect),
    /// Nothing can be done now.
    Wait(Pause),
    /// The world matches the memory.
    Settled,
}

/// One idempotent change of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make the `-primary` and `-canary` Services as wanted.
    Backends,
    /// Make the primary from the target, if the target is at this revision.
    CreatePrimary(Revision),
    /// Make the primary's autoscaler follow the user's.
    Scaler,
    /// Make the apex Service select the primary.
    Apex,
    /// Make the routes say this.
    Route(Routes),
    /// Give the target pods, and let its autoscaler have a say in their number.
    ScaleUp,
    /// Take the target's pods, and its autoscaler's say.
    ScaleToZero,
    /// Copy the target to the primary, if the target is at this revision.
    Promote(Revision),
}

/// The next effect, in the order that keeps traffic safe.
pub fn next_effect(plan: &Plan, memory: &Memory, seen: &Observed, now: Millis) -> Next {
    if plan.suspended || matches!(memory.phase, Phase::New | Phase::Terminating | Phase::Terminated) {
        return Next::Settled;
    }
    foreign(memory, seen)
        .or_else(|| rescue(plan, memory, seen))
        .or_else(|| undrained(memory, seen))
        .or_else(|| retire(memory, seen))
        .or_else(|| fit(memory, &seen.backends, Effect::Backends))
        .or_else(|| primary(memory, seen))
        .or_else(|| fit(memory, &seen.scaler, Effect::Scaler))
        .or_else(|| apex(memory, seen))
        .or_else(|| promotion(memory, seen))
        .or_else(|| capacity(memory, seen))
        .or_else(|| routes(memory, seen))
        .or_else(|| retreat(memory, seen, now))
        .or_else(|| broken(seen))
        .unwrap_or(Next::Settled)
}

/// Nothing is touched before what another operator left behind has been adopted.
fn foreign(memory: &Memory, seen: &Observed) -> Option<Next> {
    if !memory.foreign || memory.phase == Phase::Initializing {
        return None;
    }
    Some(match (&seen.target, &seen.primary) {
        (Known::Absent, _) => Next::Wait(Pause::TargetMissing),
        (_, Known::Absent) => Next::Wait(Pause::PrimaryMissing),
        _ => Next::Wait(Pause::Look),
    })
}

/// Whether the canary may take all traffic when the primary has no pod: until a rollout has ended, and after a failed
/// promotion as long as it runs what was analysed. Else between rollouts the target is nobody's stand-in: it may run
/// anything.
pub(crate) fn stands_in(memory: &Memory, seen: &Observed) -> bool {
    let analysed = seen.target.present().is_some_and(|pods| pods.revision == memory.applied);
    match memory.phase {
        Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting | Phase::Finalising => true,
        _ => memory.ending.is_some() || memory.promotion_failed() && analysed,
    }
}

/// A copy without a ready pod gets no traffic while the other one has some. Before anything else.
fn rescue(plan: &Plan, memory: &Memory, seen: &Observed) -> Option<Next> {
    let LiveRoutes::Are { routes, .. } = &seen.routes else { return None };
    if !routes.canary().is_zero() && seen.canary_is_gone() && seen.primary_serves() {
        return Some(Next::Do(Effect::Route(Routes::PRIMARY)));
    }
    let stranded = plan.routed
        && stands_in(memory, seen)
        && !routes.primary().is_zero()
        && seen.primary_is_gone()
        && seen.canary_serves();
    stranded.then_some(Next::Do(Effect::Route(Routes::split(Weight::FULL))))
}

/// A drain counts from when the canary lost its traffic. When somebody, or a rescue, gave it some since, it is over.
fn undrained(memory: &Memory, seen: &Observed) -> Option<Next> {
    let LiveRoutes::Are { routes, .. } = &seen.routes else { return None };
    let drained = memory.drain_until.is_some() && !routes.canary().is_zero();
    drained.then_some(Next::Wait(Pause::Traffic))
}

/// Traffic that is to go back to the primary goes first: nothing that is broken elsewhere may hold it up.
fn retire(memory: &Memory, seen: &Observed) -> Option<Next> {
    let LiveRoutes::Are { routes, .. } = &seen.routes else { return None };
    let back = memory.weight < routes.canary() && seen.primary_serves();
    back.then_some(Next::Do(Effect::Route(Routes::split(memory.weight))))
}

/// A Service or an autoscaler that cannot be mended holds up an initialisation; later, nothing that takes traffic back.
fn fit(memory: &Memory, fit: &Fit, effect: Effect) -> Option<Next> {
    match fit {
        Fit::Fits => None,
        Fit::NotKnown => Some(Next::Wait(Pause::Look)),
        Fit::Differs => Some(Next::Do(effect)),
        Fit::Broken(text) if memory.phase == Phase::Initializing => {
            Some(Next::Wait(Pause::Broken(text.clone())))
        }
        Fit::Broken(_) => None,
    }
}

/// What could not be mended and held up nothing.
fn broken(seen: &Observed) -> Option<Next> {
    [&seen.backends, &seen.scaler, &seen.apex].into_iter().find_map(|fit| match fit {
        Fit::Broken(text) => Some(Next::Wait(Pause::Unmended(text.clone()))),
        Fit::NotKnown | Fit::Fits | Fit::Differs => None,
    })
}

/// The primary is made by the initialisation. Later it is rebuilt only from the very revision that it held.
fn primary(memory: &Memory, seen: &Observed) -> Option<Next> {
    match (&seen.primary, &seen.target) {
        (Known::Present(_), _) => initial_readiness(memory, seen),
        (Known::NotKnown, _) | (Known::Absent, Known::NotKnown) => Some(Next::Wait(Pause::Look)),
        (Known::Absent, Known::Absent) => Some(Next::Wait(Pause::TargetMissing)),
        (Known::Absent, Known::Present(target)) => {
            let vetted = match memory.phase {
                Phase::Initializing => &memory.applied,
                Phase::Promoting => &memory.applied,
                _ => &memory.held,
            };
            match vetted {
                Some(revision) if target.revision.as_ref() == Some(revision) => {
                    Some(Next::Do(Effect::CreatePrimary(revision.clone())))
                }
                _ if memory.phase == Phase::Initializing => Some(Next::Wait(Pause::TargetMoved)),
                _ => Some(Next::Wait(Pause::PrimaryMissing)),
            }
        }
    }
}

/// Nothing moves to a new primary before it is ready.
fn initial_readiness(memory: &Memory, seen: &Observed) -> Option<Next> {
    if memory.phase != Phase::Initializing {
        return None;
    }
    match seen.primary.present().map(|pods| &pods.readiness) {
        Some(Readiness::Ready) if seen.primary_serves() => None,
        Some(Readiness::Waiting(text) | Readiness::Failed(text)) => {
            Some(Next::Wait(Pause::Primary(Some(text.clone()))))
        }
        Some(Readiness::Ready) | None => Some(no_pod(&seen.primary_addresses, Pause::Primary(None))),
    }
}

/// Nobody takes traffic, or nobody has looked who does.
fn no_pod(addresses: &Known<u32>, pause: Pause) -> Next {
    Next::Wait(if *addresses == Known::NotKnown { Pause::Look } else { pause })
}

/// The apex moves only to ready pods. Once it selects the primary it needs no care in a rollout.
fn apex(memory: &Memory, seen: &Observed) -> Option<Next> {
    match fit(memory, &seen.apex, Effect::Apex)? {
        Next::Do(_) if !seen.primary_serves() && memory.phase == Phase::Initializing => {
            Some(no_pod(&seen.primary_addresses, Pause::Primary(None)))
        }
        // Somebody edited it while the primary is down: putting it back can wait, decisions cannot.
        Next::Do(_) if !seen.primary_serves() => None,
        other => Some(other),
    }
}

/// What was analysed is copied, once.
fn promotion(memory: &Memory, seen: &Observed) -> Option<Next> {
    let applied = memory.applied.as_ref()?;
    if memory.phase != Phase::Promoting || memory.ending.is_some() {
        return None;
    }
    let holds = seen.primary.present().and_then(|pods| pods.revision.as_ref());
    if holds == Some(applied) {
        return None;
    }
    match &seen.target {
        Known::NotKnown => Some(Next::Wait(Pause::Look)),
        Known::Absent => Some(Next::Wait(Pause::TargetMissing)),
        Known::Present(target) if target.revision.as_ref() == Some(applied) => {
            Some(Next::Do(Effect::Promote(applied.clone())))
        }
        Known::Present(_) => Some(Next::Wait(Pause::TargetMoved)),
    }
}

/// A rollout needs pods of the target; they come before any traffic.
fn capacity(memory: &Memory, seen: &Observed) -> Option<Next> {
    let running = matches!(memory.phase, Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting);
    if !running || memory.ending.is_some() {
        return None;
    }
    let idle = |pods: &Pods| pods.replicas == 0 || seen.target_scaler == TargetScaler::Rests;
    seen.target.present().is_some_and(idle).then_some(Next::Do(Effect::ScaleUp))
}

fn routes(memory: &Memory, seen: &Observed) -> Option<Next> {
    let want = Routes::split(memory.weight);
    let (live, fits) = match &seen.routes {
        LiveRoutes::NotKnown => return Some(Next::Wait(Pause::Look)),
        LiveRoutes::Broken(text) => return Some(Next::Wait(Pause::Broken(text.clone()))),
        LiveRoutes::Absent if want.canary().is_zero() || seen.canary_serves() => {
            return Some(Next::Do(Effect::Route(want)));
        }
        LiveRoutes::Absent => return Some(Next::Wait(Pause::Canary)),
        LiveRoutes::Are { routes, fits } => (routes, *fits),
    };
    if want.canary() > live.canary() && !seen.canary_serves() {
        return Some(no_pod(&seen.canary_addresses, Pause::Canary));
    }
    if want.canary() < live.canary() && !seen.primary_serves() && !seen.canary_is_gone() {
        return Some(no_pod(&seen.primary_addresses, Pause::Primary(None)));
    }
    (*live != want || !fits).then_some(Next::Do(Effect::Route(want)))
}

/// The last act of an initialisation and of an ending: zero replicas, once, when connections had time to end.
fn retreat(memory: &Memory, seen: &Observed, now: Millis) -> Option<Next> {
    let winding_up = memory.ending.is_some() || memory.phase == Phase::Initializing;
    let until = memory.drain_until.filter(|_| winding_up)?;
    if now < until {
        return Some(Next::Wait(Pause::Drain(until)));
    }
    match &seen.target {
        Known::NotKnown => Some(Next::Wait(Pause::Look)),
        Known::Present(pods) if pods.replicas == 0 && seen.target_scaler != TargetScaler::Scales => None,
        // The last copy that works is not taken, whatever the memory says.
        Known::Present(_) if !seen.primary_serves() && !seen.canary_is_gone() => {
            Some(Next::Wait(Pause::Primary(None)))
        }
        Known::Present(_) => Some(Next::Do(Effect::ScaleToZero)),
        Known::Absent => None,
    }
}
