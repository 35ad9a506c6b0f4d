//! What survives a crash: phase, weight, counters, revisions, the reported wait and the undelivered notices.
//!
//! The status subresource is this, field by field; nothing else is remembered anywhere. With the feature `serde` a
//! memory can be stored elsewhere: the fields have their names here then, not those of the status.

use std::fmt;

use crate::{
    Binding, Exposure, Limits, Millis, Outbox, Plan, Reported, Revision, Routes, Wait, Weight,
    limits::MAX_DRAIN_RESTARTS,
};

/// The memory of one Canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Memory {
    /// Phase of the rollout.
    pub phase: Phase,
    /// What traffic depends on; `None` for a Canary that was not looked at yet.
    pub binding: Option<Binding>,
    /// The limits of the last valid spec.
    pub limits: Option<Limits>,
    /// Earlier bindings whose objects are still to be released, oldest first.
    pub previous: Vec<Binding>,
    /// The canary's share that the routes are to have: of the requests that match, with [`Exposure::Matched`].
    pub weight: Weight,
    /// Which requests the weight is about.
    pub exposure: Exposure,
    /// Completed iterations (A/B and blue/green).
    pub iterations: u32,
    /// Failed checks of this run.
    pub failed_checks: u32,
    /// The hooks before the rollout have passed in this run.
    pub prepared: bool,
    /// The revision under analysis, or the last one that was.
    pub applied: Option<Revision>,
    /// The revision of the last successful rollout; `None` when the primary did not become ready with that very one.
    pub promoted: Option<Revision>,
    /// The revision that the primary holds. Differs from `promoted` between the copy and the end of a promotion.
    pub held: Option<Revision>,
    /// The revisions were written by Flagger, in a form that cannot be compared with Vexil's.
    pub from_flagger: bool,
    /// Number of runs since the Canary was made.
    pub run: u64,
    /// When the last step of the analysis was taken; the next is due an interval later, at once when never.
    pub last_step: Option<Millis>,
    /// The weight before a failover moved all traffic to the one copy that had a ready pod. It is restored when both
    /// have one again.
    pub withheld: Option<Weight>,
    /// The rollout is over: traffic, drain and scale-down of its end are in progress.
    pub ending: Option<Ending>,
    /// Traffic has left the target, whose open connections are given time to end.
    pub drain: Option<Drain>,
    /// The Canary is being deleted, and the target takes the traffic again: apex and routes are given back.
    pub released: bool,
    /// A run has ended with this result and its post-rollout hooks are still to be asked.
    pub post_rollout: Option<Ending>,
    /// The wait that was reported.
    pub wait: Option<Wait>,
    /// Time that earlier waits with a deadline took of this step, in milliseconds.
    pub waited_ms: u64,
    /// Notices that are not delivered yet.
    pub outbox: Outbox,
    /// Warnings that were reported.
    pub reported: Reported,
    /// The second in which phase, weight, exposure, iterations, failed checks or `prepared` last changed.
    pub changed: Option<Millis>,
}

impl Memory {
    /// The primary was overwritten and did not become ready: it holds a revision that was never promoted.
    pub fn promotion_failed(&self) -> bool {
        self.phase == Phase::Failed
            && self.held.is_some()
            && self.held == self.applied
            && self.held != self.promoted
    }

    /// The primary was overwritten with a revision that was never promoted: what is pushed heals it.
    pub(crate) fn heals(&self) -> bool {
        self.held.is_some() && self.held != self.promoted
    }

    /// What the routes are to say. While one copy takes over all traffic from the other one, that is all of it.
    pub fn routes(&self, plan: &Plan) -> Routes {
        let canary = self.weight;
        match self.exposure {
            Exposure::Matched if !canary.is_zero() && self.withheld.is_none() => Routes::Matched,
            Exposure::Mirrored if canary.is_zero() => {
                plan.mirror.map_or(Routes::PRIMARY, |percent| Routes::Mirrored { percent })
            }
            _ if plan.sticky && !canary.is_zero() => Routes::Sticky { canary },
            _ => Routes::split(canary),
        }
    }

    /// The canary lost its last ready pod while nothing could take its traffic, and a failed check was counted for it.
    pub(crate) fn loss_is_counted(&self) -> bool {
        !self.prepared && self.last_step.is_some()
    }

    /// A revision is under analysis or being promoted, and has a deadline.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.phase, Phase::Progressing | Phase::WaitingPromotion | Phase::Promoting)
    }

    /// All waits of the phase together have a deadline.
    pub(crate) fn has_deadline(&self) -> bool {
        self.runs() || self.phase == Phase::Terminating
    }

    /// An analysis of this revision begins.
    pub(crate) fn analyse(&mut self, revision: Revision) {
        self.applied = Some(revision);
        self.iterations = 0;
        self.failed_checks = 0;
        self.prepared = false;
        self.last_step = None;
    }

    /// No rollout is in progress and nothing of one is left to do.
    pub fn at_rest(&self) -> bool {
        let idle =
            matches!(self.phase, Phase::Initialized | Phase::Waiting | Phase::Succeeded | Phase::Failed);
        idle && self.ending.is_none() && self.post_rollout.is_none()
    }
}

/// Phase of a rollout. The names are Flagger's, because dashboards, alerts and `kubectl wait` depend on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Phase {
    /// The Canary was not reconciled yet.
    #[default]
    New,
    /// The primary is being made.
    Initializing,
    /// Ready for a first rollout.
    Initialized,
    /// Waits for approval to start.
    Waiting,
    /// Under analysis.
    Progressing,
    /// Waits for approval to promote.
    WaitingPromotion,
    /// The primary is taking over the new revision.
    Promoting,
    /// Traffic is back on the primary, the canary is about to go.
    Finalising,
    /// The last rollout was promoted.
    Succeeded,
    /// The last rollout was rolled back, or its promotion failed.
    Failed,
    /// The Canary is being deleted.
    Terminating,
    /// The finalizer of the Canary is done.
    Terminated,
}

impl Phase {
    /// The name that the API uses; empty for a Canary that was not reconciled yet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::New => "",
            Phase::Initializing => "Initializing",
            Phase::Initialized => "Initialized",
            Phase::Waiting => "Waiting",
            Phase::Progressing => "Progressing",
            Phase::WaitingPromotion => "WaitingPromotion",
            Phase::Promoting => "Promoting",
            Phase::Finalising => "Finalising",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Terminating => "Terminating",
            Phase::Terminated => "Terminated",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a run ended and why. Remembered before anything is done about it, so that a crash continues there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ending {
    /// What became of the revision.
    pub result: Outcome,
    /// Why.
    pub cause: Cause,
}

/// What became of the revision under analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// The primary runs it.
    Promoted,
    /// It was taken back.
    RolledBack,
    /// The user took it back: the target is at the primary's revision again.
    Reverted,
    /// Its promotion had failed, and the primary has recovered since.
    Recovered,
    /// The user edited what traffic depends on: the rollout ends on the old binding and is not judged.
    Rebound,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cause {
    /// Every check passed.
    Passed,
    /// The analysis was skipped on request.
    Skipped,
    /// Too many checks failed.
    Threshold,
    /// Pods did not become ready in time.
    Deadline,
    /// Something that the rollout needs could not be written or read for too long.
    Blocked,
    /// The target went back to the revision of the primary.
    Reverted,
    /// The primary did not become ready in time after the copy, or recovered from that.
    Promotion,
    /// The target was deleted.
    TargetDeleted,
    /// A `rollback` hook passed.
    Manual,
    /// The binding was edited.
    Rebound,
}

/// Time for open connections to the target to end, before its pods go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Drain {
    /// The pods may go from then on.
    pub until: Millis,
    /// How often it was restarted because it was over when a process started, at most `MAX_DRAIN_RESTARTS`
    /// times. It is trusted then, so that a process that is killed again and again still ends the rollout.
    pub restarts: u8,
}

impl Drain {
    /// A drain of a canary that has lost its traffic just now.
    pub const fn begin(until: Millis) -> Self {
        Drain { until, restarts: 0 }
    }

    /// A drain in the place of one whose end was not observed.
    pub fn restart(before: Option<Drain>, until: Millis) -> Self {
        Drain { until, restarts: before.map_or(0, |drain| drain.restarts).saturating_add(1) }
    }

    /// Whether a process that started at `since` may not rely on it: it was over before, by which clock is not known.
    pub fn is_unobserved(&self, since: Millis) -> bool {
        self.restarts < MAX_DRAIN_RESTARTS && self.until <= since
    }
}
