//! The loop of the controllers: take in what is new, let each of them write until it is content, wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::hands::Hands;
use super::op::{Plan, Snapshot};
use super::{autoscaler, daemon_set, deployment, endpoints, replica_set};
use crate::kinds::{self, Resource};
use crate::network::{Network, lock};
use crate::pods::Node;
use crate::settings::Settings;
use crate::watch::Watch;
use vexil_testbed_apiserver::Clock;

const WATCHED: [Resource; 8] = [
    kinds::DEPLOYMENT,
    kinds::DAEMON_SET,
    kinds::REPLICA_SET,
    kinds::POD,
    kinds::SERVICE,
    kinds::ENDPOINT_SLICE,
    kinds::ENDPOINTS,
    kinds::AUTOSCALER,
];

/// Steps one controller takes before the others have their turn; only one that fights itself needs so many.
const MAX_STEPS: usize = 20;
/// Rounds without rest after which something must be wrong: two writers that undo each other.
const MAX_ROUNDS: usize = 100;
/// The wait after a write that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the controllers and the node; they end when it is dropped.
#[derive(Debug)]
pub(crate) struct Controllers {
    _task: JoinSet<()>,
    node: Arc<Mutex<Node>>,
    seen: Arc<Mutex<Snapshot>>,
}

impl Controllers {
    /// Starts them.
    pub fn start(client: &Client, clock: Clock, network: Network, settings: &Settings) -> Self {
        let node = Arc::new(Mutex::new(Node::new(network, settings.pod_start, settings.pod_linger)));
        let seen = Arc::new(Mutex::new(Snapshot::default()));
        let watch = Watch::start(client, &WATCHED);
        let hands = Hands::new(client.clone(), clock);
        let round = Loop {
            clock,
            hands,
            watch,
            seen: Snapshot::default(),
            node: Arc::clone(&node),
            shown: Arc::clone(&seen),
            content: BTreeMap::new(),
            writes_all: settings.endpoints_and_events,
        };
        let mut task = JoinSet::new();
        task.spawn(round.run());
        Controllers { _task: task, node, seen }
    }
}

/// Crashes the pods that carry all of these labels; how many families of pods that were.
pub(crate) fn crash(controllers: &Controllers, namespace: &str, labels: &Map<String, Value>) -> usize {
    let seen = lock(&controllers.seen).clone();
    lock(&controllers.node).crash(&seen, namespace, labels)
}

struct Loop {
    clock: Clock,
    hands: Hands,
    watch: Watch,
    seen: Snapshot,
    node: Arc<Mutex<Node>>,
    /// What others may look at.
    shown: Arc<Mutex<Snapshot>>,
    content: BTreeMap<Controller, Content>,
    /// Also what no request depends on.
    writes_all: bool,
}

/// The controllers in their order: those that decide are before those that carry out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Controller {
    Autoscaler,
    Deployment,
    DaemonSet,
    ReplicaSet,
    Node,
    Endpoints,
}

impl Controller {
    /// The kinds that its plan depends on.
    fn inputs(self) -> &'static [Resource] {
        match self {
            Controller::Autoscaler => &[kinds::AUTOSCALER, kinds::DEPLOYMENT],
            Controller::Deployment => &[kinds::DEPLOYMENT, kinds::REPLICA_SET, kinds::POD],
            Controller::DaemonSet => &[kinds::DAEMON_SET, kinds::POD],
            Controller::ReplicaSet => &[kinds::REPLICA_SET, kinds::POD],
            Controller::Node => &[kinds::POD],
            Controller::Endpoints => &[kinds::SERVICE, kinds::POD, kinds::ENDPOINT_SLICE, kinds::ENDPOINTS],
        }
    }
}

/// A controller that had nothing to write: for which state of its inputs that holds, and until when.
#[derive(Clone, Copy)]
struct Content {
    age: u64,
    until: Option<Timestamp>,
}

const ORDER: [Controller; 6] = [
    Controller::Autoscaler,
    Controller::Deployment,
    Controller::DaemonSet,
    Controller::ReplicaSet,
    Controller::Node,
    Controller::Endpoints,
];

impl Loop {
    async fn run(mut self) {
        let crashed = lock(&self.node).crashed();
        loop {
            let wake = self.settle().await;
            *lock(&self.shown) = self.seen.clone();
            let nap =
                wake.map(|at| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default());
            tokio::select! {
                biased;
                news = self.watch.next() => match news {
                    Some(news) => news.apply(&mut self.seen),
                    None => return,
                },
                () = crashed.notified() => drop(self.content.remove(&Controller::Node)),
                () = sleep(nap) => {}
            }
        }
    }

    /// Lets the controllers write until none of them has anything to write; answers when to look again.
    async fn settle(&mut self) -> Option<Timestamp> {
        for _ in 0..MAX_ROUNDS {
            self.watch.drain(&mut self.seen);
            if !WATCHED.iter().all(|kind| self.seen.is_listed(*kind)) {
                return None;
            }
            let mut busy = false;
            for controller in ORDER {
                for _ in 0..MAX_STEPS {
                    let Some(plan) = self.ask(controller) else { break };
                    busy = true;
                    if !self.carry_out(plan).await {
                        return self.clock.now().checked_add(PAUSE).ok();
                    }
                }
            }
            if !busy {
                return self.content.values().filter_map(|content| content.until).min();
            }
            // The watches have their say between two rounds.
            tokio::task::yield_now().await;
        }
        tracing::error!("the controllers do not come to rest");
        self.clock.now().checked_add(Duration::from_secs(1)).ok()
    }

    /// What a controller wants to write; `None` when it is content.
    fn ask(&mut self, controller: Controller) -> Option<Plan> {
        let (now, age) = (self.clock.now(), self.seen.age(controller.inputs()));
        let content = self.content.get(&controller);
        if content.is_some_and(|content| content.age == age && content.until.is_none_or(|until| until > now))
        {
            return None;
        }
        let mut plan = match controller {
            Controller::Autoscaler => autoscaler::plan(&self.seen, now),
            Controller::Deployment => deployment::plan(&self.seen, now),
            Controller::DaemonSet => daemon_set::plan(&self.seen, now),
            Controller::ReplicaSet => replica_set::plan(&self.seen, now),
            Controller::Node => lock(&self.node).plan(&self.seen, now),
            Controller::Endpoints => endpoints::plan(&self.seen),
        };
        plan.ops.retain(|op| self.writes_all || !op.is_aside());
        if plan.ops.is_empty() {
            self.content.insert(controller, Content { age, until: plan.wake });
            return None;
        }
        Some(plan)
    }

    async fn carry_out(&mut self, plan: Plan) -> bool {
        for op in plan.ops {
            if let Err(error) = self.hands.apply(op, &mut self.seen).await {
                match &error {
                    // Another writer was faster; its event follows.
                    kube::Error::Api(status) if matches!(status.code, 404 | 409) => {
                        tracing::debug!(%error, "a controller's write came late");
                    }
                    _ => tracing::warn!(%error, "a controller's write failed"),
                }
                return false;
            }
        }
        true
    }
}

async fn sleep(nap: Option<Duration>) {
    match nap {
        // Never quite zero, so that time passes.
        Some(nap) => tokio::time::sleep(nap.max(Duration::from_millis(1))).await,
        None => std::future::pending().await,
    }
}
