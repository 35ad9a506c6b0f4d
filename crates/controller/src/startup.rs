//! The start, while caches are filled for the first time: the first Canary shows which kinds are needed, and the others
//! are reconciled when those kinds have been listed, instead of once for each kind.

use std::time::Duration;

use tokio::time::Instant;

/// How long the first lists are awaited.
const FIRST_LIST_LIMIT: Duration = Duration::from_secs(5);

/// Delays reconciles until the first lists are complete.
#[derive(Debug, Default)]
pub(crate) struct StartupGate {
    until: Option<Instant>,
    probed: bool,
}

impl StartupGate {
    /// The operator starts now.
    pub(crate) fn starting_at(now: Instant) -> Self {
        StartupGate { until: Some(now + FIRST_LIST_LIMIT), probed: false }
    }

    /// When reconciles are no longer delayed.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether the next Canary has to wait. `listing`: a list is not complete; `busy`: another Canary is being
    /// reconciled.
    pub(crate) fn defers(&mut self, now: Instant, busy: bool, listing: impl FnOnce() -> bool) -> bool {
        if self.until.is_none_or(|until| until <= now) {
            self.until = None;
            return false;
        }
        let listing = listing();
        let holds = listing && (self.probed || busy);
        self.probed = listing;
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_canary_is_reconciled_first_and_the_others_wait_for_the_lists_for_a_limited_time() {
        let now = Instant::now();
        let late = now + FIRST_LIST_LIMIT;
        let mut first = StartupGate::starting_at(now);
        for (at, busy, listing, holds) in [
            (now, false, true, false),
            (now, true, true, true),
            (now, false, true, true),
            (now, false, false, false),
            (now, true, false, false),
            // The others need one more kind.
            (now, true, true, true),
            (now, false, true, true),
            (late, true, true, false),
            (late, false, true, false),
        ] {
            assert_eq!(first.defers(at, busy, || listing), holds, "{busy} {listing}");
        }
        assert_eq!(first.until(), None);
    }
}
