//! What is installed beside a guide's manifests: its gateway and its metric server, as pods with a Service; and which
//! program the pods of each image are.

use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use vexil_testbed_cluster::{objects, scrape_file};

use super::products::{Product, write_token};
use vexil_testbed_rig::{
    api::{Api, DEPLOYMENTS, PODS},
    guide::Guide,
};

/// The file of what Prometheus scrapes, beside its configuration.
const TARGETS: &str = "targets.json";
/// Time between two looks at the pods.
const LOOK: Duration = Duration::from_millis(300);
/// So many looks until the first pod of a fixture is ready: half a minute.
const TRIES: usize = 100;

/// Something in the cluster that is no part of the guide's own manifests.
struct Fixture<'a> {
    /// `name.namespace` of its Service.
    name: &'a str,
    /// The Service's port.
    port: u16,
    image: &'a str,
    /// The pod's port.
    target: u16,
    /// Where it shows metrics of its own.
    metrics: Option<u16>,
}

/// Image and command of everything that runs as a pod, as kubeplane wants it: through a shell, with the variables
/// `POD_IP`, `POD_NAME` and `IMAGE_TAG`.
pub fn programs(guide: &Guide, bin: &Path, folder: &Path, kubeconfig: &Path) -> Vec<(&'static str, String)> {
    let (name, at, config) = (guide.name, bin.display(), kubeconfig.display());
    let metrics = if bin.join("prometheus").exists() {
        let folder = folder.display();
        format!(
            "{at}/prometheus --log.level=warn --web.listen-address=$POD_IP:9090 \
             --config.file={folder}/prometheus.yml --storage.tsdb.path={folder}/prometheus"
        )
    } else {
        format!("{at}/vexil-lab traffic metrics {config}")
    };
    let gateway = Product::built(guide, bin).map_or_else(
        || format!("{at}/vexil-lab traffic gateway {name} {config}"),
        |product| product.command(bin, folder),
    );
    vec![
        ("podinfo", format!("{at}/vexil-lab traffic pod")),
        ("flagger-loadtester", format!("{at}/loadtester -port=8080 -log-level=info -timeout=1h")),
        ("gateway", gateway),
        ("metrics", metrics),
    ]
}

/// Installs what is there before the guide begins.
pub async fn install(guide: &Guide, api: &Api, bin: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::write(folder.join("prometheus.yml"), prometheus())?;
    vexil_testbed_cluster::install(&api.client, guide.system.cluster).await?;
    let product = Product::built(guide, bin);
    if let Some(product) = product {
        write_token(folder)?;
        // Its definitions take the place of the testbed's.
        for object in product.installs(bin)? {
            objects::apply(&api.client, &object).await?;
        }
    }
    let (server, port) =
        guide.system.cluster.metric_server().split_once(':').context("a metric server without port")?;
    let port = port.parse()?;
    let server = Fixture { name: server, port, image: "metrics", target: 9090, metrics: None };
    let (target, metrics) = product.map_or((8000, 9100), |product| (product.port, product.metrics));
    let gateway = guide.system.cluster.gateway();
    let gateway =
        gateway.map(|name| Fixture { name, port: 80, image: "gateway", target, metrics: Some(metrics) });
    for fixture in gateway.iter().chain([&server]) {
        for object in fixture.objects()? {
            objects::apply(&api.client, &object).await?;
        }
    }
    for fixture in gateway.iter().chain([&server]) {
        fixture.ready(api).await?;
    }
    Ok(())
}

impl Fixture<'_> {
    async fn ready(&self, api: &Api) -> anyhow::Result<()> {
        let (name, namespace) = self.name.split_once('.').context("a name without namespace")?;
        for _ in 0..TRIES {
            let live = api.get(DEPLOYMENTS, namespace, name).await?.unwrap_or_default();
            if live.pointer("/status/readyReplicas").is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("{name} does not start; its log is in the folder `state`")
    }

    fn objects(&self) -> anyhow::Result<[Value; 2]> {
        let (name, namespace) = self.name.split_once('.').context("a name without namespace")?;
        let (metadata, labels) = (json!({"name": name, "namespace": namespace}), json!({"app": name}));
        let annotations = self
            .metrics
            .map(|port| json!({"prometheus.io/scrape": "true", "prometheus.io/port": port.to_string()}));
        let ports: Vec<Value> = [Some(self.target), self.metrics]
            .into_iter()
            .flatten()
            .map(|port| json!({"containerPort": port}))
            .collect();
        let container = json!({"name": name, "image": format!("{}:1", self.image), "ports": ports});
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels, "annotations": annotations},
                    "spec": {"containers": [container]},
                },
            },
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": self.port, "targetPort": self.target}]},
        });
        Ok([deployment, service])
    }
}

/// Scrapes what a file says.
fn prometheus() -> String {
    let files = json!([{"files": [TARGETS], "refresh_interval": "1s"}]);
    let pods = json!({"job_name": "kubernetes-pods", "file_sd_configs": files});
    let often = json!({"scrape_interval": "1s", "scrape_timeout": "1s"});
    json!({"global": often, "scrape_configs": [pods]}).to_string()
}

/// Keeps the file of what Prometheus scrapes: Debian's knows no Kubernetes. Ends with an error when it cannot.
pub async fn tell_targets(api: Api, folder: PathBuf) -> anyhow::Result<Infallible> {
    let (file, fresh) = (folder.join(TARGETS), folder.join("targets.new"));
    let mut before = Value::Null;
    loop {
        let targets = scrape_file(&api.list(PODS, "", "").await?);
        if targets != before {
            // At once, so that no reader sees half of it.
            fs::write(&fresh, targets.to_string())?;
            fs::rename(&fresh, &file)?;
            before = targets;
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_is_pods_behind_a_service_of_its_name() {
        let gateway = Fixture { name: "a.b", port: 80, image: "gateway", target: 8000, metrics: Some(9100) };
        let [deployment, service] = gateway.objects().unwrap();
        let template = deployment.pointer("/spec/template").unwrap();
        assert_eq!(template.pointer("/metadata/annotations/prometheus.io~1port"), Some(&json!("9100")));
        assert_eq!(template.pointer("/spec/containers/0/ports/0/containerPort"), Some(&json!(8000)));
        assert_eq!(service["metadata"], json!({"name": "a", "namespace": "b"}));
        assert_eq!(service["spec"]["selector"], template["metadata"]["labels"]);
        assert_eq!(service["spec"]["ports"], json!([{"port": 80, "targetPort": 8000}]));
    }
}
