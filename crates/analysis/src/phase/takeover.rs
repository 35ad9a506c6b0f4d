//! A Canary that Flagger managed before: its revisions cannot be compared with Vexil's, so what is found is taken as it
//! is, once, before anything is decided or changed. No rollout starts by it.

use crate::{
    Cause, Ending, Exposure, HookKind, Known, LiveRoutes, Outcome, Phase, Weight,
    draft::{Draft, Need},
    phase::waits,
};

/// Adopts revisions from the workloads and the weight from the routes. What the primary holds has been compared with
/// the target: it is the target's revision when a copy would change nothing, and else not known.
pub(crate) fn adopt(draft: &mut Draft<'_>) -> Need<()> {
    let seen = &draft.facts.seen;
    let (Some(target), true) = (seen.target.present(), seen.primary != Known::NotKnown) else {
        return waits::not_settled(draft).map(drop);
    };
    let held = seen.primary.present().and_then(|primary| primary.revision.clone());
    let Some(found) = target.revision.clone() else { return Ok(()) };
    let (live, exposure) = match &seen.routes {
        LiveRoutes::NotKnown => return Ok(()),
        LiveRoutes::Present { routes, .. } => (routes.canary(), Exposure::of(routes)),
        LiveRoutes::Absent | LiveRoutes::Invalid(_) => (draft.memory.weight, Exposure::Share),
    };
    let copied = held.as_ref() == Some(&found);
    draft.memory.from_flagger = false;
    draft.memory.held.clone_from(&held);
    draft.memory.promoted.clone_from(&held);
    match draft.memory.phase {
        Phase::Progressing | Phase::WaitingPromotion => {
            draft.set_weight(live);
            draft.memory.exposure = exposure;
            draft.memory.prepared = !live.is_zero() || draft.memory.iterations > 0;
            draft.memory.applied = Some(found);
            // The last change of the status was the last step, so the next one is not taken at once.
            draft.memory.last_step = draft.memory.changed;
        }
        // The primary is overwritten already: forward.
        Phase::Promoting if copied => {
            draft.set_weight(live);
            draft.memory.exposure = exposure;
            draft.memory.applied = Some(found);
            draft.memory.promoted = None;
        }
        // It is not known whether this is what was analysed.
        Phase::Promoting => {
            draft.enter(Phase::Progressing);
            draft.set_weight(Weight::ZERO);
            draft.memory.applied = Some(found);
        }
        // It waits for a gate. Without one, no other run was requested.
        Phase::Waiting => {
            draft.set_weight(Weight::ZERO);
            let gated = draft.plan.hooks_of(HookKind::ConfirmRollout).next().is_some();
            draft.memory.applied = if gated { held } else { Some(found) };
        }
        Phase::Failed if live.is_zero() => draft.memory.applied = Some(found),
        // The promotion failed: the canary serves until the primary can.
        Phase::Failed if copied => {
            draft.set_weight(live);
            draft.memory.applied = Some(found);
            draft.memory.promoted = None;
        }
        Phase::Failed => {
            draft.set_weight(Weight::ZERO);
            draft.memory.applied = Some(found);
            draft.memory.ending = Some(Ending { result: Outcome::RolledBack, cause: Cause::Promotion });
        }
        // It was promoted, and its end is in progress.
        Phase::Finalising => {
            draft.set_weight(Weight::ZERO);
            draft.memory.applied = held.or(Some(found));
            draft.memory.ending = Some(Ending { result: Outcome::Promoted, cause: Cause::Passed });
        }
        // Without a primary nothing is known of the target: what is pushed next is looked at.
        _ if seen.primary == Known::Absent => {
            draft.set_weight(Weight::ZERO);
            draft.memory.applied = Some(found);
        }
        // A target that differs from the primary is then a new revision.
        _ => {
            draft.set_weight(Weight::ZERO);
            draft.memory.applied = held;
        }
    }
    Ok(())
}
