//! `cargo xtask traffic`: guides on a real control plane whose pods are real processes, with real traffic.
//!
//! Each guide is played inside namespaces of Linux of its own (network, mounts, processes) that no other process has
//! ever seen: the kernel takes them away, with everything that runs in them, when the first process in them ends.
//! Inside, everything has the address it would have in a cluster: kubeplane runs pods as processes at their addresses
//! and carries connections from Services to them. The operator, the load tester and Prometheus are those that ship;
//! pods are the testbed's, as processes, and so are gateways, but for those of the products in [`products`].

mod inside;
mod installation;
mod migrations;
mod needs;
mod parts;
mod plane;
mod products;
mod sandbox;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::bail;
use clap::builder::PossibleValuesParser;

use self::{
    needs::{Lacking, Tools},
    products::Product,
};
use vexil_testbed_rig::{guide::Guide, page, systems};

/// The guides that are played: those whose traffic nothing or an ingress splits. (A mesh would need a proxy in front of
/// every pod.) Those of a [`Product`] need its program.
const PLAYED: [&str; 5] = ["kubernetes", "traefik", "apisix", "gateway-api", "skipper"];

/// Arguments of `cargo xtask traffic`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Only this guide
    #[arg(long, value_parser = PossibleValuesParser::new(PLAYED))]
    guide: Option<String>,
    /// Edit target, Service name and provider of the guide for Traefik, each during a rollout, instead of the guides
    #[arg(long, conflicts_with = "guide")]
    migrations: bool,
    /// The operator's binary; without it, it is built first
    #[arg(long)]
    operator: Option<PathBuf>,
    /// The load tester's binary; without it, it is built first
    #[arg(long)]
    loadtester: Option<PathBuf>,
    /// kubeplane's binary; without it, that which .ci/run has built
    #[arg(long)]
    kubeplane: Option<PathBuf>,
    /// Use the testbed's metric store also where Prometheus is installed
    #[arg(long)]
    no_prometheus: bool,
    /// Write what the rollouts came to into this page of the book
    #[arg(long, value_name = "PAGE", conflicts_with = "migrations")]
    write: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<parts::Part>,
}

/// Plays the guides, one after the other, or is one of the processes that this takes.
///
/// # Errors
/// When a guide does not go as it should. Not where namespaces cannot be had: then it is skipped, and says so.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(part) = &args.part {
        return parts::run(part);
    }
    if let Err(Lacking(what)) = needs::check(args) {
        println!("traffic: SKIPPED: {what}");
        return Ok(());
    }
    let tools = Tools::gather(args)?;
    let begun = Instant::now();
    let (mut failed, mut rows) = (Vec::new(), Vec::new());
    let only = if args.migrations { Some(migrations::GUIDE) } else { args.guide.as_deref() };
    for name in PLAYED.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        if let Some(Product { program, .. }) = Product::of(name).filter(|product| !tools.has(product)) {
            println!("{name}: SKIPPED: {program} is not built; tools/gateways/build.sh builds it");
            continue;
        }
        if let Err(error) = sandbox::play(name, args.migrations, &tools.folder, &tools.bin) {
            println!("traffic: {name}: {error:#}");
            failed.push(name);
        } else if args.write.is_some() {
            rows.push(fs::read_to_string(tools.folder.join(name).join(inside::ROW))?);
        }
    }
    if let Some(page) = &args.write {
        fs::write(page, page::written(&fs::read_to_string(page)?, "traffic", &rows)?)?;
    }
    if !failed.is_empty() {
        bail!(
            "not as it should be: {}; what each process said is in {}",
            failed.join(", "),
            tools.folder.display()
        );
    }
    println!("traffic: all as it should be, in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn guide(name: &str) -> anyhow::Result<&'static Guide> {
    match systems::guides(name).as_slice() {
        [guide] => Ok(guide),
        _ => bail!("there is no guide {name}"),
    }
}

/// Where everything is kept: beside the binaries of cargo.
fn folder() -> anyhow::Result<PathBuf> {
    Ok(vexil_launcher::folder()?.with_file_name("traffic"))
}
