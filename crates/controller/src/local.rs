//! What a process knows of one Canary between two ticks. Nothing is decided on it that a crash may not forget: it paces
//! the telling, and spares repeated work.

use std::collections::{BTreeSet, VecDeque};

use vexil_analysis::{Memory, Millis, Receiver, WaitKind};
use vexil_object::ObjectKey;

use crate::contest::Contest;

/// What a process knows of one Canary.
#[derive(Debug, Default)]
pub(crate) struct Local {
    /// What the last tick waited for, and since when.
    pub(crate) waiting: Option<(WaitKind, Millis)>,
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
    pub(crate) settled_as: Option<Memory>,
    /// Notices handed to the deliverer.
    pub(crate) offered: BTreeSet<(u64, Receiver)>,
    /// Notices delivered since the memory was last written.
    pub(crate) delivered: Vec<(u64, Receiver)>,
    /// What the API server made something else of, though it does as it shall, and has not been told.
    pub(crate) altered: BTreeSet<String>,
    /// Names of the Events about bad input that this process has recorded.
    pub(crate) told: VecDeque<String>,
    /// The objects that the last tick looked at.
    pub(crate) looked_at: BTreeSet<ObjectKey>,
    /// The service whose EndpointSlices the last tick counted.
    pub(crate) apex: String,
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
