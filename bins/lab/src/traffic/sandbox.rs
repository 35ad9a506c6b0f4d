//! The namespaces of Linux that a guide is played in, seen from outside.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::bail;

/// Runs a program as the first process of new namespaces: a network without any other machine, mounts and processes
/// that no other process sees. When it ends, the kernel ends all that it started, and takes the namespaces away.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]).arg(program);
    command
}

/// Plays a guide or its migrations in `folder` with the programs of `bin`, and waits for its end. The process inside
/// ends when its standard input does, so it does not outlive this one, however this one ends.
pub fn play(guide: &str, migrations: bool, folder: &Path, bin: &Path) -> anyhow::Result<()> {
    let mut command = command(bin.join("vexil-lab"));
    command.args(["traffic", "inside", guide]).arg(folder).stdin(Stdio::piped());
    if migrations {
        command.arg("--migrations");
    }
    // The hooks' commands are found like any other.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path)?);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "EVENT_WEBHOOK_URL"] {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    // The terminal's Ctrl-C is for this process alone.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    // `wait` would close it, and that is the sign to end.
    let input = child.stdin.take();
    let status = child.wait()?;
    drop(input);
    if !status.success() {
        bail!("it ended with {status}");
    }
    Ok(())
}
