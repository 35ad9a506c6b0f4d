//! The project's chores: CRDs, charts, pages, image, tidy; and the commands of the lab, such as demo, guides and end
//! to end.

mod lab;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use xtask::{charts, crds, docs, image, tidy};

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
    /// Check the pages of docs/ and the commands that they show, and make the book
    Docs(docs::Args),
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
        Chore::Docs(args) => docs::run(&args, &Args::command()),
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
