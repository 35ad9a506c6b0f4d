//! `cargo xtask torture`: the real operator on the cluster in the process, through edits, crashes, faults and
//! accidents, on virtual time. Judged by what clients got and what became of the objects.
//!
//! Every case has a mode and a number, and is the same in each run: `--seed` plays one of them again and prints all of
//! it.

mod addresses;
mod alerts;
mod clients;
mod configs;
mod deed;
mod dice;
mod drift;
mod edited_route;
mod edits;
mod excuses;
mod features;
mod fields;
mod finding;
mod fold;
mod gates;
mod harms;
mod laws;
mod leads;
mod outcome;
mod place;
mod plan;
mod play;
mod record;
mod run;
mod scenarios;
mod seeds;
mod servers;
mod sessions;
mod shrink;
mod step;
mod story;
mod strategy;
mod summary;
mod suspended;
#[cfg(test)]
mod tests;
mod traffic;
mod world;

use std::{path::Path, process::Command};

use anyhow::{Context as _, bail};
use clap::{ValueEnum, builder::PossibleValuesParser};

/// Arguments of `cargo xtask torture`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// What is done to the operator; everything in turn without it
    mode: Option<Mode>,
    /// Only on this router
    #[arg(long, value_parser = PossibleValuesParser::new(place::PLACES.iter().map(|place| place.name)))]
    router: Option<String>,
    /// Plays the case with this number again, and prints all of it
    #[arg(long)]
    seed: Option<u64>,
    /// How many cases to play; all there are without it and without --minutes, 1,000 of the mode `seeds`
    #[arg(long)]
    seeds: Option<u64>,
    /// How many minutes to play
    #[arg(long)]
    minutes: Option<u64>,
    /// How many cases are played at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
    /// Only edits whose title has this text, such as `targetRef.name` or `at middle`
    #[arg(long, default_value = "")]
    only: String,
    /// Where to begin: other cases for other numbers
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Play with this build, instead of with one that takes longer to make and plays several times as many cases
    #[arg(long)]
    as_built: bool,
}

/// What is done to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Mode {
    /// Each field of a Canary's spec is edited in each phase, and edited back
    Edits,
    /// It is killed after every single write
    Crashes,
    /// Each of its requests is answered wrongly, or not at all
    Faults,
    /// Random scripts
    Seeds,
}

impl Mode {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Edits => "edits",
            Mode::Crashes => "crashes",
            Mode::Faults => "faults",
            Mode::Seeds => "seeds",
        }
    }
}

/// Tortures the operator.
///
/// # Errors
/// When a law was broken, or a case cannot be played.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let me = std::env::current_exe().context("the program does not know where it is")?;
    if is_slow(&me) && !args.as_built {
        return run_fast(&me);
    }
    match args.seed {
        Some(number) => run::replay(args, number),
        None => run::all(args),
    }
}

/// Whether this is the build for chores, which would take ten times as long.
fn is_slow(me: &Path) -> bool {
    me.parent().and_then(Path::file_name).is_some_and(|folder| folder == "debug")
}

/// Builds this program with the profile `torture`, and lets it do the work.
fn run_fast(me: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--package", "vexil-lab", "--profile", "torture"]).status();
    if !built.context("cargo cannot be run")?.success() {
        bail!("the build with the profile `torture` failed");
    }
    let fast =
        me.ancestors().nth(2).map(|target| target.join("torture/vexil-lab")).context("no target folder")?;
    let done = Command::new(fast).args(std::env::args_os().skip(1)).status().context("cannot be run")?;
    if done.success() { Ok(()) } else { bail!("see above") }
}
