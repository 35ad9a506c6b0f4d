//! A revision that is pushed during a rollout: the analysis begins anew.

use crate::{
    LiveRoutes, Message, Outcome, Phase, Revision, Weight,
    draft::{Draft, Need},
};

/// The rollout is over, but cannot end because the primary serves nothing. A revision pushed since heals it.
pub(crate) fn superseded_by_push(draft: &Draft<'_>) -> bool {
    draft.memory.ending.is_some() && draft.facts.seen.primary_is_down() && new_revision(draft).is_some()
}

/// The target's revision, when it is not the one under analysis.
pub(crate) fn new_revision(draft: &Draft<'_>) -> Option<Revision> {
    let revision = draft.facts.seen.target.present()?.revision.clone()?;
    (draft.memory.applied.as_ref() != Some(&revision)).then_some(revision)
}

/// Another revision was pushed: from the start, without traffic, unless the canary has all of it because the primary
/// has no ready pod.
pub(crate) fn restart(draft: &mut Draft<'_>) -> Need<()> {
    let Some(revision) = draft.facts.seen.target.present().and_then(|pods| pods.revision.clone()) else {
        return Ok(());
    };
    let only_copy = carries_all(draft) && !draft.facts.seen.primary_takes_traffic();
    let target = draft.target();
    draft.enter(Phase::Progressing);
    draft.notify(Message::AnalysisRestarted { target });
    draft.set_weight(if only_copy { Weight::FULL } else { Weight::ZERO });
    if draft.memory.ending.as_ref().is_some_and(|ending| ending.result == Outcome::Promoted) {
        // What the primary runs passed its analysis, although its rollout did not come to its end.
        draft.memory.promoted.clone_from(&draft.memory.held);
    }
    if only_copy && !draft.memory.heals() {
        // Once the primary is back, the new revision goes through all steps.
        draft.memory.withheld = Some(Weight::ZERO);
    }
    draft.memory.ending = None;
    draft.memory.drain = None;
    draft.memory.analyse(revision);
    Ok(())
}

/// The canary has all traffic, or still has it although its rollout is to end.
fn carries_all(draft: &Draft<'_>) -> bool {
    let seen = &draft.facts.seen;
    let live = matches!(&seen.routes, LiveRoutes::Present { routes, .. } if routes.canary() == Weight::FULL);
    draft.memory.weight == Weight::FULL || live && draft.memory.ending.is_some() && seen.canary_serves()
}
