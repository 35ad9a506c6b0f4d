//! The memory as the status, and back. Every field has one place in both, so a crash loses nothing.

use k8s_openapi::{
    apimachinery::pkg::{apis::meta::v1::Time, util::intstr::IntOrString},
    jiff::Timestamp,
};
use serde_json::Value;
use vexil_analysis::{
    Binding, Drain, Ending, Exposure, Limits, Memory, Millis, Phase, Reported, Revision, Route, ServicePort,
    Wait, WaitKind, Weight,
};
use vexil_api::{self as api, CanaryPhase, CanaryStatus};
use vexil_workload::is_our_revision;

use self::{
    names::{BROKEN, CAUSES, EXPOSURES, OUTCOMES, WAITS, api_phase, name, phase, value},
    outbox::{api_outbox, outbox},
};
use crate::conditions::{StatusContext, conditions};

mod names;
mod outbox;

pub(crate) use names::{timestamp, wait_name};

/// The status of a Canary, empty if it has none; `None` if it cannot be read.
pub(crate) fn parse(live: &Value) -> Option<CanaryStatus> {
    let status = live.get("status").filter(|status| !status.is_null());
    status.map_or_else(|| Some(CanaryStatus::default()), |status| serde_json::from_value(status.clone()).ok())
}

/// What the status remembers. Values that Vexil does not write count as absent.
pub fn load(status: &CanaryStatus) -> Memory {
    let revision = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Revision::new);
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    let applied = revision(&status.last_applied_spec);
    let held = revision(&status.primary_spec);
    let exposure = status.exposure.as_deref().and_then(|text| value(EXPOSURES, text)).unwrap_or_default();
    let weight = Weight::new(status.canary_weight).unwrap_or(Weight::ZERO);
    // Flagger's status has no weight in an A/B test.
    let matched = exposure == Exposure::Matched && status.withheld_weight.is_none();
    let weight = if matched { Weight::FULL } else { weight };
    let withheld = status.withheld_weight.and_then(|weight| Weight::new(weight).ok());
    // Earlier versions did not write `prepared`.
    let started = !weight.is_zero() || status.iterations > 0 || withheld.is_some_and(|of| !of.is_zero());
    Memory {
        phase: phase(status.phase),
        binding: status.binding.as_ref().map(binding),
        limits: status.limits.as_ref().map(|limits| Limits {
            interval_ms: limits.interval_ms,
            deadline_ms: limits.deadline_ms,
            threshold: limits.threshold,
        }),
        previous: status.previous_bindings.iter().map(binding).collect(),
        weight,
        exposure,
        prepared: status.prepared.unwrap_or(started),
        iterations: count(status.iterations),
        failed_checks: count(status.failed_checks),
        from_flagger: applied.as_ref().is_some_and(|revision| !is_our_revision(revision)),
        promoted: revision(&status.last_promoted_spec),
        applied,
        held,
        run: status.run.unwrap_or(0),
        last_step: status.last_step_time.map(Millis),
        withheld,
        ending: status.ending.as_ref().and_then(ending),
        released: status.traffic_released.unwrap_or(false),
        drain: status
            .drain_until
            .map(|until| Drain { until: Millis(until), restarts: status.drain_restarts.unwrap_or(0) }),
        post_rollout: status.post_rollout.as_ref().and_then(ending),
        wait: status.wait.as_ref().and_then(wait),
        waited_ms: status.waited_ms.unwrap_or(0),
        outbox: status.outbox.as_ref().map(outbox).unwrap_or_default(),
        reported: status.reported_warnings.as_ref().map(reported).unwrap_or_default(),
        changed: status.last_transition_time.as_ref().map(|time| millis(time.0)),
    }
}

/// Whether this status was written by Vexil and its CRD keeps the fields: every status of Vexil has the number of its
/// run.
pub fn has_run_number(status: &CanaryStatus) -> bool {
    status.phase == CanaryPhase::Unset || status.run.is_some()
}

/// The status that remembers `memory`. Notices are dropped where the status would exceed [`STATUS_LIMIT`].
pub fn store(memory: &Memory, context: &StatusContext<'_>, before: &CanaryStatus) -> CanaryStatus {
    let text = |revision: &Option<Revision>| revision.as_ref().map(|r| r.as_str().to_owned());
    let matched = memory.exposure == Exposure::Matched && memory.withheld.is_none();
    let mut status = CanaryStatus {
        phase: api_phase(memory.phase),
        canary_weight: if matched { 0 } else { i64::from(memory.weight.percent()) },
        exposure: Some(name(EXPOSURES, memory.exposure).to_owned()).filter(|text| !text.is_empty()),
        iterations: i64::from(memory.iterations),
        failed_checks: i64::from(memory.failed_checks),
        last_applied_spec: text(&memory.applied),
        last_promoted_spec: text(&memory.promoted),
        primary_spec: text(&memory.held),
        run: Some(memory.run).filter(|_| memory.phase != Phase::New),
        last_step_time: memory.last_step.map(|time| time.0),
        withheld_weight: memory.withheld.map(|weight| i64::from(weight.percent())),
        ending: memory.ending.as_ref().map(api_ending),
        drain_until: memory.drain.map(|drain| drain.until.0),
        drain_restarts: memory.drain.map(|drain| drain.restarts).filter(|restarts| *restarts > 0),
        traffic_released: Some(memory.released).filter(|released| *released),
        post_rollout: memory.post_rollout.as_ref().map(api_ending),
        wait: memory.wait.as_ref().map(api_wait),
        waited_ms: Some(memory.waited_ms).filter(|waited_ms| *waited_ms > 0),
        prepared: Some(memory.prepared)
            .filter(|_| matches!(memory.phase, Phase::Progressing | Phase::WaitingPromotion)),
        binding: memory.binding.as_ref().map(api_binding),
        limits: memory.limits.map(|limits| api::Limits {
            interval_ms: limits.interval_ms,
            deadline_ms: limits.deadline_ms,
            threshold: limits.threshold,
        }),
        previous_bindings: memory.previous.iter().map(api_binding).collect(),
        observed_generation: context.generation,
        tracked_configs: context.tracked.after(before),
        outbox: None,
        reported_warnings: api_reported(&memory.reported),
        last_transition_time: memory.changed.map(|time| Time(timestamp(time))),
        conditions: conditions(memory, context, before),
        ..crate::cookies::follow(memory, context, before)
    };
    // Every reconcile asks for the status, and hardly ever are there notices.
    let room = if memory.outbox.entries.is_empty() { STATUS_LIMIT } else { room(&status) };
    let outbox = memory.outbox.clone().fit(room);
    status.outbox = Some(api_outbox(&outbox)).filter(|outbox| outbox.next > 0);
    status
}

/// The largest status, in bytes of JSON. API servers refuse objects above 1.5 MiB, and every watcher gets each change.
pub const STATUS_LIMIT: usize = 64 << 10;

/// What is left for the outbox.
fn room(rest: &CanaryStatus) -> usize {
    STATUS_LIMIT.saturating_sub(serde_json::to_vec(rest).map_or(0, |bytes| bytes.len()))
}

fn millis(time: Timestamp) -> Millis {
    Millis(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

fn ending(ending: &api::Ending) -> Option<Ending> {
    Some(Ending { result: value(OUTCOMES, &ending.result)?, cause: value(CAUSES, &ending.cause)? })
}

fn api_ending(ending: &Ending) -> api::Ending {
    api::Ending {
        result: name(OUTCOMES, ending.result).to_owned(),
        cause: name(CAUSES, ending.cause).to_owned(),
    }
}

fn wait(wait: &api::Wait) -> Option<Wait> {
    let broken = wait.kind.strip_prefix(BROKEN).and_then(|what| u32::from_str_radix(what, 16).ok());
    let kind = broken.map(WaitKind::InvalidObject).or_else(|| value(WAITS, &wait.kind))?;
    let text = wait.message.clone();
    Some(Wait { kind, since: Millis(wait.since), waited_ms: wait.waited_ms, at: Millis(wait.at), text })
}

fn api_wait(wait: &Wait) -> api::Wait {
    api::Wait {
        kind: wait_name(wait.kind),
        since: wait.since.0,
        waited_ms: wait.waited_ms,
        at: wait.at.0,
        message: wait.text.clone(),
    }
}

fn reported(warnings: &api::ReportedWarnings) -> Reported {
    Reported { spec: warnings.spec.clone(), cluster: warnings.cluster.clone() }
}

fn api_reported(reported: &Reported) -> Option<api::ReportedWarnings> {
    let Reported { spec, cluster } = reported.clone();
    Some(api::ReportedWarnings { spec, cluster }).filter(|_| *reported != Reported::default())
}

/// The binding that a status records.
pub(crate) fn binding(binding: &api::Binding) -> Binding {
    Binding {
        kind: binding.kind.clone(),
        target: binding.target.clone(),
        apex: binding.apex.clone(),
        provider: binding.provider.clone(),
        service_port: binding.service_port.as_ref().map(service_port),
        references: binding.references.clone(),
        route: binding.route.as_ref().map(|route| Route {
            api_version: route.api_version.clone(),
            kind: route.kind.clone(),
            namespace: route.namespace.clone(),
            name: route.name.clone(),
        }),
        selector: binding.selector.clone(),
    }
}

/// The port of the Services.
pub(crate) fn service_port(service: &api::ServicePort) -> ServicePort {
    let target = |port: &IntOrString| match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    ServicePort {
        port: service.port,
        name: service.port_name.clone(),
        target: service.target_port.as_ref().map(target),
        app_protocol: service.app_protocol.clone(),
    }
}

/// No name of a port is a number.
fn api_service_port(service: &ServicePort) -> api::ServicePort {
    let target =
        |port: &String| port.parse().map_or_else(|_| IntOrString::String(port.clone()), IntOrString::Int);
    api::ServicePort {
        port: service.port,
        port_name: service.name.clone(),
        target_port: service.target.as_ref().map(target),
        app_protocol: service.app_protocol.clone(),
    }
}

fn api_binding(binding: &Binding) -> api::Binding {
    api::Binding {
        kind: binding.kind.clone(),
        target: binding.target.clone(),
        primary: format!("{}-primary", binding.target),
        apex: binding.apex.clone(),
        provider: binding.provider.clone(),
        service_port: binding.service_port.as_ref().map(api_service_port),
        references: binding.references.clone(),
        route: binding.route.as_ref().map(|route| api::RouteObject {
            api_version: route.api_version.clone(),
            kind: route.kind.clone(),
            namespace: route.namespace.clone(),
            name: route.name.clone(),
        }),
        selector: binding.selector.clone(),
    }
}

#[cfg(test)]
mod tests;
