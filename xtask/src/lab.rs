//! The commands that need a cluster are in a program of their own, `vexil-lab`, so that the chores build without it.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command as Program, ExitCode},
};

use anyhow::{Context as _, bail};

/// A command of `vexil-lab`.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Measure what the operator costs, and print it
    Bench(Arguments),
    /// Ask the testbed's API server and that of $KUBECONFIG the same, and compare the answers
    Conformance(Arguments),
    /// Play a guide on a cluster inside this process, with the operator as its own process
    Demo(Arguments),
    /// Play the scenes of a rollout with the operator's binary on the cluster of $KUBECONFIG
    E2e(Arguments),
    /// Follow the pages of docs/guides/, with kubectl and helm, on a cluster inside this process
    Guides(Arguments),
    /// Try every edit, crash, fault and accident on the operator, on virtual time
    Torture(Arguments),
    /// Play guides on a control plane whose pods are processes, with real traffic
    Traffic(Arguments),
}

/// What `vexil-lab` parses itself, `--help` included.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// Builds `vexil-lab` and becomes it. Returns only when that fails.
pub fn run(command: &Command) -> ExitCode {
    let (name, arguments) = match command {
        Command::Bench(arguments) => ("bench", arguments),
        Command::Conformance(arguments) => ("conformance", arguments),
        Command::Demo(arguments) => ("demo", arguments),
        Command::E2e(arguments) => ("e2e", arguments),
        Command::Guides(arguments) => ("guides", arguments),
        Command::Torture(arguments) => ("torture", arguments),
        Command::Traffic(arguments) => ("traffic", arguments),
    };
    match build() {
        Ok(lab) => {
            let error = Program::new(&lab).arg(name).args(&arguments.rest).exec();
            eprintln!("error: running {}: {error}", lab.display());
        }
        Err(error) => eprintln!("error: {error:#}"),
    }
    ExitCode::FAILURE
}

/// Builds the lab with the profile of this program. The operator is built in the same call of cargo: both then have
/// their dependencies with the same features, and none is compiled twice.
fn build() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("the path of this program is not known")?;
    let folder = own.parent().context("this program is in no folder")?;
    let lab = folder.join("vexil-lab");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Program::new(cargo);
    build.args(["build", "--package", "vexil", "--package", "vexil-lab"]);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.file_name().is_some_and(|name| name == "release") {
        build.arg("--release");
    }
    if lab.exists() {
        build.arg("--quiet");
    }
    if !build.status().context("cargo cannot be started")?.success() {
        bail!("the lab does not build");
    }
    Ok(lab)
}
