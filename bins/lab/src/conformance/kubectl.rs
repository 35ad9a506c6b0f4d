//! kubectl against one of the servers.

use std::{path::Path, process::Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Whether kubectl is there.
pub async fn there() -> bool {
    Command::new("kubectl").args(["version", "--client"]).output().await.is_ok_and(|ran| ran.status.success())
}

/// Where kubectl is run.
pub struct Place<'a> {
    pub kubeconfig: &'a Path,
    /// A folder in which it may keep what it learns.
    pub cache: &'a Path,
    pub namespace: Option<&'a str>,
}

/// Runs kubectl: `exit`, and the lines of `stdout` and `stderr`.
pub async fn run(place: Place<'_>, arguments: &str, input_text: &[u8]) -> anyhow::Result<Value> {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", place.kubeconfig).arg("--cache-dir").arg(place.cache);
    if let Some(namespace) = place.namespace {
        command.args(["--namespace", namespace]);
    }
    command.args(words(arguments)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().context("kubectl")?;
    if let Some(mut input) = child.stdin.take() {
        // kubectl may end without reading.
        let _ = input.write_all(input_text).await;
    }
    let ran = child.wait_with_output().await?;
    let lines =
        |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect() };
    Ok(json!({"exit": ran.status.code(), "stdout": lines(&ran.stdout), "stderr": lines(&ran.stderr)}))
}

/// Splits arguments at blanks that are not between single quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => {
                if let Some(word) = words.last_mut() {
                    word.push(letter);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
