//! The memory as the status, and back. Every field has one place in both, so a crash loses nothing.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use vexil_analysis::{
    Alert, AlertSeverity, Cause, Ending, Entry, Kind, Level, Memory, Millis, Notice, Outbox, Outcome, Phase,
    Receiver, Revision, Wait, WaitKind, Weight,
};
use vexil_api::{self as api, CanaryPhase, CanaryStatus, Condition, EventType, OutboxAlert, OutboxEntry};
use vexil_workload::is_our_revision;

/// What the status remembers. Words that are not ours count as absent.
pub(crate) fn load(status: &CanaryStatus) -> Memory {
    let revision = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Revision::new);
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    let applied = revision(&status.last_applied_spec);
    let held = revision(&status.primary_spec);
    Memory {
        phase: phase(status.phase),
        weight: Weight::new(status.canary_weight).unwrap_or(Weight::ZERO),
        iterations: count(status.iterations),
        failed_checks: count(status.failed_checks),
        foreign: applied.as_ref().is_some_and(|revision| !is_our_revision(revision)),
        promoted: revision(&status.last_promoted_spec),
        applied,
        held,
        run: status.run.unwrap_or(0),
        last_step: status.last_step_time.map(Millis),
        withheld: status.withheld_weight.and_then(|weight| Weight::new(weight).ok()),
        ending: status.ending.as_ref().and_then(ending),
        drain_until: status.drain_until.map(Millis),
        post_rollout: status.post_rollout.as_ref().and_then(ending),
        wait: status.wait.as_ref().and_then(wait),
        outbox: status.outbox.as_ref().map(outbox).unwrap_or_default(),
        changed: status.last_transition_time.as_ref().map(|time| millis(time.0)),
    }
}

/// Whether nothing of a memory of ours can be missing: the number of the run is always there, whatever else is.
pub(crate) fn is_whole(status: &CanaryStatus) -> bool {
    status.phase == CanaryPhase::Unset || status.run.is_some()
}

/// The status that remembers `memory`. What it does not know of (cookies, tracked configs) stays as it is.
pub(crate) fn store(memory: &Memory, kind: &str, before: &CanaryStatus, now: Millis) -> CanaryStatus {
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
        wait: memory.wait.as_ref().map(|wait| api::Wait { kind: wait_name(wait.kind), since: wait.since.0 }),
        outbox: None,
        last_transition_time: memory.changed.map(|time| Time(timestamp(time))),
        conditions: vec![condition(memory, kind, before, now)],
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

fn timestamp(time: Millis) -> Timestamp {
    let seconds = i64::try_from(time.0 / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

fn millis(time: Timestamp) -> Millis {
    Millis(u64::try_from(time.as_millisecond()).unwrap_or(0))
}

/// The condition `Promoted` (`analysis.md` section 6).
fn condition(memory: &Memory, kind: &str, before: &CanaryStatus, now: Millis) -> Condition {
    let phase = memory.phase;
    let (status, message) = match phase {
        Phase::Initialized => ("True", format!("{kind} initialization completed.")),
        Phase::Waiting | Phase::WaitingPromotion => ("Unknown", "Waiting for approval.".to_owned()),
        Phase::Progressing => ("Unknown", "New revision detected, progressing canary analysis.".to_owned()),
        Phase::Promoting => {
            ("Unknown", "Canary analysis completed, starting primary rolling update.".to_owned())
        }
        Phase::Finalising => {
            ("Unknown", "Canary analysis completed, routing all traffic to primary.".to_owned())
        }
        Phase::Succeeded => {
            ("True", "Canary analysis completed successfully, promotion finished.".to_owned())
        }
        Phase::Failed if memory.weight == Weight::FULL => {
            ("False", format!("Canary promotion failed, {kind} serves all traffic."))
        }
        Phase::Failed => ("False", format!("Canary analysis failed, {kind} scaled to zero.")),
        Phase::New | Phase::Initializing | Phase::Terminating | Phase::Terminated => {
            ("Unknown", format!("New {kind} detected, starting initialization."))
        }
    };
    let old = before.conditions.first();
    let same_status = old.filter(|old| old.status == status);
    let same = |old: &&Condition| old.reason == phase.as_str() && old.message.as_deref() == Some(&message);
    if let Some(old) = same_status.filter(same) {
        return old.clone();
    }
    let time = Some(Time(timestamp(now)));
    Condition {
        type_: "Promoted".to_owned(),
        status: status.to_owned(),
        reason: phase.as_str().to_owned(),
        message: Some(message),
        last_update_time: time.clone(),
        last_transition_time: same_status.and_then(|old| old.last_transition_time.clone()).or(time),
    }
}

const PHASES: [(CanaryPhase, Phase); 12] = [
    (CanaryPhase::Unset, Phase::New),
    (CanaryPhase::Initializing, Phase::Initializing),
    (CanaryPhase::Initialized, Phase::Initialized),
    (CanaryPhase::Waiting, Phase::Waiting),
    (CanaryPhase::Progressing, Phase::Progressing),
    (CanaryPhase::WaitingPromotion, Phase::WaitingPromotion),
    (CanaryPhase::Promoting, Phase::Promoting),
    (CanaryPhase::Finalising, Phase::Finalising),
    (CanaryPhase::Succeeded, Phase::Succeeded),
    (CanaryPhase::Failed, Phase::Failed),
    (CanaryPhase::Terminating, Phase::Terminating),
    (CanaryPhase::Terminated, Phase::Terminated),
];

fn phase(phase: CanaryPhase) -> Phase {
    PHASES.iter().find(|(api, _)| *api == phase).map_or(Phase::New, |(_, engine)| *engine)
}

fn api_phase(phase: Phase) -> CanaryPhase {
    PHASES.iter().find(|(_, engine)| *engine == phase).map_or(CanaryPhase::Unset, |(api, _)| *api)
}

/// Words of the status for values of the engine.
type Words<T> = &'static [(&'static str, T)];

const OUTCOMES: Words<Outcome> = &[
    ("promoted", Outcome::Promoted),
    ("rolled-back", Outcome::RolledBack),
    ("reverted", Outcome::Reverted),
    ("recovered", Outcome::Recovered),
];
const CAUSES: Words<Cause> = &[
    ("passed", Cause::Passed),
    ("skipped", Cause::Skipped),
    ("threshold", Cause::Threshold),
    ("deadline", Cause::Deadline),
    ("blocked", Cause::Blocked),
    ("reverted", Cause::Reverted),
    ("promotion", Cause::Promotion),
];
const WAITS: Words<WaitKind> = &[
    ("suspended", WaitKind::Suspended),
    ("target-missing", WaitKind::TargetMissing),
    ("scaled-up", WaitKind::ScaledUp),
    ("primary-missing", WaitKind::PrimaryMissing),
    ("primary", WaitKind::Primary),
    ("primary-failed", WaitKind::PrimaryFailed),
    ("canary", WaitKind::Canary),
    ("refused", WaitKind::Refused),
];
const SEVERITIES: Words<AlertSeverity> =
    &[("info", AlertSeverity::Info), ("warn", AlertSeverity::Warn), ("error", AlertSeverity::Error)];
const LEVELS: Words<Level> = &[("info", Level::Info), ("error", Level::Error)];

fn name<T: PartialEq + Copy>(words: Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, of)| *of == value).map_or("", |(word, _)| word)
}

fn value<T: PartialEq + Copy>(words: Words<T>, name: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == name).map(|(_, value)| *value)
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

fn wait_name(kind: WaitKind) -> String {
    match kind {
        WaitKind::Broken(what) => format!("{BROKEN}{what:08x}"),
        kind => name(WAITS, kind).to_owned(),
    }
}

fn wait(wait: &api::Wait) -> Option<Wait> {
    let broken = wait.kind.strip_prefix(BROKEN).and_then(|what| u32::from_str_radix(what, 16).ok());
    let kind = broken.map(WaitKind::Broken).or_else(|| value(WAITS, &wait.kind))?;
    Some(Wait { kind, since: Millis(wait.since) })
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
            kind: if entry.type_ == EventType::Warning { Kind::Warning } else { Kind::Normal },
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
        type_: if entry.notice.kind == Kind::Warning { EventType::Warning } else { EventType::Normal },
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
mod tests {
    use super::*;

    /// Whatever is waiting to be told, the status stays below its limit and comes back as it was written.
    #[test]
    fn the_status_never_outgrows_its_limit() {
        for (entries, length) in [(0, 0), (1, 1 << 20), (40, 1_000), (400, 900), (5_000, 10), (2_000, 0)] {
            let entry = |seq| Entry {
                seq,
                notice: Notice {
                    kind: Kind::Warning,
                    level: Level::Error,
                    message: "\"<\u{1}é".repeat(length / 4),
                    phase: Phase::WaitingPromotion,
                    time: Millis(u64::MAX),
                    alert: (seq % 2 == 0)
                        .then(|| Alert { severity: AlertSeverity::Error, message: "x".repeat(length) }),
                },
                to: vec![Receiver::Events, Receiver::Hook("h".repeat(60))],
            };
            let outbox = Outbox { next: entries, lost: 0, entries: (0..entries).map(entry).collect() };
            let memory = Memory { outbox, ..Memory::default() };
            let tracked = (0..50).map(|n| (format!("configmap/{n}"), "x".repeat(100))).collect();
            let before = CanaryStatus { tracked_configs: Some(tracked), ..CanaryStatus::default() };
            let status = store(&memory, "Deployment", &before, Millis(0));
            let bytes = serde_json::to_vec(&status).unwrap().len();
            assert!(bytes <= LARGEST, "{entries} notices of {length} make {bytes} bytes");
            let kept = load(&status).outbox;
            assert_eq!(kept.next, entries);
            let waiting: usize = kept.entries.iter().map(|entry| entry.to.len()).sum();
            assert_eq!(waiting as u64 + kept.lost, entries * 2);
            assert!(entries == 0 || !kept.entries.is_empty(), "{entries} notices of {length}: none is kept");
        }
    }
}
