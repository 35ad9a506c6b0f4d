//! The stage of a case: cluster, operator, clients, hooks and metric server, all on virtual time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use futures::future::pending;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};
use vexil_controller::Settings as Flags;
use vexil_kube::Scope;
use vexil_testbed_cluster::{Cluster, FromFn, Settings, plain};
use vexil_testbed_rig::{ErrorLog, Leash, Options, Process, SkewedClock, manifests};

use super::{
    clients::{self, Entrances},
    place::{NAME, NAMESPACE, Place},
    record::{Answers, Ms, Recorder, Span, text},
};

/// Time between two looks at what has happened.
pub const LOOK: Duration = Duration::from_millis(100);
/// The image without its tag.
pub const IMAGE: &str = "stefanprodan/podinfo";
/// The version that is there at first.
pub const FIRST: &str = "6.0.0";
/// The second Deployment, which is ready from the start, and its version.
pub const OTHER: (&str, &str) = ("other", "7.0.0");

/// Everything of a case that runs.
pub struct World {
    pub place: &'static Place,
    pub cluster: Cluster,
    pub recorder: Recorder,
    pub answers: Answers,
    pub log: ErrorLog,
    pub clock: SkewedClock,
    /// The spec as it was at first.
    pub spec: Value,
    pub leash: Arc<Leash>,
    pub operator: Process,
    pub is_alive: bool,
    /// How often the operator was killed.
    pub kills: u32,
    /// What excuses errors.
    pub deeds: Vec<Span>,
    /// When the operator cannot do its work.
    pub impaired: Vec<Span>,
    /// Statuses that hooks answer with; 200 for those that are not named, none for 0.
    pub hooks: Arc<Mutex<BTreeMap<String, u16>>>,
    /// Whether the metric server finds the canary wanting.
    pub is_bad: Arc<AtomicBool>,
    pub entrances: Entrances,
    /// The version that the target has.
    pub tag: String,
    pub clients: JoinSet<()>,
    _listening: Box<dyn std::any::Any>,
}

impl World {
    /// A cluster with an operator, and a second Deployment.
    pub async fn open(place: &'static Place, leash: Arc<Leash>) -> anyhow::Result<World> {
        let (log, listening) = ErrorLog::listen();
        // Nothing is measured by scraping: the metric server below knows the answers.
        let seldom = Duration::from_secs(100_000_000);
        let settings =
            Settings { system: place.system.cluster, scrape_interval: seldom, ..Settings::default() };
        let cluster = Cluster::with(settings).await?;
        let recorder = Recorder::new(cluster.server().follow());
        let (answers, entrances) = (Answers::default(), Entrances::default());
        let clients =
            clients::start(cluster.network().clone(), entrances.clone(), recorder.clone(), answers.clone());
        let spec = first_spec(place);
        let mut world = World {
            place,
            clock: SkewedClock::new(cluster.clock()),
            cluster,
            recorder,
            answers,
            log,
            spec,
            leash,
            operator: Process::default(),
            is_alive: false,
            kills: 0,
            deeds: Vec::new(),
            impaired: Vec::new(),
            hooks: Arc::default(),
            is_bad: Arc::default(),
            entrances,
            tag: FIRST.to_owned(),
            clients,
            _listening: Box::new(listening),
        };
        world.answer_hooks();
        world.answer_queries();
        world.start();
        Ok(world)
    }

    /// Hooks of every name at `http://hooks.test/<name>`.
    fn answer_hooks(&self) {
        let answers = Arc::clone(&self.hooks);
        let handler = FromFn(move |request: Request<Bytes>| {
            let name = request.uri().path().trim_start_matches('/').to_owned();
            let status = answers.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
            async move {
                match status {
                    Some(0) => pending().await,
                    status => plain(StatusCode::from_u16(status.unwrap_or(200)).unwrap_or_default(), ""),
                }
            }
        });
        self.cluster.network().register("hooks.test", Arc::new(handler));
    }

    /// Prometheus, which says what is so of the version that was pushed last.
    fn answer_queries(&self) {
        let bad = Arc::clone(&self.is_bad);
        let handler = FromFn(move |request: Request<Bytes>| {
            let value = match request.uri().query().unwrap_or_default() {
                query if query.contains("histogram_quantile") => "0.1",
                query if query.contains("vector") => "1",
                _ if bad.load(Ordering::Relaxed) => "50",
                _ => "100",
            };
            let body = json!({
                "status": "success",
                "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, value]}]},
            });
            async move { plain(StatusCode::OK, body.to_string()) }
        });
        self.cluster.network().register("metrics.test", Arc::new(handler));
    }

    /// Starts an operator with empty caches.
    pub fn start(&mut self) {
        let client = Arc::clone(&self.leash).hold(self.cluster.server().client());
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

    /// Lets time pass. An operator whose leash was cut is dead: the next one takes its place.
    pub async fn pass(&mut self, ms: u64) {
        let end = self.recorder.ms().saturating_add(ms);
        while self.recorder.ms() < end {
            if self.leash.is_cut() {
                self.leash = Leash::new(None);
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
        let live = self.recorder.object("deployments.apps", deployment).unwrap_or_default();
        let image = text(&live, "/spec/template/spec/containers/0/image").to_owned();
        image.rsplit(':').next().unwrap_or_default().to_owned()
    }

    /// Applies a Deployment with this name and version.
    pub async fn make(&self, name: &str, tag: &str) -> anyhow::Result<()> {
        let manifest = manifests::target(name, 2).replace(&format!(":{FIRST}"), &format!(":{tag}"));
        self.cluster.apply_yaml(&manifest).await
    }

    /// Applies the Canary and all that it needs.
    pub async fn apply(&mut self) -> anyhow::Result<()> {
        for apex in [NAME, "shop"] {
            for object in self.place.before(apex) {
                self.cluster.apply_yaml(&object.to_string()).await?;
            }
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
        let spec = self.spec.clone();
        self.enter(&[&spec]);
        self.cluster.apply_yaml(&canary.to_string()).await
    }

    /// Lets clients come in by what these specs say; the first that serves them counts.
    pub fn enter(&self, specs: &[&Value]) {
        let mut all: Vec<(String, String)> = Vec::new();
        for spec in specs {
            let apex =
                spec.pointer("/service/name").or(spec.pointer("/targetRef/name")).and_then(Value::as_str);
            let port = spec.pointer("/service/port").and_then(Value::as_u64).unwrap_or(80);
            all.push(self.place.entrance(apex.unwrap_or(NAME), port));
            if specs.len() > 1 {
                let apex = apex.unwrap_or(NAME);
                all.push((format!("http://{apex}.{NAMESPACE}:{port}/"), format!("{apex}.{NAMESPACE}")));
            }
        }
        *self.entrances.lock().unwrap_or_else(PoisonError::into_inner) = all;
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

/// The spec of a place's Canary as it is at first.
pub fn first_spec(place: &Place) -> Value {
    let mut spec = manifests::canary(NAME).get("spec").cloned().unwrap_or_default();
    // One strategy excludes the others.
    let bare = json!({"analysis": {"stepWeight": null, "maxWeight": null}});
    manifests::merge(&mut spec, &bare);
    manifests::merge(&mut spec, &place.spec());
    spec
}
