//! A cluster inside this process that listens on 127.0.0.1, for one guide.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use vexil_testbed_apiserver::Clock;
use vexil_testbed_cluster::{Cluster, Running, Settings, Wire};
use vexil_testbed_rig::{api::Api, guide::Guide, player::Environment, record::GATEWAY_DELAY};

/// Requests of clients per second.
const RATE: u32 = 100;
/// How long clients come: longer than anyone watches.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The cluster and the files around it.
#[derive(Debug)]
pub struct Stage {
    pub cluster: Cluster,
    api: Api,
    /// For kubectl and the operator.
    pub kubeconfig: PathBuf,
    /// What the operator logs.
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
            system: guide.system.cluster,
            gateway_delay: GATEWAY_DELAY,
            scrape_interval: Duration::from_millis(200),
            clock: Some(Clock::starting_at(jiff::Timestamp::now())),
            run_load_hooks: guide.runs_load_test,
            ..Settings::default()
        })
        .await?;
        let (kubeconfig, log) = (folder.join("kubeconfig"), folder.join("operator.log"));
        cluster.write_kubeconfig(&kubeconfig)?;
        std::fs::write(&log, "").with_context(|| format!("creating {}", log.display()))?;
        let api = Api { client: cluster.client(), kubeconfig: kubeconfig.clone() };
        Ok(Stage { cluster, api, kubeconfig, log })
    }

    /// Forgets the record of requests, which would grow for as long as the cluster is kept.
    pub fn forget_requests(&self) {
        self.cluster.server().audit().clear();
    }
}

impl Environment for Stage {
    const AROUND: Duration = Duration::from_millis(1500);

    fn api(&self) -> &Api {
        &self.api
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.cluster.clock().now().as_millisecond()).unwrap_or_default()
    }

    async fn clients(&self, guide: &Guide) -> anyhow::Result<Option<Running>> {
        let one = self.cluster.load(guide.load().requests(1)).finished().await;
        let answers = one.by_status.contains_key(&200);
        Ok(answers.then(|| self.cluster.load(guide.load().per_second(RATE).lasting(FOR_EVER))))
    }

    fn operators_requests(&mut self) -> anyhow::Result<usize> {
        let audit = self.cluster.server().audit();
        let requests = audit.count(|entry| entry.user_agent.starts_with("vexil/") && entry.verb != "watch");
        self.forget_requests();
        Ok(requests)
    }
}
