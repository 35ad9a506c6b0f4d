//! One notice for one receiver: what is delivered, and the name of its Event.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use vexil_analysis::{Entry, EventType, Millis, Receiver, digest};
use vexil_kube::EventRecord;
use vexil_object::{ObjectKey, meta};
use vexil_plan::{CanaryContext, GLOBAL_HOOK, event_hook};
use vexil_webhook::{Hook, Payload};

use crate::{
    Context, Settings,
    alerts::{OutgoingAlert, outgoing},
    fair_semaphore::Permit,
};

/// One notice for one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    key: ObjectKey,
    uid: String,
    /// Number of the notice in the outbox; `None` if the outbox cannot be written.
    seq: Option<u64>,
    /// Its receiver.
    pub(crate) to: Receiver,
    event_type: EventType,
    message: String,
    /// When the notice was decided.
    pub(crate) at: Millis,
    /// What is sent to a webhook; `None` if the spec no longer has it.
    pub(crate) hook: Option<(Hook, Payload)>,
    /// What is sent to a receiver of alerts; `None` if the spec no longer has it.
    pub(crate) alert: Option<OutgoingAlert>,
    /// Counts it among those that are being delivered.
    permit: Option<Arc<Permit>>,
}

impl Notification {
    /// Its Canary.
    pub(crate) fn canary(&self) -> &ObjectKey {
        &self.key
    }

    /// How the outbox names it, if it is from there.
    pub(crate) fn offer(&self) -> Option<(u64, Receiver)> {
        Some((self.seq?, self.to.clone()))
    }

    /// Whether it is an alert.
    pub(crate) fn is_alert(&self) -> bool {
        matches!(self.to, Receiver::Alert(_))
    }

    /// Holds a permit until it is delivered.
    pub(crate) fn hold(&mut self, permit: Option<Permit>) {
        self.permit = permit.map(Arc::new);
    }

    /// A notice of the outbox.
    pub(crate) fn of(context: &Context, canary: &CanaryContext, entry: &Entry, to: Receiver) -> Self {
        let (hook, alert) = match &to {
            Receiver::Events => (None, None),
            Receiver::Hook(name) => (hook(&context.settings, canary, entry, name), None),
            Receiver::Alert(name) => (None, outgoing(context, canary, entry, name)),
        };
        Notification { to, hook, alert, ..Notification::event(canary.live(), canary.key(), entry) }
    }

    /// A notice of the outbox, as an Event.
    pub(crate) fn event(live: &Value, key: &ObjectKey, entry: &Entry) -> Self {
        Notification {
            key: key.clone(),
            uid: meta::uid(live).to_owned(),
            seq: Some(entry.seq),
            to: Receiver::Events,
            event_type: entry.notice.event_type,
            message: entry.notice.message.clone(),
            at: entry.notice.time,
            hook: None,
            alert: None,
            permit: None,
        }
    }

    /// An Event that no status can store, because the status cannot be written.
    pub(crate) fn unstored(live: &Value, key: &ObjectKey, message: String, at: Millis) -> Self {
        Notification {
            key: key.clone(),
            uid: meta::uid(live).to_owned(),
            seq: None,
            to: Receiver::Events,
            event_type: EventType::Warning,
            message,
            at,
            hook: None,
            alert: None,
            permit: None,
        }
    }

    /// What the API server gets when it is an Event.
    pub(crate) fn record(&self) -> EventRecord {
        EventRecord {
            name: self.event_name(),
            namespace: self.key.namespace().to_owned(),
            canary: self.key.name().to_owned(),
            uid: self.uid.clone(),
            resource_version: String::new(),
            r#type: self.event_type.as_str(),
            message: self.message.clone(),
            at_ms: self.at.0,
        }
    }

    /// The name of its Event: the same for the same notice of the same Canary, in every process.
    fn event_name(&self) -> String {
        let uid: String = self.uid.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let canary: String = self.key.name().chars().take(200).collect();
        match self.seq {
            // With its time, because another operator may have removed the numbers from the status in between. Names
            // sort by time: an API server lists by name, and kubectl keeps that order within one second.
            Some(seq) => format!("{canary}.{uid}{:011x}{seq:08x}", self.at.0),
            None => format!("{canary}.{uid}-{:08x}", digest(&self.message)),
        }
    }
}

fn hook(settings: &Settings, canary: &CanaryContext, entry: &Entry, name: &str) -> Option<(Hook, Payload)> {
    let status = canary.status();
    let mut payload = Payload {
        name: canary.key().name().to_owned(),
        namespace: canary.key().namespace().to_owned(),
        phase: entry.notice.phase.as_str().to_owned(),
        checksum: vexil_webhook::checksum(
            status.tracked_configs.as_ref(),
            status.last_applied_spec.as_deref().unwrap_or_default(),
        ),
        metadata: BTreeMap::new(),
        key: Some(format!("{}-{}-{name}", canary.owner().uid, entry.seq)),
    };
    let hook = if name == GLOBAL_HOOK {
        Hook::at(settings.event_webhook.as_deref()?).ok()?
    } else {
        let analysis = canary.spec().analysis()?;
        let webhook = event_hook(analysis, name)?;
        payload.metadata = webhook.metadata.clone();
        Hook::of(webhook).ok()?
    };
    let notice = &entry.notice;
    Some((hook, payload.with_event(&notice.message, notice.event_type.as_str(), notice.time)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vexil_object::kinds::CANARY;

    use super::*;

    #[test]
    fn names_of_events_sort_by_time() {
        let name = |at: u64, seq: u64| {
            let key = ObjectKey::new(CANARY, "test", "podinfo");
            let live = json!({"metadata": {"uid": "0a1b2c3d-4e5f"}});
            let notification = Notification::unstored(&live, &key, "text".to_owned(), Millis(at));
            Notification { seq: Some(seq), ..notification }.event_name()
        };
        let came = [
            (1_714_557_600_001, 9),
            (1_714_557_600_001, 10),
            (1_714_557_600_999, 255),
            (1_714_557_601_000, 256),
        ];
        let names: Vec<_> = came.iter().map(|(at, seq)| name(*at, *seq)).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names.first().map(String::as_str), Some("podinfo.0a1b2c3d18f3398c10100000009"));
    }
}
