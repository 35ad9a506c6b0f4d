//! What a process knows of one Canary between two ticks. Nothing is decided on it that a crash may not forget: it paces
//! the telling, and spares repeated work.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use vexil_analysis::{Memory, Millis, Outbox, Question, Receiver, Waiting};

use crate::{contest::Contest, desk::Desk, interest::Looked};

/// What a process knows of one Canary.
#[derive(Debug, Default)]
pub(crate) struct Local {
    /// When this process began to observe the Canary.
    pub(crate) since: Option<Millis>,
    /// Waits that are not part of the memory.
    pub(crate) waiting: Waiting,
    /// Since when an effect has been refused.
    pub(crate) blocked_since: Option<Millis>,
    /// Since when something that matters has not been seen.
    pub(crate) unseen_since: Option<Millis>,
    /// Since when pods of others have been seen behind a Service.
    pub(crate) strange_since: Option<Millis>,
    /// Refused or failed attempts in a row; they space the next one.
    pub(crate) attempts: u32,
    /// Effects that somebody undoes.
    pub(crate) contest: Contest,
    /// An effect ended without an answer, so that objects may have to be read to be known again.
    pub(crate) unsure: bool,
    /// Writes of the status that were refused or failed in a row; they space the next one.
    pub(crate) status_failures: u32,
    /// The memory for which the world, routes and all, was last seen to be as wanted.
    pub(crate) settled_as: Option<Settled>,
    /// Notices handed to the deliverer.
    pub(crate) offered: BTreeSet<(u64, Receiver)>,
    /// Notices that were delivered and that the outbox in the status still has.
    pub(crate) delivered: Vec<(u64, Receiver)>,
    /// What the API server made something else of, though it does as it shall, and has not been told.
    pub(crate) altered: BTreeSet<String>,
    /// Names of the Events about bad input that this process has recorded.
    pub(crate) told: VecDeque<String>,
    /// What a reconcile works with while it is under way.
    pub(crate) desk: Option<Box<Desk>>,
}

/// A memory, as a number: each idle Canary keeps one. Two memories with the same number would hide one notice of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled(u64);

impl Settled {
    /// The number of a memory.
    pub(crate) fn of(memory: &Memory) -> Self {
        let mut hasher = DefaultHasher::new();
        memory.hash(&mut hasher);
        Settled(hasher.finish())
    }
}

/// How many names of told Events are kept.
const TOLD: usize = 16;

impl Local {
    /// Whether this is the first time that an Event of this name is to be told.
    pub(crate) fn first_time(&mut self, name: &str) -> bool {
        if self.told.iter().any(|told| told == name) {
            return false;
        }
        self.told.push_back(name.to_owned());
        if self.told.len() > TOLD {
            self.told.pop_front();
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
    pub(crate) fn look_at(&mut self, looked: Looked) {
        if let Some(desk) = &mut self.desk {
            desk.look_at(looked);
        }
    }

    /// Ready when something came up since the last time.
    pub(crate) async fn disturbed(&self) {
        match &self.desk {
            Some(desk) => desk.disturbed().await,
            None => std::future::pending().await,
        }
    }

    /// Asks something outside, when it is this Canary's turn.
    pub(crate) async fn outside<T>(&self, question: Question, answer: impl Future<Output = T>) -> T {
        match &self.desk {
            Some(desk) => desk.outside(question, answer).await,
            None => answer.await,
        }
    }

    /// The pause before trying an effect again, in milliseconds.
    pub(crate) fn pause_ms(&mut self) -> u64 {
        let pause = pause_ms(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        pause
    }
}

/// The pause after so many failures in a row, in milliseconds: 0.5 s, doubling, at most 30 s.
pub(crate) fn pause_ms(failures: u32) -> u64 {
    500_u64.saturating_mul(1 << failures.min(6)).min(30_000)
}
