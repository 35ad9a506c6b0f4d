//! Liveness as safety: from every state, when nothing happens any more, the rollout comes to rest, and says so.

use std::collections::{BTreeSet, HashMap};

use ahash::RandomState;
use vexil_analysis::{Next, Phase, Plan, Revision, WaitKind, next_effect};

use super::{
    Reply, Rollout,
    state::{GAVE_UP, NOW, Process, State},
    world::{Object, Side, Workload},
};

/// The conditions while nothing else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// Pods come, writes are allowed, the user is done with suspending; else all stays as it is.
    pub fair: bool,
    /// What hooks and checks say.
    pub reply: Reply,
}

pub const FAIR: Conditions = Conditions { fair: true, reply: Reply::Pass };

const CONDITIONS: [Conditions; 4] = [
    FAIR,
    Conditions { fair: false, ..FAIR },
    Conditions { reply: Reply::Fail, ..FAIR },
    Conditions { fair: false, reply: Reply::Fail },
];

/// Where a rollout came to rest; what a crash on the way must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    pub phase: Phase,
    pub applied: Option<Revision>,
    pub promoted: Option<Revision>,
    pub held: Option<Revision>,
    pub routes: Option<u8>,
    target_scaled: Option<bool>,
    wait: Option<WaitKind>,
}

pub type Known = HashMap<u64, Result<Rest, &'static str>, RandomState>;

/// So many steps without an event from outside are too many.
const MOST_STEPS: usize = 500;

impl Rollout {
    /// Why a state does not come to rest as it should.
    pub fn unrest(&self, state: &State) -> Option<&'static str> {
        let calm = calm(state);
        CONDITIONS.into_iter().find_map(|conditions| {
            let rest = match self.rest(&calm, conditions) {
                Ok(rest) => rest,
                Err(law) => return Some(law),
            };
            // A crash may delay a deadline by the time of an unreported wait, and the end of a drain by a drain, and so
            // change an end that is a matter of these seconds. Those two are kept here; `Action::Crash` loses them.
            let Process { unknown, waiting, running, .. } = calm.process;
            let process = Process { unknown, waiting, running, ..Process::default() };
            let crashed = self.rest(&State { process, ..calm.clone() }, conditions);
            (crashed.as_ref() != Ok(&rest)).then_some("a crash changes how the rollout ends")
        })
    }

    /// Under which conditions it does not.
    pub fn restless_under(&self, state: &State) -> Option<Conditions> {
        CONDITIONS.into_iter().find(|conditions| self.rest(&calm(state), *conditions).is_err())
    }

    /// The state in which everything has come to rest.
    pub fn rested(&self, state: State) -> State {
        let mut state = state;
        while let Some(next) = self.on(&state, FAIR) {
            state = next;
        }
        state
    }

    pub fn rest(&self, start: &State, conditions: Conditions) -> Result<Rest, &'static str> {
        let mut way = Vec::new();
        let mut passed = BTreeSet::new();
        let mut state = start.clone();
        let end = loop {
            let key = key(&state, conditions);
            if let Some(known) = self.known.lock().unwrap().get(&key) {
                break known.clone();
            }
            if !passed.insert(key) {
                // A closed gate is asked again and again.
                let gated = state.memory.wait.as_ref().is_some_and(|wait| wait.kind == WaitKind::Approval);
                break if gated { self.judge(&state, conditions) } else { Err("never comes to rest") };
            }
            way.push(key);
            if way.len() > MOST_STEPS {
                break Err("takes too many steps to come to rest");
            }
            match self.on(&state, conditions) {
                Some(next) => state = next,
                None => break self.judge(&state, conditions),
            }
        };
        let end = state.broken.map_or(end, Err);
        let mut known = self.known.lock().unwrap();
        way.into_iter().for_each(|key| drop(known.insert(key, end.clone())));
        end
    }

    /// One step on the way to rest; `None` at rest.
    fn on(&self, state: &State, conditions: Conditions) -> Option<State> {
        if !state.process.idle {
            let asked = self.step(state, conditions.reply);
            return asked.or_else(|| self.step(state, Reply::Pass));
        }
        let mut next = state.clone();
        if conditions.fair {
            next.world.heal();
            next.spec.suspended = false;
            if next != *state {
                next.process.idle = false;
                return Some(next);
            }
        }
        next.pass(state.until_next()?);
        Some(next)
    }

    /// What is wrong with a state in which nothing will happen any more.
    fn judge(&self, state: &State, conditions: Conditions) -> Result<Rest, &'static str> {
        let memory = &state.memory;
        let rest = Rest {
            phase: memory.phase,
            applied: memory.applied.clone(),
            promoted: memory.promoted.clone(),
            held: memory.held.clone(),
            routes: state.world.routes,
            target_scaled: state.world.target.map(|target| target.scaled),
            wait: memory.wait.as_ref().map(|wait| wait.kind),
        };
        if state.world.deleted {
            // A target that cannot be scaled up is given up, and that is reported.
            let reported = state.alerts & GAVE_UP != 0;
            let has_pods = state.world.target.is_none_or(|target| target.scaled);
            let ended = memory.phase == Phase::Terminated && (has_pods || reported);
            return if ended {
                Ok(rest)
            } else {
                Err("a deletion does not end, or leaves the target at zero")
            };
        }
        let refused = state.spec.halted && (memory.at_rest() || memory.phase == Phase::Initializing);
        if refused {
            // That the spec is refused is shown by the shell, once and for all phases.
            return stranded(state).map_or(Ok(rest), Err);
        }
        if state.spec.suspended {
            let reported = rest.wait == Some(WaitKind::Suspended);
            return if reported { Ok(rest) } else { Err("is suspended and does not say so") };
        }
        stranded(state).map_or(Ok(()), Err)?;
        let waiting = state.process.waiting.kind;
        if rest.wait.filter(|wait| *wait != WaitKind::Approval) != waiting {
            return Err("says that it waits for something else than it waits for");
        }
        let settled = next_effect(self.plan_of(state.spec), memory, &state.seen(), NOW) == Next::Settled;
        if rest.wait.is_none() && !(memory.at_rest() && settled) {
            return Err("makes no progress and does not say why");
        }
        match unhappy(self.plan_of(state.spec), state).filter(|_| rest.wait.is_none() || conditions.fair) {
            None => Ok(rest),
            Some(_) if rest.wait.is_some_and(|wait| is_users(state, wait)) => Ok(rest),
            Some(law) => Err(law),
        }
    }
}

/// Traffic goes to a copy without ready pods although the other one has some.
fn stranded(state: &State) -> Option<&'static str> {
    let serves = |workload: Option<Workload>| workload.is_some_and(|w| w.serves());
    let (canary, primary) =
        (serves(state.world.behind(Side::Canary)), serves(state.world.behind(Side::Primary)));
    let asleep = state.world.behind(Side::Primary).is_some_and(|primary| !primary.scaled);
    if lost_the_former_primary(state, primary || asleep) {
        return Some("Services lead to no ready pod although the earlier primary has some");
    }
    let (live, refused) =
        (state.world.routes?, state.world.refused == Some(Object::Routes) || state.world.unreadable);
    let memory = &state.memory;
    let analysed = state.world.target.map(|target| target.rev.revision()) == memory.applied;
    let stands_in = analysed && (!memory.at_rest() || memory.promotion_failed());
    if live > 0 && !canary && primary && !refused {
        return Some("traffic goes to a canary without pods although the primary has some");
    }
    let lost =
        live < 100 && !primary && !asleep && canary && stands_in && memory.phase != Phase::Initializing;
    (lost && !refused).then_some("traffic goes to a primary without pods although the canary has some")
}

/// In a migration, Services lead to no ready pod, or do not exist, although the earlier primary has some.
fn lost_the_former_primary(state: &State, serves: bool) -> bool {
    let migrates = state.memory.phase == Phase::Initializing && !state.memory.previous.is_empty();
    let has_pods = state.world.aside.primary.is_some_and(|primary| primary.serves());
    let may_act = !state.spec.halted && state.world.refused != Some(Object::Backends);
    migrates && may_act && has_pods && (!serves || !state.world.has_services())
}

/// Only the user can end it.
fn is_users(state: &State, wait: WaitKind) -> bool {
    let broken = state.world.broken.is_some() && wait == WaitKind::Primary;
    // A primary that was deleted is not built from an invalid spec.
    let halted = state.spec.halted && state.world.primary.is_none() && wait == WaitKind::InvalidSpec;
    // A primary whose promotion failed and that was scaled to zero is not scaled up.
    let asleep =
        state.memory.promotion_failed() && state.world.primary.is_some_and(|primary| !primary.scaled);
    broken
        || halted
        || asleep && wait == WaitKind::Primary
        || matches!(wait, WaitKind::TargetMissing | WaitKind::PrimaryMissing | WaitKind::Approval)
}

/// What is wrong with the end of a rollout.
fn unhappy(plan: &Plan, state: &State) -> Option<&'static str> {
    let memory = &state.memory;
    if !memory.at_rest() {
        return Some("did not end although the world is well");
    }
    if !memory.binding.as_ref().is_some_and(|binding| binding.agrees(&plan.binding)) {
        return Some("an edit of the binding was never acted on");
    }
    if state.world.aside.left || !memory.previous.is_empty() {
        return Some("what the earlier binding left was never released");
    }
    let target = state.world.target.map(|target| target.rev.revision());
    if target.is_some() && target != memory.applied {
        return Some("a pushed revision was never looked at");
    }
    if memory.promotion_failed() {
        return None;
    }
    if state.world.routes != Some(0) {
        return Some("the rollout is over and traffic is not on the primary");
    }
    let up = state.world.target.is_some_and(|target| target.scaled);
    (up && !state.scaled_by_user).then_some("the rollout is over and the target still has pods")
}

/// The same state after the last fault.
pub fn calm(state: &State) -> State {
    let mut calm = State {
        budget: 0,
        alerts: state.alerts & GAVE_UP,
        prepared: true,
        broken: None,
        observed_ms: None,
        stale: None,
        former_leader: None,
        ..state.clone()
    };
    calm.process.idle &= state.stale.is_none();
    calm
}

/// In place of the standard library's, which took a sixth of the whole check. The seeds are fixed, so that a run can be
/// repeated.
const HASHER: RandomState = RandomState::with_seeds(1, 2, 3, 4);

fn key(state: &State, conditions: Conditions) -> u64 {
    HASHER.hash_one((state, conditions))
}
