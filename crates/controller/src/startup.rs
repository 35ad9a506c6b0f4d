//! The start, while caches are filled for the first time: the first Canary shows which kinds are needed, and the others
//! are reconciled when those kinds have been listed, instead of once for each kind.
//!
//! A large cluster is listed for longer than a small one: lists are awaited while they make progress.

use std::time::Duration;

use tokio::time::Instant;

/// How long lists are awaited that make no progress.
const STALLED: Duration = Duration::from_secs(5);
/// How long the first lists are awaited altogether.
const LONGEST: Duration = Duration::from_secs(60);

/// Delays reconciles until the first lists are complete.
#[derive(Debug, Default)]
pub(crate) struct StartupGate {
    until: Option<Instant>,
    end: Option<Instant>,
    probed: bool,
    /// Objects listed when `until` was last set.
    listed: u64,
}

impl StartupGate {
    /// The operator starts now.
    pub(crate) fn starting_at(now: Instant) -> Self {
        StartupGate { until: Some(now + STALLED), end: Some(now + LONGEST), ..StartupGate::default() }
    }

    /// When to ask again whether reconciles are delayed; `None` once they are not.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether the next Canary has to wait. `listing`: a list is not complete, and so many objects have been listed;
    /// `busy`: another Canary is being reconciled.
    pub(crate) fn defers(&mut self, now: Instant, busy: bool, listing: impl FnOnce() -> Option<u64>) -> bool {
        let Some(until) = self.until else { return false };
        let listing = listing();
        if let Some(listed) = listing
            && listed > self.listed
        {
            self.listed = listed;
            self.until = self.end.map(|end| end.min(now + STALLED));
        } else if until <= now {
            self.until = None;
        }
        if self.until.is_none_or(|until| until <= now) {
            self.until = None;
            return false;
        }
        let holds = listing.is_some() && (self.probed || busy);
        self.probed = listing.is_some();
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_canary_is_reconciled_first_and_the_others_wait_for_the_lists_for_a_limited_time() {
        let now = Instant::now();
        let late = now + STALLED;
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
            assert_eq!(first.defers(at, busy, || listing.then_some(0)), holds, "{busy} {listing}");
        }
        assert_eq!(first.until(), None);
    }

    #[test]
    fn lists_that_make_progress_are_awaited_longer_but_not_without_end() {
        let start = Instant::now();
        let mut gate = StartupGate::starting_at(start);
        assert!(!gate.defers(start, false, || Some(0)), "the first Canary");
        for (seconds, listed, holds) in [(4, 100, true), (8, 200, true), (14, 300, true), (20, 300, false)] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(gate.defers(now, false, || Some(listed)), holds, "{seconds} s");
        }
        let mut slow = StartupGate::starting_at(start);
        let held = (0..100).filter(|s| slow.defers(start + Duration::from_secs(*s), true, || Some(s + 1)));
        assert_eq!(held.count() as u64, LONGEST.as_secs());
    }
}
