//! The stage: a cluster inside this process that listens on 127.0.0.1, for one guide.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use vexil_testbed_cluster::{Cluster, Running, Settings, Wire};

use super::guide::Guide;

/// Where the guides' objects live.
pub const NAMESPACE: &str = "test";
/// The guides' application and its Canary.
pub const APP: &str = "podinfo";
/// Its container.
pub const CONTAINER: &str = "podinfod";
/// Requests per second.
const RATE: u32 = 100;

/// From a change of the route until the gateway does it.
pub const GATEWAY_DELAY: Duration = Duration::from_secs(1);

/// The cluster and the files around it.
#[derive(Debug)]
pub struct Stage {
    pub guide: &'static Guide,
    pub cluster: Cluster,
    /// For kubectl and the operator.
    pub kubeconfig: PathBuf,
    /// What the operator says.
    pub log: PathBuf,
}

impl Stage {
    /// Starts a cluster of the guide's system; a folder in `folder` takes the files.
    ///
    /// # Errors
    /// When no port can be had or the folder cannot be written.
    pub async fn set(guide: &'static Guide, folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join(guide.name);
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let cluster = Cluster::with(Settings {
            wire: Wire::Sockets,
            system: guide.system,
            gateway_delay: GATEWAY_DELAY,
            scrape_interval: Duration::from_millis(200),
            clock: Some(vexil_testbed_apiserver::Clock::starting_at(jiff::Timestamp::now())),
            run_load_hooks: guide.runs_load_test,
            ..Settings::default()
        })
        .await?;
        let stage =
            Stage { guide, cluster, kubeconfig: folder.join("kubeconfig"), log: folder.join("operator.log") };
        stage.cluster.write_kubeconfig(&stage.kubeconfig)?;
        Ok(stage)
    }

    /// Waits until clients reach the application.
    ///
    /// # Errors
    /// When they do not within twenty seconds.
    pub async fn opened(&self) -> anyhow::Result<()> {
        let entrance = &self.guide.entrance;
        let answers = async |cluster: &Cluster| {
            let one = cluster.load(entrance.load().requests(1)).finished().await;
            one.by_status.contains_key(&200)
        };
        let opened = self.cluster.run_until(Duration::from_secs(20), answers).await;
        opened.with_context(|| format!("there is no way to {}", entrance.name()))
    }

    /// Clients come, and do not cease to.
    pub fn clients(&self) -> Running {
        let for_ever = Duration::from_secs(365 * 24 * 3600);
        self.cluster.load(self.guide.entrance.load().per_second(RATE).lasting(for_ever))
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
