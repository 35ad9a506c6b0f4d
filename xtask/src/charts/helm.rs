//! Helm: found, or installed with Go into the cache, and run.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use vexil_launcher::root;

/// What is installed where there is no Helm. A release, so that one commit is checked with one Helm.
const MODULE: &str = "helm.sh/helm/v3/cmd/helm@v3.19.0";
/// The Kubernetes that charts are rendered for: a Helm that was built from source believes in a very old one.
const KUBERNETES: &str = "1.35.0";

/// A Helm that runs.
#[derive(Clone, Debug)]
pub struct Helm(PathBuf);

/// A chart, rendered as a release.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// The chart's folder in `charts/`.
    pub chart: &'a str,
    /// Values as `--set` takes them: `meshProvider=traefik`.
    pub values: &'a [&'a str],
}

impl Helm {
    /// The Helm of the path or the cache; where there is none it is built with Go. `None` without Go. Looked for once.
    pub fn find() -> anyhow::Result<Option<Self>> {
        static FOUND: OnceLock<Option<Helm>> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let cached = cache()?.join("helm");
        let there = [PathBuf::from("helm"), cached.clone()].into_iter().find(|path| runs(path, "version"));
        let found = match there {
            Some(path) => Some(Helm(path)),
            None if runs(Path::new("go"), "version") => Some(install(cached)?),
            None => None,
        };
        Ok(FOUND.get_or_init(|| found).clone())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Checks a chart as Helm's authors want charts.
    pub fn lint(&self, chart: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.0);
        command.args(["lint", "--strict", "--quiet", "--kube-version", KUBERNETES]).arg(folder(chart));
        said(command).map(drop)
    }

    /// The objects of a release. An error is what Helm says.
    pub fn template(&self, release: &Release<'_>) -> anyhow::Result<Vec<Value>> {
        self.template_with(release, None)
    }

    /// The same with the values of a file, which those of the release replace.
    pub fn template_with(&self, release: &Release<'_>, file: Option<&Path>) -> anyhow::Result<Vec<Value>> {
        let mut command = Command::new(&self.0);
        command.args(["template", release.name]).arg(folder(release.chart));
        command.args(["--namespace", release.namespace, "--kube-version", KUBERNETES]);
        if let Some(file) = file {
            command.arg("--values").arg(file);
        }
        for value in release.values {
            command.args(["--set", value]);
        }
        objects(&said(command)?)
    }
}

/// The objects of a YAML text.
pub fn objects(text: &str) -> anyhow::Result<Vec<Value>> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).context("what was rendered is no YAML")?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}

/// Runs a command; answers what it writes, or fails with what it complains of.
pub fn said(mut command: Command) -> anyhow::Result<String> {
    let ran = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    if !ran.status.success() {
        let complaint = String::from_utf8_lossy(&ran.stderr);
        let spoken = String::from_utf8_lossy(&ran.stdout);
        bail!("{}", [complaint.trim(), spoken.trim()].join("\n").trim());
    }
    Ok(String::from_utf8(ran.stdout)?)
}

/// Whether a program is there and runs.
pub fn runs(program: &Path, word: &str) -> bool {
    let mut command = Command::new(program);
    let quiet = command.arg(word).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The folder of a chart.
pub fn folder(chart: &str) -> PathBuf {
    root().join("charts").join(chart)
}

fn install(to: PathBuf) -> anyhow::Result<Helm> {
    println!("charts: no Helm here; go install {MODULE} (some minutes, once)");
    let mut command = Command::new("go");
    // Away from the checkout, whose files do not concern Go.
    command.args(["install", MODULE]).env("GOBIN", cache()?).current_dir(std::env::temp_dir());
    said(command).context("Helm could not be built")?;
    Ok(Helm(to))
}

fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("vexil/helm"))
}
