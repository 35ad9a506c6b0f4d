//! The stage of every test: a cluster, an operator that can be killed and started, a recorder, hooks, clients.

pub mod fault_injection;
mod record;
pub mod script;
mod story;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use vexil_controller::{Settings, Telemetry};
use vexil_kube::Scope;
use vexil_testbed_cluster::{Cluster, FromFn, plain};
use vexil_testbed_rig::{ErrorLog, Options, Process, SkewedClock, Watchdog};

pub use self::{record::Recorder, story::Story};
pub use vexil_testbed_rig::{KillSwitch, OPERATOR, manifests};

/// Time between two looks at what has been recorded.
const LOOK: Duration = Duration::from_millis(50);

/// The stage.
pub struct Stage {
    pub cluster: Cluster,
    pub recorder: Recorder,
    pub kill_switch: Arc<KillSwitch>,
    /// After how many writes the operators that follow the first one die, too.
    pub cut_again: Option<u32>,
    /// Statuses that hooks answer with; 200 for those that are not named.
    pub hooks: Arc<Mutex<Vec<(String, u16)>>>,
    /// How many pods a target has.
    pub replicas: u32,
    /// Prometheus of the built-in checks.
    pub metrics_server: String,
    /// What the operator watches.
    pub scope: Scope,
    /// Provider of Canaries that name none.
    pub provider: &'static str,
    /// `-enable-config-tracking`.
    pub config_tracking: bool,
    /// The clock that operators read when they start.
    pub clock: SkewedClock,
    /// The metrics of the operator that was started last.
    pub telemetry: Telemetry,
    log: ErrorLog,
    operator: Process,
    _listening: tracing::subscriber::DefaultGuard,
    _watchdog: Watchdog,
}

impl Stage {
    /// A cluster without an operator.
    pub async fn open() -> Stage {
        Stage::with(Default::default()).await
    }

    /// The same with other settings of the cluster.
    pub async fn with(settings: vexil_testbed_cluster::Settings) -> Stage {
        let (log, listening) = ErrorLog::listen();
        let cluster = Cluster::with(settings).await.unwrap();
        let recorder = Recorder::start(cluster.server());
        let (hooks, watchdog) = (Arc::default(), Watchdog::of(cluster.server()));
        let stage = Stage {
            metrics_server: cluster.metrics_url().to_owned(),
            scope: Scope::All,
            provider: "traefik",
            config_tracking: true,
            clock: SkewedClock::new(cluster.clock()),
            cluster,
            recorder,
            kill_switch: KillSwitch::new(None),
            cut_again: None,
            replicas: 2,
            hooks,
            telemetry: Telemetry::new("test", "traefik"),
            log,
            operator: Process::default(),
            _listening: listening,
            _watchdog: watchdog,
        };
        stage.answer_hooks();
        stage
    }

    /// Hooks of every name at `http://hooks.test/<name>`.
    fn answer_hooks(&self) {
        let answers = Arc::clone(&self.hooks);
        let handler = FromFn(move |request: http::Request<bytes::Bytes>| {
            let name = request.uri().path().trim_start_matches('/').to_owned();
            let status =
                answers.lock().unwrap().iter().rev().find(|(of, _)| *of == name).map_or(200, |(_, s)| *s);
            async move { plain(StatusCode::from_u16(status).unwrap(), "") }
        });
        self.cluster.network().register("hooks.test", Arc::new(handler));
    }

    /// Lets a metric server say what `answer` makes of a query.
    fn answer_queries(&mut self, answer: impl Fn(&str) -> f64 + Send + Sync + 'static) {
        let handler = FromFn(move |request: http::Request<bytes::Bytes>| {
            let value = answer(request.uri().query().unwrap_or_default());
            let body = json!({
                "status": "success",
                "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, value.to_string()]}]},
            });
            async move { plain(StatusCode::OK, body.to_string()) }
        });
        self.cluster.network().register("metrics.test", Arc::new(handler));
        self.metrics_server = "http://metrics.test".to_owned();
    }

    /// Lets a metric server say that all is well but for the success rate, which is this.
    pub fn answer_success(&mut self, percent: f64) {
        self.answer_queries(move |query| match query {
            query if query.contains("vector") => 1.0,
            query if query.contains("histogram_quantile") => 0.1,
            _ => percent,
        });
    }

    /// Starts an operator with empty caches.
    pub fn start(&mut self) {
        self.start_on(KillSwitch::new(None));
    }

    /// Starts an operator whose connection `kill_switch` may cut.
    pub fn start_on(&mut self, kill_switch: Arc<KillSwitch>) {
        let client = Arc::clone(&kill_switch).guard(self.cluster.server().client());
        self.kill_switch = kill_switch;
        let workloads = vexil_workload::Settings::default().with_config_tracking(self.config_tracking);
        let settings = Settings {
            workloads,
            provider: self.provider.to_owned(),
            metrics_server: self.metrics_server.clone(),
            ..Settings::default()
        };
        self.telemetry = Telemetry::new("test", &settings.provider);
        self.operator.start(Options {
            client,
            scope: self.scope.clone(),
            settings,
            clock: Arc::new(self.clock.of_process()),
            network: self.cluster.network().clone(),
            telemetry: self.telemetry.clone(),
        });
    }

    /// Ends the operator wherever it is.
    pub async fn kill(&mut self) {
        self.operator.kill().await;
    }

    /// Applies a Canary of this name, with changes merged into it one after the other, and what it needs.
    pub async fn apply(&self, name: &str, changes: &[&Value]) {
        self.cluster.apply_yaml(&manifests::target(name, self.replicas)).await.unwrap();
        let site = self.cluster.get("traefik.io/v1alpha1", "IngressRoute", "test", name).await;
        if site.is_ok() {
            self.cluster.apply_yaml(&manifests::site(name)).await.unwrap();
        }
        let mut canary = manifests::canary(name);
        changes.iter().for_each(|change| manifests::merge(&mut canary, change));
        self.cluster.apply_yaml(&canary.to_string()).await.unwrap();
    }

    pub async fn push(&self, name: &str, tag: &str) {
        let image = format!("stefanprodan/podinfo:{tag}");
        self.cluster.set_image("test", name, "podinfod", &image).await.unwrap();
    }

    pub async fn canary(&self, name: &str) -> Value {
        self.cluster.get("flagger.app/v1beta1", "Canary", "test", name).await.unwrap().unwrap_or_default()
    }

    /// Waits until the status of a Canary is as wanted; panics with its story when that does not come.
    pub async fn until(&mut self, name: &str, limit: Duration, holds: impl Fn(&Value) -> bool) {
        let end = Instant::now() + limit;
        while !self.recorder.canary(name).is_some_and(|canary| holds(&canary["status"])) {
            if Instant::now() > end {
                panic!("not so after {limit:?}:\n{}\n{}", self.story(name).text(), self.requests());
            }
            self.pass(LOOK.as_secs_f64()).await;
        }
    }

    pub async fn until_phase(&mut self, name: &str, phase: &str) {
        self.until(name, Duration::from_secs(300), |status| status["phase"] == phase).await;
    }

    pub fn story(&self, name: &str) -> Story {
        Story::of(name, &self.recorder.records())
    }

    /// How many Events of the Canary contain this text.
    pub fn reported(&self, name: &str, text: &str) -> usize {
        self.events_with(name, text).iter().map(|(_, times)| times).sum()
    }

    /// The texts of the Events of the Canary that contain this, with their counts.
    pub fn events_with(&self, name: &str, text: &str) -> Vec<(String, usize)> {
        self.story(name).events.into_iter().filter(|(event, _)| event.contains(text)).collect()
    }

    /// What must hold whatever happened: no panic, no broken law, each Event once.
    pub fn check_laws(&self, name: &str) {
        let errors = self.log.errors();
        let worse: Vec<_> =
            errors.iter().filter(|line| line.contains("panicked") || line.contains("broke a law")).collect();
        assert_eq!(worse, Vec::<&String>::new());
        let story = self.story(name);
        assert_eq!(story.broken, Vec::<String>::new(), "\n{}", story.text());
    }

    /// The last requests of the operator, for messages.
    fn requests(&self) -> String {
        let entries = self.cluster.server().audit().of(OPERATOR);
        let last = entries.iter().rev().take(40).rev();
        last.map(|entry| format!("{} {}\n", entry.at, entry.line())).collect()
    }

    /// How many reconciles the operator that was started last has begun.
    pub fn reconciles(&self) -> usize {
        let text = self.telemetry.text();
        let line = text.lines().find_map(|line| line.strip_prefix("vexil_reconciles_total "));
        line.and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    /// Lets time pass. An operator whose kill switch was used is dead: the next one takes its place.
    pub async fn pass(&mut self, seconds: f64) {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < end {
            if !self.kill_switch.may_be_cut() {
                return tokio::time::sleep_until(end).await;
            }
            if self.kill_switch.is_cut() {
                self.kill().await;
                self.start_on(KillSwitch::new(self.cut_again));
            }
            sleep(LOOK.min(end - Instant::now())).await;
        }
    }

    /// Changes the Deployment of a Canary.
    pub async fn change(&self, name: &str, change: &Value) {
        self.cluster.merge(("apps/v1", "Deployment"), ("test", name), change).await.unwrap();
    }

    /// Merge-patches a Canary's status, as another operator would.
    pub async fn patch_status(&self, name: &str, patch: &Value) {
        self.patch("flagger.app/v1beta1/namespaces/test/canaries", name, patch).await;
    }

    /// Merge-patches the status of an autoscaler, as its controller would.
    pub async fn patch_scaler_status(&self, name: &str, patch: &Value) {
        self.patch("autoscaling/v2/namespaces/test/horizontalpodautoscalers", name, patch).await;
    }

    /// Merge-patches the status of a Canary's Deployment, as the Deployment controller would.
    pub async fn patch_status_of_target(&self, name: &str, patch: &Value) {
        self.patch("apps/v1/namespaces/test/deployments", name, patch).await;
    }

    async fn patch(&self, resource: &str, name: &str, patch: &Value) {
        let path = format!("/apis/{resource}/{name}/status");
        let request = http::Request::patch(path)
            .header("content-type", "application/merge-patch+json")
            .body(patch.to_string().into_bytes())
            .unwrap();
        self.cluster.client().request::<Value>(request).await.unwrap();
    }
}
