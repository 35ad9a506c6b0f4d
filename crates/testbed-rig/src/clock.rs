//! The operator's clock: that of the cluster, plus what it is wrong by.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use vexil_analysis::Millis;
use vexil_controller::Clock;

/// The cluster's clock, put forward or back. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SkewedClock {
    clock: vexil_testbed_apiserver::Clock,
    skew_ms: Arc<AtomicI64>,
}

impl SkewedClock {
    /// A clock that is right.
    pub fn new(clock: vexil_testbed_apiserver::Clock) -> Self {
        SkewedClock { clock, skew_ms: Arc::default() }
    }

    /// Puts it forward, or back, by so many milliseconds.
    pub fn jump(&self, ms: i64) {
        self.skew_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Millis {
        let ms = self.clock.now().as_millisecond().saturating_add(self.skew_ms.load(Ordering::Relaxed));
        Millis(u64::try_from(ms).unwrap_or_default())
    }
}
