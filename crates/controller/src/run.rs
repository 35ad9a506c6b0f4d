//! The operator: wakes Canaries when something that concerns them changes, ticks each of them by itself, and ends
//! cleanly.

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use vexil_analysis::Receiver;
use vexil_kube::Noted;
use vexil_object::{ObjectKey, kinds};

use crate::{
    Context,
    after::After,
    deliver::{Delivered, Deliverer, Delivery},
    interest::Interest,
    local::Local,
    queue::Queue,
    sweep::keep_swept,
    tick::tick,
};

/// The operator. [`Operator::run`] is all there is to it.
pub struct Operator {
    context: Context,
    queue: Queue,
    interest: Interest,
    locals: BTreeMap<ObjectKey, Local>,
    delivered: BTreeMap<ObjectKey, Vec<(u64, Receiver)>>,
}

type Ticking = BoxFuture<'static, (ObjectKey, Local, Option<After>)>;

/// How long a stop waits for ticks and deliveries that are under way.
const STOP: Duration = Duration::from_secs(10);
/// How long a Canary whose tick panicked is left alone.
const AFTER_PANIC: Duration = Duration::from_secs(30);

impl Operator {
    /// An operator that has not begun.
    pub fn new(context: Context) -> Self {
        Operator {
            context,
            queue: Queue::default(),
            interest: Interest::default(),
            locals: BTreeMap::new(),
            delivered: BTreeMap::new(),
        }
    }

    /// Runs until `stop` is ready, then ends the ticks that are under way. The watches of the cluster must be driven by
    /// the caller meanwhile.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let (deliverer, deliveries, reports) = Deliverer::new(self.context.clone());
        let delivering = deliverer.run();
        let context = self.context.clone();
        let sweeping = keep_swept(&context);
        let ticking = self.turn(stop, deliveries, reports);
        // The deliverer ends when the ticks have ended and let go of its inbox; a receiver that is down may not hold it
        // up.
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
        self.wake_everybody();
        let mut running: FuturesUnordered<Ticking> = FuturesUnordered::new();
        tokio::pin!(stop);
        loop {
            while let Some(key) = self.queue.take(Instant::now()) {
                running.push(self.start(key));
            }
            let due = self.queue.next();
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(ended) = running.next(), if !running.is_empty() => self.ended(ended, &deliveries),
                Some(report) = reports.recv() => self.reported(report),
                Some(noted) = changes.next() => self.noted(&noted),
                () = until(due), if due.is_some() => {}
            }
        }
        let _in_time = timeout(STOP, async { while running.next().await.is_some() {} }).await;
    }

    fn start(&mut self, key: ObjectKey) -> Ticking {
        let mut local = self.locals.remove(&key).unwrap_or_default();
        local.delivered.extend(self.delivered.remove(&key).unwrap_or_default());
        let context = self.context.clone();
        async move {
            let result = AssertUnwindSafe(tick(&context, &key, &mut local)).catch_unwind().await;
            (key, local, result.ok())
        }
        .boxed()
    }

    fn ended(
        &mut self,
        (key, local, after): (ObjectKey, Local, Option<After>),
        deliveries: &mpsc::UnboundedSender<Delivery>,
    ) {
        self.queue.ended(&key);
        let Some(after) = after else {
            // One bad object never stops the others: its tick starts anew, later.
            tracing::error!(canary = %format!("{}.{}", key.name(), key.namespace()), "tick panicked");
            self.context.telemetry.panicked();
            self.queue.wake(key, Instant::now() + AFTER_PANIC);
            return;
        };
        if after.gone {
            self.queue.forget(&key);
            self.interest.forget(&key);
            self.delivered.remove(&key);
            self.context.telemetry.forget(&key);
            self.count();
            return;
        }
        for delivery in after.deliveries {
            // The deliverer outlives the ticks.
            let _taken = deliveries.send(delivery);
        }
        if let Some(wake_ms) = after.wake_ms {
            self.queue.wake(key.clone(), Instant::now() + Duration::from_millis(wake_ms));
        }
        self.interest.set(&key, &local.looked_at, &local.apex);
        self.locals.insert(key, local);
        self.count();
    }

    fn count(&self) {
        self.context.telemetry.scheduled(self.interest.everybody());
    }

    fn reported(&mut self, report: Delivered) {
        self.delivered.entry(report.key.clone()).or_default().push((report.seq, report.to));
        self.queue.wake(report.key, Instant::now());
    }

    fn noted(&mut self, noted: &Noted) {
        match noted {
            Noted::Object(object) => {
                for canary in self.interest.of(object) {
                    self.queue.wake(canary, Instant::now());
                }
            }
            Noted::Kind(_) => self.wake_everybody(),
        }
    }

    fn wake_everybody(&mut self) {
        let listed = self.context.cluster.list(kinds::CANARY, "").unwrap_or_default();
        for live in listed {
            let (namespace, name) = (
                vexil_object::meta::text(&live, "/metadata/namespace"),
                vexil_object::meta::text(&live, "/metadata/name"),
            );
            self.queue.wake(ObjectKey::new(kinds::CANARY, namespace, name), Instant::now());
        }
    }
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}
