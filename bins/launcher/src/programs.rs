//! The programs of this workspace: how each is built, and those behind `cargo xtask`, the lab and the chores.

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

/// Builds programs of this workspace with the profile of the running one. Answers the folder in which they are then,
/// which is that of the running one. Takes no time when nothing has changed.
///
/// # Errors
/// When cargo cannot be started, or a program does not build.
pub fn build(programs: &[&str]) -> io::Result<PathBuf> {
    let folder = folder()?;
    let mut build = cargo("build", &folder, programs);
    if !build.arg("--workspace").status()?.success() {
        return Err(io::Error::other(format!("cargo does not build {}", programs.join(" and "))));
    }
    Ok(folder)
}

/// Builds `vexil-lab` and becomes it, with these arguments. Returns only if that fails. The operator, which it starts,
/// is built in the same call of cargo.
pub fn lab(arguments: &[OsString]) -> ExitCode {
    failed(build(&["vexil-lab", "vexil"]).map(|folder| {
        let lab = folder.join("vexil-lab");
        let error = Command::new(&lab).args(arguments).exec();
        format!("running {}: {error}", lab.display())
    }))
}

/// Builds the program of the chores and becomes it, with these arguments. Returns only if that fails.
pub fn chore(arguments: &[OsString]) -> ExitCode {
    failed(folder().map(|folder| {
        let error = cargo("run", &folder, &["xtask"]).arg("--").args(arguments).exec();
        format!("cargo cannot be started: {error}")
    }))
}

fn failed(outcome: io::Result<String>) -> ExitCode {
    eprintln!("error: {}", outcome.unwrap_or_else(|error| error.to_string()));
    ExitCode::FAILURE
}

/// Where cargo has put this program, and puts the others of the same profile.
///
/// # Errors
/// When this program does not know its own path.
pub fn folder() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

/// A call of cargo for programs of this workspace, with the profile of `folder`. It prints no progress if the first
/// program was built before.
///
/// No package is named, so that cargo selects all of them: it gives dependencies the features that the selected
/// packages ask for, and compiles a dependency once more for each set of features. Chosen by `--package`, the operator,
/// the lab and the chores had different ones, and those of `cargo test --workspace` were different again.
fn cargo(command: &str, folder: &Path, programs: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    let manifest = root().join("Cargo.toml");
    cargo.arg(command).arg("--manifest-path").arg(manifest);
    cargo.args(programs.iter().flat_map(|program| ["--bin", program]));
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
    if programs.first().is_some_and(|program| folder.join(program).exists()) {
        cargo.arg("--quiet");
    }
    cargo
}
