//! The memory as the status, and back. Every field has one place in both, so a crash loses nothing.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use vexil_analysis::{
    Alert, AlertSeverity, Binding, Ending, Entry, Level, Limits, Memory, Millis, Notice, Outbox, Phase,
    Receiver, Revision, Route, Wait, WaitKind, Weight,
};
use vexil_api::{self as api, CanaryPhase, CanaryStatus, EventType, OutboxAlert, OutboxEntry};
use vexil_workload::is_our_revision;

use self::words::{CAUSES, LEVELS, OUTCOMES, SEVERITIES, WAITS, api_phase, name, phase, value};
use crate::conditions::{Context, conditions};

mod words;

/// What the status remembers. Words that are not ours count as absent.
pub(crate) fn load(status: &CanaryStatus) -> Memory {
    let revision = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Revision::new);
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    let applied = revision(&status.last_applied_spec);
    let held = revision(&status.primary_spec);
    let weight = Weight::new(status.canary_weight).unwrap_or(Weight::ZERO);
    let withheld = status.withheld_weight.and_then(|weight| Weight::new(weight).ok());
    // A status of an earlier version does not say it.
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
        drain_until: status.drain_until.map(Millis),
        post_rollout: status.post_rollout.as_ref().and_then(ending),
        wait: status.wait.as_ref().and_then(wait),
        waited_ms: status.waited_ms.unwrap_or(0),
        outbox: status.outbox.as_ref().map(outbox).unwrap_or_default(),
        changed: status.last_transition_time.as_ref().map(|time| millis(time.0)),
    }
}

/// Whether nothing of a memory of ours can be missing: the number of the run is always there, whatever else is.
pub(crate) fn is_whole(status: &CanaryStatus) -> bool {
    status.phase == CanaryPhase::Unset || status.run.is_some()
}

/// The status that remembers `memory`. What it does not know of (cookies, tracked configs) stays as it is.
pub(crate) fn store(memory: &Memory, context: &Context<'_>, before: &CanaryStatus) -> CanaryStatus {
    let text = |revision: &Option<Revision>| revision.as_ref().map(|r| r.as_str().to_owned());
    let mut status = CanaryStatus {
        phase: api_phase(memory.phase),
        canary_weight: i64::from(memory.weight.percent()),
        iterations: i64::from(memory.iterations),
        failed_checks: i64::from(memory.failed_checks),
        last_applied_spec: text(&memory.applied),
        last_promoted_spec: text(&memory.promoted),
        primary_spec: text(&memory.held),
        run: Some(memory.run).filter(|_| memory.phase != Phase::New),
        last_step_time: memory.last_step.map(|time| time.0),
        withheld_weight: memory.withheld.map(|weight| i64::from(weight.percent())),
        ending: memory.ending.as_ref().map(api_ending),
        drain_until: memory.drain_until.map(|time| time.0),
        post_rollout: memory.post_rollout.as_ref().map(api_ending),
        wait: memory.wait.as_ref().map(api_wait),
        waited_ms: Some(memory.waited_ms).filter(|waited_ms| *waited_ms > 0),
        prepared: Some(memory.prepared).filter(|_| memory.phase == Phase::Progressing),
        binding: memory.binding.as_ref().map(api_binding),
        limits: memory.limits.map(|limits| api::Limits {
            interval_ms: limits.interval_ms,
            deadline_ms: limits.deadline_ms,
            threshold: limits.threshold,
        }),
        previous_bindings: memory.previous.iter().map(api_binding).collect(),
        observed_generation: context.generation,
        outbox: None,
        last_transition_time: memory.changed.map(|time| Time(timestamp(time))),
        conditions: conditions(memory, context, before),
        ..before.clone()
    };
    let outbox = memory.outbox.clone().fit(room(&status));
    status.outbox = Some(api_outbox(&outbox)).filter(|outbox| outbox.next > 0);
    status
}

/// The largest status, in bytes of JSON. API servers refuse objects above some 1.5 MiB, and each change of the status
/// goes to everybody who watches.
const LARGEST: usize = 64 << 10;

/// What is left for the outbox.
fn room(rest: &CanaryStatus) -> usize {
    LARGEST.saturating_sub(serde_json::to_vec(rest).map_or(0, |bytes| bytes.len()))
}

pub(crate) fn timestamp(time: Millis) -> Timestamp {
    let seconds = i64::try_from(time.0 / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
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

/// What the name of a wait for something to be mended begins with; then comes the digest of what is wrong.
const BROKEN: &str = "broken-";

pub(crate) fn wait_name(kind: WaitKind) -> String {
    match kind {
        WaitKind::InvalidObject(what) => format!("{BROKEN}{what:08x}"),
        kind => name(WAITS, kind).to_owned(),
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

fn binding(binding: &api::Binding) -> Binding {
    Binding {
        kind: binding.kind.clone(),
        target: binding.target.clone(),
        apex: binding.apex.clone(),
        provider: binding.provider.clone(),
        port: binding.port,
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

fn api_binding(binding: &Binding) -> api::Binding {
    api::Binding {
        kind: binding.kind.clone(),
        target: binding.target.clone(),
        primary: format!("{}-primary", binding.target),
        apex: binding.apex.clone(),
        provider: binding.provider.clone(),
        port: binding.port,
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

/// How receivers are written: `events`, or `hook/` and the hook's name.
const EVENTS: &str = "events";
const HOOK: &str = "hook/";

fn receiver(text: &str) -> Option<Receiver> {
    if text == EVENTS {
        return Some(Receiver::Events);
    }
    text.strip_prefix(HOOK).map(|name| Receiver::Hook(name.to_owned()))
}

fn api_receiver(receiver: &Receiver) -> String {
    match receiver {
        Receiver::Events => EVENTS.to_owned(),
        Receiver::Hook(name) => format!("{HOOK}{name}"),
    }
}

fn outbox(outbox: &api::Outbox) -> Outbox {
    let entries = outbox.entries.iter().map(|entry| Entry {
        seq: entry.seq,
        notice: Notice {
            event_type: if entry.type_ == EventType::Warning {
                vexil_analysis::EventType::Warning
            } else {
                vexil_analysis::EventType::Normal
            },
            level: value(LEVELS, &entry.level).unwrap_or(Level::Info),
            message: entry.message.clone(),
            phase: phase(entry.phase),
            time: Millis(entry.time),
            alert: entry.alert.as_ref().map(|alert| Alert {
                severity: value(SEVERITIES, &alert.severity).unwrap_or(AlertSeverity::Info),
                message: alert.message.clone(),
            }),
        },
        to: entry.to.iter().filter_map(|to| receiver(to)).collect(),
    });
    Outbox { next: outbox.next, lost: outbox.lost, entries: entries.collect() }
}

fn api_outbox(outbox: &Outbox) -> api::Outbox {
    let entries = outbox.entries.iter().map(|entry| OutboxEntry {
        seq: entry.seq,
        type_: if entry.notice.event_type == vexil_analysis::EventType::Warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        level: name(LEVELS, entry.notice.level).to_owned(),
        message: entry.notice.message.clone(),
        phase: api_phase(entry.notice.phase),
        time: entry.notice.time.0,
        alert: entry.notice.alert.as_ref().map(|alert| OutboxAlert {
            severity: name(SEVERITIES, alert.severity).to_owned(),
            message: alert.message.clone(),
        }),
        to: entry.to.iter().map(api_receiver).collect(),
    });
    api::Outbox { next: outbox.next, lost: outbox.lost, entries: entries.collect() }
}

#[cfg(test)]
mod tests;
