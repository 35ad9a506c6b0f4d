//! What a reconcile asks of the operator's loop.

use crate::notification::Notification;

/// What the loop does after a reconcile.
#[derive(Debug, Default)]
pub(crate) struct ReconcileResult {
    /// Reconcile again after this many milliseconds, although nothing changes.
    pub(crate) requeue_ms: Option<u64>,
    /// Notifications to deliver.
    pub(crate) notifications: Vec<Notification>,
    /// The Canary does not exist any more.
    pub(crate) gone: bool,
}

impl ReconcileResult {
    /// Reconcile again as soon as other Canaries have been reconciled.
    pub(crate) fn at_once() -> Self {
        ReconcileResult { requeue_ms: Some(0), ..ReconcileResult::default() }
    }
}
