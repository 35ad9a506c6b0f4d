//! How it begins, while caches are filled for the first time: one Canary shows which kinds are looked at, and the
//! others wait until those have been listed, instead of looking once for each kind.

use std::time::Duration;

use tokio::time::Instant;

/// How long first lists are waited for; then what is known has to do.
const FIRST_LIST_LIMIT: Duration = Duration::from_secs(5);

/// The beginning.
#[derive(Debug, Default)]
pub(crate) struct StartupGate {
    until: Option<Instant>,
    probed: bool,
}

impl StartupGate {
    /// It begins now.
    pub(crate) fn starting_at(now: Instant) -> Self {
        StartupGate { until: Some(now + FIRST_LIST_LIMIT), probed: false }
    }

    /// When nothing is waited for any more.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether the next Canary has to wait. `listing`: a list has not come yet; `busy`: another Canary is looking.
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
    fn one_canary_looks_first_and_the_others_wait_for_the_lists_but_not_for_ever() {
        let now = Instant::now();
        let late = now + FIRST_LIST_LIMIT;
        let mut first = StartupGate::starting_at(now);
        for (at, busy, listing, holds) in [
            (now, false, true, false),
            (now, true, true, true),
            (now, false, true, true),
            (now, false, false, false),
            (now, true, false, false),
            // The others look at one kind more.
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
