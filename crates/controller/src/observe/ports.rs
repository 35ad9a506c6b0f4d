//! The ports that Services get besides that of the spec: those that `service.portDiscovery` finds, or a target's own.

use vexil_object::Objects;
use vexil_plan::CanaryContext;
use vexil_workload::{ServicePort, WorkloadError};

use crate::Context;

/// The ports of the target.
pub(crate) fn ports(
    context: &Context,
    canary: &CanaryContext,
    objects: &Objects,
) -> Result<Vec<(String, u16)>, WorkloadError> {
    let subject = canary.subject(&context.settings);
    with_port(canary, |port| canary.workload().ports(&subject, port, objects))
}

/// Calls `read` with the Service port of the spec.
pub(crate) fn with_port<T>(canary: &CanaryContext, read: impl FnOnce(&ServicePort<'_>) -> T) -> T {
    let service = &canary.spec().service;
    let target = service.target_port.as_ref().and_then(|port| serde_json::to_value(port).ok());
    read(&ServicePort {
        port: service.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
        name: service.port_name.as_deref().unwrap_or("http"),
        target: target.as_ref(),
        discovers: service.port_discovery.unwrap_or(false),
    })
}
