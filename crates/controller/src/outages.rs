//! Receivers of alerts that accept none at the moment: one attempt at a time for all Canaries, with growing pauses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use vexil_notifier::Rejection;
use vexil_object::Backoff;

use crate::alerts::AlertReceiver;

/// Between two attempts to reach a receiver that accepts no alerts.
const ATTEMPTS: Backoff = Backoff::new(1_000, 300_000);
/// How long others wait while one attempt is made, in milliseconds: longer than it can take.
const ATTEMPT_MS: u64 = 30_000;

/// The receivers that accept no alerts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outages(Arc<Mutex<BTreeMap<AlertReceiver, Outage>>>);

#[derive(Clone, Debug)]
struct Outage {
    /// When the next attempt may be made.
    until: Instant,
    /// Failed attempts in a row.
    failures: u32,
    /// The first failure, without the words of the service, which not every namespace may read.
    reason: String,
}

/// Whether an attempt may be made.
pub(crate) enum Attempt {
    /// Now. During an outage, others wait for its result.
    Now,
    /// The receiver accepts no alerts, for this reason; ask again after the pause.
    Wait { pause: Duration, reason: String },
}

impl Outages {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<AlertReceiver, Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an attempt may be made.
    pub(crate) fn attempt(&self, to: &AlertReceiver) -> Attempt {
        let (mut outages, now) = (self.lock(), Instant::now());
        match outages.get_mut(to) {
            Some(outage) if outage.until > now => {
                Attempt::Wait { pause: outage.until - now, reason: outage.reason.clone() }
            }
            Some(outage) => {
                outage.until = now + Duration::from_millis(ATTEMPT_MS);
                Attempt::Now
            }
            None => Attempt::Now,
        }
    }

    /// The receiver accepted an alert, or refused this one alone.
    pub(crate) fn over(&self, to: &AlertReceiver) {
        if self.lock().remove(to).is_some() {
            tracing::info!("alerts to {to} are accepted again");
        }
    }

    /// The receiver accepted no alert. Logs the first time.
    pub(crate) fn failed(&self, to: &AlertReceiver, rejection: &Rejection) {
        let (mut outages, now) = (self.lock(), Instant::now());
        let failures = outages.get(to).map_or(0, |outage| outage.failures);
        let pause_ms = ATTEMPTS.pause_ms(failures).max(rejection.retry_after_ms.unwrap_or(0));
        let until = now + Duration::from_millis(pause_ms);
        let outage = outages.entry(to.clone()).or_insert_with(|| {
            tracing::error!("alerts to {to} are not delivered: {rejection}");
            Outage { until, failures, reason: rejection.status.clone() }
        });
        outage.until = until;
        outage.failures = failures.saturating_add(1);
    }
}
