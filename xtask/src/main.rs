//! The project's chores: CRDs, tidy, demo, end to end, conformance, bench.

mod crds;

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
    /// Write the CustomResourceDefinitions to crds/
    Crds(crds::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Crds(args) => crds::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
