//! The operator's own metrics (`operator.md` 11.1), in the Prometheus text format.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use vexil_analysis::{Cause, Memory, Outcome, Phase, Routes, Strategy};
use vexil_kube::WriteError;
use vexil_object::ObjectKey;

use vexil_plan::CanaryContext;

/// The operator's metrics. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    registry: Registry,
    info: Family<Info, Gauge>,
    total: Family<Namespace, Gauge>,
    status: Family<Named, Gauge>,
    weight: Family<Workload, Gauge>,
    duration: Family<Named, Histogram, fn() -> Histogram>,
    analysis: Family<Check, Gauge<f64, AtomicU64>>,
    successes: Family<Ended, Counter>,
    failures: Family<Ended, Counter>,
    write_errors: Family<Reason, Counter>,
    reconciles: Counter,
    panics: Counter,
    ready: Family<Named, Gauge>,
    broken_laws: Family<Reason, Counter>,
    /// The series of a Canary go with it.
    series: Mutex<BTreeMap<ObjectKey, Series>>,
}

#[derive(Default)]
struct Series {
    target: String,
    metrics: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Info {
    version: String,
    mesh_provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Namespace {
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Workload {
    workload: String,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    name: String,
    namespace: String,
    metric: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    name: String,
    namespace: String,
    deployment_strategy: String,
    analysis_status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: String,
}

/// Seconds, as the contract has them.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Telemetry {
    /// Metrics of an operator of this version with this default provider.
    pub fn new(version: &str, provider: &str) -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            info: Family::default(),
            total: Family::default(),
            status: Family::default(),
            weight: Family::default(),
            duration: Family::new_with_constructor(histogram),
            analysis: Family::default(),
            successes: Family::default(),
            failures: Family::default(),
            write_errors: Family::default(),
            reconciles: Counter::default(),
            panics: Counter::default(),
            ready: Family::default(),
            broken_laws: Family::default(),
            series: Mutex::default(),
        };
        inner.register();
        let info = Info { version: version.to_owned(), mesh_provider: provider.to_owned() };
        inner.info.get_or_create(&info).set(1);
        Telemetry(Arc::new(inner))
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
        self.with_series(canary.key(), |series| {
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
        self.with_series(canary.key(), |series| name.clone_into(&mut series.target));
        self.0.status.get_or_create(&Named { name, namespace }).set(value);
    }

    /// What the routes say.
    pub(crate) fn weights(&self, canary: &CanaryContext, routes: &Routes) {
        let (target, namespace) = names(canary);
        for (workload, weight) in [(format!("{target}-primary"), routes.primary()), (target, routes.canary())]
        {
            let labels = Workload { workload, namespace: namespace.clone() };
            self.0.weight.get_or_create(&labels).set(i64::from(weight.percent()));
        }
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
        let named = Named { name: key.name().to_owned(), namespace: key.namespace().to_owned() };
        self.0.ready.get_or_create(&named).set(i64::from(ready));
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
        let named = Named { name: key.name().to_owned(), namespace: key.namespace().to_owned() };
        self.0.ready.remove(&named);
        let mut all = self.0.series.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(series) = all.remove(key) else { return };
        let namespace = key.namespace().to_owned();
        let name = series.target;
        for workload in [format!("{name}-primary"), name.clone()] {
            self.0.weight.remove(&Workload { workload, namespace: namespace.clone() });
        }
        for metric in series.metrics {
            self.0.analysis.remove(&Check { name: name.clone(), namespace: namespace.clone(), metric });
        }
        let named = Named { name, namespace };
        self.0.duration.remove(&named);
        self.0.status.remove(&named);
    }

    fn with_series(&self, key: &ObjectKey, change: impl FnOnce(&mut Series)) {
        let mut all = self.0.series.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(key.clone()).or_default());
    }
}

impl Inner {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("flagger_info", "Version and default provider", self.info.clone());
        registry.register("flagger_canary_total", "Canaries by namespace", self.total.clone());
        registry.register(
            "flagger_canary_status",
            "Last known phase: 0 under analysis, 1 at rest, 2 failed",
            self.status.clone(),
        );
        registry.register("flagger_canary_weight", "Traffic share in percent", self.weight.clone());
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
            "vexil_canary_ready",
            "1 when the Canary is accepted and waits for nothing, else 0",
            self.ready.clone(),
        );
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

fn names(canary: &CanaryContext) -> (String, String) {
    (canary.spec().target_ref.name.clone(), canary.key().namespace().to_owned())
}

fn ended(canary: &CanaryContext, analysis_status: &str) -> Ended {
    let (name, namespace) = names(canary);
    let strategy = match canary.plan().strategy {
        Strategy::Progressive(_) => "canary",
        Strategy::BlueGreen { .. } => "blue-green",
    };
    Ended {
        name,
        namespace,
        deployment_strategy: strategy.to_owned(),
        analysis_status: analysis_status.to_owned(),
    }
}
