//! What every reconcile works with.

use std::sync::Arc;

use vexil_egress::Transport;
use vexil_kube::Cluster;
use vexil_metrics::MetricCatalog;
use vexil_object::meta;
use vexil_plan::{CanaryContext, Planner, StatusContext};

use crate::{Alerts, Clock, Registry, Settings, SystemClock, Telemetry, configs::ConfigReads};

/// What every reconcile works with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Caches and writes.
    pub(crate) cluster: Cluster,
    /// Routers.
    pub(crate) registry: Registry,
    /// The HTTP client for metrics and hooks.
    pub(crate) transport: Arc<dyn Transport>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The operator's own metrics.
    pub(crate) telemetry: Telemetry,
    /// Flags.
    pub(crate) settings: Arc<Settings>,
    /// Kinds of metric servers.
    pub(crate) metrics: Arc<MetricCatalog>,
    /// Checksums of ConfigMaps and Secrets.
    pub(crate) configs: ConfigReads,
    /// How alerts are sent.
    pub(crate) alerts: Arc<Alerts>,
}

impl Context {
    /// An operator on this cluster, with these routers and flags. `transport` sends metric queries and hooks. The clock
    /// is the machine's, and the metrics are new; both can be replaced.
    pub fn new(
        cluster: Cluster,
        registry: Registry,
        settings: Settings,
        transport: impl Transport + 'static,
    ) -> Self {
        let telemetry = Telemetry::new(env!("CARGO_PKG_VERSION"), &settings.provider);
        Context {
            cluster,
            registry,
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock::default()),
            telemetry,
            settings: Arc::new(settings),
            metrics: Arc::default(),
            configs: ConfigReads::default(),
            alerts: Arc::default(),
        }
    }

    /// Uses another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Context { clock, ..self }
    }

    /// Counts in these metrics, for a process that serves them.
    #[must_use]
    pub fn with_telemetry(self, telemetry: Telemetry) -> Self {
        Context { telemetry, ..self }
    }

    /// Supports these kinds of metric servers.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricCatalog) -> Self {
        Context { metrics: Arc::new(metrics), ..self }
    }

    /// Sends alerts this way: to these kinds of services, and to a receiver of the operator's own.
    #[must_use]
    pub fn with_alerts(self, alerts: Alerts) -> Self {
        Context { alerts: Arc::new(alerts), ..self }
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Opens Canaries for this operator.
    pub(crate) fn planner(&self) -> Planner<'_> {
        Planner::new(&self.registry, &self.settings)
    }

    /// What a status depends on besides the memory.
    pub(crate) fn status_context<'a>(&self, canary: &'a CanaryContext) -> StatusContext<'a> {
        StatusContext {
            generation: canary.generation(),
            refused: canary.plan().spec_error.as_deref(),
            uid: meta::text(canary.live(), "/metadata/uid"),
            affinity: canary
                .spec()
                .analysis()
                .and_then(|analysis| analysis.session_affinity.as_ref())
                .filter(|_| canary.plan().sticky),
            ..StatusContext::new(&canary.spec().target_ref.kind, self.clock.now())
        }
    }
}
