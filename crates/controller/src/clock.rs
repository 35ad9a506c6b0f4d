//! The operator's clock, behind a trait so that tests can control it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use vexil_analysis::Millis;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch. Never goes back, and runs at the pace of time: steps, drains and deadlines
    /// are measured with it.
    fn now(&self) -> Millis;
}

/// The machine's clock, read once; from then on time is measured. Setting the clock of the machine while the operator
/// runs therefore moves no step, drain or deadline. Times in Events and conditions follow at the next start.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
    started_at: Millis,
}

impl Default for SystemClock {
    fn default() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_at = Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        SystemClock { started: Instant::now(), started_at }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        self.started_at.plus(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}
