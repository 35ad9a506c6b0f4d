//! What a tick asks of the runner.

use crate::deliver::Delivery;

/// What the runner does after a tick.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// Tick again after this many milliseconds, although nothing changes.
    pub(crate) wake_ms: Option<u64>,
    /// Notices to be delivered.
    pub(crate) deliveries: Vec<Delivery>,
    /// The Canary is gone.
    pub(crate) gone: bool,
}
