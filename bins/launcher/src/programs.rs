//! The programs behind `cargo xtask`: the lab, and the chores.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::root;

/// The commands of `vexil-lab`.
pub const LAB: [&str; 7] = ["bench", "conformance", "demo", "e2e", "guides", "torture", "traffic"];

/// How the variables begin that cargo sets for the program of a package.
const OF_A_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_NAME", "CARGO_CRATE_NAME"];

/// Builds `vexil-lab` and becomes it, with these arguments. Returns only if that fails. The operator is built in the
/// same call of cargo: both then have their dependencies with the same features.
pub fn lab(arguments: &[OsString]) -> ExitCode {
    failed(own_folder().and_then(|folder| {
        let lab = folder.join("vexil-lab");
        let mut build = cargo("build", &folder, &lab);
        build.args(["--package", "vexil", "--package", "vexil-lab"]);
        if !build.status()?.success() {
            return Ok("the lab does not build".to_owned());
        }
        let error = Command::new(&lab).args(arguments).exec();
        Ok(format!("running {}: {error}", lab.display()))
    }))
}

/// Builds the program of the chores and becomes it, with these arguments. Returns only if that fails.
pub fn chore(arguments: &[OsString]) -> ExitCode {
    failed(own_folder().map(|folder| {
        let mut run = cargo("run", &folder, &folder.join("xtask"));
        let error = run.args(["--package", "xtask", "--"]).args(arguments).exec();
        format!("cargo cannot be started: {error}")
    }))
}

fn failed(outcome: io::Result<String>) -> ExitCode {
    eprintln!("error: {}", outcome.unwrap_or_else(|error| error.to_string()));
    ExitCode::FAILURE
}

/// Where cargo has put this program, and puts the others of the same profile.
fn own_folder() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

/// A call of cargo for this workspace, with the profile of `folder`. It prints no progress if `program` was built
/// before.
fn cargo(command: &str, folder: &Path, program: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    let manifest = root().join("Cargo.toml");
    cargo.arg(command).arg("--manifest-path").arg(manifest);
    // What cargo has set for this program. Build scripts depend on such variables (that of `ring` does): they would run
    // again after each call of cargo without this program, and all that depends on them would be compiled again.
    for (name, _) in std::env::vars_os() {
        let is_of = |prefix: &&str| name.to_str().is_some_and(|name| name.starts_with(prefix));
        if OF_A_PACKAGE.iter().any(is_of) {
            cargo.env_remove(name);
        }
    }
    if folder.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    if program.exists() {
        cargo.arg("--quiet");
    }
    cargo
}
