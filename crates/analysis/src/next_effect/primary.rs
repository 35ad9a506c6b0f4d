//! What becomes of the primary: made, rebuilt or overwritten, each only from a revision that may be there.

use super::{Effect, Next, sync};
use crate::{Known, Memory, Observed, Pending, Phase, Pods, Readiness, Revision, SyncState};

/// The primary is made by the initialisation. Later it is rebuilt only from the very revision that it held; a rollout
/// continues without it, because the revision under analysis heals it.
pub(super) fn primary(memory: &Memory, seen: &Observed) -> Option<Next> {
    if let Some(text) = seen.primary_owner_conflict() {
        let initial = memory.phase == Phase::Initializing;
        return initial.then(|| Next::Wait(Pending::Invalid(text.to_owned())));
    }
    if let (SyncState::Invalid(text), Phase::Initializing) = (&seen.backends, memory.phase) {
        // Nothing is made that its Services could not select.
        return Some(Next::Wait(Pending::Invalid(text.clone())));
    }
    let runs = matches!(memory.phase, Phase::Progressing | Phase::WaitingPromotion);
    match (&seen.primary, &seen.target) {
        (Known::Present(_), _) => initial_readiness(memory, seen),
        (Known::NotKnown, _) | (Known::Absent, Known::NotKnown) => Some(Next::Wait(Pending::NotObserved)),
        (Known::Absent, Known::Absent) if runs => None,
        (Known::Absent, Known::Absent) => Some(Next::Wait(Pending::TargetMissing)),
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
                _ if memory.phase == Phase::Initializing => Some(Next::Wait(Pending::TargetChanged)),
                _ if runs && memory.ending.is_none() => None,
                _ => Some(Next::Wait(Pending::PrimaryMissing)),
            }
        }
    }
}

/// A primary that never had a working pod is overwritten with what was pushed since; nothing moves to one before it is
/// ready. Its own state counts, not its Service: while a binding moves, that still selects the old primary.
fn initial_readiness(memory: &Memory, seen: &Observed) -> Option<Next> {
    let pods = seen.primary.present().filter(|_| memory.phase == Phase::Initializing)?;
    if pods.replicas == 0 {
        return None;
    }
    let text = match &pods.readiness {
        Readiness::Ready => return None,
        Readiness::Waiting(text) | Readiness::Failed(text) => text.clone(),
    };
    match &memory.applied {
        Some(applied) if replaceable(memory, seen) && pods.revision.as_ref() != Some(applied) => {
            copy(applied, seen)
        }
        _ => Some(Next::Wait(Pending::PrimaryNotReady(Some(text)))),
    }
}

/// Whether an initialisation may copy another revision over the primary: nothing that it held was promoted, and it is
/// not ready. One with a promoted revision is only waited for; see `phase::initializing` for how long.
pub(crate) fn replaceable(memory: &Memory, seen: &Observed) -> bool {
    let Some(primary) = seen.primary.present() else { return false };
    memory.held.is_none() && primary.replicas > 0 && primary.readiness != Readiness::Ready
}

/// The target is copied if it is at this revision.
fn copy(revision: &Revision, seen: &Observed) -> Option<Next> {
    Some(match &seen.target {
        Known::NotKnown => Next::Wait(Pending::NotObserved),
        Known::Absent => Next::Wait(Pending::TargetMissing),
        Known::Present(target) if target.revision.as_ref() == Some(revision) => {
            Next::Do(Effect::Promote(revision.clone()))
        }
        Known::Present(_) => Next::Wait(Pending::TargetChanged),
    })
}

/// The primary's copies of configuration are those of the target, and so restored only while both are the same: what
/// the target uses besides was not promoted.
pub(super) fn configs(memory: &Memory, seen: &Observed) -> Option<Next> {
    if !holds_the_target(seen) {
        return None;
    }
    sync(memory, &seen.configs, Effect::Configs)
}

/// The primary was copied from the target as it is now.
pub(crate) fn holds_the_target(seen: &Observed) -> bool {
    let revision = |known: &Known<Pods>| known.present().and_then(|pods| pods.revision.clone());
    revision(&seen.primary).is_some() && revision(&seen.primary) == revision(&seen.target)
}

/// What was analysed is copied, once.
pub(super) fn promotion(memory: &Memory, seen: &Observed) -> Option<Next> {
    let applied = memory.applied.as_ref()?;
    if memory.phase != Phase::Promoting || memory.ending.is_some() {
        return None;
    }
    let primary = seen.primary.present().filter(|primary| primary.owner_conflict.is_none())?;
    if primary.revision.as_ref() == Some(applied) {
        return None;
    }
    copy(applied, seen)
}
