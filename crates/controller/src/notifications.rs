//! Delivers notifications: a task of its own that never delays a decision and never writes the status.
//!
//! One receiver of one Canary gets them in order. A failed delivery is repeated with growing pauses for an hour. After
//! a crash the outbox in the status has everything that was not acknowledged: a notice is delivered at least once, and
//! as an Event, whose name follows from the notice, exactly once.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tracing::Instrument;
use vexil_analysis::{Receiver, bounded};
use vexil_notifier::Scope;
use vexil_object::{Backoff, ObjectKey, Seen};
use vexil_webhook::send;

use crate::{
    Context,
    alerts::{self, AlertReceiver, OutgoingAlert},
    fair_semaphore::FairSemaphore,
    limits::Limits,
    notification::Notification,
    outages::{Attempt, Outages},
    reconcile::span,
};

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
                    let queue = (notification.canary().clone(), notification.to.clone());
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
        let span = span(notification.canary());
        async move {
            let report = |ended, failure| {
                let Some((seq, to)) = notification.offer() else { return };
                let key = notification.canary().clone();
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
/// Between two attempts of a delivery.
const DELIVERIES: Backoff = Backoff::new(1_000, 60_000);

async fn deliver(context: &Context, notification: &Notification, limit: &FairSemaphore) {
    for failures in 0.. {
        let permit = limit.acquire(notification.canary()).await;
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
        tokio::time::sleep(Duration::from_millis(DELIVERIES.pause_ms(failures))).await;
    }
}

/// Whether delivering it is given up. A Canary that is gone needs no notifications; its namespace may be gone too.
fn is_obsolete(context: &Context, notification: &Notification) -> bool {
    let gone = context.cluster.look(notification.canary()) == Seen::Absent;
    gone || context.clock.now().since(notification.at) > DELIVERY_LIMIT_MS
}

/// Delivers an alert. A receiver that accepts none is tried for all Canaries together, and `report` is called once for
/// each.
async fn deliver_alert(
    context: &Context,
    notification: &Notification,
    alert: &OutgoingAlert,
    limit: &FairSemaphore,
    outages: &Outages,
    report: impl Fn(String),
) {
    let canary = notification.canary();
    let mut reported = BTreeSet::new();
    let mut report_once = |to: &AlertReceiver, reason: &dyn std::fmt::Display| {
        if reported.insert(to.clone()) {
            report(bounded(format!("alerts to {to} are not delivered: {reason}")));
        }
    };
    let mut last = alert.to.clone();
    loop {
        let Some(to) = &alerts::receiver_now(context, canary, alert, last) else { return };
        last = to.clone();
        if let Attempt::Wait { pause, reason } = outages.attempt(to) {
            report_once(to, &reason);
            tokio::time::sleep(pause).await;
            if is_obsolete(context, notification) {
                return;
            }
            continue;
        }
        let permit = limit.acquire(canary).await;
        let rejection = match alerts::attempt(context, alert, to, canary.namespace()).await {
            Ok(()) => return outages.over(to),
            Err(rejection) => rejection,
        };
        drop(permit);
        report_once(to, &rejection);
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
    context.cluster.record(&notification.record()).await.map_err(|error| error.to_string())
}
