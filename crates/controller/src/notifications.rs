//! Delivers notifications: a task of its own that never delays a decision and never writes the status.
//!
//! One receiver of one Canary gets them in order. A failed delivery is repeated with growing pauses for an hour. After
//! a crash the outbox in the status has everything that was not acknowledged: a notice is delivered at least once, and
//! as an Event, whose name follows from the notice, exactly once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::Instrument;
use vexil_analysis::{Entry, EventType, Millis, Receiver, bounded, digest};
use vexil_kube::EventRecord;
use vexil_notifier::Scope;
use vexil_object::{ObjectKey, Seen, meta};
use vexil_plan::{CanaryContext, GLOBAL_HOOK, event_hook};
use vexil_webhook::{Hook, Payload, send};

use crate::{
    Context, Settings,
    alerts::{self, OutgoingAlert, outgoing},
    fair_semaphore::{FairSemaphore, Permit},
    limits::Limits,
    outages::{Attempt, Outages},
    reconcile::span,
};

/// One notice for one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    key: ObjectKey,
    uid: String,
    /// Number of the notice in the outbox; `None` if the outbox cannot be written.
    seq: Option<u64>,
    to: Receiver,
    event_type: EventType,
    message: String,
    at: Millis,
    hook: Option<(Hook, Payload)>,
    alert: Option<OutgoingAlert>,
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

    /// The name of its Event: the same for the same notice of the same Canary, in every process.
    pub(crate) fn event_name(&self) -> String {
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

/// What became of a notification so far.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryReport {
    /// The Canary.
    pub(crate) key: ObjectKey,
    /// The notice.
    pub(crate) seq: u64,
    /// Its receiver.
    pub(crate) to: Receiver,
    /// It was delivered or given up.
    pub(crate) ended: bool,
    /// Why it is not delivered, for the user; at most once for each notification.
    pub(crate) failure: Option<String>,
}

/// The task that delivers: its inbox, and where it reports.
pub(crate) struct Dispatcher {
    context: Context,
    limits: Limits,
    outages: Outages,
    inbox: mpsc::UnboundedReceiver<Notification>,
    outbox: mpsc::UnboundedSender<DeliveryReport>,
}

type Queue = (ObjectKey, Receiver);

impl Dispatcher {
    /// A dispatcher, the sender for notifications, and the reports of what was delivered.
    pub(crate) fn new(
        context: Context,
        limits: Limits,
    ) -> (Self, mpsc::UnboundedSender<Notification>, mpsc::UnboundedReceiver<DeliveryReport>) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let (outbox, reports) = mpsc::unbounded_channel();
        (Dispatcher { context, limits, outages: Outages::default(), inbox, outbox }, sender, reports)
    }

    /// Runs until all senders are dropped and all deliveries have ended.
    pub(crate) async fn run(mut self) {
        let mut queues: BTreeMap<Queue, VecDeque<Notification>> = BTreeMap::new();
        let mut running: FuturesUnordered<BoxFuture<'static, Queue>> = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(queue) = running.next(), if !running.is_empty() => {
                    let next = queues.get_mut(&queue).and_then(VecDeque::pop_front);
                    match next {
                        Some(notification) => running.push(self.start(queue, notification)),
                        None => { queues.remove(&queue); }
                    }
                }
                notification = self.inbox.recv() => {
                    let Some(notification) = notification else { break };
                    let queue = (notification.key.clone(), notification.to.clone());
                    match queues.get_mut(&queue) {
                        Some(waiting) => waiting.push_back(notification),
                        None => {
                            queues.insert(queue.clone(), VecDeque::new());
                            running.push(self.start(queue, notification));
                        }
                    }
                }
            }
        }
        // Deliveries in progress may end; the rest is in the status for the next process.
        while running.next().await.is_some() {}
    }

    fn start(&self, queue: Queue, notification: Notification) -> BoxFuture<'static, Queue> {
        let (context, outages, outbox) = (self.context.clone(), self.outages.clone(), self.outbox.clone());
        let limit = match notification.to {
            Receiver::Events => self.limits.events.clone(),
            Receiver::Hook(_) | Receiver::Alert(_) => self.limits.event_hooks.clone(),
        };
        let span = span(&notification.key);
        async move {
            let report = |ended, failure| {
                let Some(seq) = notification.seq else { return };
                let (key, to) = (notification.key.clone(), notification.to.clone());
                // There is no receiver any more while the operator stops.
                let _reported = outbox.send(DeliveryReport { key, seq, to, ended, failure });
            };
            match &notification.alert {
                Some(alert) => {
                    deliver_alert(&context, &notification, alert, &limit, &outages, |failure| {
                        report(false, Some(failure));
                    })
                    .await;
                }
                None => deliver(&context, &notification, &limit).await,
            }
            report(true, None);
            queue
        }
        .instrument(span)
        .boxed()
    }
}

/// How long a delivery is repeated, in milliseconds.
const DELIVERY_LIMIT_MS: u64 = 3_600_000;

async fn deliver(context: &Context, notification: &Notification, limit: &FairSemaphore) {
    let mut backoff_ms = 1_000_u64;
    loop {
        let permit = limit.acquire(&notification.key).await;
        let error = match attempt(context, notification).await {
            Ok(()) => return,
            Err(error) => error,
        };
        // Others are delivered during the pause.
        drop(permit);
        tracing::error!("notification could not be delivered: {error}");
        if is_obsolete(context, notification) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(backoff_ms)).await;
        backoff_ms = (backoff_ms * 2).min(60_000);
    }
}

/// Whether delivering it is given up. A Canary that is gone needs no notifications; its namespace may be gone too.
fn is_obsolete(context: &Context, notification: &Notification) -> bool {
    let gone = context.cluster.look(&notification.key) == Seen::Absent;
    gone || context.clock.now().since(notification.at) > DELIVERY_LIMIT_MS
}

/// Delivers an alert. A receiver that accepts none is tried for all Canaries together, and `report` is called once.
async fn deliver_alert(
    context: &Context,
    notification: &Notification,
    alert: &OutgoingAlert,
    limit: &FairSemaphore,
    outages: &Outages,
    report: impl Fn(String),
) {
    let to = &alert.to;
    let mut reported = false;
    let mut report_once = |reason: &dyn std::fmt::Display| {
        if !std::mem::replace(&mut reported, true) {
            report(bounded(format!("alerts to {to} are not delivered: {reason}")));
        }
    };
    loop {
        if let Attempt::Wait { pause, reason } = outages.attempt(to) {
            report_once(&reason);
            tokio::time::sleep(pause).await;
            if is_obsolete(context, notification) {
                return;
            }
            continue;
        }
        let permit = limit.acquire(&notification.key).await;
        let rejection = match alerts::attempt(context, alert, notification.key.namespace()).await {
            Ok(()) => return outages.over(to),
            Err(rejection) => rejection,
        };
        drop(permit);
        report_once(&rejection);
        if rejection.scope == Scope::Alert {
            tracing::error!("{to} refuses an alert, which is dropped: {rejection}");
            return outages.over(to);
        }
        outages.failed(to, &rejection);
        if is_obsolete(context, notification) {
            return;
        }
    }
}

async fn attempt(context: &Context, notification: &Notification) -> Result<(), String> {
    // The spec no longer has this receiver of alerts.
    if notification.is_alert() {
        return Ok(());
    }
    if let Receiver::Hook(_) = &notification.to {
        let Some((hook, payload)) = &notification.hook else { return Ok(()) };
        return send(context.transport.as_ref(), hook, payload).await.map_err(|error| error.to_string());
    }
    let record = EventRecord {
        name: notification.event_name(),
        namespace: notification.key.namespace().to_owned(),
        canary: notification.key.name().to_owned(),
        uid: notification.uid.clone(),
        resource_version: String::new(),
        r#type: notification.event_type.as_str(),
        message: notification.message.clone(),
        at_ms: notification.at.0,
    };
    context.cluster.record(&record).await.map_err(|error| error.to_string())
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
