//! What a process knows of one Canary between two ticks. Nothing is decided on it that a crash may not forget: it paces
//! the telling, and spares repeated work.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use vexil_analysis::{Memory, Millis, Outbox, Question, Receiver, WaitKind};

use crate::{session::Session, watch_index::Dependencies, write_conflict::ConflictBackoff};

/// What a process knows of one Canary.
#[derive(Debug, Default)]
pub(crate) struct CanaryRuntime {
    /// What the last tick waited for, and since when.
    pub(crate) waiting: Option<(WaitKind, Millis)>,
    /// Since when an effect has been refused.
    pub(crate) blocked_since: Option<Millis>,
    /// Since when something that matters has not been seen.
    pub(crate) unobserved_since: Option<Millis>,
    /// Since when pods of others have been seen behind a Service.
    pub(crate) foreign_pods_since: Option<Millis>,
    /// Refused or failed attempts in a row; they space the next one.
    pub(crate) attempts: u32,
    /// Effects that somebody undoes.
    pub(crate) conflict: ConflictBackoff,
    /// An effect ended without an answer, so that objects may have to be read to be known again.
    pub(crate) outcome_unknown: bool,
    /// Writes of the status that were refused or failed in a row; they space the next one.
    pub(crate) status_failures: u32,
    /// The memory for which the world, routes and all, was last seen to be as wanted.
    pub(crate) settled_memory: Option<MemoryDigest>,
    /// Notices handed to the deliverer.
    pub(crate) offered: BTreeSet<(u64, Receiver)>,
    /// Notices that were delivered and that the outbox in the status still has.
    pub(crate) delivered: Vec<(u64, Receiver)>,
    /// What the API server made something else of, though it does as it shall, and has not been told.
    pub(crate) altered: BTreeSet<String>,
    /// Names of the Events about bad input that this process has recorded.
    pub(crate) reported: VecDeque<String>,
    /// What a reconcile works with while it is under way.
    pub(crate) session: Option<Box<Session>>,
}

/// A memory, as a number: each idle Canary keeps one. Two memories with the same number would hide one notice of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemoryDigest(u64);

impl MemoryDigest {
    /// The number of a memory.
    pub(crate) fn of(memory: &Memory) -> Self {
        let mut hasher = DefaultHasher::new();
        memory.hash(&mut hasher);
        MemoryDigest(hasher.finish())
    }
}

/// How many names of told Events are kept.
const REPORTED: usize = 16;

impl CanaryRuntime {
    /// Whether this is the first time that an Event of this name is to be told.
    pub(crate) fn is_new_event(&mut self, name: &str) -> bool {
        if self.reported.iter().any(|told| told == name) {
            return false;
        }
        self.reported.push_back(name.to_owned());
        if self.reported.len() > REPORTED {
            self.reported.pop_front();
        }
        true
    }

    /// The status was written with this outbox: a delivery matters until the outbox no longer has the notice. Not each
    /// write takes out what was delivered.
    pub(crate) fn forget_delivered(&mut self, outbox: &Outbox) {
        let waits = |(seq, to): &(u64, Receiver)| {
            outbox.entries.iter().any(|entry| entry.seq == *seq && entry.to.contains(to))
        };
        self.delivered.retain(waits);
    }

    /// Changes of what was looked at matter from now on.
    pub(crate) fn set_dependencies(&mut self, looked: Dependencies) {
        if let Some(session) = &mut self.session {
            session.set_dependencies(looked);
        }
    }

    /// Ready when something came up since the last time.
    pub(crate) async fn woken(&self) {
        match &self.session {
            Some(session) => session.woken().await,
            None => std::future::pending().await,
        }
    }

    /// Asks something outside, when it is this Canary's turn.
    pub(crate) async fn ask_outside<T>(&self, question: Question, answer: impl Future<Output = T>) -> T {
        match &self.session {
            Some(session) => session.ask_outside(question, answer).await,
            None => answer.await,
        }
    }

    /// The pause before trying an effect again, in milliseconds.
    pub(crate) fn backoff_ms(&mut self) -> u64 {
        let pause = backoff_ms(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        pause
    }
}

/// The pause after so many failures in a row, in milliseconds: 0.5 s, doubling, at most 30 s.
pub(crate) fn backoff_ms(failures: u32) -> u64 {
    500_u64.saturating_mul(1 << failures.min(6)).min(30_000)
}
