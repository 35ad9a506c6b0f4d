//! Backoff for a write that another writer keeps reverting: another controller or an admission webhook. A watch
//! enqueues the Canary within milliseconds, so without backoff the two writers would keep the API server busy.

use std::hash::{DefaultHasher, Hash, Hasher};

use vexil_analysis::{Effect, Memory, Message, Millis, Outbox};

use crate::runtime::RETRY;

/// How often the last effect was repeated although nothing was decided in between. Each Canary keeps one.
#[derive(Debug, Default)]
pub(crate) struct ConflictBackoff {
    last: Option<Carried>,
    times: u32,
    at: Millis,
}

/// An effect that was carried out.
#[derive(Debug)]
struct Carried {
    /// Of the effect and the memory. Two with one digest would space one write.
    digest: u64,
    /// What it changed, for messages.
    what: &'static str,
}

/// Repetitions without a pause.
const FREE_ATTEMPTS: u32 = 3;
/// How long an effect has to last before the conflict counts as over, in milliseconds.
const CONFIRM_MS: u64 = 5_000;
/// A reverted write this long after the one before is a new conflict, in milliseconds.
const RESET_AFTER_MS: u64 = 60_000;

impl ConflictBackoff {
    /// How long an effect has to wait now, in milliseconds; `None` if it need not.
    pub(crate) fn backoff_ms(&self, memory: &Memory, effect: &Effect, now: Millis) -> Option<u64> {
        let (since, same) = (now.since(self.at), self.is_same(memory, effect));
        if !same || self.times < FREE_ATTEMPTS || since >= RESET_AFTER_MS {
            return None;
        }
        RETRY.pause_ms(self.times - FREE_ATTEMPTS).checked_sub(since).filter(|rest| *rest > 0)
    }

    /// The message about the effect that was repeated last, and how long it still has to last before the conflict
    /// counts as over, in milliseconds; `None` if there is no conflict.
    pub(crate) fn unconfirmed(&self, now: Millis) -> Option<(String, u64)> {
        let since = now.since(self.at);
        let last = self.last.as_ref().filter(|_| self.times > FREE_ATTEMPTS && since < CONFIRM_MS)?;
        Some((Message::WriteConflict { what: last.what }.to_string(), CONFIRM_MS - since))
    }

    /// An effect was carried out.
    pub(crate) fn record(&mut self, memory: &Memory, effect: &Effect, now: Millis) {
        let repeated = self.is_same(memory, effect) && now.since(self.at) < RESET_AFTER_MS;
        if !repeated {
            self.last = Some(Carried { digest: digest(memory, effect), what: what(effect) });
        }
        self.times = if repeated { self.times.saturating_add(1) } else { 1 };
        self.at = now;
    }

    /// The message about a conflict.
    pub(crate) fn text(effect: &Effect) -> String {
        Message::WriteConflict { what: what(effect) }.to_string()
    }

    fn is_same(&self, memory: &Memory, effect: &Effect) -> bool {
        self.last.as_ref().is_some_and(|last| last.digest == digest(memory, effect))
    }
}

fn what(effect: &Effect) -> &'static str {
    match effect {
        Effect::Backends => "the Services of primary and canary",
        Effect::Apex => "the apex Service",
        Effect::Restore => "the Services of the earlier primary",
        Effect::Route(_) => "the route",
        Effect::Configs => "the primary's copies of ConfigMaps and Secrets",
        Effect::Scaler => "the autoscaler of the primary",
        Effect::CreatePrimary(_) | Effect::Promote(_) => "the primary",
        Effect::ScaleUp | Effect::RevertTarget | Effect::ScaleToZero => "the replicas of the target",
        Effect::ReleaseTraffic => "the apex Service or the route",
        Effect::Release => "what an earlier binding left",
    }
}

/// Without the outbox and the wait of the memory, which change with each repetition.
fn digest(memory: &Memory, effect: &Effect) -> u64 {
    let memory = Memory { wait: None, outbox: Outbox::default(), ..memory.clone() };
    let mut hasher = DefaultHasher::new();
    (memory, effect).hash(&mut hasher);
    hasher.finish()
}
