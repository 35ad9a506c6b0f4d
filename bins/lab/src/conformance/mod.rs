//! The testbed's API server against a real one: the same requests to both, and every field of the answers compared.
//!
//! What is sent is in `scenes/*.txt`, one scene after the other; `script.rs` says how they are written. What only
//! differs by server, run or moment is masked (`mask.rs`). What is known to differ is listed with its
//! reason in `differences.txt`, and a line there that no longer matches anything is a failure as well.

mod compare;
mod known;
mod kubectl;
mod mask;
mod play;
mod script;
mod side;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use self::{
    known::Known,
    play::Stage,
    script::Scene,
    side::{Real, Side},
};

/// What is played, in this order.
const SCENES: [&str; 10] = [
    include_str!("scenes/discovery.txt"),
    include_str!("scenes/basics.txt"),
    include_str!("scenes/kinds.txt"),
    include_str!("scenes/workloads.txt"),
    include_str!("scenes/custom.txt"),
    include_str!("scenes/lists.txt"),
    include_str!("scenes/patches.txt"),
    include_str!("scenes/locking.txt"),
    include_str!("scenes/refusals.txt"),
    include_str!("scenes/kubectl.txt"),
];

/// What is known to differ.
const DIFFERENCES: &str = include_str!("differences.txt");

/// Arguments of `cargo xtask conformance`.
#[derive(clap::Args)]
pub struct Args {
    /// Only scenes whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Show every step with both answers, whether they differ or not
    #[arg(long)]
    verbose: bool,
}

/// Plays the scenes.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let kubeconfig = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty());
    let kubeconfig =
        PathBuf::from(kubeconfig.context("KUBECONFIG is not set: there is nothing to compare with")?);
    let scenes = scenes()?;
    tokio::runtime::Runtime::new()?.block_on(compare_all(args, kubeconfig, &scenes))
}

/// All scenes, read.
fn scenes() -> anyhow::Result<Vec<Scene>> {
    let read: Result<Vec<Vec<Scene>>, _> = SCENES.iter().map(|text| script::read(text)).collect();
    Ok(read?.concat())
}

async fn compare_all(args: &Args, kubeconfig: PathBuf, scenes: &[Scene]) -> anyhow::Result<()> {
    let start = Instant::now();
    let scratch = std::env::temp_dir().join(format!("vexil-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let mut known = Known::read(DIFFERENCES)?;
    let mut stage = Stage {
        testbed: Side::testbed(&scratch).await?,
        real: Side::real(Real { kubeconfig, scratch: &scratch }).await?,
        verbose: args.verbose,
        brought: Vec::new(),
    };
    let (mut passed, mut failed, mut steps) = (0, 0, 0);
    stage.open().await?;
    let kubectl = kubectl::there().await;
    for scene in scenes.iter().filter(|scene| scene.name.contains(&args.only)) {
        if !kubectl && scene.steps.iter().any(|step| step.verb == "KUBECTL") {
            println!("  skip         {}: there is no kubectl", scene.name);
            continue;
        }
        let begun = Instant::now();
        let found = stage.play(scene, &mut known).await?;
        let word = if found.is_empty() { "ok" } else { "FAIL" };
        println!("  {word:<4} {:4.1} s  {}", begun.elapsed().as_secs_f64(), scene.name);
        for line in &found {
            println!("    {line}");
        }
        steps += scene.steps.len();
        if found.is_empty() { passed += 1 } else { failed += 1 }
    }
    stage.close().await?;
    std::fs::remove_dir_all(&scratch)?;
    for line in known.unused().filter(|_| args.only.is_empty()) {
        println!("  FAIL         no longer needed in differences.txt: {line}");
        failed += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("conformance: {steps} requests, {} known differences, {seconds:.0} s", known.len());
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        bail!("the testbed's API server does not answer as the real one does");
    }
    Ok(())
}
