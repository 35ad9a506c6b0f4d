//! What can happen in a state: the operator goes on, pods come, time passes, and, a few times on each way, a fault.

use vexil_analysis::{Next, Phase, laws};

use super::{
    Reply, Rollout,
    state::{FormerLeader, NOW, Process, State},
    world::{Acted, Object, Pods, Side},
};

pub use super::edit::Fault;

const HOUR_MS: u64 = 3_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One effect or one decision.
    Step(Reply),
    /// The process is killed, and starts again.
    Crash,
    /// Time passes until something is to happen by itself.
    Time,
    /// Pods come, or come back.
    Ready(Side),
    /// The user takes a `suspend` back.
    Resume,
    /// The pods of the last scale-down are gone.
    Left,
    /// Writes are allowed again.
    Allow,
    /// The late cache catches up.
    CatchUp,
    /// The leader without the lease takes a step.
    FormerLeader,
    /// Something that is counted.
    Fault(Fault),
}

pub fn possible(model: &Rollout, state: &State, actions: &mut Vec<Action>) {
    if state.process.idle {
        let time = state.until_next().is_some();
        actions.extend(time.then_some(Action::Time));
    } else {
        actions.push(Action::Step(Reply::Pass));
        actions.extend(model.fails.then_some(Action::Step(Reply::Fail)));
        actions.extend(model.rolls_back.then_some(Action::Step(Reply::RollBack)));
    }
    actions.push(Action::Crash);
    for side in [Side::Canary, Side::Primary] {
        let waits = state
            .workload(side)
            .is_some_and(|w| w.scaled && w.pods != Pods::Ready && state.world.broken != Some(w.rev));
        actions.extend(waits.then_some(Action::Ready(side)));
    }
    actions.extend(state.world.target.is_some_and(|target| target.leaves).then_some(Action::Left));
    actions.extend(state.spec.suspended.then_some(Action::Resume));
    actions.extend(state.world.refused.is_some().then_some(Action::Allow));
    actions.extend(state.stale.is_some().then_some(Action::CatchUp));
    actions.extend(state.former_leader.is_some().then_some(Action::FormerLeader));
    // After its finalizer is removed there is no Canary any more.
    if state.budget > 0 && state.memory.phase != Phase::Terminated {
        actions.extend(model.faults.iter().copied().map(Action::Fault));
    }
}

pub fn next(model: &Rollout, state: &State, action: Action) -> Option<State> {
    let mut next = state.clone();
    match action {
        Action::Step(reply) => return model.step(state, reply),
        Action::FormerLeader => return Some(model.step_former_leader(state)),
        Action::Crash => {
            next.process = Process { unknown: state.process.unknown, ..Process::default() };
            next.cut();
        }
        Action::Time => next.pass(state.until_next()?),
        Action::Ready(side) => {
            next.workload_mut(side).as_mut()?.ready();
            next.outdate();
        }
        Action::Resume => {
            next.spec.suspended = false;
            next.touched(Object::Status);
        }
        Action::Left => {
            next.world.target.iter_mut().for_each(|target| target.leaves = false);
            next.outdate();
        }
        Action::Allow => {
            next.world.refused = None;
            next.process.idle = false;
        }
        Action::CatchUp => {
            next.stale = None;
            next.process.idle = false;
        }
        Action::Fault(fault) => return inflict(model, next, fault),
    }
    Some(next)
}

fn inflict(model: &Rollout, mut next: State, fault: Fault) -> Option<State> {
    next.budget -= 1;
    match fault {
        Fault::PodsCrash(side) => {
            let workload = next.workload_mut(side).as_mut().filter(|w| w.serves())?;
            (workload.pods, workload.covered) = (Pods::Crashed, false);
            next.outdate();
        }
        Fault::Refuse(object) => {
            next.world.refused = Some(object);
            next.process.idle = false;
        }
        Fault::Unanswered => next = model.step_unanswered(&next)?,
        Fault::NotKnown(object) => {
            next.process.unknown = Some(object);
            next.process.idle = false;
        }
        Fault::Down => {
            next.pass(super::DEADLINE_MS);
            next.process = Process::default();
        }
        Fault::DownForAnHour => next.resume(0, HOUR_MS),
        Fault::ClockAhead => next.resume(HOUR_MS.cast_signed(), 0),
        Fault::ClockBack => next.resume(0_i64.saturating_sub_unsigned(HOUR_MS), 0),
        Fault::Late(object) => {
            let mut late = Default::default();
            object.copy(&next.world.seen(), &mut late);
            next.stale = Some((object, Box::new(late)));
        }
        Fault::LoseLease => {
            let (memory, seen) = (next.memory.clone(), next.seen());
            let former_leader =
                FormerLeader { memory, seen, spec: next.spec, fenced: Vec::new(), outdated: false };
            next.process = Process::default();
            next.former_leader = Some(Box::new(former_leader));
        }
        edit => return next.edited(edit),
    }
    Some(next)
}

impl Rollout {
    /// A step of the leader that has lost the lease: on what it saw then, fenced by what others wrote since.
    fn step_former_leader(&self, state: &State) -> State {
        let mut next = state.clone();
        let Some(mut former_leader) = next.former_leader.take() else { return next };
        let plan = self.plan_of(former_leader.spec);
        let world = match vexil_analysis::next_effect(plan, &former_leader.memory, &former_leader.seen, NOW) {
            Next::Do(effect) => {
                let object = Object::of(&effect);
                let before = next.world.seen();
                if former_leader.fenced.contains(&object) || next.world.act(&effect) != Acted::Done {
                    return next;
                }
                let after = next.world.seen();
                let law = laws::broken_by_outcome(&before, &after);
                next.breaks(law.filter(|_| !former_leader.outdated));
                object.copy(&after, &mut former_leader.seen);
                next.process.idle = false;
                next.former_leader = Some(former_leader);
                return next;
            }
            Next::Settled => vexil_analysis::Convergence::Settled,
            Next::Wait(pending) => vexil_analysis::Convergence::Pending(pending),
            Next::Unlawful(law) => {
                next.breaks(Some(law));
                return next;
            }
        };
        if former_leader.fenced.contains(&Object::Status) {
            return next;
        }
        let facts = self.facts(&former_leader.memory, &Process::default(), world, former_leader.seen);
        match self.decide(former_leader.spec, &former_leader.memory, facts, Reply::Pass) {
            None => {}
            Some(Err(law)) => next.breaks(Some(law)),
            Some(Ok((transition, facts))) => {
                let process = next.process.clone();
                next.memory = former_leader.memory;
                self.remember(&mut next, &facts, transition);
                next.process = Process { idle: false, ..process };
            }
        }
        next
    }
}
