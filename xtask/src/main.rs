//! The project's chores: CRDs, charts, tidy, demo, guides, end to end, conformance, bench, torture.

mod bench;
mod charts;
mod conformance;
mod crds;
mod demo;
mod e2e;
mod guides;
mod tidy;
mod torture;
mod traffic;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The project's chores", disable_version_flag = true)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Measure what the operator costs, and print it
    Bench(bench::Args),
    /// Render the charts and kustomizations with every value, and check what comes of it
    Charts(charts::Args),
    /// Ask the testbed's API server and that of $KUBECONFIG the same, and compare the answers
    Conformance(conformance::Args),
    /// Write the CustomResourceDefinitions to crds/
    Crds(crds::Args),
    /// Play a guide on a cluster inside this process, with the operator as its own process
    Demo(demo::Args),
    /// Play the scenes of a rollout with the operator's binary on the cluster of $KUBECONFIG
    E2e(e2e::Args),
    /// Follow the pages of docs/guides/, with kubectl and helm, on a cluster inside this process
    Guides(guides::Args),
    /// Check what the house forbids
    Tidy,
    /// Try every edit, crash, fault and accident on the operator, on virtual time
    Torture(torture::Args),
    /// Play guides on a control plane whose pods are processes, with real traffic
    Traffic(traffic::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Bench(args) => bench::run(&args),
        Chore::Charts(args) => charts::run(&args),
        Chore::Conformance(args) => conformance::run(&args),
        Chore::Crds(args) => crds::run(&args),
        Chore::Demo(args) => demo::run(&args),
        Chore::E2e(args) => e2e::run(&args),
        Chore::Guides(args) => guides::run(&args),
        Chore::Tidy => tidy::run(),
        Chore::Torture(args) => torture::run(&args),
        Chore::Traffic(args) => traffic::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
