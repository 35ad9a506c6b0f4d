//! The stage: a cluster inside this process that listens on 127.0.0.1, with the guide's manifests to apply.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use vexil_testbed::world::{Cluster, Load, METRIC_SERVER, Running, Settings, Wire};

/// Where the guide's objects live.
pub const NAMESPACE: &str = "test";
/// The guide's application, its Canary and its route.
pub const APP: &str = "podinfo";
/// What clients ask for.
const SITE: &str = "app.example.com";
/// Requests per second.
const RATE: u32 = 100;

/// From a change of the route until the gateway does it.
pub const GATEWAY_DELAY: Duration = Duration::from_secs(1);

/// The guide's manifests.
pub const PODINFO: &str = include_str!("../../../examples/traefik/podinfo.yaml");
pub const INGRESS_ROUTE: &str = include_str!("../../../examples/traefik/podinfo-ingressroute.yaml");
pub const METRIC_TEMPLATE: &str = include_str!("../../../examples/traefik/podinfo-metric-template.yaml");
pub const CANARY: &str = include_str!("../../../examples/traefik/podinfo-canary.yaml");

/// The manifests by the names that people know them by, in the guide's order.
pub const MANIFESTS: [(&str, &str); 4] = [
    ("podinfo.yaml", PODINFO),
    ("podinfo-ingressroute.yaml", INGRESS_ROUTE),
    ("podinfo-metric-template.yaml", METRIC_TEMPLATE),
    ("podinfo-canary.yaml", CANARY),
];

/// The cluster and the files around it.
#[derive(Debug)]
pub struct Stage {
    pub cluster: Cluster,
    /// For kubectl and the operator.
    pub kubeconfig: PathBuf,
    /// What the operator says.
    pub log: PathBuf,
}

impl Stage {
    /// Starts an empty cluster; `folder` takes the files.
    ///
    /// # Errors
    /// When no port can be had or the folder cannot be written.
    pub async fn set(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let cluster = Cluster::with(Settings {
            wire: Wire::Sockets,
            gateway_delay: GATEWAY_DELAY,
            scrape_interval: Duration::from_millis(200),
            clock: Some(vexil_testbed::Clock::starting_at(jiff::Timestamp::now())),
            ..Settings::default()
        })
        .await?;
        let stage =
            Stage { cluster, kubeconfig: folder.join("kubeconfig"), log: folder.join("operator.log") };
        stage.cluster.write_kubeconfig(&stage.kubeconfig)?;
        Ok(stage)
    }

    /// Where the operator finds Prometheus: a name of the cluster, as in the guide.
    pub fn metrics_server() -> String {
        format!("http://{METRIC_SERVER}")
    }

    /// Waits until the gateway leads to the application.
    ///
    /// # Errors
    /// When it does not within ten seconds.
    pub async fn opened(&self) -> anyhow::Result<()> {
        let answers = async |cluster: &Cluster| {
            let one = cluster.load(Load::of_site(SITE).requests(1)).finished().await;
            one.by_status.contains_key(&200)
        };
        let opened = self.cluster.run_until(Duration::from_secs(10), answers).await;
        opened.with_context(|| format!("the gateway has no way to {SITE}"))
    }

    /// Clients come, and do not cease to.
    pub fn clients(&self) -> Running {
        self.cluster.load(Load::of_site(SITE).per_second(RATE).lasting(Duration::from_secs(365 * 24 * 3600)))
    }

    /// How many requests an operator has sent to the API server since the last time, watches not counted.
    pub fn operators_requests(&self) -> usize {
        let audit = self.cluster.server().audit();
        let requests = audit.count(|entry| entry.user_agent.starts_with("vexil/") && entry.verb != "watch");
        // Nobody else reads it, and it would grow for as long as the demo is kept.
        audit.clear();
        requests
    }
}
