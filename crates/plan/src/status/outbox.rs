//! The outbox as the status has it: notices that are not delivered yet, each with its receivers.

use vexil_analysis::{Alert, AlertSeverity, Entry, EventType, Level, Millis, Notice, Outbox, Receiver};
use vexil_api::{self as api, OutboxAlert, OutboxEntry};

use super::names::{EVENT_TYPES, LEVELS, SEVERITIES, api_phase, name, phase, value};

/// A receiver is written as `events`, or as `hook/` or `alert/` and its name.
const EVENTS: &str = "events";
const HOOK: &str = "hook/";
const ALERT: &str = "alert/";

fn receiver(text: &str) -> Option<Receiver> {
    if text == EVENTS {
        return Some(Receiver::Events);
    }
    let hook = text.strip_prefix(HOOK).map(|name| Receiver::Hook(name.to_owned()));
    hook.or_else(|| text.strip_prefix(ALERT).map(|name| Receiver::Alert(name.to_owned())))
}

fn api_receiver(receiver: &Receiver) -> String {
    match receiver {
        Receiver::Events => EVENTS.to_owned(),
        Receiver::Hook(name) => format!("{HOOK}{name}"),
        Receiver::Alert(name) => format!("{ALERT}{name}"),
    }
}

pub(super) fn outbox(outbox: &api::Outbox) -> Outbox {
    let entries = outbox.entries.iter().map(|entry| Entry {
        seq: entry.seq,
        notice: Notice {
            event_type: value(EVENT_TYPES, &entry.type_).unwrap_or(EventType::Normal),
            level: value(LEVELS, &entry.level).unwrap_or(Level::Info),
            message: entry.message.clone(),
            phase: phase(entry.phase),
            time: Millis(entry.time),
            alert: entry.alert.as_ref().map(|alert| Alert {
                severity: value(SEVERITIES, &alert.severity).unwrap_or(AlertSeverity::Info),
                message: alert.message.clone(),
                details: alert.details.unwrap_or(false),
            }),
        },
        to: entry.to.iter().filter_map(|to| receiver(to)).collect(),
    });
    Outbox { next: outbox.next, lost: outbox.lost, entries: entries.collect() }
}

pub(super) fn api_outbox(outbox: &Outbox) -> api::Outbox {
    let entries = outbox.entries.iter().map(|entry| OutboxEntry {
        seq: entry.seq,
        type_: name(EVENT_TYPES, entry.notice.event_type).to_owned(),
        level: name(LEVELS, entry.notice.level).to_owned(),
        message: entry.notice.message.clone(),
        phase: api_phase(entry.notice.phase),
        time: entry.notice.time.0,
        alert: entry.notice.alert.as_ref().map(|alert| OutboxAlert {
            severity: name(SEVERITIES, alert.severity).to_owned(),
            message: alert.message.clone(),
            details: alert.details.then_some(true),
        }),
        to: entry.to.iter().map(api_receiver).collect(),
    });
    api::Outbox { next: outbox.next, lost: outbox.lost, entries: entries.collect() }
}
