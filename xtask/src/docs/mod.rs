//! The pages of `docs/`: the book that they make, the generated references, and the commands that they show.
//!
//! Links are checked by tidy. The pages of `docs/reference/` are held against the code by tests of the crates that have
//! the facts; [`Args::write`] lets these tests write them.

mod book;
mod chart_values;
mod commands;
mod help;
mod html;
mod pages;
mod shell;

use std::process::Command;

use anyhow::Context as _;

use crate::charts::said;

/// Arguments of `cargo xtask docs`.
#[derive(clap::Args)]
pub struct Args {
    /// Write the generated pages, docs/reference/
    #[arg(long)]
    write: bool,
    /// Act as the preprocessor of mdBook that docs/book.toml names
    #[arg(long, hide = true)]
    preprocessor: bool,
    /// What mdBook says to a preprocessor
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Packages with tests that hold a page of docs/reference/ against the code.
const PACKAGES: [&str; 5] = ["vexil-analysis", "vexil-api", "vexil-controller", "vexil-plan", "vexil"];
/// How the names of these tests begin.
const TESTS: &str = "the_reference_";

/// Runs the chore. `xtask` is the command line of this program, whose own commands pages show too.
pub fn run(args: &Args, xtask: &clap::Command) -> anyhow::Result<()> {
    if args.preprocessor {
        return book::preprocess(&args.words);
    }
    if args.write {
        write_references()?;
    }
    chart_values::page(args.write)?;
    let pages = pages::load()?;
    let summary = pages::listed(&pages)?;
    let shown = commands::check(&pages, xtask)?;
    println!("docs: {summary} pages, {shown} commands");
    book::build()
}

fn write_references() -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["test", "--quiet", "--lib", "--bins"]).env("UPDATE_EXPECT", "1");
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package])).arg(TESTS);
    said(command).map(drop).context("writing docs/reference/")
}
