//! The real operator as a process of its own: built, started, listened to, and never left behind.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use super::guide::Guide;
use super::stage::Stage;

/// How long it may take to stop when asked to.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lines of its log that are shown when it ends by itself.
const LAST_WORDS: usize = 5;

/// Builds the operator, which takes no time when nothing has changed; where its binary is.
///
/// # Errors
/// When it does not build.
pub fn built() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let binary = folder()?.join("vexil");
    let mut build = std::process::Command::new(cargo);
    build.args(["build", "--package", "vexil"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let is_first = !binary.exists();
    if !is_first {
        build.arg("--quiet");
    }
    if !finished(build, is_first)? {
        bail!("the operator does not build");
    }
    if !binary.exists() {
        bail!("the operator was built, but not to {}", binary.display());
    }
    Ok(binary)
}

/// Runs a build; whether it succeeds. One that takes a while is announced, because a quiet one says nothing.
fn finished(mut build: std::process::Command, mut announced: bool) -> anyhow::Result<bool> {
    let (begun, mut child) = (Instant::now(), build.spawn().context("cargo cannot be started")?);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if !announced && begun.elapsed() > Duration::from_secs(1) {
            announced = true;
            eprintln!("building the operator …");
        }
        #[expect(clippy::disallowed_methods, reason = "waits for cargo; nothing else runs")]
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where cargo puts binaries: beside this one.
pub fn folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program cannot be found")?;
    Ok(own.parent().context("this program is nowhere")?.to_owned())
}

/// What it is told of its guide. Its default never checks more often than every 10 s.
pub fn flags(guide: &Guide) -> [String; 3] {
    [
        format!("-mesh-provider={}", guide.provider),
        format!("-metrics-server=http://{}", guide.system.metric_server()),
        "-min-analysis-interval=1s".to_owned(),
    ]
}

/// A running operator.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    /// Ends the operator when this process is killed without a chance to do so itself.
    _guard: Child,
    log: PathBuf,
    metrics_url: String,
    http: reqwest::Client,
}

impl Operator {
    /// Starts it against the stage's cluster. It reaches the cluster's names through a proxy that pods do not need.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(binary: &Path, stage: &Stage) -> anyhow::Result<Self> {
        let log = File::create(&stage.log).with_context(|| format!("creating {}", stage.log.display()))?;
        let port = free_port()?;
        let proxy = stage.cluster.proxy_url().context("the cluster has no sockets")?;
        let mut command = Command::new(binary);
        command
            .arg(format!("-kubeconfig={}", stage.kubeconfig.display()))
            .arg(format!("-port={port}"))
            .args(flags(stage.guide))
            // The process group of its own keeps the terminal's Ctrl-C from it: the demo says when it ends.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "EVENT_WEBHOOK_URL"] {
            command.env_remove(variable);
        }
        for (upper, lower, value) in
            [("HTTP_PROXY", "http_proxy", proxy.as_str()), ("NO_PROXY", "no_proxy", "127.0.0.1,localhost")]
        {
            command.env(upper, value).env(lower, value);
        }
        let child = command.spawn().with_context(|| format!("starting {}", binary.display()))?;
        let guard = guard(child.id().context("the operator has ended at once")?)?;
        Ok(Operator {
            child,
            _guard: guard,
            log: stage.log.clone(),
            metrics_url: format!("http://127.0.0.1:{port}/metrics"),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?,
        })
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// Its exit and its last words.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_WORDS)..).unwrap_or_default().join("\n  ");
        bail!("the operator has ended by itself ({status}); its last words:\n  {last}")
    }

    /// What it says about itself, in the Prometheus text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let answer = self.http.get(&self.metrics_url).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    /// Asks it to stop, and makes sure that it does.
    pub async fn stop(mut self) {
        let id = self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(id) = id {
            // It may have ended already, which is what is wanted.
            let _asked = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            // Nothing is left to do when even this fails.
            let _killed = self.child.kill().await;
        }
    }
}

/// A shell that waits for the end of this process, however it comes, and then ends the operator. Its standard input
/// is a pipe that only this process holds open.
fn guard(operator: u32) -> anyhow::Result<Child> {
    Command::new("sh")
        .args(["-c", "cat >/dev/null; kill \"$0\" 2>/dev/null"])
        .arg(operator.to_string())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("starting a shell")
}

/// A port that is free now. Somebody may take it before the operator does, which then says so.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
