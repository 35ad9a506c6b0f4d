//! What a tick asks of the runner.

use crate::notifications::Notification;

/// What the runner does after a tick.
#[derive(Debug, Default)]
pub(crate) struct ReconcileResult {
    /// Tick again after this many milliseconds, although nothing changes.
    pub(crate) requeue_ms: Option<u64>,
    /// Notices to be delivered.
    pub(crate) notifications: Vec<Notification>,
    /// The Canary is gone.
    pub(crate) gone: bool,
}
