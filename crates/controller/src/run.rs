//! The operator: wakes Canaries when something that concerns them changes, reconciles each of them by itself, and ends
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
    after::After,
    deliver::{Delivered, Deliverer, Delivery},
    desk::{Bounds, Desk, SharedInterest},
    first::First,
    interest::Looked,
    local::Local,
    queue::Queue,
    rival,
    sweep::keep_swept,
    tick::tick,
    turns::{Held, Turn},
};

/// The operator. [`Operator::run`] is all there is to it.
pub struct Operator {
    context: Context,
    queue: Queue,
    interest: SharedInterest,
    bounds: Bounds,
    locals: BTreeMap<ObjectKey, Box<Local>>,
    running: BTreeMap<ObjectKey, Arc<Notify>>,
    delivered: BTreeMap<ObjectKey, Vec<(u64, Receiver)>>,
    /// Canaries by namespace.
    counts: BTreeMap<String, i64>,
    first: First,
}

type Ticking = BoxFuture<'static, (ObjectKey, Box<Local>, Option<After>)>;

/// How long a stop waits for reconciles and deliveries that are under way.
const STOP: Duration = Duration::from_secs(10);
/// How long a Canary whose reconcile panicked is left alone.
const AFTER_PANIC: Duration = Duration::from_secs(30);
/// When notices are offered again for which there was no room.
const OFFER_AGAIN: Duration = Duration::from_secs(5);
/// How many changes are taken before Canaries have their turn.
const CHANGES_AT_ONCE: usize = 64;

impl Operator {
    /// An operator that has not begun.
    pub fn new(context: Context) -> Self {
        Operator {
            context,
            queue: Queue::default(),
            interest: SharedInterest::default(),
            bounds: Bounds::default(),
            locals: BTreeMap::new(),
            running: BTreeMap::new(),
            delivered: BTreeMap::new(),
            counts: BTreeMap::new(),
            first: First::default(),
        }
    }

    /// Runs until `stop` is ready, then ends the reconciles that are under way. The watches of the cluster must be
    /// driven by the caller meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (deliverer, deliveries, reports) = Deliverer::new(self.context.clone(), self.bounds.clone());
        let delivering = deliverer.run();
        let context = self.context.clone();
        let sweeping = keep_swept(&context);
        let ticking = self.turn(stop, deliveries, reports);
        // The deliverer ends when the reconciles have ended and let go of its inbox; a receiver that is down may not
        // hold it up.
        tokio::pin!(delivering);
        tokio::select! {
            biased;
            () = &mut delivering => {}
            () = sweeping => {}
            () = ticking => {
                let _in_time = timeout(STOP, delivering).await;
            }
        }
    }

    async fn turn(
        mut self,
        stop: impl Future<Output = ()> + Send,
        deliveries: mpsc::UnboundedSender<Delivery>,
        mut reports: mpsc::UnboundedReceiver<Delivered>,
    ) {
        self.context.cluster.watch(kinds::CANARY);
        // Ours may be upgraded while we run.
        self.context.cluster.watch(kinds::CUSTOM_RESOURCE_DEFINITION);
        let mut changes = self.context.cluster.changes();
        self.first = First::begins(Instant::now());
        self.wake_all();
        let mut running: FuturesUnordered<Ticking> = FuturesUnordered::new();
        tokio::pin!(stop);
        loop {
            while let Some((key, turn)) = self.take() {
                running.push(self.start(key, turn));
            }
            let due = self.queue.next().into_iter().chain(self.first.until()).min();
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(noted) = changes.next() => {
                    self.noted(&noted);
                    let more = std::iter::from_fn(|| changes.next().now_or_never().flatten());
                    for noted in more.take(CHANGES_AT_ONCE).collect::<Vec<_>>() {
                        self.noted(&noted);
                    }
                    // However many changes come, Canaries have their turn between them.
                    if let Some(ended) = running.next().now_or_never().flatten() {
                        self.ended(ended, &deliveries);
                    }
                }
                Some(report) = reports.recv() => self.reported(report),
                Some(ended) = running.next(), if !running.is_empty() => self.ended(ended, &deliveries),
                () = self.bounds.reconciles.freed() => {}
                () = until(due), if due.is_some() => {}
            }
            // Whatever else runs in this process has its turn between two Canaries.
            yield_now().await;
        }
        let _in_time = timeout(STOP, async { while running.next().await.is_some() {} }).await;
    }

    /// The next Canary that may be reconciled now.
    fn take(&mut self) -> Option<(ObjectKey, Turn)> {
        let now = Instant::now();
        if self.bounds.reconciles.is_full() {
            return None;
        }
        if self.first.holds(now, !self.running.is_empty(), || self.context.cluster.is_listing()) {
            return None;
        }
        let reconciles = self.bounds.reconciles.clone();
        let key = self.queue.take(now, |key| reconciles.may(key))?;
        let turn = reconciles.take(&key)?;
        Some((key, turn))
    }

    fn start(&mut self, key: ObjectKey, turn: Turn) -> Ticking {
        let known = self.locals.remove(&key);
        if known.is_none() {
            self.count(&key, 1);
        }
        let mut local = known.unwrap_or_default();
        local.delivered.extend(self.delivered.remove(&key).unwrap_or_default());
        let desk = Desk::new(&key, &self.interest, &self.bounds, Held::of(turn));
        self.running.insert(key.clone(), desk.disturbance());
        local.desk = Some(Box::new(desk));
        let context = self.context.clone();
        context.telemetry.reconciled();
        async move {
            let result = AssertUnwindSafe(tick(&context, &key, &mut local)).catch_unwind().await;
            (key, local, result.ok())
        }
        .boxed()
    }

    fn ended(
        &mut self,
        (key, mut local, after): (ObjectKey, Box<Local>, Option<After>),
        deliveries: &mpsc::UnboundedSender<Delivery>,
    ) {
        self.running.remove(&key);
        let woken = self.queue.ended(&key);
        let looked = local.desk.take().and_then(|desk| desk.looked());
        let Some(after) = after else {
            // One bad object never stops the others: its reconcile starts anew, later.
            tracing::error!(canary = %format!("{}.{}", key.name(), key.namespace()), "tick panicked");
            self.context.telemetry.panicked();
            self.queue.wake_at(&key, Instant::now() + AFTER_PANIC);
            self.locals.insert(key, Box::default());
            return;
        };
        if after.gone {
            self.queue.forget(&key);
            self.interest.lock().forget(&key);
            self.delivered.remove(&key);
            self.context.telemetry.forget(&key);
            self.count(&key, -1);
            return;
        }
        for delivery in after.deliveries {
            if let Err(refused) = self.hand_over(delivery, deliveries) {
                local.offered.remove(&refused);
                self.queue.wake_at(&key, Instant::now() + OFFER_AGAIN);
            }
        }
        if let Some(wake_ms) = after.wake_ms {
            self.queue.wake_at(&key, Instant::now() + Duration::from_millis(wake_ms));
        }
        // What came up meanwhile may be what was seen last, our own writes above all.
        let news = match looked {
            Some(looked) => self.differs(&looked) || self.delivered.contains_key(&key),
            None => woken,
        };
        if news {
            self.queue.wake(&key);
        }
        self.locals.insert(key, local);
    }

    /// Gives a notice to the deliverer, if there is room for it; else it is offered again, for the status has it.
    fn hand_over(
        &self,
        mut delivery: Delivery,
        deliveries: &mpsc::UnboundedSender<Delivery>,
    ) -> Result<(), (u64, Receiver)> {
        match (self.bounds.notices.take(delivery.canary()), delivery.offer()) {
            (None, Some(offer)) => return Err(offer),
            (turn, _) => delivery.hold(turn),
        }
        // The deliverer outlives the reconciles.
        let _taken = deliveries.send(delivery);
        Ok(())
    }

    fn differs(&self, looked: &Looked) -> bool {
        let cluster = &self.context.cluster;
        looked.objects.iter().any(|(key, mark)| cluster.mark(key) != *mark)
            || looked.lists.iter().any(|(list, mark)| cluster.mark_by(list) != *mark)
    }

    fn count(&mut self, key: &ObjectKey, change: i64) {
        let count = self.counts.entry(key.namespace().to_owned()).or_default();
        *count += change;
        self.context.telemetry.scheduled(key.namespace(), *count);
        if *count == 0 {
            self.counts.remove(key.namespace());
        }
    }

    fn reported(&mut self, report: Delivered) {
        if !self.locals.contains_key(&report.key) && !self.running.contains_key(&report.key) {
            return;
        }
        self.delivered.entry(report.key.clone()).or_default().push((report.seq, report.to));
        self.queue.wake(&report.key);
    }

    fn noted(&mut self, noted: &CacheEvent) {
        let canaries = match noted {
            CacheEvent::Object(object) => {
                let mut canaries = self.interest.lock().changed(object, self.context.cluster.mark(object));
                if object.kind() == kinds::CANARY && canaries.contains(object) {
                    canaries.extend(rival::beside(&self.context, object));
                }
                canaries
            }
            CacheEvent::Listed(listed) => {
                self.interest.lock().listed(listed, self.context.cluster.mark_by(listed))
            }
            CacheEvent::Kind(kinds::CANARY) => return self.wake_all(),
            CacheEvent::Kind(kind) => self.interest.lock().waiting_for(*kind),
        };
        for canary in canaries {
            if let Some(disturbance) = self.running.get(&canary) {
                disturbance.notify_one();
            }
            self.queue.wake(&canary);
        }
    }

    fn wake_all(&mut self) {
        for key in self.context.cluster.list_keys(kinds::CANARY, "").unwrap_or_default() {
            self.queue.wake(&key);
        }
    }
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}
