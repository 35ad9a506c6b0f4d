//! The operator's own metrics, with Flagger's names, in the Prometheus text format.

use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use vexil_analysis::{Cause, Memory, Outcome, Phase, Routes, Strategy};
use vexil_kube::WriteError;
use vexil_object::ObjectKey;
use vexil_plan::CanaryContext;

use self::{
    gauges::OfCanary,
    series::{Check, Ended, Info, Named, Namespace, Reason, Series},
};

mod gauges;
mod series;

/// The operator's metrics. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Series>);

impl Telemetry {
    /// Metrics of an operator of this version with this default provider.
    pub fn new(version: &str, provider: &str) -> Self {
        let series = Series::registered();
        let info = Info { version: version.to_owned(), mesh_provider: provider.to_owned() };
        series.info.get_or_create(&info).set(1);
        Telemetry(Arc::new(series))
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _written = encode(&mut text, &self.0.registry);
        text
    }

    /// What a metric check measured.
    pub(crate) fn measured(&self, canary: &CanaryContext, metric: &str, value: f64) {
        let (name, namespace) = names(canary);
        let check = Check { name, namespace, metric: metric.to_owned() };
        self.0.analysis.get_or_create(&check).set(value);
        self.with_series(canary, |series| {
            if !series.metrics.iter().any(|known| known == metric) {
                series.metrics.push(metric.to_owned());
            }
        });
    }

    /// Where a Canary stands: 0 under analysis, 2 failed, 1 otherwise.
    pub(crate) fn phase(&self, canary: &CanaryContext, phase: Phase) {
        let (name, namespace) = names(canary);
        let value = match phase {
            Phase::Progressing => 0,
            Phase::Failed => 2,
            _ => 1,
        };
        let plan = canary.plan();
        self.with_series(canary, |series| {
            // An invalid spec has no checks; what was measured before still counts then.
            let current = |metric: &String| plan.spec_error.is_some() || plan.checks.contains(metric);
            let (kept, gone) = std::mem::take(&mut series.metrics).into_iter().partition(current);
            series.metrics = kept;
            self.remove_checks(&name, &namespace, &gone);
            series.status = Some(value);
        });
    }

    /// What the routes say.
    pub(crate) fn weights(&self, canary: &CanaryContext, routes: &Routes) {
        self.with_series(canary, |series| series.set_weights(routes));
    }

    /// A decision was stored: rollouts that ended are counted once.
    pub(crate) fn decided(&self, canary: &CanaryContext, before: &Memory, after: &Memory) {
        let Some(ending) = before.ending.as_ref().filter(|_| after.ending.is_none()) else {
            if before.phase == Phase::Promoting && after.phase == Phase::Failed {
                self.0.failures.get_or_create(&ended(canary, "completed")).inc();
            }
            return;
        };
        match ending.result {
            Outcome::Promoted if ending.cause == Cause::Skipped => {
                self.0.successes.get_or_create(&ended(canary, "skipped")).inc();
            }
            Outcome::Promoted => {
                self.0.successes.get_or_create(&ended(canary, "completed")).inc();
            }
            Outcome::RolledBack => {
                self.0.failures.get_or_create(&ended(canary, "completed")).inc();
            }
            Outcome::Reverted | Outcome::Recovered | Outcome::Rebound => {}
        }
    }

    /// How long a tick took that made a step of the analysis.
    pub(crate) fn stepped(&self, canary: &CanaryContext, span_ms: u64) {
        let (name, namespace) = names(canary);
        let seconds = f64::from(u32::try_from(span_ms).unwrap_or(u32::MAX)) / 1000.0;
        self.0.duration.get_or_create(&Named { name, namespace }).observe(seconds);
    }

    /// A write was refused; people tell by the reason whether it is the canary or the cluster.
    pub(crate) fn write_failed(&self, error: &WriteError) {
        let reason = match error {
            WriteError::Conflict { .. } => "conflict",
            WriteError::AlreadyExists => "already-exists",
            WriteError::NotFound { .. } => "not-found",
            WriteError::Forbidden { .. } => "forbidden",
            WriteError::Invalid { .. } => "invalid",
            WriteError::Throttled { .. } => "throttled",
            WriteError::Unknown { .. } => "unknown",
            WriteError::Pruned { .. } => "pruned",
            WriteError::Altered(_) => "altered",
            WriteError::NotServed { .. } => "not-served",
        };
        self.0.write_errors.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }

    /// Whether a Canary is accepted, and nothing keeps it from doing what it should.
    pub(crate) fn accepted(&self, key: &ObjectKey, ready: bool) {
        self.0.gauges.lock().entry(key.clone()).or_default().ready = Some(ready);
    }

    /// A write was held back because it breaks a law.
    pub(crate) fn broke(&self, law: &'static str) {
        self.0.broken_laws.get_or_create(&Reason { reason: law.to_owned() }).inc();
    }

    /// A Canary is looked at.
    pub(crate) fn reconciled(&self) {
        self.0.reconciles.inc();
    }

    pub(crate) fn panicked(&self) {
        self.0.panics.inc();
    }

    /// How many Canaries there are in a namespace.
    pub(crate) fn scheduled(&self, namespace: &str, count: i64) {
        let namespace = Namespace { namespace: namespace.to_owned() };
        if count > 0 {
            self.0.total.get_or_create(&namespace).set(count);
        } else {
            self.0.total.remove(&namespace);
        }
    }

    /// A Canary is gone, and its series with it.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        let Some(series) = self.0.gauges.lock().remove(key) else { return };
        self.remove_target(&series.target, key.namespace(), &series.metrics);
    }

    /// Removes the series of a target that no Canary names any more.
    fn remove_target(&self, target: &str, namespace: &str, metrics: &[String]) {
        self.remove_checks(target, namespace, metrics);
        let named = Named { name: target.to_owned(), namespace: namespace.to_owned() };
        self.0.duration.remove(&named);
    }

    /// Removes the series of checks that the Canary does not have any more.
    fn remove_checks(&self, target: &str, namespace: &str, metrics: &[String]) {
        for metric in metrics {
            self.0.analysis.remove(&Check {
                name: target.to_owned(),
                namespace: namespace.to_owned(),
                metric: metric.clone(),
            });
        }
    }

    /// Changes what is known of a Canary's series. Those of a target that it named before are removed.
    fn with_series(&self, canary: &CanaryContext, change: impl FnOnce(&mut OfCanary)) {
        let (name, namespace) = names(canary);
        let mut all = self.0.gauges.lock();
        let series = all.entry(canary.key().clone()).or_default();
        if *series.target != *name {
            self.remove_target(&series.target, &namespace, &series.metrics);
            *series = OfCanary { target: name.into(), ready: series.ready, ..OfCanary::default() };
        }
        change(series);
    }
}

fn names(canary: &CanaryContext) -> (String, String) {
    (canary.spec().target_ref.name.clone(), canary.key().namespace().to_owned())
}

fn ended(canary: &CanaryContext, analysis_status: &str) -> Ended {
    let (name, namespace) = names(canary);
    let strategy = match canary.plan().strategy {
        Strategy::Progressive(_) => "canary",
        Strategy::BlueGreen { .. } => "blue-green",
        Strategy::AbTesting { .. } => "ab-testing",
    };
    Ended {
        name,
        namespace,
        deployment_strategy: strategy.to_owned(),
        analysis_status: analysis_status.to_owned(),
    }
}

#[cfg(test)]
mod tests;
