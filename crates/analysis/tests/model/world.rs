//! The world of the exhaustive check: as small as it can be while every order of events is still possible.

use vexil_analysis::{
    Effect, Fit, Known, LiveRoutes, Observed, Pods as Seen, Readiness, Revision, Routes, TargetScaler, Weight,
};

use super::DEADLINE_MS;

/// What a workload can run: the first revision and two that are pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rev {
    H0,
    H1,
    H2,
}

impl Rev {
    pub fn revision(self) -> Revision {
        Revision::new(match self {
            Rev::H0 => "H0",
            Rev::H1 => "H1",
            Rev::H2 => "H2",
        })
    }

    fn is(self, revision: &Revision) -> bool {
        self.revision() == *revision
    }
}

/// How the pods of the newest revision are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pods {
    Coming,
    Ready,
    Crashed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Workload {
    pub rev: Rev,
    /// Whether it asks for pods.
    pub scaled: bool,
    pub pods: Pods,
    /// Pods of the revision before still serve: a rolling update keeps them until the new ones are ready.
    pub covered: bool,
    /// How long the pods have been coming; counts up to the deadline.
    pub age_ms: u64,
    /// Another operator made it: it does not say what it was copied from.
    pub foreign: bool,
}

impl Workload {
    pub fn new(rev: Rev, pods: Pods) -> Workload {
        Workload { rev, scaled: true, pods, covered: false, age_ms: 0, foreign: false }
    }

    pub fn serves(&self) -> bool {
        self.scaled && (self.pods == Pods::Ready || self.covered)
    }

    /// Changes the template, as a rolling update does.
    pub fn roll(&mut self, rev: Rev) {
        let covered = self.serves();
        *self = Workload { scaled: self.scaled, covered, ..Workload::new(rev, Pods::Coming) };
    }

    pub fn scale(&mut self, up: bool) {
        *self = Workload { scaled: up, ..Workload::new(self.rev, Pods::Coming) };
    }

    /// Until when its pods may come, when that can still pass.
    pub fn deadline_ms(&self) -> Option<u64> {
        let coming = self.scaled && self.pods == Pods::Coming && self.age_ms < DEADLINE_MS;
        coming.then(|| DEADLINE_MS - self.age_ms)
    }

    fn seen(&self) -> Seen {
        let readiness = match self.pods {
            Pods::Ready if self.scaled => Readiness::Ready,
            Pods::Coming if self.scaled && self.age_ms >= DEADLINE_MS => {
                Readiness::Failed("not in time".to_owned())
            }
            _ => Readiness::Waiting("not ready".to_owned()),
        };
        Seen {
            revision: Some(self.rev.revision()).filter(|_| !self.foreign),
            replicas: u32::from(self.scaled),
            available: u32::from(self.serves()),
            readiness,
            foreign: None,
            edited: false,
        }
    }
}

/// What a write goes to, and what a cache can be late with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    Target,
    Primary,
    Backends,
    Apex,
    Scaler,
    Routes,
    /// Never written by us.
    Addresses,
    /// What an earlier binding left.
    Leftovers,
    /// The Canary itself.
    Status,
}

impl Object {
    pub fn of(effect: &Effect) -> Object {
        match effect {
            Effect::Backends => Object::Backends,
            Effect::CreatePrimary(_) | Effect::Promote(_) => Object::Primary,
            Effect::Apex => Object::Apex,
            Effect::Scaler => Object::Scaler,
            Effect::Route(_) => Object::Routes,
            Effect::ScaleUp | Effect::ScaleToZero => Object::Target,
            Effect::Release => Object::Leftovers,
        }
    }

    /// Puts what `from` says of this object into `into`.
    pub fn copy(self, from: &Observed, into: &mut Observed) {
        match self {
            Object::Target => into.target = from.target.clone(),
            Object::Primary => into.primary = from.primary.clone(),
            Object::Backends => into.backends = from.backends.clone(),
            Object::Apex => into.apex = from.apex.clone(),
            Object::Scaler => into.scaler = from.scaler.clone(),
            Object::Routes => into.routes = from.routes.clone(),
            Object::Addresses => {
                into.primary_addresses = from.primary_addresses.clone();
                into.canary_addresses = from.canary_addresses.clone();
            }
            Object::Leftovers => into.leftovers = from.leftovers.clone(),
            Object::Status => {}
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub target: Option<Workload>,
    pub primary: Option<Workload>,
    pub backends: bool,
    pub apex: bool,
    pub scaler: bool,
    /// The canary's share in percent.
    pub routes: Option<u8>,
    /// An earlier binding left something.
    pub leftovers: bool,
    /// Writes to this are refused.
    pub refused: Option<Object>,
}

/// What came of an effect.
#[derive(Debug, PartialEq, Eq)]
pub enum Acted {
    Done,
    Moved,
    Refused,
}

impl World {
    /// Before the operator has looked at the Canary.
    pub fn new() -> World {
        let target = Some(Workload::new(Rev::H0, Pods::Ready));
        World {
            target,
            primary: None,
            backends: false,
            apex: false,
            scaler: false,
            routes: None,
            leftovers: false,
            refused: None,
        }
    }

    pub fn seen(&self) -> Observed {
        let addresses = |workload: &Option<Workload>| match workload {
            _ if !self.backends => Known::Absent,
            Some(workload) => Known::Present(u32::from(workload.serves())),
            None => Known::Present(0),
        };
        let pods = |workload: &Option<Workload>| workload.map_or(Known::Absent, |w| Known::Present(w.seen()));
        let fit = |fits: bool| if fits { Fit::Fits } else { Fit::Differs };
        Observed {
            target: pods(&self.target),
            primary: pods(&self.primary),
            backends: fit(self.backends),
            apex: fit(self.apex),
            scaler: fit(self.scaler),
            target_scaler: TargetScaler::None,
            routes: self.routes.map_or(LiveRoutes::Absent, |canary| LiveRoutes::Are {
                routes: Routes::split(Weight::clamped(u32::from(canary))),
                fits: true,
            }),
            primary_addresses: addresses(&self.primary),
            canary_addresses: addresses(&self.target),
            leftovers: fit(!self.leftovers),
            ..Observed::default()
        }
    }

    pub fn act(&mut self, effect: &Effect) -> Acted {
        if self.refused == Some(Object::of(effect)) {
            return Acted::Refused;
        }
        match effect {
            Effect::Backends => self.backends = true,
            Effect::Apex => self.apex = true,
            Effect::Scaler => self.scaler = true,
            Effect::Release => self.leftovers = false,
            Effect::Route(routes) => self.routes = Some(routes.canary().percent()),
            Effect::CreatePrimary(expected) => match self.target {
                Some(target) if target.rev.is(expected) => {
                    self.primary.get_or_insert(Workload::new(target.rev, Pods::Coming));
                }
                _ => return Acted::Moved,
            },
            Effect::Promote(expected) => match (self.target, &mut self.primary) {
                (Some(target), Some(primary)) if target.rev.is(expected) => primary.roll(target.rev),
                _ => return Acted::Moved,
            },
            Effect::ScaleUp | Effect::ScaleToZero => {
                if let Some(target) = &mut self.target {
                    target.scale(*effect == Effect::ScaleUp);
                }
            }
        }
        Acted::Done
    }

    /// Everything that can become well becomes well.
    pub fn heal(&mut self) {
        self.refused = None;
        for workload in self.target.iter_mut().chain(&mut self.primary) {
            workload.ready();
        }
    }
}

impl Workload {
    /// Its pods come, or come back.
    pub fn ready(&mut self) {
        if self.scaled {
            *self = Workload { foreign: self.foreign, ..Workload::new(self.rev, Pods::Ready) };
        }
    }
}

/// One of the two workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Canary,
    Primary,
}

impl Side {
    pub fn object(self) -> Object {
        match self {
            Side::Canary => Object::Target,
            Side::Primary => Object::Primary,
        }
    }
}
