//! The node: gives each pod an address and an application, watches over it, and reports its status.
//!
//! There is one node, which every pod is bound to. Not done: scheduling, resources, volumes, init containers, probes as
//! they are declared (a pod is ready `pod_start` after its containers start), the restart policies other than `Always`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::behaviour::Start;
use super::status::{Report, Stage};
use super::{App, Behaviour, Fate};
use crate::controllers::{Op, Plan, Snapshot, Target, status_patch};
use crate::kinds::POD;
use crate::network::Network;
use crate::view;

/// The name pods see in `spec.nodeName`.
pub(crate) const NODE_NAME: &str = "testbed";

/// The first back-off after a crash; it doubles with each restart up to [`MAX_BACK_OFF`] (Kubernetes, "Pod lifecycle").
const BACK_OFF: Duration = Duration::from_secs(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(300);

/// The one node of the cluster.
#[derive(Debug)]
pub(crate) struct Node {
    network: Network,
    pod_start: Duration,
    pod_linger: Duration,
    /// By uid.
    lives: BTreeMap<String, Life>,
    /// By the uid of their controller.
    fates: BTreeMap<String, Arc<Fate>>,
    next_address: u32,
    crashed: Arc<Notify>,
}

/// One pod on the node.
#[derive(Debug)]
struct Life {
    app: Arc<App>,
    start: Start,
    report: Report,
    /// When the process of a pod that was deleted ends.
    leaves: Option<Timestamp>,
}

impl Node {
    /// An empty node whose pods answer on `network`.
    pub fn new(network: Network, pod_start: Duration, pod_linger: Duration) -> Self {
        Node {
            network,
            pod_start,
            pod_linger,
            lives: BTreeMap::new(),
            fates: BTreeMap::new(),
            next_address: 1,
            crashed: Arc::new(Notify::new()),
        }
    }

    /// Notifies of crashes, which no event of the API shows.
    pub fn crashed(&self) -> Arc<Notify> {
        Arc::clone(&self.crashed)
    }

    /// Brings the applications in line with the pods, and the pods' statuses in line with the applications.
    pub fn plan(&mut self, seen: &Snapshot, now: Timestamp) -> Plan {
        let mut plan = Plan::default();
        let pods: BTreeMap<&str, &Value> = seen.all(POD).map(|pod| (view::uid(pod), pod)).collect();
        for (uid, pod) in &pods {
            if !self.lives.contains_key(*uid) && !view::is_terminating(pod) {
                let life = self.accept(pod, now);
                self.lives.insert((*uid).to_owned(), life);
            }
        }
        let mut ended = BTreeSet::new();
        for (uid, life) in &mut self.lives {
            let pod = pods.get(uid.as_str()).copied();
            let present = pod.filter(|pod| !view::is_terminating(pod));
            match present {
                Some(pod) => plan.join(watch_over(life, pod, self.pod_start, now)),
                None if life.has_left(self.pod_linger, now) => {
                    self.network.detach(&life.report.ip);
                    ended.insert(uid.clone());
                    plan.ops.extend(pod.map(|pod| Op::Kill(Target::new(POD, pod))));
                }
                None => plan.wake_at(life.leaves),
            }
        }
        // A pod that was deleted before it ever came to the node.
        let strangers =
            pods.iter().filter(|(uid, pod)| view::is_terminating(pod) && !self.lives.contains_key(**uid));
        plan.ops.extend(strangers.map(|(_, pod)| Op::Kill(Target::new(POD, pod))));
        self.lives.retain(|uid, _| !ended.contains(uid));
        self.forget_fates();
        plan
    }

    /// Crashes the pods that carry all of these labels, with their siblings of the same ReplicaSet; how many families.
    pub fn crash(&self, seen: &Snapshot, namespace: &str, labels: &serde_json::Map<String, Value>) -> usize {
        let matching = seen.all(POD).filter(|pod| {
            view::namespace(pod) == namespace
                && view::labels(pod).is_some_and(|own| view::is_subset(labels, own))
        });
        let families: BTreeSet<&str> = matching.map(view::family).collect();
        let fates = families.iter().filter_map(|family| self.fates.get(*family));
        fates.map(|fate| fate.crash()).count()
    }

    fn accept(&mut self, pod: &Value, now: Timestamp) -> Life {
        let behaviour = Behaviour::of(pod);
        let start = behaviour.start;
        let crashed = &self.crashed;
        let fate = self.fates.entry(view::family(pod).to_owned());
        let fate = Arc::clone(fate.or_insert_with(|| Arc::new(Fate::new(Arc::clone(crashed)))));
        let ip = format!("10.244.{}.{}", self.next_address / 250, self.next_address % 250 + 1);
        self.next_address += 1;
        let app = Arc::new(App::new(view::name(pod), behaviour, ports(pod), fate));
        self.network.attach(&ip, Arc::clone(&app) as Arc<_>);
        let report = Report {
            ip,
            stage: Stage::Starting(None),
            readiness_since: now,
            started: now,
            accepted: now,
            restarts: 0,
        };
        let mut life = Life { app, start, report, leaves: None };
        life.begin(self.pod_start, now);
        life
    }

    fn forget_fates(&mut self) {
        let fates = &mut self.fates;
        fates.retain(|_, fate| Arc::strong_count(fate) > 1);
    }
}

impl Life {
    /// Starts the containers; those that crash at once are in back-off already.
    fn begin(&mut self, pod_start: Duration, now: Timestamp) {
        self.report.started = now;
        self.report.stage = match self.start {
            Start::Serves => Stage::Starting(after(now, pod_start)),
            Start::NeverReady => Stage::Starting(None),
            Start::NoImage => Stage::NoImage,
            Start::Crashes => return self.end(now),
        };
        if self.report.stage != Stage::NoImage {
            self.app.start();
        }
    }

    /// The containers have ended; they are started again after the back-off.
    fn end(&mut self, now: Timestamp) {
        let doubled = BACK_OFF.saturating_mul(1 << self.report.restarts.min(5)).min(MAX_BACK_OFF);
        self.report.restarts += 1;
        self.report.readiness_since = now;
        self.report.stage = Stage::BackOff(after(now, doubled).unwrap_or(Timestamp::MAX));
    }

    fn has_left(&mut self, linger: Duration, now: Timestamp) -> bool {
        let leaves = *self.leaves.get_or_insert_with(|| after(now, linger).unwrap_or(now));
        leaves <= now
    }
}

fn watch_over(life: &mut Life, pod: &Value, pod_start: Duration, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    match life.report.stage {
        Stage::Starting(_) | Stage::Ready if life.app.has_crashed() => life.end(now),
        Stage::Starting(Some(ready)) if ready <= now => {
            life.report.stage = Stage::Ready;
            life.report.readiness_since = now;
        }
        Stage::BackOff(until) if until <= now => life.begin(pod_start, now),
        _ => {}
    }
    match life.report.stage {
        Stage::Starting(due) => plan.wake_at(due),
        Stage::BackOff(due) => plan.wake_at(Some(due)),
        Stage::Ready | Stage::NoImage => {}
    }
    if view::text(pod, "/spec/nodeName").is_empty() {
        plan.ops.push(Op::Patch(Target::new(POD, pod), json!({"spec": {"nodeName": NODE_NAME}})));
    }
    let patch = status_patch(pod.get("status"), &life.report.status(pod));
    plan.ops.extend(patch.map(|patch| Op::PatchStatus(Target::new(POD, pod), patch)));
    plan
}

fn ports(pod: &Value) -> Vec<u16> {
    let containers = view::list(pod, "/spec/containers").iter();
    let ports = containers.flat_map(|container| view::list(container, "/ports"));
    ports.filter_map(|port| u16::try_from(view::number(port, "/containerPort", -1)).ok()).collect()
}

fn after(now: Timestamp, duration: Duration) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(duration).ok()?).ok()
}
