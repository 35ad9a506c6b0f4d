//! How long a watch waits before it tries again: different for each kind, so that the watches of one process do not
//! send their requests at the same moment.

use std::time::Duration;

use vexil_object::{Backoff, Kind};

/// While the API server cannot be reached or answers with errors. client-go waits up to 30 s; a shorter pause costs few
/// requests and notices a restarted API server sooner.
pub(crate) const OUTAGE: Backoff = Backoff::new(200, 10_000);

/// While reading is forbidden or the definition exists but this version is not served.
pub(crate) const REFUSED: Backoff = Backoff::new(200, 60_000);

/// Pause while the cluster has no definition of the kind. Definitions are watched, so this only covers kinds that an
/// aggregated API server serves without one.
pub(crate) const ABSENT: Duration = Duration::from_secs(300);

/// The pauses of the watch of one kind.
#[derive(Debug)]
pub(crate) struct WatchPauses {
    seed: u64,
    failures: u32,
}

impl WatchPauses {
    pub(crate) fn new(kind: Kind) -> Self {
        WatchPauses { seed: mix(&[kind.group, kind.version, kind.plural]), failures: 0 }
    }

    /// After a success: the next failure starts from the shortest pause.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure: that of the backoff, less up to a quarter.
    pub(crate) fn pause(&mut self, backoff: Backoff) -> Duration {
        let pause = Duration::from_millis(backoff.pause_ms(self.failures));
        self.failures = self.failures.saturating_add(1);
        pause - pause / 4 * self.share(100) / 100
    }

    /// How long the API server keeps a watch open, in seconds: 230 to 290, so that renewals are spread.
    pub(crate) fn watch_s(&mut self) -> u32 {
        290 - self.share(61)
    }

    /// The next of a fixed series of numbers below `below`: spread between kinds, the same in each run of a test.
    fn share(&mut self, below: u32) -> u32 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.seed >> 33) % u64::from(below)).unwrap_or_default()
    }
}

/// FNV-1a.
fn mix(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use vexil_object::kinds::{DEPLOYMENT, SERVICE};

    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_start_over_after_a_reset() {
        let mut pauses = WatchPauses::new(DEPLOYMENT);
        let mut whole = 200;
        for _ in 0..40 {
            let pause = pauses.pause(OUTAGE).as_millis() as u64;
            assert!(pause <= whole && pause >= whole * 3 / 4, "{pause} of {whole}");
            whole = (whole * 2).min(10_000);
        }
        pauses.reset();
        assert!(pauses.pause(OUTAGE) <= Duration::from_millis(200));
    }

    #[test]
    fn watches_last_230_to_290_s_and_differ_between_kinds() {
        let series = |kind| (0..50).map(|_| WatchPauses::new(kind).watch_s()).collect::<Vec<_>>();
        assert!(series(DEPLOYMENT).iter().all(|s| (230..=290).contains(s)));
        assert_ne!(series(DEPLOYMENT), series(SERVICE));
    }
}
