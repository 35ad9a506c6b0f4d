//! Where a page is followed: a cluster of its system as it is before the page's first command, and a folder that looks
//! like a checkout, in which its commands run.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use axum::body::Bytes;
use serde_json::{Value, json};
use vexil_testbed_apiserver::Clock;
use vexil_testbed_cluster::{Cluster, LOAD_TESTER, Settings, Wire};

use vexil_launcher::{folder, root};
use vexil_testbed_rig::guide::Guide as Page;

use super::block::Way;

/// The operator's log, in the reader's folder.
pub const LOG: &str = "operator.log";
/// What the pages take from a checkout.
const SHARED: [&str; 4] = ["charts", "crds", "examples", "kustomize"];
/// What the testbed brings along, and the pages install themselves.
const BROUGHT: [&str; 3] = ["canaries", "metrictemplates", "alertproviders"];

/// A cluster, and the folder of its reader.
pub struct Stage {
    pub page: &'static Page,
    pub cluster: Cluster,
    pub folder: PathBuf,
    pub kubeconfig: PathBuf,
    path: OsString,
}

impl Stage {
    /// Starts an empty cluster of the page's system. `helm` is where Helm is, if it is anywhere.
    pub async fn set(page: &'static Page, way: Way, helm: Option<&Path>) -> anyhow::Result<Self> {
        let checkout = root().canonicalize()?;
        let folder = folder()?.with_file_name("guides");
        let folder = folder.join(format!("{}-{way:?}", page.name).to_lowercase());
        fs::remove_dir_all(&folder).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        for name in SHARED {
            symlink(checkout.join(name), folder.join(name))?;
        }
        let cluster = Cluster::with(Settings {
            wire: Wire::Sockets,
            system: page.system.cluster,
            gateway_delay: Duration::from_millis(500),
            scrape_interval: Duration::from_millis(500),
            clock: Some(Clock::starting_at(jiff::Timestamp::now())),
            run_load_hooks: true,
            ..Settings::default()
        })
        .await?;
        for name in BROUGHT {
            let definition = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
            cluster.delete(definition.0, definition.1, "", &format!("{name}.flagger.app")).await?;
        }
        for namespace in
            ["test"].iter().chain(page.makes_namespace.then_some(&page.system.cluster.namespace()))
        {
            cluster.delete("v1", "Namespace", "", namespace).await?;
        }
        let kubeconfig = folder.join("kubeconfig");
        cluster.write_kubeconfig(&kubeconfig)?;
        let own = std::env::var_os("PATH").unwrap_or_default();
        let places =
            helm.and_then(Path::parent).map(Path::to_owned).into_iter().chain(std::env::split_paths(&own));
        Ok(Stage { page, cluster, kubeconfig, path: std::env::join_paths(places)?, folder })
    }

    /// A shell in the reader's folder that runs one command; both of its outputs are one.
    pub fn shell(&self, command: &str) -> tokio::process::Command {
        let mut shell = tokio::process::Command::new("sh");
        shell
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(&self.folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            shell.env_remove(proxy);
        }
        shell
    }

    /// Saves a manifest as its reader does, with a faster analysis; what is said of that.
    pub fn save(&self, file: &str, text: &str) -> anyhow::Result<String> {
        let (text, said) = quickened(text);
        fs::write(self.folder.join(file), text)?;
        Ok(said)
    }

    /// What the load tester's pod would run in the shell that `kubectl exec` opens in it.
    pub async fn in_load_tester(&self, command: &str) -> anyhow::Result<()> {
        let metadata = json!({"type": "cmd", "cmd": command});
        let body = json!({"name": "reader", "namespace": "test", "metadata": metadata}).to_string();
        let request = http::Request::post(format!("http://{LOAD_TESTER}/")).body(Bytes::from(body))?;
        let answer = self.cluster.network().send(request).await?;
        anyhow::ensure!(answer.status().is_success(), "the load tester answers {}", answer.status());
        Ok(())
    }

    /// The arguments of the operator that was installed; none before it was.
    pub async fn operators_arguments(&self) -> anyhow::Result<Option<Vec<String>>> {
        let found = self
            .cluster
            .get("apps/v1", "Deployment", self.page.system.cluster.namespace(), "flagger")
            .await?;
        let Some(deployment) = found else { return Ok(None) };
        let args = deployment.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
        let args = args.into_iter().flatten().filter_map(Value::as_str);
        Ok(Some(args.map(str::to_owned).collect()))
    }
}

/// What an analysis is paced at instead, so that a page is followed within a minute.
const PACE: &str = "2s";
/// How many milliseconds a request may take instead of half a second: this machine may be busy with other things.
const SLOWEST: &str = "10000";

/// A manifest with a faster analysis that has more patience with this machine, and what is said of it.
pub fn quickened(text: &str) -> (String, String) {
    let (mut inside, mut said) = (false, Vec::new());
    let mut line = |line: &str| {
        let field = line.trim();
        inside |= matches!(field, "analysis:" | "canaryAnalysis:");
        let other = match field.split_once(": ") {
            Some(("interval", pace)) if inside && said.is_empty() => (pace, PACE),
            Some(("max" | "threshold", "500")) => ("500", SLOWEST),
            _ => return format!("{line}\n"),
        };
        let line = line.replace(other.0, other.1);
        said.push(format!(", with `{}` in place of {}", line.trim(), other.0));
        line + "\n"
    };
    let text = text.lines().map(&mut line).collect();
    (text, said.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pace_of_an_analysis_and_its_patience_are_others() {
        let check = |text: &str, expect: &str, said: &str| {
            assert_eq!(quickened(text), (expect.to_owned(), said.to_owned()));
        };
        check(
            "spec:\n  analysis:\n    # pace\n    interval: 30s\n    metrics:\n    - interval: 1m\n      threshold: 99\n",
            "spec:\n  analysis:\n    # pace\n    interval: 2s\n    metrics:\n    - interval: 1m\n      threshold: 99\n",
            ", with `interval: 2s` in place of 30s",
        );
        check("        max: 500\n", "        max: 10000\n", ", with `max: 10000` in place of 500");
        check("    metrics:\n    - interval: 1m\n", "    metrics:\n    - interval: 1m\n", "");
    }
}
