//! Plays the operator on clusters of every kind; `cargo xtask` has the same commands.

mod bench;
mod conformance;
mod demo;
mod e2e;
mod guides;
mod torture;
mod traffic;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Torture allocates objects all the time, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Plays the operator", disable_version_flag = true, bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    play: Play,
}

#[derive(Subcommand)]
enum Play {
    /// Measure what the operator costs, and print it
    Bench(bench::Args),
    /// Ask the testbed's API server and that of $KUBECONFIG the same, and compare the answers
    Conformance(conformance::Args),
    /// Play a guide on a cluster inside this process, with the operator as its own process
    Demo(demo::Args),
    /// Play the scenes of a rollout with the operator's binary on the cluster of $KUBECONFIG
    E2e(e2e::Args),
    /// Follow the pages of docs/guides/, with kubectl and helm, on a cluster inside this process
    Guides(guides::Args),
    /// Try every edit, crash, fault and accident on the operator, on virtual time
    Torture(torture::Args),
    /// Play guides on a control plane whose pods are processes, with real traffic
    Traffic(traffic::Args),
}

fn main() -> ExitCode {
    // The only one that installs it: it cannot be installed yet.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let done = match Args::parse().play {
        Play::Bench(args) => bench::run(&args),
        Play::Conformance(args) => conformance::run(&args),
        Play::Demo(args) => demo::run(&args),
        Play::E2e(args) => e2e::run(&args),
        Play::Guides(args) => guides::run(&args),
        Play::Torture(args) => torture::run(&args),
        Play::Traffic(args) => traffic::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
