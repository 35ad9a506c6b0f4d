//! What every tick is given.

use std::sync::Arc;

use vexil_egress::Transport;
use vexil_kube::Cluster;
use vexil_plan::{CanaryContext, Planner, StatusContext};

use crate::{Clock, Registry, Settings, Telemetry};

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

impl Context {
    /// Opens Canaries for this operator.
    pub(crate) fn planner(&self) -> Planner<'_> {
        Planner::new(&self.registry, &self.settings)
    }

    /// What a status depends on besides the memory.
    pub(crate) fn status_context<'a>(&self, canary: &'a CanaryContext) -> StatusContext<'a> {
        StatusContext {
            kind: &canary.spec().target_ref.kind,
            generation: canary.generation(),
            refused: canary.plan().spec_error.as_deref(),
            now: self.clock.now(),
        }
    }
}
