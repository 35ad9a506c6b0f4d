//! A new revision is the way out: from every state, a good one that is pushed ends on the primary, with all traffic.

use vexil_analysis::Phase;

use super::{
    Rollout,
    quiet::{FAIR, calm},
    state::State,
    world::{Pods, Rev, Workload},
};

impl Rollout {
    /// Why a good revision does not end as it should.
    pub fn uncured(&self, state: &State) -> Option<&'static str> {
        if state.memory.from_flagger {
            // What the target is when a Canary is taken over counts as applied: nothing starts that was not asked for.
            return None;
        }
        if state.world.deleted {
            return None;
        }
        let rest = match self.rest(&cure(state), FAIR) {
            Ok(rest) => rest,
            Err(law) => return Some(law),
        };
        let good = Some(Rev::Good.revision());
        if !matches!(rest.phase, Phase::Succeeded | Phase::Initialized) {
            return Some("a good revision was pushed and did not succeed");
        }
        if rest.held != good || rest.promoted != good || rest.applied != good {
            return Some("a good revision was pushed and the primary does not hold it");
        }
        (rest.routes != Some(0)).then_some("a good revision succeeded without the traffic")
    }
}

/// The state after the push: the spec is valid, the targets exist, nothing but the operator is awaited.
fn cure(state: &State) -> State {
    let mut cured = calm(state);
    (cured.spec.halted, cured.spec.suspended) = (false, false);
    for target in [&mut cured.world.target, &mut cured.world.aside.target] {
        match target {
            Some(target) => target.roll(Rev::Good),
            None => *target = Some(Workload::new(Rev::Good, Pods::Coming)),
        }
    }
    cured.process.idle = false;
    cured
}
