//! One state of the exhaustive check: what is stored, what the world is like, what a process has in its memory.
//!
//! Times are kept relative to [`NOW`], and cut where the engine cannot distinguish them, so that states recur.

use vexil_analysis::{Known, Memory, Millis, Observed, Outbox, Wait, Waiting};

use super::{
    DEADLINE_MS, INTERVAL_MS,
    binding::Spec,
    world::{Object, World},
};

/// The most that one look adds to a wait, with the deadline of the check.
const OBSERVED_MS: u64 = 5_000;

/// In `State::alerts`: a deletion went on without the target.
pub const GAVE_UP: u8 = 64;

/// The time in every state.
pub const NOW: Millis = Millis(1_000_000);

/// What a crash takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Process {
    pub waiting: Waiting,
    pub blocked: Option<Millis>,
    pub wake: Option<Millis>,
    /// The answer to the last write of this was lost: not known until it is read once more.
    pub unknown: Option<Object>,
    /// The process has run since before now.
    pub running: bool,
    /// The last tick changed nothing, and nothing has happened since.
    pub idle: bool,
}

/// A leader that has lost the lease in the middle of a tick and does not know it yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FormerLeader {
    pub memory: Memory,
    pub seen: Observed,
    pub spec: Spec,
    /// Objects that others have written since it looked: its writes to them are refused.
    pub fenced: Vec<Object>,
    /// Pods or routes changed without us since it looked: no law holds it to what it was not shown.
    pub outdated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub memory: Memory,
    pub world: World,
    pub process: Process,
    pub spec: Spec,
    /// A cache that is late: what it still says of this object.
    pub stale: Option<(Object, Box<Observed>)>,
    pub former_leader: Option<Box<FormerLeader>>,
    /// Faults and acts of users that may still happen.
    pub budget: u8,
    /// Alerts sent in this run.
    pub alerts: u8,
    /// The hooks before the rollout have passed for the revision under analysis.
    pub prepared: bool,
    /// How long connections to the canary may still last, since we took its traffic.
    pub lingering_ms: u64,
    /// The user gave the target pods while the rollout did not.
    pub scaled_by_user: bool,
    /// Since the clock was set, or no operator ran: the most that can have been observed of the wait in this step.
    pub observed_ms: Option<u64>,
    /// The law that was broken on the way here.
    pub broken: Option<&'static str>,
}

impl State {
    pub fn new(budget: u8) -> State {
        State {
            memory: Memory::default(),
            world: World::new(),
            process: Process::default(),
            spec: Spec::default(),
            stale: None,
            former_leader: None,
            budget,
            alerts: 0,
            prepared: false,
            lingering_ms: 0,
            scaled_by_user: false,
            observed_ms: None,
            broken: None,
        }
    }

    /// The memory, with what Flagger left behind made comparable.
    pub fn recalled(&self) -> Memory {
        let mut memory = self.memory.clone();
        if memory.from_flagger && memory.held.is_none() {
            let (target, primary) = (self.world.target, self.world.primary);
            let same = target.filter(|target| primary.is_some_and(|primary| primary.rev == target.rev));
            memory.held = same.map(|target| target.rev.revision());
        }
        memory
    }

    /// What the operator is shown.
    pub fn seen(&self) -> Observed {
        let mut seen = self.world.seen();
        if let Known::Present(pods) = &mut seen.primary {
            pods.revision = pods.revision.take().or_else(|| self.recalled().held);
        }
        if let Some((object, late)) = &self.stale {
            object.copy(late, &mut seen);
        }
        seen.since = if self.process.running { Millis(0) } else { NOW };
        if let Some(object) = self.process.unknown {
            object.copy(&Observed::default(), &mut seen);
        }
        seen
    }

    /// Something has happened: the operator is called, and others have written this.
    pub fn touched(&mut self, object: Object) {
        self.process.idle = false;
        if let Some(former_leader) =
            self.former_leader.as_mut().filter(|former_leader| !former_leader.fenced.contains(&object))
        {
            former_leader.fenced.push(object);
            former_leader.fenced.sort();
        }
    }

    /// Pods or routes have changed without us.
    pub fn outdate(&mut self) {
        self.process.idle = false;
        self.former_leader.iter_mut().for_each(|former_leader| former_leader.outdated = true);
    }

    pub fn breaks(&mut self, law: Option<&'static str>) {
        self.broken = self.broken.or(law);
    }

    /// How long it is until something happens by itself.
    pub fn until_next(&self) -> Option<u64> {
        let wake = self.process.wake.map(|wake| wake.since(NOW));
        let aside = self.world.aside.target.iter().chain(&self.world.aside.primary);
        let pods = self.world.target.iter().chain(&self.world.primary).chain(aside);
        let pods = pods.filter_map(|w| w.deadline_ms());
        wake.into_iter().chain(pods).min()
    }

    /// Lets time pass. A leader without the lease finds out.
    pub fn pass(&mut self, span_ms: u64) {
        for workload in self.world.workloads() {
            if workload.deadline_ms().is_some() {
                workload.age_ms = DEADLINE_MS.min(workload.age_ms + span_ms);
            }
        }
        self.observed_ms = self.observed_ms.map(|observed_ms| DEADLINE_MS.min(observed_ms + span_ms));
        self.lingering_ms = self.lingering_ms.saturating_sub(span_ms);
        let process = &mut self.process;
        let polls = &mut process.waiting.polls;
        let polled = polls.gate.iter_mut().chain(&mut polls.rollback);
        polled.chain([&mut process.waiting.since]).chain(&mut process.blocked).for_each(|time| {
            *time = Millis(time.0.saturating_sub(span_ms));
        });
        process.wake = None;
        process.idle = false;
        process.running = true;
        self.former_leader = None;
        self.age(0_i64.saturating_sub_unsigned(span_ms));
    }

    /// What is stored lies so much further in the future, or the past: the clock goes on, or was set.
    fn age(&mut self, by_ms: i64) {
        let memory = &mut self.memory;
        let waits = memory.wait.iter_mut().flat_map(|wait| [&mut wait.since, &mut wait.at]);
        waits
            .chain(&mut memory.last_step)
            .chain(memory.drain.iter_mut().map(|drain| &mut drain.until))
            .for_each(|time| {
                *time = Millis(time.0.saturating_add_signed(by_ms));
            });
        self.cut();
    }

    /// Another process goes on, on a machine whose clock differs by so much, after so much time without any.
    pub fn resume(&mut self, clock_ms: i64, down_ms: u64) {
        let memory = &self.memory;
        let counted_ms = memory.waited_ms + memory.wait.as_ref().map_or(0, |wait| wait.waited_ms);
        let observed_ms = self.observed_ms.map_or(counted_ms, |observed_ms| observed_ms.min(counted_ms));
        self.pass(down_ms);
        self.age(0_i64.saturating_sub(clock_ms));
        self.process = Process::default();
        self.observed_ms = Some(DEADLINE_MS.min(observed_ms + OBSERVED_MS));
    }

    /// Removes what the engine cannot distinguish.
    pub fn cut(&mut self) {
        let not_before = |time: &mut Millis, span_ms: u64| *time = (*time).max(Millis(NOW.0 - span_ms));
        let memory = &mut self.memory;
        memory.outbox = Outbox::default();
        memory.changed = None;
        if let Some(Wait { since, at, waited_ms, .. }) = &mut memory.wait {
            // Only what is shown depends on it.
            *since = NOW;
            not_before(at, OBSERVED_MS);
            *waited_ms = DEADLINE_MS.min(*waited_ms);
        }
        let unobserved_ms = INTERVAL_MS + OBSERVED_MS + 1;
        memory.last_step.iter_mut().for_each(|time| not_before(time, unobserved_ms));
        memory.drain.iter_mut().for_each(|drain| not_before(&mut drain.until, 0));
        let process = &mut self.process;
        let unobserved = memory.last_step == Some(Millis(NOW.0 - unobserved_ms));
        process.running |= memory.drain.is_none() && !unobserved;
        process.waiting.earlier_ms = DEADLINE_MS.min(process.waiting.earlier_ms);
        match process.waiting.kind {
            Some(_) => not_before(&mut process.waiting.since, DEADLINE_MS),
            None => process.waiting.since = NOW,
        }
        let polls = &mut process.waiting.polls;
        polls.gate.iter_mut().chain(&mut polls.rollback).for_each(|time| not_before(time, INTERVAL_MS));
        process.blocked.iter_mut().for_each(|time| not_before(time, DEADLINE_MS));
    }
}
