//! The pauses that the API server asks for with `Retry-After`, for each object, whichever caller sends the next
//! request.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, sleep};
use vexil_object::ObjectKey;

use crate::call::Refusal;

/// Longest pause that is observed. If a server, or a proxy in front of it, asks for more, the next request is sent
/// after this one.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// The pause after an answer that asks to slow down and does not say for how long.
const DEFAULT: Duration = Duration::from_secs(1);

/// Until when each object is neither read nor written. A list has the key of its namespace, with an empty name.
#[derive(Debug, Default)]
pub(crate) struct Pauses(BTreeMap<ObjectKey, Instant>);

impl Pauses {
    /// What remains of the pause of an object, in milliseconds, at least 1; `None` when there is none.
    pub(crate) fn remaining_ms(&mut self, key: &ObjectKey) -> Option<u64> {
        let (now, until) = (after(Duration::ZERO), *self.0.get(key)?);
        if until > now {
            return Some(u64::try_from((until - now).as_millis()).unwrap_or(u64::MAX).max(1));
        }
        self.0.remove(key);
        None
    }

    /// Remembers what an answer asks for.
    pub(crate) fn remember(&mut self, key: &ObjectKey, refusal: &Refusal) {
        let Some(pause) = asked(refusal) else { return };
        let now = after(Duration::ZERO);
        // Drop those that are over: an object that is never asked for again must not stay here.
        self.0.retain(|_, until| *until > now);
        self.0.insert(key.clone(), now + pause);
    }
}

/// The pause that an answer asks for, within bounds.
pub(crate) fn asked(refusal: &Refusal) -> Option<Duration> {
    match refusal {
        Refusal::Status { code: 429, retry_after_ms, .. } => {
            Some(retry_after_ms.map_or(DEFAULT, Duration::from_millis).min(LONGEST))
        }
        Refusal::Status { code: 503, retry_after_ms: Some(ms), .. } => {
            Some(Duration::from_millis(*ms).min(LONGEST))
        }
        Refusal::Status { .. } | Refusal::Lost { .. } => None,
    }
}

/// The moment `pause` from now, on the clock of the runtime, which tests can stop.
pub(crate) fn after(pause: Duration) -> Instant {
    sleep(pause).deadline()
}

/// A pause in milliseconds; none is 0.
pub(crate) fn in_ms(pause: Option<Duration>) -> u64 {
    pause.map_or(0, |pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}
