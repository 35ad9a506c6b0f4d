//! What must hold of every decision and every effect, as functions.
//!
//! [`crate::advance`] and [`crate::next_effect`] check their own results: what breaks a law is returned as
//! [`crate::Step::Unlawful`] or [`crate::Next::Unlawful`], which no caller can write by mistake. It takes a defect of
//! the engine to get there. Tests and the model check use the same functions.

mod choice;

use choice::broken_by_choice;

use crate::{
    Answer, Cause, Convergence, Effect, Exposure, Facts, Known, LiveRoutes, Memory, Observed, Outcome,
    Pending, Phase, Readiness, SyncState,
};

/// What is wrong with a decision, given what was known when it was made; `None` when nothing is. Includes every law
/// about a memory and about a change of the memory.
pub fn broken_by_transition(before: &Memory, after: &Memory, facts: &Facts) -> Option<&'static str> {
    broken_by_change(before, after)
        .or_else(|| broken_by_memory(after))
        .or_else(|| broken_by_decision(before, after, facts))
}

/// What is wrong with an effect before it is carried out; `None` when nothing is. A change of routes is judged by its
/// result.
pub fn broken_by_effect(memory: &Memory, seen: &Observed, effect: &Effect) -> Option<&'static str> {
    broken_by_choice(memory, seen, effect).or_else(|| {
        let Effect::Route(routes) = effect else { return None };
        let routes = LiveRoutes::Present { routes: *routes, in_sync: true };
        broken_by_outcome(seen, &Observed { routes, ..seen.clone() })
    })
}

/// Whether a Canary may go from one phase to another. These are Flagger's phases and their order, which dashboards and
/// `kubectl wait` depend on.
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
        // An edit of the binding is a new initialisation, once no rollout is in progress.
        Initialized | Succeeded | Failed => matches!(to, Waiting | Progressing | Initializing),
        Waiting => matches!(to, Progressing | Succeeded | Failed | Initializing),
        Progressing | WaitingPromotion => {
            matches!(to, Progressing | WaitingPromotion | Promoting | Failed | Succeeded | Initializing)
        }
        Promoting => matches!(to, Finalising | Failed | Progressing),
        // A primary that is lost before it has its traffic back is healed by what is pushed.
        Finalising => matches!(to, Succeeded | Failed | Progressing),
        // Without a deletion: the status was restored with another Canary.
        Terminating => matches!(to, Phase::Terminated | Initializing),
        Phase::Terminated => to == Initializing,
    }
}

/// What is wrong with a memory, whatever came before it; `None` when nothing is.
fn broken_by_memory(memory: &Memory) -> Option<&'static str> {
    let idle = matches!(memory.phase, Phase::Initialized | Phase::Waiting | Phase::Succeeded | Phase::Failed);
    if memory.exposure != Exposure::Share && (memory.ending.is_some() || idle) {
        return Some("no rollout goes on and the canary is to have requests");
    }
    if memory.ending.is_some() && !memory.weight.is_zero() {
        return Some("an ending leaves traffic on the canary");
    }
    let ends = memory.ending.is_some() || memory.phase == Phase::Initializing || memory.released;
    if memory.drain.is_some() && !ends {
        return Some("a drain without an ending");
    }
    if memory.phase == Phase::Terminating && (memory.ending.is_some() || memory.post_rollout.is_some()) {
        return Some("a rollout goes on although the Canary is being deleted");
    }
    if memory.post_rollout.is_some() && (!idle || memory.ending.is_some()) {
        return Some("the hooks after a rollout are due before its end");
    }
    if idle && !memory.weight.is_zero() && memory.phase != Phase::Failed {
        return Some("no rollout goes on and the canary is to have traffic");
    }
    if memory.phase == Phase::Succeeded && !memory.from_flagger && memory.promoted != memory.held {
        return Some("a rollout succeeded and the primary does not hold what was promoted");
    }
    None
}

/// What is wrong with a change of the memory; `None` when nothing is.
fn broken_by_change(before: &Memory, after: &Memory) -> Option<&'static str> {
    if !may_follow(before.phase, after.phase) {
        return Some("the phases do not follow each other");
    }
    let starts = before.phase != after.phase
        && after.phase == Phase::Progressing
        && !matches!(before.phase, Phase::WaitingPromotion | Phase::Promoting);
    if after.run != before.run + u64::from(starts) {
        return Some("runs are not counted once each");
    }
    if after.phase == before.phase && after.run == before.run && after.failed_checks < before.failed_checks {
        let restarted = after.applied != before.applied;
        if !restarted {
            return Some("failed checks went down within a run");
        }
    }
    let bound = |memory: &Memory| memory.binding.clone().unwrap_or_default();
    let rebound = !bound(before).agrees(&bound(after));
    // A deletion ends a migration that never served.
    let taken_back = after.phase == Phase::Terminating
        && before.previous.iter().any(|former| former.agrees(&bound(after)));
    if rebound && before.binding.is_some() && after.phase != Phase::Initializing && !taken_back {
        return Some("the binding changed without an initialisation");
    }
    if rebound && !after.weight.is_zero() && before.binding.is_some() {
        return Some("the binding changed while the canary was to have traffic");
    }
    // A push that interrupts the end of a promotion leaves the primary with what was promoted.
    let ended = before.ending.as_ref().is_some_and(|ending| ending.result == Outcome::Promoted);
    if ended && after.ending.is_none() && after.phase == Phase::Progressing && after.promoted != before.held {
        return Some("the primary's revision does not count as promoted although it was");
    }
    let interrupted = ended && after.promoted == before.held;
    if before.promoted != after.promoted
        && !rebound
        && !interrupted
        && !matches!(after.phase, Phase::Initialized | Phase::Succeeded | Phase::Failed)
        && !before.from_flagger
    {
        return Some("the promoted revision changed in the middle of a run");
    }
    None
}

/// What is wrong with a decision, given what was known when it was made; `None` when nothing is.
fn broken_by_decision(before: &Memory, after: &Memory, facts: &Facts) -> Option<&'static str> {
    let target = facts.seen.target.present();
    let settled = facts.convergence == Convergence::Settled;
    if after.phase == Phase::Promoting && before.phase != Phase::Promoting {
        let vetted = target.is_some_and(|pods| pods.revision.is_some() && pods.revision == before.applied);
        if !vetted || after.applied != before.applied || !is_ready(&facts.seen) || !settled {
            return Some("a promotion begins with something else than was analysed");
        }
    }
    let ends = before.phase != after.phase
        && matches!(after.phase, Phase::Initialized | Phase::Succeeded | Phase::Failed);
    let failed_promotion = before.phase == Phase::Promoting && after.phase == Phase::Failed;
    // What was pushed is gone before the gate was opened: nothing was done for it.
    let withdrawn = before.phase == Phase::Waiting && before.ending.is_none();
    if ends && !failed_promotion && !withdrawn {
        let drained = before.drain.is_some_and(|drain| drain.until <= facts.now);
        let gone = target.map_or(facts.seen.target == Known::Absent, |pods| pods.replicas == 0);
        let rested =
            settled || matches!(facts.convergence, Convergence::Pending(Pending::DegradedOptional(_)));
        if !drained || !gone || !rested {
            return Some("a rollout ended before traffic and pods were gone");
        }
    }
    let manual = |memory: &Memory| memory.ending.as_ref().is_some_and(|ending| ending.cause == Cause::Manual);
    if manual(after) && !manual(before) && !facts.answers.values().any(|answer| *answer == Answer::Passed) {
        return Some("a rollback was decided that no hook asked for");
    }
    if rebinds(before, after) && (!before.weight.is_zero() || carries(&facts.seen)) {
        return Some("another binding is in force while the canary has traffic");
    }
    broken_by_shift(before, after, &facts.seen).or_else(|| broken_by_deletion(before, after, facts))
}

/// What is wrong with a decision about a Canary that is being deleted.
fn broken_by_deletion(before: &Memory, after: &Memory, facts: &Facts) -> Option<&'static str> {
    let seen = &facts.seen;
    if after.phase == Phase::Terminated && before.phase == Phase::Terminating {
        let drained = before.drain.is_some_and(|drain| drain.until <= facts.now);
        if !drained || !before.released {
            return Some("a deletion ended before traffic was given back");
        }
    }
    // What was waited for in vain is reported as such.
    let waited = before.wait.is_some() || before.waited_ms > 0 || facts.waiting.kind.is_some();
    let hidden = matches!(seen.backends, SyncState::OutOfSync | SyncState::Missing);
    let is_ready = seen.target.present().is_some_and(|pods| pods.readiness == Readiness::Ready);
    let serves =
        seen.canary_serves() || seen.primary_sleeps() || seen.target == Known::Absent || hidden && is_ready;
    (after.released && !before.released && !serves && !waited)
        .then_some("traffic goes back to a target without a ready pod that was not waited for")
}

fn rebinds(before: &Memory, after: &Memory) -> bool {
    match (&before.binding, &after.binding) {
        (Some(old), Some(new)) => !old.agrees(new),
        _ => false,
    }
}

/// The canary has traffic.
fn carries(seen: &Observed) -> bool {
    matches!(&seen.routes, LiveRoutes::Present { routes, .. } if !routes.canary().is_zero())
}

fn is_ready(seen: &Observed) -> bool {
    seen.target.present().is_some_and(|pods| pods.readiness == Readiness::Ready)
}

/// What is wrong with a decision about traffic.
fn broken_by_shift(before: &Memory, after: &Memory, seen: &Observed) -> Option<&'static str> {
    // What another operator left behind is adopted as it is, then judged.
    if before.from_flagger {
        return None;
    }
    if after.weight > before.weight {
        if !seen.canary_serves() {
            return Some("more traffic was decided for a canary without a ready pod");
        }
        if !is_ready(seen) && seen.primary_serves() && after.phase == Phase::Progressing {
            return Some("more traffic was decided for a canary that is not ready");
        }
    }
    let goes_on = after.ending.is_none() && after.applied == before.applied;
    let only_copy = seen.primary_is_gone() && seen.canary_serves();
    (after.weight < before.weight && goes_on && only_copy)
        .then_some("less traffic was decided for the only copy with a ready pod")
}

/// What an effect did to traffic; `None` when it did no harm. `before` and `after` are what is observed around it.
pub fn broken_by_outcome(before: &Observed, after: &Observed) -> Option<&'static str> {
    let weight = |seen: &Observed| match &seen.routes {
        LiveRoutes::Present { routes, .. } => Some(routes.canary()),
        _ => None,
    };
    let (old, new) = (weight(before), weight(after));
    if let (Some(old), Some(new)) = (old, new) {
        if new > old && !before.canary_serves() {
            return Some("traffic was moved to a canary without a ready pod");
        }
        if new < old && !before.primary_takes_traffic() && before.canary_serves() {
            return Some("traffic was moved to a primary without a ready pod while the canary has one");
        }
    }
    let replicas = |seen: &Observed| seen.target.present().map(|pods| pods.replicas);
    if replicas(before).is_some_and(|n| n > 0) && replicas(after) == Some(0) {
        if new.is_some_and(|weight| !weight.is_zero()) {
            return Some("the target was scaled to zero while it carried traffic");
        }
        if !before.primary_takes_traffic() && before.canary_serves() {
            return Some("the target was scaled to zero while only it had a ready pod");
        }
    }
    None
}
