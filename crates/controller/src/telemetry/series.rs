//! The series of the operator's metrics: names, labels and buckets.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::gauges::Gauges;

/// All metrics, registered.
pub(super) struct Series {
    pub(super) registry: Registry,
    pub(super) info: Family<Info, Gauge>,
    pub(super) total: Family<Namespace, Gauge>,
    pub(super) duration: Family<Named, Histogram, fn() -> Histogram>,
    pub(super) analysis: Family<Check, Gauge<f64, AtomicU64>>,
    pub(super) successes: Family<Ended, Counter>,
    pub(super) failures: Family<Ended, Counter>,
    pub(super) write_errors: Family<Reason, Counter>,
    pub(super) reconciles: Counter,
    pub(super) panics: Counter,
    pub(super) broken_laws: Family<Reason, Counter>,
    pub(super) gauges: Gauges,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Info {
    pub(super) version: String,
    pub(super) mesh_provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Namespace {
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Workload {
    pub(super) workload: String,
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) metric: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) deployment_strategy: String,
    pub(super) analysis_status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Reason {
    pub(super) reason: String,
}

/// Upper bounds in seconds, as in Flagger.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Series {
    /// All metrics, in a registry of their own.
    pub(super) fn registered() -> Self {
        let mut inner = Series {
            registry: Registry::default(),
            info: Family::default(),
            total: Family::default(),
            duration: Family::new_with_constructor(histogram),
            analysis: Family::default(),
            successes: Family::default(),
            failures: Family::default(),
            write_errors: Family::default(),
            reconciles: Counter::default(),
            panics: Counter::default(),
            broken_laws: Family::default(),
            gauges: Gauges::default(),
        };
        inner.register();
        inner
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("flagger_info", "Version and default provider", self.info.clone());
        registry.register("flagger_canary_total", "Canaries by namespace", self.total.clone());
        registry.register_collector(Box::new(self.gauges.clone()));
        registry.register(
            "flagger_canary_duration_seconds",
            "Seconds that a step of the analysis took",
            self.duration.clone(),
        );
        registry.register(
            "flagger_canary_metric_analysis",
            "Last value of a metric check",
            self.analysis.clone(),
        );
        registry.register("flagger_canary_successes", "Rollouts promoted", self.successes.clone());
        registry.register("flagger_canary_failures", "Rollouts failed", self.failures.clone());
        registry.register("vexil_write_errors", "Writes refused, by reason", self.write_errors.clone());
        registry.register(
            "vexil_invariant_violations",
            "Writes held back because they would break an invariant",
            self.broken_laws.clone(),
        );
        registry.register("vexil_reconciles", "Reconciles of Canaries begun", self.reconciles.clone());
        registry.register("vexil_tick_panics", "Ticks that panicked", self.panics.clone());
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
