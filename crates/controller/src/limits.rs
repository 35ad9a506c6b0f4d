//! How much the operator does at once. Each limit is shared fairly among namespaces ([`FairSemaphore`]).

use crate::fair_semaphore::FairSemaphore;

/// Cache events that are handled before the next Canary is reconciled.
pub(crate) const CHANGES_AT_ONCE: usize = 64;

/// The limits of one process. All clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Reconciles that observe, decide and write. One that awaits an answer from outside does not count. Each takes
    /// about 90 KiB, most of which the process never gives back; more at once do not end earlier.
    pub(crate) reconciles: FairSemaphore,
    /// Calls of hooks that decide about a rollout.
    pub(crate) hooks: FairSemaphore,
    /// Metric queries.
    pub(crate) metrics: FairSemaphore,
    /// Notifications that are being delivered or wait for it, also between attempts.
    pub(crate) notifications: FairSemaphore,
    /// The same for alerts, of their own: a receiver of alerts that is down for an hour holds up no Event.
    pub(crate) alerts: FairSemaphore,
    /// Calls of `event` hooks and of receivers of alerts.
    pub(crate) event_hooks: FairSemaphore,
    /// Writes of Kubernetes Events.
    pub(crate) events: FairSemaphore,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            reconciles: FairSemaphore::new(16, 1),
            hooks: FairSemaphore::new(512, 1),
            metrics: FairSemaphore::new(256, 1),
            notifications: FairSemaphore::new(4096, 128),
            alerts: FairSemaphore::new(4096, 128),
            event_hooks: FairSemaphore::new(256, 4),
            events: FairSemaphore::new(32, 2),
        }
    }
}
