//! The operator's binary as a process of its own: started, listened to, and never left behind.

use std::{
    fs::{self, File, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

/// How long it may take to stop after SIGTERM.
const STOP: Duration = Duration::from_secs(5);
/// Lines of its log that are shown when it ends by itself.
const LAST_LINES: usize = 5;
/// Variables that would send its requests, or its notices, somewhere else.
const FOREIGN: [&str; 5] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "EVENT_WEBHOOK_URL"];

/// How to start an operator.
#[derive(Clone, Debug)]
pub struct Recipe {
    binary: PathBuf,
    kubeconfig: PathBuf,
    flags: Vec<String>,
    log: PathBuf,
    proxy: Option<String>,
}

impl Recipe {
    /// An operator that serves its metrics on a port of its own choice and appends to `log`.
    pub fn new(binary: &Path, kubeconfig: &Path, log: PathBuf) -> Self {
        let flags = vec!["-port=0".to_owned()];
        Recipe { binary: binary.to_owned(), kubeconfig: kubeconfig.to_owned(), flags, log, proxy: None }
    }

    /// The same with one more flag, or another value of one.
    #[must_use]
    pub fn with(mut self, flag: impl Into<String>) -> Self {
        let flag = flag.into();
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        self.flags.retain(|other| name(other) != name(&flag));
        self.flags.push(flag);
        self
    }

    /// The same with further flags.
    #[must_use]
    pub fn with_all(self, flags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        flags.into_iter().fold(self, Recipe::with)
    }

    /// The same for another user of the API server.
    #[must_use]
    pub fn as_user_of(self, kubeconfig: &Path) -> Self {
        Recipe { kubeconfig: kubeconfig.to_owned(), ..self }
    }

    /// The same, reaching the names of a cluster through its proxy.
    #[must_use]
    pub fn through(self, proxy: Option<String>) -> Self {
        Recipe { proxy, ..self }
    }

    /// The same with a port that is free now, at which [`Operator::metrics`] asks.
    ///
    /// # Errors
    /// When there is none.
    pub fn on_free_port(self) -> anyhow::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Ok(self.with(format!("-port={port}")))
    }

    /// The folder of its log.
    pub fn folder(&self) -> &Path {
        self.log.parent().unwrap_or(&self.log)
    }

    /// Starts one.
    ///
    /// # Errors
    /// When the log cannot be written or the binary cannot be run.
    pub fn start(&self) -> anyhow::Result<Operator> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        command
            .args(&self.flags)
            .arg(format!("-kubeconfig={}", self.kubeconfig.display()))
            // Ctrl-C of the terminal is for its parent, which then stops it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        // As the image sets them.
        for name in ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"] {
            command.env(name, "65536");
        }
        command.env("MALLOC_ARENA_MAX", "1");
        for name in FOREIGN {
            command.env_remove(name);
        }
        for (name, value) in
            [("HTTP_PROXY", self.proxy.as_deref()), ("NO_PROXY", Some("127.0.0.1,localhost"))]
        {
            for name in [name.to_owned(), name.to_lowercase()] {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        }
        let child = command.spawn().with_context(|| format!("starting {}", self.binary.display()))?;
        let guard = guard(child.id().context("the operator has ended at once")?)?;
        let port = self.flags.iter().find_map(|flag| flag.strip_prefix("-port=")).unwrap_or_default();
        let metrics = format!("http://127.0.0.1:{port}/metrics");
        Ok(Operator { child, _guard: guard, log: self.log.clone(), metrics })
    }
}

/// A running operator. Dropped, it is killed.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    /// Ends the operator when this process is killed without a chance to do so itself.
    _guard: Child,
    log: PathBuf,
    metrics: String,
}

impl Operator {
    /// The process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// Its exit and the last lines of its log.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let from = log.lines().count().saturating_sub(LAST_LINES);
        let last: Vec<&str> = log.lines().skip(from).collect();
        let (log, last) = (self.log.display(), last.join("\n  "));
        bail!("the operator has ended by itself ({status}); the end of {log}:\n  {last}")
    }

    /// Its metrics, in the Prometheus text format.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(client.get(&self.metrics).send().await?.error_for_status()?.text().await?)
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// SIGTERM, and SIGKILL if it does not end in time.
    pub async fn stop(mut self) {
        let id = self.child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(id) = id {
            // It may have ended already.
            let _asked = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            // Dropping it kills it again.
            let _killed = self.child.kill().await;
        }
    }
}

/// A shell that waits for the end of this process, however it ends, and then ends the operator. Its standard input is a
/// pipe that only this process holds open.
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
