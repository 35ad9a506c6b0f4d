//! The project's chores: CRDs, charts, image, tidy; and the commands of the lab: demo, guides, end to end, conformance,
//! bench.

mod lab;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::{charts, crds, image, tidy};

#[derive(Parser)]
#[command(about = "The project's chores", disable_version_flag = true)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Render the charts and kustomizations with every value, and check what comes of it
    Charts(charts::Args),
    /// Write the CustomResourceDefinitions to crds/
    Crds(crds::Args),
    /// Write the operator's image as an OCI layout, without a daemon, with its SBOM
    Image(image::Args),
    /// Check the rules of the project that no compiler checks
    Tidy,
    #[command(flatten)]
    Lab(lab::Command),
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Charts(args) => charts::run(&args),
        Chore::Crds(args) => crds::run(&args),
        Chore::Image(args) => image::run(&args),
        Chore::Tidy => tidy::run(),
        Chore::Lab(command) => return lab::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
