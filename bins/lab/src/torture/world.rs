//! The stage of a case: cluster, operator, clients, hooks and metric server, all on virtual time.

use std::{
    sync::{Arc, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Context as _;
use http::Request;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};
use vexil_controller::Settings as Flags;
use vexil_kube::Scope;
use vexil_testbed_apiserver::AuditEntry;
use vexil_testbed_cluster::{Cluster, Settings};
use vexil_testbed_rig::{ErrorLog, KillSwitch, Options, Process, SkewedClock, manifests};

use super::{
    clients::{self, Entrances},
    features::{ALERTS, CONFIG, Features},
    gates::Turn,
    place::{NAME, NAMESPACE, Place},
    record::{Answers, Ms, Recorder, Span, text},
    servers::{self, Alerts, Hooks},
};

/// Time between two looks at what has happened.
pub const LOOK: Duration = Duration::from_millis(100);
/// The version that is there at first.
pub const FIRST: &str = "6.0.0";
/// The second Deployment, which is ready from the start, and its version.
pub const OTHER: (&str, &str) = ("other", "7.0.0");

/// Everything of a case that runs.
pub struct World {
    pub place: &'static Place,
    pub features: Features,
    pub cluster: Cluster,
    pub recorder: Recorder,
    pub answers: Answers,
    pub log: ErrorLog,
    pub clock: SkewedClock,
    /// The spec as it was at first.
    pub spec: Value,
    pub kill_switch: Arc<KillSwitch>,
    pub operator: Process,
    pub is_alive: bool,
    /// How often the operator was killed.
    pub kills: u32,
    /// What excuses errors.
    pub deeds: Vec<Span>,
    /// When the operator cannot do its work.
    pub impaired: Vec<Span>,
    /// Statuses that hooks answer with; 200 for those that are not named, none for 0.
    pub hooks: Hooks,
    /// Whether the metric server finds the canary wanting.
    pub is_bad: Arc<AtomicBool>,
    pub entrances: Entrances,
    /// Specs whose addresses clients try, in this order.
    pub known_specs: Vec<Value>,
    /// The version that the target has.
    pub tag: String,
    /// What its configuration says.
    pub config: String,
    /// When hooks were made to answer something else.
    pub turned: Vec<Turn>,
    /// When the target was configured anew: another configuration is another revision, as a push is.
    pub configured: Vec<Ms>,
    /// The alerts that their receiver has accepted.
    pub alerts: Alerts,
    pub clients: JoinSet<()>,
    _listening: Box<dyn std::any::Any>,
}

impl World {
    /// A cluster with an operator, and a second Deployment.
    pub async fn open(
        place: &'static Place,
        features: &Features,
        kill_switch: Arc<KillSwitch>,
    ) -> anyhow::Result<World> {
        let (log, listening) = ErrorLog::listen();
        // Nothing is measured by scraping: the metric server below knows the answers.
        let seldom = Duration::from_secs(100_000_000);
        let settings = Settings {
            system: place.system.cluster,
            scrape_interval: seldom,
            endpoints_and_events: false,
            ..Settings::default()
        };
        let cluster = Cluster::with(settings).await?;
        let recorder = Recorder::new(cluster.server().follow());
        let (answers, entrances) = (Answers::default(), Entrances::default());
        let clients =
            clients::start(cluster.network().clone(), entrances.clone(), recorder.clone(), answers.clone());
        let spec = features.spec(place);
        let mut world = World {
            place,
            features: features.clone(),
            clock: SkewedClock::new(cluster.clock()),
            cluster,
            recorder,
            answers,
            log,
            spec,
            kill_switch,
            operator: Process::default(),
            is_alive: false,
            kills: 0,
            deeds: Vec::new(),
            impaired: Vec::new(),
            hooks: Arc::default(),
            is_bad: Arc::default(),
            entrances,
            known_specs: Vec::new(),
            tag: FIRST.to_owned(),
            config: CONFIG.1.to_owned(),
            turned: Vec::new(),
            configured: Vec::new(),
            alerts: Alerts::default(),
            clients,
            _listening: Box::new(listening),
        };
        if let Some(status) = features.alerts {
            world.hooks.lock().unwrap_or_else(PoisonError::into_inner).insert(ALERTS.to_owned(), status);
        }
        let (hooks, alerts) = (Arc::clone(&world.hooks), Arc::clone(&world.alerts));
        servers::answer_hooks(world.cluster.network(), hooks, alerts);
        servers::answer_queries(world.cluster.network(), Arc::clone(&world.is_bad));
        world.start();
        Ok(world)
    }

    /// Starts an operator with empty caches.
    pub fn start(&mut self) {
        let client = Arc::clone(&self.kill_switch).guard(self.cluster.server().client());
        let settings = Flags {
            provider: self.place.system.provider.to_owned(),
            metrics_server: "http://metrics.test".to_owned(),
            ..Flags::default()
        };
        self.operator.start(Options {
            client,
            scope: Scope::All,
            settings,
            clock: Arc::new(self.clock.of_process()),
            network: self.cluster.network().clone(),
            telemetry: vexil_controller::Telemetry::new("torture", "traefik"),
        });
        self.is_alive = true;
        let now = self.recorder.ms();
        if let Some(span) = self.impaired.iter_mut().rev().find(|span| span.to == Ms::MAX) {
            // It lists everything anew.
            span.to = now + 1_000;
        }
    }

    /// Ends the operator wherever it is.
    pub async fn kill(&mut self) {
        self.operator.kill().await;
        if self.is_alive {
            self.kills += 1;
            let from = self.recorder.ms();
            self.impaired.push(Span { from, to: Ms::MAX, what: "the operator is dead".to_owned() });
        }
        self.is_alive = false;
    }

    /// Lets time pass. An operator whose kill switch was used is dead: the next one takes its place.
    pub async fn pass(&mut self, ms: u64) {
        let end = self.recorder.ms().saturating_add(ms);
        while self.recorder.ms() < end {
            if self.kill_switch.is_cut() {
                self.kill_switch = KillSwitch::new(None);
                self.kill().await;
                self.start();
            }
            sleep(LOOK.min(Duration::from_millis(end - self.recorder.ms()))).await;
        }
    }

    /// Waits until something holds; whether it did in time.
    pub async fn until(&mut self, limit_ms: u64, holds: impl Fn(&World) -> bool) -> bool {
        let end = self.recorder.ms() + limit_ms;
        while !holds(self) {
            if self.recorder.ms() >= end {
                return false;
            }
            self.pass(100).await;
        }
        true
    }

    /// When a request was answered.
    pub fn ms_of(&self, entry: &AuditEntry) -> Ms {
        let passed = i64::try_from(self.recorder.ms()).unwrap_or(0);
        let began = self.cluster.clock().now().as_millisecond() - passed;
        u64::try_from(entry.at.as_millisecond() - began).unwrap_or(0)
    }

    /// The Canary as it is.
    pub fn canary(&self) -> Arc<Value> {
        self.recorder.object("canaries.flagger.app", NAME).unwrap_or_default()
    }

    /// The phase of the Canary.
    pub fn phase(&self) -> String {
        text(&self.canary(), "/status/phase").to_owned()
    }

    /// The tag that a Deployment's template has.
    pub fn tag_of(&self, deployment: &str) -> String {
        let live = self.recorder.object(self.features.workload().resource, deployment).unwrap_or_default();
        let image = text(&live, "/spec/template/spec/containers/0/image").to_owned();
        image.rsplit(':').next().unwrap_or_default().to_owned()
    }

    /// Applies a target with this name and version.
    pub async fn make(&self, name: &str, tag: &str) -> anyhow::Result<()> {
        if let Some(config) = self.features.config(&self.config) {
            self.cluster.apply_yaml(&config.to_string()).await?;
        }
        self.cluster.apply_yaml(&self.features.target(name, tag).to_string()).await
    }

    /// The target, while it is there.
    pub fn target(&self) -> Option<Arc<Value>> {
        self.recorder.object(self.features.workload().resource, NAME)
    }

    /// Whether the Canary is there.
    pub fn is_there(&self) -> bool {
        self.recorder.object("canaries.flagger.app", NAME).is_some()
    }

    /// How many notices wait for their delivery.
    pub fn notices(&self) -> usize {
        let canary = self.canary();
        canary.pointer("/status/outbox/entries").and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Applies the Canary and all that it needs.
    pub async fn apply(&mut self) -> anyhow::Result<()> {
        for apex in [NAME, "shop"] {
            for object in self.place.before(apex) {
                self.cluster.apply_yaml(&object.to_string()).await?;
            }
        }
        for object in self.features.alert_provider().into_iter().chain(self.features.apex()) {
            self.cluster.apply_yaml(&object.to_string()).await?;
        }
        self.make(OTHER.0, OTHER.1).await?;
        let tag = self.tag.clone();
        self.make(NAME, &tag).await?;
        self.apply_canary().await
    }

    /// Applies the Canary as it was at first.
    pub async fn apply_canary(&mut self) -> anyhow::Result<()> {
        let mut canary = manifests::canary(NAME);
        if let Some(fields) = canary.as_object_mut() {
            fields.insert("spec".to_owned(), self.spec.clone());
        }
        self.enter_by_first_spec();
        self.cluster.apply_yaml(&canary.to_string()).await
    }

    /// Replaces the Canary's spec; whether the API server took it.
    pub async fn replace_spec(&self, spec: &Value) -> anyhow::Result<bool> {
        let patch = json!([{"op": "replace", "path": "/spec", "value": spec}]);
        let path = format!("/apis/flagger.app/v1beta1/namespaces/{NAMESPACE}/canaries/{NAME}");
        match self.patch(&path, "application/json-patch+json", &patch).await {
            Ok(()) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 422 => Ok(false),
            Err(error) => Err(error).context("the spec cannot be replaced"),
        }
    }

    /// Patches anything.
    pub async fn patch(&self, path: &str, kind: &str, patch: &Value) -> Result<(), kube::Error> {
        let request = Request::patch(path).header("content-type", kind).body(patch.to_string().into_bytes());
        let request = request.map_err(kube::Error::HttpError)?;
        self.cluster.client().request::<Value>(request).await.map(drop)
    }
}
