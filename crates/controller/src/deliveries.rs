//! What was reported of deliveries, until a reconcile of the Canary knows it.

use std::collections::BTreeMap;

use vexil_analysis::Receiver;
use vexil_object::ObjectKey;

use crate::{notifications::DeliveryReport, runtime::CanaryRuntime};

/// Reports of the dispatcher, by Canary.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// Notices that were delivered since the last reconcile began.
    delivered: BTreeMap<ObjectKey, Vec<(u64, Receiver)>>,
    /// Why notices are not delivered, by their receiver.
    undelivered: BTreeMap<ObjectKey, BTreeMap<Receiver, String>>,
}

impl Deliveries {
    /// Keeps a report for the next reconcile of its Canary.
    pub(crate) fn add(&mut self, report: DeliveryReport) {
        let DeliveryReport { key, seq, to, ended, failure } = report;
        if let Some(failure) = failure {
            self.undelivered.entry(key.clone()).or_default().insert(to.clone(), failure);
        }
        if ended {
            self.delivered.entry(key).or_default().push((seq, to));
        }
    }

    /// Gives what was reported to a reconcile that begins.
    pub(crate) fn hand_over(&mut self, key: &ObjectKey, runtime: &mut CanaryRuntime) {
        runtime.delivered.extend(self.delivered.remove(key).unwrap_or_default());
        runtime.undelivered = self.undelivered.get(key).cloned().unwrap_or_default();
    }

    /// Whether anything was reported since the reconcile with this runtime began.
    pub(crate) fn changed_since(&self, key: &ObjectKey, runtime: &CanaryRuntime) -> bool {
        let failures = self.undelivered.get(key);
        self.delivered.contains_key(key) || failures.is_some_and(|known| *known != runtime.undelivered)
    }

    /// Removes a Canary that is gone.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        self.delivered.remove(key);
        self.undelivered.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use vexil_object::kinds::CANARY;

    use super::*;

    #[test]
    fn a_report_during_a_reconcile_is_for_another_one() {
        let key = ObjectKey::new(CANARY, "test", "podinfo");
        let report = |ended, failure: Option<&str>| {
            let (to, failure) = (Receiver::Alert("on-call".to_owned()), failure.map(str::to_owned));
            DeliveryReport { key: key.clone(), seq: 1, to, ended, failure }
        };
        let (mut deliveries, mut runtime) = (Deliveries::default(), CanaryRuntime::default());
        for (report, is_news) in [
            (report(false, Some("503")), true),
            (report(false, Some("503")), false),
            (report(false, Some("it does not exist")), true),
            (report(true, None), true),
        ] {
            deliveries.hand_over(&key, &mut runtime);
            assert!(!deliveries.changed_since(&key, &runtime), "what was handed over: {report:?}");
            deliveries.add(report.clone());
            assert_eq!(deliveries.changed_since(&key, &runtime), is_news, "{report:?}");
        }
    }
}
