//! The control plane, with pods that are processes and a proxy for their Services.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::{Child, Command};

use vexil_testbed_cluster::{Load, Network, Running};
use vexil_testbed_rig::{
    api::{Api, text},
    guide::Guide,
    player::{Environment, Plain, Player},
    record::Splitting,
};

use super::{installation, products::Product};

/// How long it may take to start; mostly 3 s.
const PATIENCE: Duration = Duration::from_secs(90);
/// Requests of clients per second.
const RATE: u32 = 200;
/// The same where a gateway splits them: very many beside the 20 of the guide's load test. It takes turns with them,
/// and 20 of 220 could shift the share that clients see by four points.
const SPLIT_RATE: u32 = 400;
/// How long one request is waited for before clients come.
const FIRST: Duration = Duration::from_secs(2);
/// How long clients come: longer than anyone watches.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// A guide that is played with processes for pods.
pub type Play = Player<Plane, Plain>;

/// A running control plane.
pub struct Plane {
    pub api: Api,
    splitting: Splitting,
    audit: PathBuf,
    /// Requests that were reported already.
    counted: usize,
    _child: Child,
}

impl Plane {
    /// Starts one that keeps the names of its Services in `/etc/hosts`.
    pub async fn start(guide: &Guide, bin: &Path, folder: &Path) -> anyhow::Result<Self> {
        let (state, log) = (folder.join("state"), folder.join("kubeplane.log"));
        let kubeconfig = state.join("kubeconfig");
        let mut command = Command::new(bin.join("kubeplane"));
        command.args(["up", "--audit", "--proxy", "--hosts", "/etc/hosts", "--dir"]).arg(&state);
        for (image, program) in installation::programs(guide, bin, folder, &kubeconfig) {
            command.args(["--run", &format!("{image}={program}")]);
        }
        let out = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).kill_on_drop(true);
        let mut child = command.spawn().context("starting kubeplane")?;
        let begun = Instant::now();
        while !fs::read_to_string(&log)?.contains("ready:") {
            if begun.elapsed() > PATIENCE || child.try_wait()?.is_some() {
                bail!("kubeplane did not start; see {}", log.display());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let api = Api::connect(kubeconfig).await?;
        let product = Product::built(guide, bin);
        let splitting = product.map(Product::splitting).unwrap_or_default();
        Ok(Plane { api, splitting, audit: state.join("audit.log"), counted: 0, _child: child })
    }
}

impl Environment for Plane {
    /// Until pods that were deleted have ended.
    const AROUND: Duration = Duration::from_secs(4);
    /// The pods are processes on this machine, which may be busy with other things.
    const SLOWEST_MS: Option<u64> = Some(10_000);

    fn splitting(&self) -> Splitting {
        self.splitting
    }

    fn api(&self) -> &Api {
        &self.api
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
    }

    /// They keep the address that the entrance's name had first.
    async fn clients(&self, guide: &Guide) -> anyhow::Result<Option<Running>> {
        let (network, Some(load)) = (Network::of_machine(), load(guide).await?) else { return Ok(None) };
        let one = network.load(load.clone().requests(1)).finished();
        let one = tokio::time::timeout(FIRST, one).await.unwrap_or_default();
        let rate = if guide.splits() { SPLIT_RATE } else { RATE };
        let answers = one.by_status.contains_key(&200);
        Ok(answers.then(|| network.load(load.per_second(rate).lasting(FOR_EVER))))
    }

    fn operators_requests(&mut self) -> anyhow::Result<usize> {
        let log = fs::read_to_string(&self.audit).context("the audit log of the API server")?;
        let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let counts = |entry: &Value| {
            text(entry, "/userAgent").starts_with("vexil/") && text(entry, "/verb") != "watch"
        };
        let all = entries.filter(counts).count();
        let fresh = all.saturating_sub(self.counted);
        self.counted = all;
        Ok(fresh)
    }
}

/// Requests as the guide's clients send them; `None` while the name of the entrance is not known.
async fn load(guide: &Guide) -> anyhow::Result<Option<Load>> {
    let (url, host) = guide.entrance();
    let url = url.parse::<http::Uri>()?;
    let name = url.host().context("an entrance without a host")?;
    let found = tokio::net::lookup_host((name, url.port_u16().unwrap_or(80))).await;
    let address = found.ok().and_then(|mut all| all.next());
    Ok(address.map(|address| Load::new(&format!("http://{address}{}", url.path())).host(host)))
}
