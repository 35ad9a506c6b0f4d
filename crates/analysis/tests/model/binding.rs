//! The spec of the exhaustive check, which users edit at any time, and what a migration makes of the world.

use vexil_analysis::{
    Binding, Cause, Effect, Ending, Known, Memory, Observed, Phase, Plan, Pods as Seen, Readiness,
};

use super::{
    DEADLINE_MS,
    state::{GAVE_UP, State},
    world::{Pods, Rev, Side, Workload, World},
};

/// What the spec binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bound {
    #[default]
    Own,
    /// Another target.
    Target,
    /// Another router, with a route object of its own.
    Provider,
}

/// The spec, as far as users edit it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spec {
    pub suspended: bool,
    /// The spec is invalid.
    pub halted: bool,
    pub bound: Bound,
}

impl Spec {
    pub fn all() -> impl Iterator<Item = Spec> {
        [Bound::Own, Bound::Target, Bound::Provider].into_iter().flat_map(|bound| {
            [(false, false), (true, false), (false, true), (true, true)].map(|(suspended, halted)| Spec {
                suspended,
                halted,
                bound,
            })
        })
    }

    /// The plan that this spec makes of the one of the configuration. An invalid spec keeps what it bound before.
    pub fn plan(self, plan: &Plan) -> Plan {
        let mut binding = plan.binding.clone();
        match self.bound {
            Bound::Own => {}
            Bound::Target => "u".clone_into(&mut binding.target),
            Bound::Provider => "p".clone_into(&mut binding.provider),
        }
        let halted = self.halted.then(|| "nonsense".to_owned());
        Plan { suspended: self.suspended, spec_error: halted, binding, ..plan.clone() }
    }
}

/// What the binding that is not in force has: the other target with its primary, and the other router's route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aside {
    pub target: Option<Workload>,
    pub primary: Option<Workload>,
    pub route: Option<u8>,
    /// Services still select these pods.
    pub selected: bool,
    /// The apex still selects these pods.
    pub apex: bool,
    /// Something of it is to be released.
    pub left: bool,
}

impl Default for Aside {
    fn default() -> Aside {
        let target = Some(Workload::new(Rev::Other, Pods::Ready));
        Aside { target, primary: None, route: None, selected: false, apex: false, left: false }
    }
}

impl World {
    pub fn workloads(&mut self) -> impl Iterator<Item = &mut Workload> {
        let aside = self.aside.target.iter_mut().chain(&mut self.aside.primary);
        self.target.iter_mut().chain(&mut self.primary).chain(aside)
    }

    /// The Services of primary and canary exist.
    pub fn has_services(&self) -> bool {
        self.backends || self.aside.selected
    }

    /// The pods behind a Service.
    pub fn behind(&self, side: Side) -> Option<Workload> {
        match (side, self.aside.selected) {
            (Side::Canary, false) => self.target,
            (Side::Canary, true) => self.aside.target,
            (Side::Primary, false) => self.primary,
            (Side::Primary, true) => self.aside.primary,
        }
    }

    /// What earlier bindings left goes; workloads of users stay.
    pub fn release(&mut self) {
        self.aside.left = false;
        (self.aside.primary, self.aside.route) = (None, None);
    }

    /// Another binding is in force: what is looked at is another target, or another route.
    pub fn rebind(&mut self, before: &Binding, after: &Binding) {
        let aside = &mut self.aside;
        if !before.same_target(after) {
            std::mem::swap(&mut self.target, &mut aside.target);
            std::mem::swap(&mut self.primary, &mut aside.primary);
            // Services select what they did before, which is what the spec wants only when it was edited back.
            std::mem::swap(&mut self.backends, &mut aside.selected);
            std::mem::swap(&mut self.apex, &mut aside.apex);
            (self.disowned, self.edited, self.configs) = (false, false, true);
            aside.left = true;
        }
        if before.provider != after.provider {
            std::mem::swap(&mut self.routes, &mut aside.route);
            aside.left = true;
        }
    }

    /// Requests fail: a route leads to a Service without a ready pod. A primary that sleeps is woken by requests.
    pub fn fails_clients(&self) -> bool {
        let empty = |side| !self.behind(side).is_some_and(|workload| workload.serves());
        let asleep = self.behind(Side::Primary).is_some_and(|primary| !primary.scaled);
        self.routes.into_iter().chain(self.aside.route).any(|canary| {
            canary < 100 && empty(Side::Primary) && !asleep || canary > 0 && empty(Side::Canary)
        })
    }
}

impl State {
    /// What an effect did to clients, when it was chosen on what is so.
    pub fn judge_effect(&mut self, before: &World, effect: &Effect) {
        let harmed = self.is_informed() && !before.fails_clients() && self.world.fails_clients();
        self.breaks(harmed.then_some(match effect {
            Effect::Backends => "Services were moved to pods that are not ready",
            Effect::Release => "what clients still use was released",
            _ => "an effect took traffic from ready pods",
        }));
    }
}

impl State {
    /// A deletion gives the apex to the target of the binding in force, which has to serve by then; if it does not
    /// exist, the former target has to, as long as Services lead to the former primary.
    pub fn judge_release(&mut self, before: &Memory) {
        if before.released || !self.memory.released || !self.is_informed() || self.alerts & GAVE_UP != 0 {
            return;
        }
        let world = &self.world;
        let served = world.behind(Side::Primary).is_some_and(|primary| primary.serves());
        let broken = match world.target {
            Some(target) => served && !target.serves(),
            None => world.aside.selected && world.aside.target.is_some(),
        };
        self.breaks(broken.then_some("a deletion gives the apex to a target without pods"));
    }

    /// Nothing was given up that would have worked.
    pub fn judge_giving_up(&mut self) {
        let allowed = self.world.refused.is_none() && !self.world.unreadable && self.is_informed();
        let ready = self.world.target.is_some_and(|target| target.scaled && target.pods == Pods::Ready);
        self.breaks((allowed && ready).then_some("a deletion gives up a target that is ready"));
    }

    /// The caches are not late, and everything is known.
    fn is_informed(&self) -> bool {
        self.stale.is_none() && self.process.unknown.is_none()
    }

    /// Time that was not observed ends nothing: neither a clock that was set nor downtime brings a deadline.
    pub fn judge_clock(&mut self, before: &Memory, seen: &Observed) {
        let step = |memory: &Memory| (memory.phase, memory.applied.clone(), memory.last_step);
        let after = &self.memory;
        let overdue = |side: &Known<Seen>| {
            side.present().is_some_and(|pods| matches!(pods.readiness, Readiness::Failed(_)))
        };
        let late = |ending: &Ending| matches!(ending.cause, Cause::Deadline | Cause::Blocked);
        let ended = before.ending.is_none() && after.ending.as_ref().is_some_and(late)
            || before.phase == Phase::Promoting && after.phase == Phase::Failed;
        let early = self.observed_ms.is_some_and(|observed_ms| observed_ms < DEADLINE_MS);
        let broken = ended && early && !overdue(&seen.target) && !overdue(&seen.primary);
        if step(before) != step(after) || after.waited_ms < before.waited_ms {
            self.observed_ms = None;
        }
        self.breaks(broken.then_some("time that was not observed brought a deadline"));
    }
}
