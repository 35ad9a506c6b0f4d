//! What a rollout waits for, and how long it has.

use crate::{Millis, Plan};

/// Something that is being waited for. It is the same wait as long as its kind is the same, whatever its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Wait {
    /// What is being waited for.
    pub kind: WaitKind,
    /// When it was first observed.
    pub since: Millis,
    /// How much of it was observed until `at`, in milliseconds.
    pub waited_ms: u64,
    /// When `waited_ms` was stored.
    pub at: Millis,
    /// What was reported.
    pub text: String,
}

impl Wait {
    /// How long it has been observed at `now`, in milliseconds. A time in the future counts as now, and what lies
    /// further back than one look was not observed: neither a clock that was set nor downtime brings a deadline closer.
    pub fn lasted_ms(&self, plan: &Plan, now: Millis) -> u64 {
        self.waited_ms.saturating_add(now.since(self.at).min(plan.max_observed_gap_ms()))
    }
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WaitKind {
    /// The user suspended the Canary.
    Suspended,
    /// The target does not exist.
    TargetMissing,
    /// The target has pods between rollouts: a user or an autoscaler scaled it up.
    ScaledUp,
    /// The primary was deleted and cannot be rebuilt from a vetted revision.
    PrimaryMissing,
    /// The primary is not ready.
    Primary,
    /// The Canary does not own the primary: it has another owner, or none.
    PrimaryNotOwned,
    /// The primary was edited, or rolled back, by someone else.
    PrimaryEdited,
    /// The spec is invalid.
    InvalidSpec,
    /// A gate is closed. It has no deadline: the user decides how long it takes.
    Approval,
    /// The canary is not ready.
    Canary,
    /// An object cannot be read or written as it is. Each distinct error is a wait of its own, so that the next error
    /// is reported when the first one is fixed: the number is a digest of the text.
    InvalidObject(u32),
    /// A write is refused.
    Refused,
}
