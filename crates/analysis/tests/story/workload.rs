//! A workload of a story: what it runs, and since when its pods are ready.

use vexil_analysis::{Millis, Revision};

#[derive(Clone)]
pub struct Workload {
    pub revision: Revision,
    pub replicas: u32,
    /// When its pods are ready.
    pub ready_at: Millis,
    /// When it started to become ready.
    pub since: Millis,
    pub crashed: bool,
    /// Pods of the revision before still serve: a rolling update keeps them until the new ones are ready.
    pub covered: bool,
    /// Until when pods are counted that a scale-down deletes.
    pub leaving_until: Millis,
}

impl Workload {
    pub fn ready(&self, now: Millis) -> bool {
        self.ready_at <= now && !self.crashed && self.replicas > 0
    }

    /// Changes the template, as a rolling update does.
    pub fn roll(&mut self, revision: &Revision, ready_at: Millis, now: Millis) {
        self.covered = self.serves(now);
        (self.revision, self.ready_at, self.since) = (revision.clone(), ready_at, now);
        self.crashed = false;
    }

    /// Pods of an earlier scale-up have not been deleted yet.
    pub fn leaves(&self, now: Millis) -> bool {
        now < self.leaving_until
    }

    pub fn serves(&self, now: Millis) -> bool {
        self.ready(now) || self.covered && !self.crashed && self.replicas > 0
    }
}
