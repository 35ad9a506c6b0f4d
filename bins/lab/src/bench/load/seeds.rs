//! A namespace of Canaries that a real operator has initialised: what copies are made of.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use std::{path::Path, time::Duration};

use anyhow::bail;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use vexil_testbed_cluster::{Cluster, Settings, Wire};

use super::crowd::{KINDS, NAMESPACE, PER_NAMESPACE, name};
use crate::e2e::{
    account::Account,
    api::{Api, CANARIES, DEPLOYMENTS, NAMESPACES, Resource},
    crds,
    operator::Recipe,
    recorder::text,
    stand_in::StandIn,
};

const SCALERS: Resource = ("/apis/autoscaling/v2", "horizontalpodautoscalers");
const PATIENCE: Duration = Duration::from_secs(900);

/// Makes them, and answers all their objects with their kinds.
pub async fn grow(binary: &Path, stand_in: &StandIn, folder: &Path) -> anyhow::Result<Vec<(usize, Value)>> {
    let settings = Settings { wire: Wire::Sockets, ..Settings::default() };
    let cluster = Cluster::with(settings).await?;
    let file = folder.join("seeds.kubeconfig");
    cluster.write_kubeconfig(&file)?;
    let api = Api::connect(file).await?;
    crds::install(&api, &crds::ours()?).await?;
    crds::install(&api, &crds::routers()?).await?;
    api.create(NAMESPACES, "", &json!({"metadata": {"name": NAMESPACE}})).await?;
    for number in 0..PER_NAMESPACE {
        make(&api, NAMESPACE, &name(number), true).await?;
    }
    let recipe = Recipe::new(binary, Account::of_user(&api), "traefik", stand_in, folder.join("seeds.log"));
    let operator = recipe.start()?;
    rest(&api, &[NAMESPACE.to_owned()], PER_NAMESPACE).await?;
    // The last events are recorded, and struck off the status.
    sleep(Duration::from_secs(8)).await;
    operator.kill().await?;
    let mut objects = Vec::new();
    for (place, (path, (_, _, plural))) in KINDS.iter().enumerate() {
        for mut object in api.list((path, plural), NAMESPACE, "").await? {
            if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
            objects.push((place, object));
        }
    }
    Ok(objects)
}

/// A target, its autoscaler where wanted, and its Canary.
pub async fn make(api: &Api, namespace: &str, name: &str, scaled: bool) -> anyhow::Result<()> {
    let target = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": 1, "progressDeadlineSeconds": 60, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "podinfod", "image": "stefanprodan/podinfo:6.0.0",
                    "ports": [{"name": "http", "containerPort": 9898}],
                }]},
            },
        },
    });
    api.create(DEPLOYMENTS, namespace, &target).await?;
    let mut spec = json!({
        "provider": "traefik", "progressDeadlineSeconds": 60,
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "service": {"port": 80, "targetPort": 9898},
        "analysis": {"interval": "2s", "threshold": 5, "maxWeight": 50, "stepWeight": 5, "metrics": [
            {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"},
            {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "1m"},
        ]},
    });
    if scaled {
        let scaler = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": 1, "maxReplicas": 4,
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99},
                }}],
            },
        });
        api.create(SCALERS, namespace, &scaler).await?;
        spec["autoscalerRef"] =
            json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": name});
    }
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": name}, "spec": spec,
    });
    api.create(CANARIES, namespace, &canary).await
}

/// Waits until so many Canaries are initialised.
pub async fn rest(api: &Api, namespaces: &[String], wanted: usize) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut found = 0;
        for namespace in namespaces {
            let canaries = api.list(CANARIES, namespace, "").await?;
            found += canaries.iter().filter(|live| text(live, "/status/phase") == "Initialized").count();
        }
        if found >= wanted {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("{found} of {wanted} Canaries are initialised after {PATIENCE:?}");
        }
        sleep(Duration::from_millis(500)).await;
    }
}
