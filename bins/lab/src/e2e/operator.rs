//! The operator as a process of its own, that can be killed.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use tokio::process::{Child, Command};

use super::{account::Account, stand_in::StandIn};

/// How to start an operator.
#[derive(Clone)]
pub struct Recipe {
    binary: PathBuf,
    /// Who it is to the API server.
    pub account: Account,
    args: Vec<String>,
    log: PathBuf,
}

/// A running operator. Dropped, it is killed.
pub struct Operator(Child);

impl Recipe {
    /// An operator of all namespaces that asks the stand-in and logs to `log`; `provider` is that of Canaries that
    /// name none.
    pub fn new(binary: &Path, account: Account, provider: &str, stand_in: &StandIn, log: PathBuf) -> Self {
        let args = [
            format!("-mesh-provider={provider}"),
            format!("-metrics-server={}", stand_in.metrics()),
            "-min-analysis-interval=2s".to_owned(),
            "-port=0".to_owned(),
        ];
        Recipe { binary: binary.to_owned(), account, args: args.to_vec(), log }
    }

    /// The same with one more flag, or another value of one.
    #[must_use]
    pub fn with(mut self, flag: impl Into<String>) -> Self {
        let flag = flag.into();
        let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
        self.args.retain(|other| name(other) != name(&flag));
        self.args.push(flag);
        self
    }

    /// Where it logs to.
    pub fn folder(&self) -> &Path {
        self.log.parent().unwrap_or(&self.log)
    }

    /// Starts one.
    pub fn start(&self) -> anyhow::Result<Operator> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        command.arg(format!("-kubeconfig={}", self.account.kubeconfig.display()));
        // As the image sets it.
        for name in ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"] {
            command.env(name, "65536");
        }
        command.env("MALLOC_ARENA_MAX", "1");
        command.args(&self.args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.kill_on_drop(true).spawn();
        Ok(Operator(child.with_context(|| format!("starting {}", self.binary.display()))?))
    }
}

impl Operator {
    /// `kill -9`, and waits until it is gone.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.0.kill().await?)
    }

    /// The process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }
}
