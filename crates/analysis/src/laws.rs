//! The invariants as functions: used by tests, by the model checker and at run time.

use crate::{LiveRoutes, Memory, Observed, Phase};

/// Whether a Canary may go from one phase to another (`analysis.md` section 8).
pub fn may_follow(from: Phase, to: Phase) -> bool {
    use Phase::{
        Failed, Finalising, Initialized, Initializing, New, Progressing, Promoting, Succeeded, Terminating,
        Waiting, WaitingPromotion,
    };
    if from == to || to == Terminating {
        return true;
    }
    match from {
        New => to == Initializing,
        Initializing => to == Initialized,
        Initialized | Succeeded | Failed => matches!(to, Waiting | Progressing),
        Waiting => matches!(to, Progressing | Succeeded),
        Progressing | WaitingPromotion => {
            matches!(to, Progressing | WaitingPromotion | Promoting | Failed | Succeeded)
        }
        Promoting => matches!(to, Finalising | Failed | Progressing),
        Finalising => matches!(to, Succeeded | Failed),
        Terminating => to == Phase::Terminated,
        Phase::Terminated => false,
    }
}

/// What is wrong with a step from `before` to `after`; `None` when nothing is.
pub fn broken_by_step(before: &Memory, after: &Memory) -> Option<&'static str> {
    if !may_follow(before.phase, after.phase) {
        return Some("the phases do not follow each other");
    }
    if after.phase == before.phase && after.run == before.run && after.failed_checks < before.failed_checks {
        let restarted = after.applied != before.applied;
        if !restarted {
            return Some("failed checks went down within a run");
        }
    }
    if before.promoted != after.promoted
        && !matches!(after.phase, Phase::Initialized | Phase::Succeeded | Phase::Failed)
        && !before.foreign
    {
        return Some("the promoted revision changed in the middle of a run");
    }
    if after.ending.is_some() && !after.weight.is_zero() {
        return Some("an ending leaves traffic on the canary");
    }
    None
}

/// What is dangerous about a state of the world; `None` when nothing is. `before` and `after` an effect.
pub fn broken_by_effect(before: &Observed, after: &Observed) -> Option<&'static str> {
    let weight = |seen: &Observed| match &seen.routes {
        LiveRoutes::Are { routes, .. } => Some(routes.canary()),
        _ => None,
    };
    let (old, new) = (weight(before), weight(after));
    if let (Some(old), Some(new)) = (old, new) {
        if new > old && !before.canary_serves() {
            return Some("traffic was moved to a canary without a ready pod");
        }
        if new < old && !before.primary_serves() && before.canary_serves() {
            return Some("traffic was moved to a primary without a ready pod while the canary has one");
        }
    }
    let replicas = |seen: &Observed| seen.target.present().map(|pods| pods.replicas);
    if replicas(before).is_some_and(|n| n > 0) && replicas(after) == Some(0) {
        if new.is_some_and(|weight| !weight.is_zero()) {
            return Some("the target was scaled to zero while it carried traffic");
        }
        if !before.primary_serves() {
            return Some("the target was scaled to zero while the primary had no ready pod");
        }
    }
    None
}
