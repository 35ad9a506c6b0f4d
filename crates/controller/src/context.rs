//! What every tick is given.

use std::sync::Arc;

use vexil_egress::Transport;
use vexil_kube::Cluster;

use crate::{Clock, Registry, Telemetry};

/// What every tick is given. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Caches and writes.
    pub cluster: Cluster,
    /// Routers.
    pub registry: Registry,
    /// The way out, for metrics and hooks.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The operator's own metrics.
    pub telemetry: Telemetry,
    /// Flags.
    pub settings: Arc<Settings>,
}

/// The operator's flags, as far as ticks depend on them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `-mesh-provider`: provider of Canaries that name none.
    pub provider: String,
    /// `-metrics-server`: Prometheus of built-in and inline queries.
    pub metrics_server: String,
    /// `-min-analysis-interval`: shorter intervals count as this, in milliseconds.
    pub min_interval_ms: u64,
    /// `-no-cross-namespace-refs`.
    pub no_cross_namespace_refs: bool,
    /// `-event-webhook`: told of every event of Canaries that have no `event` hook of their own.
    pub event_webhook: Option<String>,
    /// `-selector-labels` and `-include-label-prefix`.
    pub workloads: vexil_workload::Settings,
}

/// The defaults of the flags (`operator.md` section 2).
impl Default for Settings {
    fn default() -> Self {
        Settings {
            provider: "istio".to_owned(),
            metrics_server: "http://prometheus:9090".to_owned(),
            min_interval_ms: 10_000,
            no_cross_namespace_refs: false,
            event_webhook: None,
            workloads: vexil_workload::Settings::default(),
        }
    }
}
