//! Between rollouts: look for a new revision, for a primary that has recovered, and for hooks still to be asked.

use crate::{
    Cause, Ending, Known, Outcome, Phase, Readiness, Revision, Side, WaitKind,
    draft::{Draft, Need},
    phase::{ending, progressing, trouble},
};

/// The user wants nothing to happen. Told once.
pub(crate) fn suspended(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.wait.as_ref().is_none_or(|wait| wait.kind != WaitKind::Suspended) {
        let since = draft.facts.now;
        draft.memory.wait = Some(crate::Wait { kind: WaitKind::Suspended, since });
        draft.normal("skipping canary run as object is suspended".to_owned());
    }
    Ok(())
}

/// Initialized, Waiting, Succeeded or Failed.
pub(crate) fn look(draft: &mut Draft<'_>) -> Need<()> {
    if draft.memory.ending.is_some() {
        return ending::go_on(draft);
    }
    if draft.memory.post_rollout.is_some() {
        return ending::ask_hooks(draft);
    }
    progressing::withhold(draft);
    if draft.memory.promotion_failed() && primary_ready(draft) {
        return ending::begin(draft, Ending { result: Outcome::Recovered, cause: Cause::Promotion });
    }
    let Some(revision) = draft.facts.seen.target.present().and_then(|pods| pods.revision.clone()) else {
        return match draft.facts.seen.target {
            Known::Absent => trouble::target_missing(draft).map(drop),
            Known::NotKnown | Known::Present(_) => trouble::unsettled(draft).map(drop),
        };
    };
    draft.waited(WaitKind::TargetMissing);
    if draft.memory.held.as_ref() == Some(&revision) {
        // Back to what the primary runs: pushing the failed revision once more is then a new run.
        draft.memory.applied = Some(revision);
        return rest(draft);
    }
    if draft.memory.applied.as_ref() == Some(&revision) {
        return rest(draft);
    }
    if draft.memory.promotion_failed() || primary_ready(draft) {
        start(draft, revision);
        return Ok(());
    }
    let text = draft.facts.seen.primary.present().and_then(|pods| trouble::unready(&pods.readiness));
    match text.map(str::to_owned) {
        Some(text) => trouble::pods(draft, WaitKind::Primary, Side::Primary, text).map(drop),
        None => trouble::unsettled(draft).map(drop),
    }
}

/// Nothing is new. Zero replicas are an act, not a state: a target that somebody gave pods is left alone, and told
/// once.
fn rest(draft: &mut Draft<'_>) -> Need<()> {
    let up = draft.facts.seen.target.present().is_some_and(|pods| pods.replicas > 0);
    if trouble::unsettled(draft)?.is_some() || !up || draft.memory.promotion_failed() {
        return Ok(());
    }
    let text =
        format!("{} was scaled up between rollouts; it gets no traffic and is left alone", draft.target());
    draft.wait(WaitKind::ScaledUp, |_| Ok(text)).map(drop)
}

fn primary_ready(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    seen.primary_serves() && seen.primary.present().is_some_and(|pods| pods.readiness == Readiness::Ready)
}

/// A new revision. After a failed promotion the canary keeps the traffic that it carries.
fn start(draft: &mut Draft<'_>, revision: Revision) {
    let carried = draft.memory.weight;
    draft.enter(Phase::Progressing);
    draft.shift(carried);
    draft.memory.applied = Some(revision);
    draft.memory.iterations = 0;
    draft.memory.failed_checks = 0;
    draft.memory.last_step = None;
    draft.memory.run += 1;
    let target = draft.target();
    draft.normal_with_alert(
        format!("New revision detected! Scaling up {target}"),
        "New revision detected, progressing canary analysis.".to_owned(),
    );
}
