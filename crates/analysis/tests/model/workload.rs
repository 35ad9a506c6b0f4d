//! A workload of the exhaustive check, and what it can run.

use vexil_analysis::{Pods as Seen, Readiness, Revision};

use super::{DEADLINE_MS, world::Object};

/// What a workload can run: the first revision, two that are pushed, one that another target has, and one that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rev {
    H0,
    H1,
    H2,
    Other,
    Good,
}

impl Rev {
    pub fn revision(self) -> Revision {
        Revision::new(match self {
            Rev::H0 => "H0",
            Rev::H1 => "H1",
            Rev::H2 => "H2",
            Rev::Other => "Other",
            Rev::Good => "Good",
        })
    }

    pub fn is(self, revision: &Revision) -> bool {
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
    /// Pods of the last scale-down are still being deleted, and counted.
    pub leaves: bool,
    /// How long the pods have been coming; counts up to the deadline.
    pub age_ms: u64,
    /// Flagger made it: it does not record what it was copied from.
    pub foreign: bool,
}

impl Workload {
    pub fn new(rev: Rev, pods: Pods) -> Workload {
        Workload { rev, scaled: true, pods, covered: false, leaves: false, age_ms: 0, foreign: false }
    }

    pub fn serves(&self) -> bool {
        self.scaled && (self.pods == Pods::Ready || self.covered)
    }

    /// Changes the template, as a rolling update does.
    pub fn roll(&mut self, rev: Rev) {
        let covered = self.serves();
        let (scaled, leaves) = (self.scaled, self.leaves);
        *self = Workload { scaled, covered, leaves, ..Workload::new(rev, Pods::Coming) };
    }

    /// Scales it to zero, which the deletion of its pods follows later.
    pub fn leave(&mut self) {
        let leaves = self.leaves || self.serves();
        self.scale(false);
        self.leaves = leaves;
    }

    pub fn scale(&mut self, up: bool) {
        *self = Workload { scaled: up, ..Workload::new(self.rev, Pods::Coming) };
    }

    /// Until when its pods may come, when that can still pass.
    pub fn deadline_ms(&self) -> Option<u64> {
        let coming = self.scaled && self.pods == Pods::Coming && self.age_ms < DEADLINE_MS;
        coming.then(|| DEADLINE_MS - self.age_ms)
    }

    pub fn seen(&self) -> Seen {
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
            available: u32::from(self.serves() || self.leaves),
            readiness,
            owner_conflict: None,
            edited: false,
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
