//! The initialisation: the primary is made, traffic moves to it, the target goes to zero.

use crate::{
    Answer, Known, Millis, Pause, Phase, Question, World,
    draft::{Draft, Need},
    phase::trouble,
};

/// A Canary nobody has looked at yet.
pub(crate) fn begin(draft: &mut Draft<'_>) -> Need<()> {
    draft.enter(Phase::Initializing);
    follow_target(draft);
    Ok(())
}

/// The primary is to be made from the revision that the target has now. Remembered first, so that the copy can be
/// checked against it.
fn follow_target(draft: &mut Draft<'_>) {
    if let Some(pods) = draft.facts.seen.target.present() {
        draft.memory.applied.clone_from(&pods.revision);
    }
}

/// The steps after the primary is ready: wait until traffic is there, drain, scale down.
pub(crate) fn go_on(draft: &mut Draft<'_>) -> Need<()> {
    if matches!(draft.facts.world, World::Waits(Pause::TargetMoved)) || draft.memory.applied.is_none() {
        if draft.facts.seen.primary == Known::Absent || draft.memory.applied.is_none() {
            follow_target(draft);
        }
        return if draft.facts.seen.target == Known::Absent {
            trouble::target_missing(draft).map(drop)
        } else {
            Ok(())
        };
    }
    if trouble::drains_anew(draft) || trouble::unsettled(draft)?.is_some() {
        return Ok(());
    }
    match draft.memory.drain_until {
        None => drain(draft),
        Some(_) => {
            finish(draft);
            Ok(())
        }
    }
}

/// Traffic is on the primary now; connections to the target are given time to end.
fn drain(draft: &mut Draft<'_>) -> Need<()> {
    if !draft.plan.skip_analysis {
        match draft.ask(Question::Providers)? {
            Answer::Passed => draft.normal("all the metrics providers are available!".to_owned()),
            Answer::Failed(error) | Answer::Lost(error) => {
                draft.warn(format!("Error checking metric providers: {error}"));
                draft.as_error();
            }
        }
    }
    let until: Millis = draft.facts.now.plus(draft.plan.drain_ms());
    draft.memory.drain_until = Some(until);
    draft.wake_at(until);
    Ok(())
}

fn finish(draft: &mut Draft<'_>) {
    let held = draft.facts.seen.primary.present().and_then(|pods| pods.revision.clone());
    draft.enter(Phase::Initialized);
    draft.memory.applied.clone_from(&held);
    draft.memory.promoted.clone_from(&held);
    draft.memory.held = held;
    draft.memory.foreign = false;
    draft.memory.drain_until = None;
    let (canary, kind) = (draft.canary(), &draft.plan.names.kind);
    let alert = format!("New {kind} detected, initialization completed.");
    draft.normal_with_alert(format!("Initialization done! {canary}"), alert);
}
