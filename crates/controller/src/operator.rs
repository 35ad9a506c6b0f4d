//! The operator's loop: enqueues Canaries when their dependencies change, reconciles each of them by itself, and stops
//! cleanly.

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, mpsc},
    task::yield_now,
    time::{Instant, sleep_until, timeout},
};
use vexil_analysis::Receiver;
use vexil_kube::CacheEvent;
use vexil_object::{ObjectKey, kinds};

use crate::{
    Context,
    deliveries::Deliveries,
    duplicate_target,
    fair_semaphore::{HeldPermit, Permit},
    kept_runtime::KeptRuntime,
    limits::{CHANGES_AT_ONCE, Limits},
    notification::Notification,
    notifications::{DeliveryReport, Dispatcher},
    orphaned_routes::collect_orphaned_routes,
    reconcile::{reconcile, span},
    reconcile_result::ReconcileResult,
    runtime::CanaryRuntime,
    session::{Session, SharedWatchIndex},
    startup::StartupGate,
    watch_index::Dependencies,
    work_queue::WorkQueue,
};

/// The operator: make one with [`Operator::new`], then [`Operator::run`] it.
pub struct Operator {
    context: Context,
    queue: WorkQueue,
    watch_index: SharedWatchIndex,
    limits: Limits,
    runtimes: BTreeMap<ObjectKey, KeptRuntime>,
    running: BTreeMap<ObjectKey, Arc<Notify>>,
    deliveries: Deliveries,
    /// Canaries by namespace.
    counts: BTreeMap<String, i64>,
    startup: StartupGate,
}

type Reconciling = BoxFuture<'static, (ObjectKey, Box<CanaryRuntime>, Option<ReconcileResult>)>;

/// How long a stop waits for reconciles and notifications that are under way.
const STOP: Duration = Duration::from_secs(10);
/// The pause before a Canary is reconciled again whose reconcile panicked.
const AFTER_PANIC: Duration = Duration::from_secs(30);
/// The pause before notices are handed over again that were beyond the limit.
const OFFER_AGAIN: Duration = Duration::from_secs(5);

impl Operator {
    /// An operator that does not run yet.
    pub fn new(context: Context) -> Self {
        Operator {
            context,
            queue: WorkQueue::default(),
            watch_index: SharedWatchIndex::default(),
            limits: Limits::default(),
            runtimes: BTreeMap::new(),
            running: BTreeMap::new(),
            deliveries: Deliveries::default(),
            counts: BTreeMap::new(),
            startup: StartupGate::default(),
        }
    }

    /// Runs until `stop` is ready, then ends the reconciles that are under way. The watches of the cluster must be
    /// driven by the caller meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (dispatcher, notifications, reports) = Dispatcher::new(self.context.clone(), self.limits.clone());
        let dispatching = dispatcher.run();
        let context = self.context.clone();
        let collecting = collect_orphaned_routes(&context);
        let reconciling = self.reconcile_loop(stop, notifications, reports);
        // The dispatcher ends when the reconciles have ended and let go of its inbox; a receiver that is down may not
        // hold it up.
        tokio::pin!(dispatching);
        tokio::select! {
            biased;
            () = &mut dispatching => {}
            () = collecting => {}
            () = reconciling => {
                let _in_time = timeout(STOP, dispatching).await;
            }
        }
    }

    async fn reconcile_loop(
        mut self,
        stop: impl Future<Output = ()> + Send,
        notifications: mpsc::UnboundedSender<Notification>,
        mut reports: mpsc::UnboundedReceiver<DeliveryReport>,
    ) {
        self.context.cluster.watch(kinds::CANARY);
        // Ours may be upgraded while we run.
        self.context.cluster.watch(kinds::CUSTOM_RESOURCE_DEFINITION);
        let mut changes = self.context.cluster.changes();
        self.startup = StartupGate::starting_at(Instant::now());
        self.enqueue_all();
        let mut running: FuturesUnordered<Reconciling> = FuturesUnordered::new();
        tokio::pin!(stop);
        loop {
            while let Some((key, permit)) = self.take() {
                running.push(self.start(key, permit));
            }
            let due = self.queue.next().into_iter().chain(self.startup.until()).min();
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(event) = changes.next() => {
                    self.enqueue_dependents(&event);
                    let more = std::iter::from_fn(|| changes.next().now_or_never().flatten());
                    for event in more.take(CHANGES_AT_ONCE).collect::<Vec<_>>() {
                        self.enqueue_dependents(&event);
                    }
                    // Reconciles end however many changes there are.
                    if let Some(ended) = running.next().now_or_never().flatten() {
                        self.reconciled(ended, &notifications);
                    }
                }
                Some(report) = reports.recv() => self.delivery_reported(report),
                Some(ended) = running.next(), if !running.is_empty() => self.reconciled(ended, &notifications),
                () = self.limits.reconciles.released() => {}
                () = until(due), if due.is_some() => {}
            }
            // Other tasks of this thread run between two Canaries.
            yield_now().await;
        }
        let _in_time = timeout(STOP, async { while running.next().await.is_some() {} }).await;
    }

    /// The next Canary that may be reconciled now.
    fn take(&mut self) -> Option<(ObjectKey, Permit)> {
        let now = Instant::now();
        if self.limits.reconciles.is_full() {
            return None;
        }
        if self.startup.defers(now, !self.running.is_empty(), || self.context.cluster.listing()) {
            return None;
        }
        let reconciles = self.limits.reconciles.clone();
        let key = self.queue.take(now, |key| reconciles.allows(key))?;
        let permit = reconciles.try_acquire(&key)?;
        Some((key, permit))
    }

    fn start(&mut self, key: ObjectKey, permit: Permit) -> Reconciling {
        let known = self.runtimes.remove(&key);
        if known.is_none() {
            self.count(&key, 1);
        }
        let mut runtime = known.map(KeptRuntime::restored).unwrap_or_default();
        self.deliveries.hand_over(&key, &mut runtime);
        let session = Session::new(&key, &self.watch_index, &self.limits, HeldPermit::of(permit));
        self.running.insert(key.clone(), session.wake_handle());
        runtime.session = Some(Box::new(session));
        let context = self.context.clone();
        context.telemetry.reconciled();
        async move {
            let result = AssertUnwindSafe(reconcile(&context, &key, &mut runtime)).catch_unwind().await;
            (key, runtime, result.ok())
        }
        .boxed()
    }

    fn reconciled(
        &mut self,
        (key, mut runtime, result): (ObjectKey, Box<CanaryRuntime>, Option<ReconcileResult>),
        notifications: &mpsc::UnboundedSender<Notification>,
    ) {
        self.running.remove(&key);
        let woken = self.queue.ended(&key);
        let dependencies = runtime.session.take().and_then(|session| session.dependencies());
        let Some(result) = result else {
            // One object never stops the others: it is reconciled again later.
            span(&key).in_scope(|| tracing::error!("reconcile panicked"));
            self.context.telemetry.panicked();
            self.queue.requeue_at(&key, Instant::now() + AFTER_PANIC);
            self.runtimes.insert(key, KeptRuntime::Whole(Box::default()));
            return;
        };
        if result.gone {
            self.queue.forget(&key);
            self.watch_index.lock().forget(&key);
            self.deliveries.forget(&key);
            self.context.telemetry.forget(&key);
            self.count(&key, -1);
            return;
        }
        for notification in result.notifications {
            if let Err(refused) = self.dispatch(notification, notifications) {
                runtime.offered.remove(&refused);
                self.queue.requeue_at(&key, Instant::now() + OFFER_AGAIN);
            }
        }
        if let Some(requeue_ms) = result.requeue_ms {
            self.queue.requeue_at(&key, Instant::now() + Duration::from_millis(requeue_ms));
        }
        // Wakes during the reconcile are often about changes that it has observed, its own writes above all.
        let changed = match dependencies {
            Some(dependencies) => {
                self.changed_since(&dependencies) || self.deliveries.changed_since(&key, &runtime)
            }
            None => woken,
        };
        if changed {
            self.queue.enqueue(&key);
        }
        self.runtimes.insert(key, runtime.into());
    }

    /// Gives a notification to the dispatcher, unless that has too many; the outbox in the status still has it then.
    fn dispatch(
        &self,
        mut notification: Notification,
        notifications: &mpsc::UnboundedSender<Notification>,
    ) -> Result<(), (u64, Receiver)> {
        let limit = if notification.is_alert() { &self.limits.alerts } else { &self.limits.notifications };
        match (limit.try_acquire(notification.canary()), notification.offer()) {
            (None, Some(offer)) => return Err(offer),
            (permit, _) => notification.hold(permit),
        }
        // The dispatcher outlives the reconciles.
        let _taken = notifications.send(notification);
        Ok(())
    }

    fn changed_since(&self, dependencies: &Dependencies) -> bool {
        let cluster = &self.context.cluster;
        dependencies.objects.iter().any(|(key, mark)| cluster.mark(key) != *mark)
            || dependencies.lists.iter().any(|(list, mark)| cluster.mark_by(list) != *mark)
    }

    fn count(&mut self, key: &ObjectKey, change: i64) {
        let count = self.counts.entry(key.namespace().to_owned()).or_default();
        *count += change;
        self.context.telemetry.scheduled(key.namespace(), *count);
        if *count == 0 {
            self.counts.remove(key.namespace());
        }
    }

    fn delivery_reported(&mut self, report: DeliveryReport) {
        if !self.runtimes.contains_key(&report.key) && !self.running.contains_key(&report.key) {
            return;
        }
        self.queue.enqueue(&report.key);
        self.deliveries.add(report);
    }

    fn enqueue_dependents(&mut self, event: &CacheEvent) {
        let canaries = match event {
            CacheEvent::Object(object) => {
                let mut canaries = self.watch_index.lock().changed(object, self.context.cluster.mark(object));
                if object.kind() == kinds::CANARY && canaries.contains(object) {
                    canaries.extend(duplicate_target::sharing_with(&self.context, object));
                }
                canaries
            }
            CacheEvent::Listed(listed) => {
                self.watch_index.lock().listed(listed, self.context.cluster.mark_by(listed))
            }
            CacheEvent::Kind(kinds::CANARY) => return self.enqueue_all(),
            CacheEvent::Kind(kind) => self.watch_index.lock().waiting_for(*kind),
        };
        for canary in canaries {
            if let Some(wake_handle) = self.running.get(&canary) {
                wake_handle.notify_one();
            }
            self.queue.enqueue(&canary);
        }
    }

    fn enqueue_all(&mut self) {
        for key in self.context.cluster.list_keys(kinds::CANARY, "").unwrap_or_default() {
            self.queue.enqueue(&key);
        }
    }
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}
