//! What the API server asked to leave alone for a while: its `Retry-After`, kept for each object, whoever asks next.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, sleep};
use vexil_object::ObjectKey;

use crate::call::Refusal;

/// Longest pause that is kept. A server, or a proxy before it, that asks for more is asked again after this.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// The pause after an answer that asks to slow down and does not say for how long.
const UNSAID: Duration = Duration::from_secs(1);

/// Until when which object is neither read nor written. Lists have the key of their namespace, without a name.
#[derive(Debug, Default)]
pub(crate) struct Holds(BTreeMap<ObjectKey, Instant>);

impl Holds {
    /// How long the object has to be left alone yet, in milliseconds, at least 1; `None` when it need not.
    pub(crate) fn rest_ms(&mut self, key: &ObjectKey) -> Option<u64> {
        let (now, until) = (after(Duration::ZERO), *self.0.get(key)?);
        if until > now {
            return Some(u64::try_from((until - now).as_millis()).unwrap_or(u64::MAX).max(1));
        }
        self.0.remove(key);
        None
    }

    /// Remembers what an answer asks for.
    pub(crate) fn heed(&mut self, key: &ObjectKey, refusal: &Refusal) {
        let Some(pause) = asked(refusal) else { return };
        let now = after(Duration::ZERO);
        // Those that are over go, so that names that are never asked for again do not stay.
        self.0.retain(|_, until| *until > now);
        self.0.insert(key.clone(), now + pause);
    }
}

/// The pause that an answer asks for, within bounds.
pub(crate) fn asked(refusal: &Refusal) -> Option<Duration> {
    match refusal {
        Refusal::Status { code: 429, retry_after_ms, .. } => {
            Some(retry_after_ms.map_or(UNSAID, Duration::from_millis).min(LONGEST))
        }
        Refusal::Status { code: 503, retry_after_ms: Some(ms), .. } => {
            Some(Duration::from_millis(*ms).min(LONGEST))
        }
        Refusal::Status { .. } | Refusal::Lost { .. } => None,
    }
}

/// The moment that is so far away on the runtime's own clock, by which it is slept.
pub(crate) fn after(pause: Duration) -> Instant {
    sleep(pause).deadline()
}

/// A pause in milliseconds; none is 0.
pub(crate) fn in_ms(pause: Option<Duration>) -> u64 {
    pause.map_or(0, |pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}
