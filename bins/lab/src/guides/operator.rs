//! The operator that a page installs: on the testbed its pod is only a pretence, so the real one is a process beside
//! it, with the very arguments of that pod.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use super::stage::Stage;

/// Its log, in the reader's folder.
pub const LOG: &str = "operator.log";

/// A running operator; it ends with the check.
pub struct Operator {
    child: Child,
    /// A shell that ends the operator when the check is killed: it waits for the end of its input.
    _guard: Child,
}

impl Operator {
    /// Starts it. What a process outside of the cluster needs is added: where the API server is, a port that is free,
    /// and a pace that is shorter than users may have.
    pub fn start(binary: &Path, stage: &Stage, arguments: &[String]) -> anyhow::Result<Self> {
        let log = File::create(stage.folder.join(LOG))?;
        let proxy = stage.cluster.proxy_url().context("the cluster has no sockets")?;
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .arg(format!("-kubeconfig={}", stage.kubeconfig.display()))
            .args(["-port=0", "-min-analysis-interval=1s"])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "EVENT_WEBHOOK_URL"] {
            command.env_remove(variable);
        }
        for name in ["HTTP_PROXY", "http_proxy"] {
            command.env(name, &proxy);
        }
        for name in ["NO_PROXY", "no_proxy"] {
            command.env(name, "127.0.0.1,localhost");
        }
        let child = command.spawn().with_context(|| format!("starting {}", binary.display()))?;
        let guard = Command::new("sh")
            .args(["-c", "cat >/dev/null; kill \"$0\" 2>/dev/null"])
            .arg(child.id().context("the operator has ended at once")?.to_string())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting a shell")?;
        Ok(Operator { child, _guard: guard })
    }

    /// Fails with its last words when it has ended by itself.
    pub fn must_run(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(stage.folder.join(LOG)).unwrap_or_default();
        let from = log.lines().count().saturating_sub(5);
        let last: Vec<&str> = log.lines().skip(from).collect();
        bail!("the operator has ended by itself ({status}); its last words:\n{}", last.join("\n"))
    }
}
