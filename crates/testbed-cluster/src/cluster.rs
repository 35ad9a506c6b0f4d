//! The whole cluster in one value: API server, controllers, pods, gateway, metric server, load tester.

mod install;

pub use install::install;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kube::Client;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::controllers::{Controllers, Snapshot, crash};
use super::discovery;
use super::gateway::{Follower, Gateway};
use super::hooks::LoadTester;
use super::kinds::{ENDPOINT_SLICE, SERVICE};
use super::load::{Load, Running};
use super::metrics::Metrics;
use super::network::{Directory, Network, Proxy};
use super::objects;
use super::settings::{Settings, Wire};
use super::system::{LOAD_TESTER, System};
use super::watch::Watch;
use vexil_testbed_apiserver::Clock;
use vexil_testbed_apiserver::{ApiServer, Listening};
use vexil_testbed_promql::QueryValue;

/// Time between two looks at a condition.
const LOOK: Duration = Duration::from_millis(50);

/// A running cluster. Everything in it ends when it is dropped.
pub struct Cluster {
    server: ApiServer,
    client: Client,
    network: Network,
    metrics: Metrics,
    gateway: Arc<dyn Gateway>,
    controllers: Controllers,
    system: System,
    metrics_url: String,
    outside: Option<Outside>,
    _follower: Follower,
    _tasks: [JoinSet<()>; 3],
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("network", &self.network)
            .field("outside", &self.outside)
            .finish_non_exhaustive()
    }
}

/// What a process outside talks to.
#[derive(Debug)]
struct Outside {
    api: Listening,
    proxy: Proxy,
}

impl Cluster {
    /// A cluster with the default settings: in the process, for tests on paused time. It serves the `flagger.app` kinds
    /// and those of its system, and has the namespace `test` and those of its system.
    ///
    /// # Errors
    /// When its own manifests are refused.
    pub async fn start() -> anyhow::Result<Self> {
        Cluster::with(Settings::default()).await
    }

    /// A cluster with other settings. Over sockets it also listens for `kubectl` and has a forward proxy.
    ///
    /// # Errors
    /// When its own manifests are refused or no port can be had.
    pub async fn with(settings: Settings) -> anyhow::Result<Self> {
        let clock = settings.clock.unwrap_or_default();
        let server = ApiServer::new(clock);
        let client = server.client_as("vexil-testbed");
        let network = Network::new(settings.wire);
        let controllers = Controllers::start(&client, clock, network.clone(), &settings);
        let gateway = settings.system.start(&network);
        network.register(LOAD_TESTER, Arc::new(LoadTester::new(network.clone(), settings.run_load_hooks)));
        let metrics = Metrics::new(clock);
        let listens = metrics.register(&network, settings.system.metric_server());
        let every = settings.scrape_interval;
        let scraping = metrics.scrape(Arc::clone(&gateway), every);
        let discovering = discovery::scrape_pods(&client, network.clone(), metrics.clone(), every);
        let outside = match settings.wire {
            Wire::InProcess => None,
            Wire::Sockets => Some(Outside {
                api: server.listen(settings.api_address).await.context("the API server cannot listen")?,
                proxy: Proxy::start(network.clone()).await.context("the proxy cannot listen")?,
            }),
        };
        let cluster = Cluster {
            _follower: Follower::start(&client, Arc::clone(&gateway), settings.gateway_delay),
            _tasks: [scraping, discovering, resolve(&client, &network)],
            metrics_url: format!("http://{listens}"),
            system: settings.system,
            server,
            client,
            network,
            metrics,
            gateway,
            controllers,
            outside,
        };
        cluster.prepare(settings.install_crds).await?;
        Ok(cluster)
    }

    /// The API server.
    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    /// A client of the API server, in the process.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The cluster's clock.
    pub fn clock(&self) -> Clock {
        self.server.clock()
    }

    /// The cluster's network: where names resolve and requests are answered.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Applies every object of a YAML text, in order: creates it, or merge-patches the one there is.
    ///
    /// # Errors
    /// When the text is no YAML or an object is refused.
    pub async fn apply_yaml(&self, text: &str) -> anyhow::Result<()> {
        objects::apply_yaml(&self.client, text).await
    }

    /// One object, `None` when there is none. `version` is an `apiVersion`: `apps/v1`.
    ///
    /// # Errors
    /// When the cluster does not serve the kind.
    pub async fn get(
        &self,
        version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<Option<Value>> {
        objects::get(&self.client, version, kind, namespace, name).await
    }

    /// Merge-patches one object.
    ///
    /// # Errors
    /// When there is no such object or the patch is refused.
    pub async fn merge(&self, kind: (&str, &str), object: (&str, &str), body: &Value) -> anyhow::Result<()> {
        objects::merge(&self.client, kind, object, body).await
    }

    /// Deletes one object; whether there was one.
    ///
    /// # Errors
    /// When the cluster does not serve the kind or refuses it.
    pub async fn delete(
        &self,
        version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<bool> {
        objects::delete(&self.client, version, kind, namespace, name).await
    }

    /// Gives a container of a Deployment another image, as `kubectl set image` does.
    ///
    /// # Errors
    /// When there is no such Deployment.
    pub async fn set_image(
        &self,
        namespace: &str,
        deployment: &str,
        container: &str,
        image: &str,
    ) -> anyhow::Result<()> {
        let kind = ("apps/v1", "Deployment");
        objects::set_image(&self.client, kind, (namespace, deployment), container, image).await
    }

    /// Crashes every pod that carries all of these labels, together with its siblings of the same ReplicaSet; answers
    /// how many ReplicaSets (or lone pods) that were. They are started again after the usual back-off.
    pub fn crash_pods(&self, namespace: &str, labels: &[(&str, &str)]) -> usize {
        let labels: Map<String, Value> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        crash(&self.controllers, namespace, &labels)
    }

    /// Starts to send requests.
    pub fn load(&self, load: Load) -> Running {
        Running::start(self.network.clone(), load)
    }

    /// Where the metric server answers: its name on the cluster's network, over sockets an address of 127.0.0.1.
    pub fn metrics_url(&self) -> &str {
        &self.metrics_url
    }

    /// Evaluates a PromQL query now.
    ///
    /// # Errors
    /// When the query cannot be parsed or evaluated.
    pub fn query(&self, query: &str) -> anyhow::Result<QueryValue> {
        Ok(self.metrics.query(query)?)
    }

    /// The gateway's metrics in the text exposition format.
    pub fn gateway_metrics(&self) -> String {
        self.gateway.metrics()
    }

    /// Over sockets, where the API server answers: `http://127.0.0.1:…`.
    pub fn api_url(&self) -> Option<String> {
        self.outside.as_ref().map(|outside| outside.api.url())
    }

    /// Over sockets, what to set `HTTP_PROXY` to for a process that shall reach the names of the cluster.
    pub fn proxy_url(&self) -> Option<String> {
        self.outside.as_ref().map(|outside| format!("http://{}", outside.proxy.address()))
    }

    /// Over sockets, writes a kubeconfig.
    ///
    /// # Errors
    /// When the file cannot be written or the cluster is in process.
    pub fn write_kubeconfig(&self, path: &Path) -> anyhow::Result<()> {
        let Some(outside) = &self.outside else { bail!("the cluster has no sockets") };
        Ok(outside.api.write_kubeconfig(path)?)
    }

    /// Lets time pass until a condition holds.
    ///
    /// # Errors
    /// When it does not hold within `limit`.
    pub async fn run_until(
        &self,
        limit: Duration,
        mut holds: impl AsyncFnMut(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = tokio::time::Instant::now() + limit;
        while !holds(self).await {
            if tokio::time::Instant::now() >= end {
                bail!("the condition does not hold after {limit:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

/// Keeps the network's directory of Services up to date.
fn resolve(client: &Client, network: &Network) -> JoinSet<()> {
    let (mut watch, network) = (Watch::start(client, &[SERVICE, ENDPOINT_SLICE]), network.clone());
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut seen = Snapshot::default();
        while let Some(news) = watch.next().await {
            news.apply(&mut seen);
            watch.drain(&mut seen);
            network.follow(Directory::read(&seen));
        }
    });
    task
}
