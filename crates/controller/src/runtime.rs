//! What the process knows of one Canary between two reconciles. No decision depends on it that a crash may not forget:
//! it spaces retries and Events, and saves repeated work.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use vexil_analysis::{Memory, Millis, Outbox, Question, Receiver, Waiting};
use vexil_object::Backoff;

use crate::{session::Session, watch_index::Dependencies, write_conflict::ConflictBackoff};

/// Between attempts of effects and of status writes, which fail or are refused.
pub(crate) const RETRY: Backoff = Backoff::new(500, 30_000);

/// What the process knows of one Canary.
#[derive(Debug, Default)]
pub(crate) struct CanaryRuntime {
    /// When this process began to observe the Canary.
    pub(crate) since: Option<Millis>,
    /// Waits that are not part of the memory.
    pub(crate) waiting: Waiting,
    /// Since when an effect has been refused.
    pub(crate) blocked_since: Option<Millis>,
    /// Since when an object that a decision needs could not be observed.
    pub(crate) unobserved_since: Option<Millis>,
    /// Since when pods of other workloads have been behind a Service.
    pub(crate) foreign_pods_since: Option<Millis>,
    /// Refused or failed effects in a row, for the backoff.
    pub(crate) attempts: u32,
    /// Effects that another writer keeps reverting.
    pub(crate) conflict: ConflictBackoff,
    /// The outcome of a write is unknown, so that objects may have to be read.
    pub(crate) outcome_unknown: bool,
    /// Refused or failed writes of the status in a row, for the backoff.
    pub(crate) status_failures: u32,
    /// The memory with which the routes were last in sync, if this process has written nothing since.
    pub(crate) in_sync: Option<MemoryDigest>,
    /// How another writer has changed the routes, until it is reported.
    pub(crate) drift: Option<String>,
    /// Notices handed to the dispatcher.
    pub(crate) offered: BTreeSet<(u64, Receiver)>,
    /// Notices that were delivered and that the outbox in the status still has.
    pub(crate) delivered: Vec<(u64, Receiver)>,
    /// Why notices are not delivered, by their receiver.
    pub(crate) undelivered: BTreeMap<Receiver, String>,
    /// Writes that the API server stored differently, without effect on the rollout, until they are reported.
    pub(crate) altered: BTreeSet<String>,
    /// When the finalizer was refused.
    pub(crate) finalizer_refused: Option<Millis>,
    /// Digest of the last failure of a status write that this process has reported.
    pub(crate) reported_failure: Option<u32>,
    /// What a reconcile in progress works with.
    pub(crate) session: Option<Box<Session>>,
}

/// A memory, as a number: each idle Canary keeps one. Two memories with one number would hide one notice of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemoryDigest(u64);

impl MemoryDigest {
    /// The digest of a memory.
    pub(crate) fn of(memory: &Memory) -> Self {
        let mut hasher = DefaultHasher::new();
        memory.hash(&mut hasher);
        MemoryDigest(hasher.finish())
    }
}

impl CanaryRuntime {
    /// The status was written with this outbox. A delivery counts until the outbox no longer has the notice: not each
    /// write removes what was delivered.
    pub(crate) fn status_written(&mut self, outbox: &Outbox) {
        self.status_failures = 0;
        self.reported_failure = None;
        let pending = |(seq, to): &(u64, Receiver)| {
            outbox.entries.iter().any(|entry| entry.seq == *seq && entry.to.contains(to))
        };
        self.delivered.retain(pending);
    }

    /// Changes of these objects and lists enqueue the Canary from now on.
    pub(crate) fn set_dependencies(&mut self, dependencies: Dependencies) {
        if let Some(session) = &mut self.session {
            session.set_dependencies(dependencies);
        }
    }

    /// Resolves when a dependency has changed since the last time.
    pub(crate) async fn woken(&self) {
        match &self.session {
            Some(session) => session.woken().await,
            None => std::future::pending().await,
        }
    }

    /// Awaits an answer from outside of the cluster, within the limits for such calls.
    pub(crate) async fn ask_outside<T>(&self, question: &Question, answer: impl Future<Output = T>) -> T {
        match &self.session {
            Some(session) => session.ask_outside(question, answer).await,
            None => answer.await,
        }
    }

    /// The pause before the next attempt of an effect, in milliseconds.
    pub(crate) fn backoff_ms(&mut self) -> u64 {
        let pause_ms = RETRY.pause_ms(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        pause_ms
    }

    /// The pause before the next write of the status, in milliseconds.
    pub(crate) fn status_backoff_ms(&mut self) -> u64 {
        let pause_ms = RETRY.pause_ms(self.status_failures);
        self.status_failures = self.status_failures.saturating_add(1);
        pause_ms
    }
}
