//! The operator's binary against a real API server, as users see it: phases, routes, replicas, Events; and `kill -9`.
//!
//! Each scene has a namespace of its own. Traffic is not played here: that is the demo's.

pub mod account;
mod compare;
mod laws;
mod manifests;
pub mod operator;
mod pace;
mod play;
mod proxy;
pub mod recorder;
mod scenes;
mod seen;
pub mod stage;
pub mod stand_in;
mod story;
mod suite;

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;

use self::suite::Suite;
pub(crate) use vexil_testbed_rig::{api, cast, crds, route, systems};

/// Arguments of `cargo xtask e2e`.
#[derive(clap::Args)]
pub struct Args {
    /// The operator's binary, instead of building it
    #[arg(long)]
    operator: Option<PathBuf>,
    /// Only scenes whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Give operators the rights of the kubeconfig's user instead of those of the chart
    #[arg(long)]
    as_user: bool,
    /// Leave the namespaces and the operators' logs behind
    #[arg(long)]
    keep: bool,
}

/// Runs the suite.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let kubeconfig = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty());
    let kubeconfig =
        PathBuf::from(kubeconfig.context("KUBECONFIG is not set: there is no cluster to test on")?);
    let binary = match &args.operator {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut tasks = JoinSet::new();
        let suite = Suite::open(kubeconfig, binary, args, &mut tasks).await?;
        suite.play().await
    })
}

/// Builds the operator as it is shipped, and answers where it is.
pub fn build() -> anyhow::Result<PathBuf> {
    let root = vexil_launcher::root();
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let built =
        Command::new(cargo).args(["build", "--release", "-p", "vexil"]).current_dir(&root).status()?;
    if !built.success() {
        bail!("the operator could not be built");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join("release/vexil"))
}
