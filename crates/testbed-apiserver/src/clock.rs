//! Wall time that follows tokio's clock, so that time stamps are right on paused, virtual time as well.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// 2026-01-01T00:00:00Z in seconds: when a cluster begins without another setting.
const FIRST_SECOND: i64 = 1_767_225_600;

/// A wall clock: a fixed first moment plus what has passed on tokio's clock since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// A clock that shows `base` now.
    pub fn starting_at(base: Timestamp) -> Self {
        Clock { base, started: Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        self.base.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// The present moment as objects carry it: RFC 3339 in whole seconds, as `metav1.Time` is written.
    pub fn stamp(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// A clock that shows 2026-01-01T00:00:00Z now: the same in every run.
impl Default for Clock {
    fn default() -> Self {
        Clock::starting_at(Timestamp::new(FIRST_SECOND, 0).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_virtual_time() {
        let clock = Clock::default();
        assert_eq!(clock.stamp(), "2026-01-01T00:00:00Z");
        tokio::time::sleep(Duration::from_millis(61_500)).await;
        assert_eq!(clock.stamp(), "2026-01-01T00:01:01Z");
    }
}
