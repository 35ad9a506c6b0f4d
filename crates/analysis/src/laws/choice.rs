//! Laws of the choice of an effect.

use crate::{
    Effect, Known, LiveRoutes, Memory, Observed, Phase, Pods, Readiness, SyncState, TargetScaler,
    next_effect::{holds_the_target, may_restore, replaceable},
};

/// What is wrong with wanting an effect; `None` when nothing is.
pub(super) fn broken_by_choice(memory: &Memory, seen: &Observed, effect: &Effect) -> Option<&'static str> {
    let held = || seen.primary.present().and_then(|pods| pods.revision.as_ref());
    match effect {
        Effect::CreatePrimary(_) if seen.primary != Known::Absent => {
            Some("a primary is made although there is one, or may be")
        }
        Effect::CreatePrimary(revision)
            if memory.phase != Phase::Initializing
                && memory.held.as_ref() != Some(revision)
                && !(memory.phase == Phase::Promoting && memory.applied.as_ref() == Some(revision)) =>
        {
            Some("a primary is made from a revision that was not vetted")
        }
        Effect::Promote(revision) if held() == Some(revision) => Some("the same revision is copied twice"),
        Effect::Promote(_) if memory.phase == Phase::Initializing => {
            let works = !replaceable(memory, seen);
            works.then_some("a primary that works is overwritten by an initialisation")
        }
        Effect::Promote(revision)
            if memory.phase != Phase::Promoting || memory.applied.as_ref() != Some(revision) =>
        {
            Some("something else is copied than was analysed")
        }
        Effect::Configs if !holds_the_target(seen) => Some("configuration is copied that was not promoted"),
        Effect::Release if memory.phase == Phase::Initializing || memory.previous.is_empty() => {
            Some("the earlier binding is released before the new one serves")
        }
        Effect::Apex | Effect::Route(_)
            if memory.phase == Phase::Initializing
                && !seen.primary_takes_traffic()
                && seen.canary_serves() =>
        {
            Some("traffic moves to a new primary that does not serve")
        }
        Effect::Restore if memory.phase != Phase::Initializing || memory.previous.is_empty() => {
            Some("Services move to an earlier primary although no binding moves")
        }
        Effect::Restore if seen.former.is_none() => {
            Some("Services move to an earlier primary without a ready pod")
        }
        Effect::Restore if !may_restore(seen) => {
            Some("Services move to an earlier primary although the new one has a pod that works")
        }
        Effect::Release if seen.backends != SyncState::InSync => {
            Some("the earlier binding is released while Services may select it")
        }
        Effect::Backends if seen.primary_serves() && !seen.primary.present().is_some_and(takes_traffic) => {
            Some("Services move from ready pods to a primary without any")
        }
        Effect::Backends
            if memory.phase == Phase::Initializing
                && !memory.previous.is_empty()
                && !seen.primary.present().is_some_and(|primary| {
                    primary.replicas == 0 || primary.readiness == Readiness::Ready
                }) =>
        {
            Some("Services move to a new primary that is not ready")
        }
        Effect::ScaleToZero if memory.ending.is_none() && memory.phase != Phase::Initializing => {
            Some("the target is scaled to zero although nothing ends")
        }
        Effect::ScaleToZero if matches!(seen.routes, LiveRoutes::NotKnown | LiveRoutes::Invalid(_)) => {
            Some("the target is scaled to zero although its traffic is not known")
        }
        Effect::ScaleToZero
            if seen.target_scaler != TargetScaler::Scales
                && seen.target.present().is_some_and(|pods| pods.replicas == 0) =>
        {
            Some("the target is scaled to zero twice")
        }
        Effect::RevertTarget if memory.phase != Phase::Terminating => {
            Some("the target is reverted although the Canary is not being deleted")
        }
        Effect::ReleaseTraffic if !memory.released => {
            Some("traffic is given back before the target can take it")
        }
        Effect::ScaleUp if memory.ending.is_some() || memory.at_rest() => {
            Some("the target is scaled up although no rollout goes on")
        }
        _ => None,
    }
}

/// A pod of it is available, or none is wanted.
fn takes_traffic(primary: &Pods) -> bool {
    primary.available > 0 || primary.replicas == 0
}
