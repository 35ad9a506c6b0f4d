//! The commands that need a cluster are in a program of their own, `vexil-lab`, so that the chores build without it.
//! `cargo xtask` starts it without the chores; here the commands are listed, for `--help` and the check of the pages.

use std::{ffi::OsString, process::ExitCode};

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
    let name = std::iter::once(OsString::from(name));
    vexil_launcher::lab(&name.chain(arguments.rest.iter().cloned()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use clap::Subcommand as _;

    use super::*;

    /// `cargo xtask` starts the lab for these names without asking this program.
    #[test]
    fn the_launcher_knows_every_command_of_the_lab() {
        let listed = Command::augment_subcommands(clap::Command::new("xtask"));
        let listed: Vec<&str> = listed.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(listed, vexil_launcher::LAB);
    }
}
