//! The cluster that is measured on: kubeplane where there is one, else the testbed; each with a record of all requests.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::Stdio,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use vexil_testbed_cluster::{Settings, Wire};

use super::figures::Requests;
use crate::e2e::{
    cast::{Cast, Place},
    recorder::text,
};

/// How the operator introduces itself.
const AGENT: &str = "vexil/";

/// A running cluster. Everything in it ends when it is dropped.
pub struct Cluster {
    folder: PathBuf,
    runs: Runs,
}

enum Runs {
    Kubeplane { _process: Child },
    Testbed(Box<vexil_testbed_cluster::Cluster>),
}

impl Cluster {
    /// Starts it.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("vexil-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let runs = match kubeplane() {
            Some(binary) => Runs::Kubeplane { _process: start(&binary, &folder).await? },
            None => {
                let settings = Settings { wire: Wire::Sockets, ..Settings::default() };
                let cluster = vexil_testbed_cluster::Cluster::with(settings).await?;
                fs::create_dir_all(folder.join("state"))?;
                cluster.write_kubeconfig(&folder.join("state/kubeconfig"))?;
                Runs::Testbed(Box::new(cluster))
            }
        };
        Ok(Cluster { folder, runs })
    }

    /// What it is.
    pub fn name(&self) -> &'static str {
        match &self.runs {
            Runs::Kubeplane { .. } => "kubeplane, a real API server",
            Runs::Testbed(_) => "the testbed: no kubeplane in $VEXIL_KUBEPLANE or ~/.cache/vexil/kubeplane",
        }
    }

    /// Its kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("state/kubeconfig")
    }

    /// Where the operator logs to.
    pub fn log(&self) -> PathBuf {
        self.folder.join("operator.log")
    }

    /// The operator's requests so far, for one Canary or all, without watches and the Lease. A route may be outside of
    /// the Canary's namespace.
    pub fn requests(&self, of: Option<&Cast>) -> anyhow::Result<Requests> {
        let place = of.and_then(Cast::place);
        let mut requests = Requests::new();
        let mut count = |verb: &str, resource: String, (at, name): (&str, &str), code: u64| {
            let is_route = |place: &Place| {
                (place.namespace.as_str(), place.of.1, place.name.as_str()) == (at, resource.as_str(), name)
            };
            let inside = of.is_none_or(|cast| cast.namespace == at) || place.as_ref().is_some_and(is_route);
            if inside && verb != "watch" && resource != "leases" {
                let refused = if code < 300 { String::new() } else { format!(", answered {code}") };
                *requests.entry(format!("{verb} {resource}{refused}")).or_default() += 1;
            }
        };
        match &self.runs {
            Runs::Kubeplane { .. } => {
                for line in fs::read_to_string(self.folder.join("state/audit.log"))?.lines() {
                    let entry: Value = serde_json::from_str(line)?;
                    if text(&entry, "/userAgent").starts_with(AGENT) {
                        let part = |name: &str| text(&entry, &format!("/objectRef/{name}"));
                        let resource = resource(part("resource"), part("subresource"));
                        let code = entry.pointer("/responseStatus/code").and_then(Value::as_u64).unwrap_or(0);
                        count(text(&entry, "/verb"), resource, (part("namespace"), part("name")), code);
                    }
                }
            }
            Runs::Testbed(cluster) => {
                for entry in cluster.server().audit().of(AGENT) {
                    let resource = resource(&entry.resource, &entry.subresource);
                    count(&entry.verb, resource, (&entry.namespace, &entry.name), entry.code.into());
                }
            }
        }
        Ok(requests)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn resource(resource: &str, subresource: &str) -> String {
    if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") }
}

/// The binary, if it was built.
fn kubeplane() -> Option<PathBuf> {
    let named = std::env::var_os("VEXIL_KUBEPLANE").map(PathBuf::from);
    let cached =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/vexil/kubeplane/kubeplane"));
    named.into_iter().chain(cached).find(|binary| binary.is_file())
}

/// Starts it and waits until it is ready. Its parts end with it.
async fn start(binary: &PathBuf, folder: &std::path::Path) -> anyhow::Result<Child> {
    let mut command = Command::new(binary);
    command.arg("up").arg("--audit").arg("--dir").arg(folder.join("state"));
    command.arg("--port").arg(free_ports()?.to_string()).kill_on_drop(true);
    let log = fs::File::create(folder.join("kubeplane.log"))?;
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
    let mut process = spawned.with_context(|| format!("starting {}", binary.display()))?;
    let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
    while let Some(line) = lines.next_line().await? {
        if line.starts_with("ready:") {
            return Ok(process);
        }
    }
    bail!("{} did not become ready", binary.display())
}

/// A port that is free, as are the two after it.
fn free_ports() -> anyhow::Result<u16> {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let found = (26_500..32_000).step_by(10).find(|port| (*port..port + 3).all(free));
    found.context("no three free ports in a row")
}
