//! The ports of the target's pods that Services get with `service.portDiscovery`.

use vexil_object::Objects;
use vexil_plan::CanaryContext;
use vexil_workload::{ServicePort, WorkloadError};

use crate::Context;

/// The named ports of the target; none without port discovery.
pub(crate) fn ports(
    context: &Context,
    canary: &CanaryContext,
    objects: &Objects,
) -> Result<Vec<(String, u16)>, WorkloadError> {
    let subject = canary.subject(&context.settings);
    discovery(canary, |port| canary.workload().ports(&subject, port, objects))
        .unwrap_or_else(|| Ok(Vec::new()))
}

/// Calls `discover` with the Service port of the spec if `service.portDiscovery` is on; `None` if it is off.
pub(crate) fn discovery<T>(
    canary: &CanaryContext,
    discover: impl FnOnce(&ServicePort<'_>) -> T,
) -> Option<T> {
    let service = &canary.spec().service;
    service.port_discovery.filter(|discovers| *discovers)?;
    let target = service.target_port.as_ref().and_then(|port| serde_json::to_value(port).ok());
    Some(discover(&ServicePort {
        port: service.port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0),
        name: service.port_name.as_deref().unwrap_or("http"),
        target: target.as_ref(),
    }))
}
