//! The operator's clock: that of the machine when the process starts, then time as it passes.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use vexil_analysis::Millis;
use vexil_controller::Clock;

/// The clock of a machine: that of the cluster, put forward or back. Clones are the same clock.
///
/// An operator reads it once, as [`vexil_controller::SystemClock`] does: an operator that runs does not notice a jump,
/// the next one finds times in the status that are not its own.
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

    /// The clock of a process that starts now.
    pub fn of_process(&self) -> impl Clock + use<> {
        ProcessClock { clock: self.clock, skew_ms: self.skew_ms.load(Ordering::Relaxed) }
    }
}

/// What a process has read of the machine's clock when it started.
#[derive(Debug)]
struct ProcessClock {
    clock: vexil_testbed_apiserver::Clock,
    skew_ms: i64,
}

impl Clock for ProcessClock {
    fn now(&self) -> Millis {
        let ms = self.clock.now().as_millisecond().saturating_add(self.skew_ms);
        Millis(u64::try_from(ms).unwrap_or_default())
    }
}
