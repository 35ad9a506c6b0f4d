//! Targets that are no Deployments: a DaemonSet, and a Service whose pods are the user's.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{DAEMON_SETS, DEPLOYMENTS, SERVICES},
        manifests::{self, merge},
        recorder::text,
        stage::Stage,
        stand_in::Answer,
    },
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED, TOLD_PROMOTED},
};

/// A DaemonSet has no replicas: its pods go and come with a node selector.
pub async fn daemon_set(stage: Stage) -> anyhow::Result<()> {
    stage.before().await?;
    let mut target = manifests::deployment(&stage.cast, "6.0.0");
    let kind = json!({
        "kind": "DaemonSet",
        "spec": {
            "replicas": null, "progressDeadlineSeconds": null,
            // With the default, the only node has no pod of the primary while the promoted one starts.
            "updateStrategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            // The node of kubeplane reports no status, so it keeps the taint `not-ready`.
            "template": {"spec": {"tolerations": [{"operator": "Exists"}]}},
        },
    });
    merge(&mut target, &kind);
    stage.api.create(DAEMON_SETS, stage.namespace(), &target).await?;
    stage.canary(json!({"targetRef": {"kind": "DaemonSet"}})).await?;
    stage.rests_in("Initialized").await?;
    stage.change(DAEMON_SETS, &stage.cast.target, &manifests::push("6.0.1")).await?;
    stage.rests_in("Succeeded").await?;
    // There is one node.
    let (initialised, promoted) =
        (INITIALISED.replace(" 2 of ", " 1 of "), PROMOTED.replace(" 2 of ", " 1 of "));
    stage.tells(&[&initialised, &promoted]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// A Deployment of one version behind the Service.
async fn version(stage: &Stage, name: &str, tag: &str) -> anyhow::Result<()> {
    let mut pods = manifests::deployment(&stage.cast, tag);
    let labels = json!({"app": name});
    let own = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    });
    merge(&mut pods, &own);
    stage.api.create(DEPLOYMENTS, stage.namespace(), &pods).await
}

fn selecting(app: &str) -> Value {
    json!({"spec": {"selector": {"app": app}}})
}

async fn service(stage: &Stage, name: &str) -> anyhow::Result<Value> {
    stage.api.get(SERVICES, stage.namespace(), name).await?.with_context(|| format!("no Service {name}"))
}

/// The selector of a Service is changed to the pods of another version, which is promoted; another change is rolled
/// back.
pub async fn core_service(stage: Stage) -> anyhow::Result<()> {
    stage.before().await?;
    for (name, tag) in [("v1", "6.0.0"), ("v2", "6.0.1"), ("v3", "6.0.2")] {
        version(&stage, name, tag).await?;
    }
    let mut target = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": stage.cast.target, "labels": {"team": "shop"}},
        "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
    });
    merge(&mut target, &selecting("v1"));
    stage.api.create(SERVICES, stage.namespace(), &target).await?;
    stage.canary(json!({"targetRef": {"apiVersion": "v1", "kind": "Service"}})).await?;
    stage.rests_in("Initialized").await?;
    let before = service(&stage, "podinfo-primary").await?;
    ensure!(text(&before, "/metadata/labels/team") == "shop", "the labels were not copied");
    let first = stage.lines();
    stage.change(SERVICES, "podinfo", &selecting("v2")).await?;
    stage.line_after(first, "route primary 75 canary 25").await?;
    stage.rests_in("Succeeded").await?;
    let primary = service(&stage, "podinfo-primary").await?;
    for at in ["/spec/clusterIP", "/spec/ports/0/nodePort", "/metadata/uid", "/metadata/ownerReferences"] {
        ensure!(before.pointer(at) == primary.pointer(at), "{at} of the primary was changed");
    }
    // The first step asks for no metrics.
    stage.script(|script| script.metrics = Answer::Success("53.42"));
    stage.change(SERVICES, "podinfo", &selecting("v3")).await?;
    stage.rests_in("Failed").await?;
    let initialised = "
        v1 2 of 6.0.0
        v2 2 of 6.0.1
        v3 2 of 6.0.2
        service podinfo selects v1
        status Initializing 0
        service podinfo-canary selects v1
        service podinfo-primary selects v1
        route primary 100
        status Initialized 0
    ";
    let promoted = "
        service podinfo selects v2
        service podinfo-canary selects v2
        status Progressing 0
        status Progressing 25
        route primary 75 canary 25
        status Progressing 50
        route primary 50 canary 50
        status Promoting 50
        service podinfo-primary selects v2
        status Finalising 0 ending promoted
        route primary 100
        status Succeeded 0
    ";
    let rolled_back = "
        service podinfo selects v3
        service podinfo-canary selects v3
        status Progressing 0
        status Progressing 25
        route primary 75 canary 25
        status Progressing 25 failed 1
        status Progressing 0 failed 2 ending rolled-back
        route primary 100
        status Failed 0
    ";
    stage.tells(&[initialised, promoted, rolled_back]).await?;
    stage.keeps_the_laws(INTERVAL)
}
