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

use super::installation;
use crate::{demo::guide::Guide, e2e::api::Api, e2e::recorder::text};

/// How long it may take to start; mostly 3 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running control plane.
pub struct Plane {
    pub api: Api,
    audit: PathBuf,
    /// Requests that were told already.
    told: usize,
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
        Ok(Plane { api, audit: state.join("audit.log"), told: 0, _child: child })
    }

    /// How many requests the operator has sent since the last time, watches not counted.
    pub fn operators_requests(&mut self) -> anyhow::Result<usize> {
        let log = fs::read_to_string(&self.audit).context("the audit log of the API server")?;
        let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let counts = |entry: &Value| {
            text(entry, "/userAgent").starts_with("vexil/") && text(entry, "/verb") != "watch"
        };
        let all = entries.filter(counts).count();
        let fresh = all.saturating_sub(self.told);
        self.told = all;
        Ok(fresh)
    }
}
