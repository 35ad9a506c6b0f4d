//! The pods that the metric server scrapes, found and labelled as the job `kubernetes-pods` of the guides' Prometheus
//! does.
//!
//! A pod is scraped when its annotation `prometheus.io/scrape` is `true`, at the port of `prometheus.io/port`, else at
//! every port that its containers declare, and at the path of `prometheus.io/path`, else `/metrics`. Each series gets
//! the pod's labels, `kubernetes_namespace` and `kubernetes_pod_name`, `job` and `instance`. That goes for every
//! system, also where the product's own Prometheus names the last two `namespace` and `pod`.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use kube::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::controllers::Snapshot;
use super::kinds::POD;
use super::metrics::Metrics;
use super::network::Network;
use super::view;
use super::watch::Watch;
use vexil_testbed_promql::Labels;

/// One address that is scraped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    ip: String,
    port: u16,
    path: String,
    labels: Labels,
}

/// Scrapes the pods again and again; ends when what is answered is dropped.
pub(crate) fn scrape_pods(
    client: &Client,
    network: Network,
    metrics: Metrics,
    every: Duration,
) -> JoinSet<()> {
    let mut watch = Watch::start(client, &[POD]);
    let mut task = JoinSet::new();
    task.spawn(async move {
        let (mut seen, mut before) = (Snapshot::default(), BTreeSet::new());
        loop {
            watch.drain(&mut seen);
            let targets: BTreeSet<Target> = seen.all(POD).flat_map(targets).collect();
            for gone in before.difference(&targets) {
                metrics.ingest(None, &gone.labels);
            }
            for target in &targets {
                metrics.ingest(scrape(&network, target).await.as_deref(), &target.labels);
            }
            before = targets;
            tokio::time::sleep(every).await;
        }
    });
    task
}

/// What of these pods is scraped, in the form in which Prometheus reads it from a file (`file_sd_configs`).
pub fn scrape_file(pods: &[Value]) -> Value {
    let entry = |target: Target| {
        let labels = target.labels.with("__metrics_path__", target.path);
        let labels = labels.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        let labels = labels.collect::<serde_json::Map<String, Value>>();
        json!({"targets": [format!("{}:{}", target.ip, target.port)], "labels": labels})
    };
    pods.iter().flat_map(targets).map(entry).collect()
}

async fn scrape(network: &Network, target: &Target) -> Option<String> {
    let uri = format!("http://{}:{}{}", target.ip, target.port, target.path);
    let request = Request::get(uri).body(Bytes::new()).ok()?;
    let response = network.deliver(&target.ip, target.port, request).await.ok()?;
    let text =
        response.status().is_success().then(|| String::from_utf8_lossy(response.body()).into_owned())?;
    Some(text)
}

fn targets(pod: &Value) -> Vec<Target> {
    let ip = view::text(pod, "/status/podIP");
    if view::annotation(pod, "prometheus.io/scrape") != "true" || ip.is_empty() {
        return Vec::new();
    }
    let path = match view::annotation(pod, "prometheus.io/path") {
        "" => "/metrics",
        path => path,
    };
    let target = |port: u16| Target {
        ip: ip.to_owned(),
        port,
        path: path.to_owned(),
        labels: labels(pod, &format!("{ip}:{port}")),
    };
    match view::annotation(pod, "prometheus.io/port").parse() {
        Ok(port) => vec![target(port)],
        Err(_) => ports(pod).map(target).collect(),
    }
}

fn ports(pod: &Value) -> impl Iterator<Item = u16> {
    let containers = view::list(pod, "/spec/containers").iter();
    let ports = containers.flat_map(|container| view::list(container, "/ports"));
    ports.filter_map(|port| u16::try_from(view::number(port, "/containerPort", -1)).ok())
}

fn labels(pod: &Value, instance: &str) -> Labels {
    let own = view::labels(pod).into_iter().flatten();
    let own = own.filter_map(|(key, value)| Some((label_name(key), value.as_str()?.to_owned())));
    Labels::new(own)
        .with("kubernetes_namespace", view::namespace(pod))
        .with("kubernetes_pod_name", view::name(pod))
        .with("job", "kubernetes-pods")
        .with("instance", instance)
}

/// A key of Kubernetes as a label of Prometheus: `_` for what may not stand in one.
fn label_name(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
