//! What is kept of a Canary's runtime between two reconciles: of an idle Canary, which most are, three fields.

use vexil_analysis::{Millis, Polls, Waiting};

use crate::{
    runtime::{CanaryRuntime, MemoryDigest},
    write_conflict::ConflictBackoff,
};

/// What is kept of a [`CanaryRuntime`].
#[derive(Debug)]
pub(crate) enum KeptRuntime {
    /// The Canary waits for nothing, nothing failed, and all notices were delivered: the other fields are the default.
    Idle { since: Option<Millis>, in_sync: Option<MemoryDigest>, conflict: ConflictBackoff },
    /// All of it.
    Whole(Box<CanaryRuntime>),
}

impl KeptRuntime {
    /// The runtime as it was, for the next reconcile.
    pub(crate) fn restored(self) -> Box<CanaryRuntime> {
        match self {
            KeptRuntime::Whole(runtime) => runtime,
            KeptRuntime::Idle { since, in_sync, conflict } => {
                Box::new(CanaryRuntime { since, in_sync, conflict, ..CanaryRuntime::default() })
            }
        }
    }
}

impl From<Box<CanaryRuntime>> for KeptRuntime {
    fn from(runtime: Box<CanaryRuntime>) -> Self {
        if !is_idle(&runtime) {
            return KeptRuntime::Whole(runtime);
        }
        let CanaryRuntime { since, in_sync, conflict, .. } = *runtime;
        KeptRuntime::Idle { since, in_sync, conflict }
    }
}

/// Whether every other field is the default. A new field has to be listed here.
fn is_idle(runtime: &CanaryRuntime) -> bool {
    let CanaryRuntime {
        since: _,
        in_sync: _,
        conflict: _,
        // The time counts only while something is waited for.
        waiting: Waiting { kind: None, since: _, earlier_ms: 0, polls: Polls { gate: None, rollback: None } },
        blocked_since: None,
        unobserved_since: None,
        foreign_pods_since: None,
        attempts: 0,
        outcome_unknown: false,
        drift: None,
        status_failures: 0,
        finalizer_refused: None,
        offered,
        delivered,
        undelivered,
        altered,
        reported_failure: None,
        session: None,
    } = runtime
    else {
        return false;
    };
    offered.is_empty() && delivered.is_empty() && undelivered.is_empty() && altered.is_empty()
}
