//! A Canary as Flagger leaves it, with everything that belongs to it, and then this operator.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    super::{
        api::{CANARIES, DEPLOYMENTS, SERVICES},
        manifests::{self, merge},
        recorder::{Moment, text},
        stage::Stage,
    },
    rollout::INTERVAL,
    texts::{PROMOTED, TOLD_PROMOTED},
};

/// Longest wait until the Canary is taken over.
const PATIENCE: Duration = Duration::from_secs(45);

/// What it was doing.
struct Left {
    phase: &'static str,
    /// The version and the pods of the target.
    target: (&'static str, u32),
    weight: u32,
}

/// A rollout is over: nothing changes, and the next version is rolled out.
pub async fn at_rest(stage: Stage) -> anyhow::Result<()> {
    let left = Left { phase: "Succeeded", target: ("6.0.0", 0), weight: 0 };
    leave(&stage, &left).await?;
    let (operator, lines) = (stage.recipe.start()?, stage.lines());
    taken_over(&stage).await?;
    stage.push("6.0.1").await?;
    stage.line_after(lines, "status Progressing 0").await?;
    stage.rests_in("Succeeded").await?;
    let left = "
        target 0 of 6.0.0
        primary 2 of 6.0.0
        service podinfo selects podinfo-primary
        service podinfo-primary selects podinfo-primary
        service podinfo-canary selects podinfo
        route primary 100
        status Succeeded 0
    ";
    stage.tells(&[left, PROMOTED]).await?;
    stage.events(&[TOLD_PROMOTED]).await?;
    operator.kill().await?;
    stage.keeps_the_laws(INTERVAL)
}

/// A rollout is at its first step: it goes on with the second.
pub async fn in_mid_run(stage: Stage) -> anyhow::Result<()> {
    let left = Left { phase: "Progressing", target: ("6.0.1", 2), weight: 25 };
    leave(&stage, &left).await?;
    let operator = stage.recipe.start()?;
    taken_over(&stage).await?;
    stage.rests_in("Succeeded").await?;
    let all = "
        target 2 of 6.0.1
        primary 2 of 6.0.0
        service podinfo selects podinfo-primary
        service podinfo-primary selects podinfo-primary
        service podinfo-canary selects podinfo
        route primary 75 canary 25
        status Progressing 25
        status Progressing 50
        route primary 50 canary 50
        status Promoting 50
        primary 2 of 6.0.1
        status Finalising 0 ending promoted
        route primary 100
        target 0 of 6.0.1
        status Succeeded 0
    ";
    stage.tells(&[all]).await?;
    let told = "
        Normal Advance {} canary weight 50
        Normal Copying {} template spec to {primary}
        Normal Routing all traffic to primary
        Normal Promotion completed! Scaling down {}
    ";
    stage.events(&[told]).await?;
    operator.kill().await?;
    stage.keeps_the_laws(INTERVAL)
}

/// Makes the objects as Flagger does, one after the other.
async fn leave(stage: &Stage, left: &Left) -> anyhow::Result<()> {
    // The time of the last step is stored in whole seconds, and steps have to be INTERVAL apart.
    stage.canary(json!({"analysis": {"interval": "3s"}})).await?;
    let canary = stage.api.get(CANARIES, stage.namespace(), "podinfo").await?.context("no Canary")?;
    let owner = json!([{
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": text(&canary, "/metadata/uid"),
        "controller": true, "blockOwnerDeletion": true,
    }]);
    workloads(stage, left, &owner).await?;
    for (name, selects) in [
        ("podinfo", "podinfo-primary"),
        ("podinfo-primary", "podinfo-primary"),
        ("podinfo-canary", "podinfo"),
    ] {
        let ports = json!([{"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP"}]);
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": made(name, &owner),
            "spec": {"type": "ClusterIP", "selector": {"app": selects}, "ports": ports},
        });
        stage.api.create(SERVICES, stage.namespace(), &service).await?;
    }
    let entry = |name: &str, weight: u32| {
        let namespace = stage.namespace();
        json!({"name": name, "namespace": namespace, "kind": "Service", "port": 80, "weight": weight})
    };
    let mut entries = vec![entry("podinfo-primary", 100 - left.weight)];
    entries.extend((left.weight > 0).then(|| entry("podinfo-canary", left.weight)));
    let route = json!({
        "apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService", "metadata": made("podinfo", &owner),
        "spec": {"weighted": {"services": entries}},
    });
    stage.api.create(stage.place()?.of, stage.namespace(), &route).await?;
    let made = stage.route().await?;
    let status = json!({"status": {
        "phase": left.phase, "canaryWeight": left.weight, "failedChecks": 0, "iterations": 0,
        "lastAppliedSpec": "5b4c8d7f99", "lastPromotedSpec": "68bf6f479b", "trackedConfigs": {},
        "lastTransitionTime": text(&made, "/metadata/creationTimestamp"),
    }});
    stage.api.merge(CANARIES, (stage.namespace(), "podinfo/status"), &status).await?;
    stage.line(&format!("status {} {}", left.phase, left.weight)).await.map(drop)
}

/// The target and the primary, which has the version before.
async fn workloads(stage: &Stage, left: &Left, owner: &Value) -> anyhow::Result<()> {
    let (tag, replicas) = left.target;
    let mut target = manifests::deployment(&stage.cast, tag);
    merge(&mut target, &json!({"spec": {"replicas": replicas}}));
    stage.api.create(DEPLOYMENTS, stage.namespace(), &target).await?;
    let labels = json!({"app": "podinfo-primary"});
    let mut primary = manifests::deployment(&stage.cast, "6.0.0");
    let template = json!({"metadata": {
        "labels": labels, "annotations": {"flagger-id": "0d3b2a5e-6f0c-4c61-9f42-0a6f5b7f6f11"},
    }});
    let own = json!({
        "metadata": {"name": "podinfo-primary", "labels": labels, "ownerReferences": owner},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    });
    merge(&mut primary, &own);
    stage.api.create(DEPLOYMENTS, stage.namespace(), &primary).await?;
    let ready_pods = |moments: &[Moment], name: &str| {
        let named = |moment: &&Moment| moment.of == DEPLOYMENTS && moment.name() == name;
        let live = moments.iter().rev().find(named)?;
        live.object.pointer("/status/readyReplicas").and_then(Value::as_u64).or(Some(0))
    };
    let are_ready = |moments: &[Moment]| {
        let target = ready_pods(moments, "podinfo")? == u64::from(replicas);
        (target && ready_pods(moments, "podinfo-primary")? == 2).then_some(())
    };
    let ready = stage.recorder.until(&stage.cast, PATIENCE, are_ready).await;
    ready.context("the pods that Flagger leaves do not become ready")
}

/// The metadata that Flagger gives to an object that it makes.
fn made(name: &str, owner: &Value) -> Value {
    json!({
        "name": name, "labels": {"app": name}, "ownerReferences": owner,
        "annotations": {
            "helm.toolkit.fluxcd.io/driftDetection": "disabled", "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
        },
    })
}

/// Waits for the number of a run, which only this operator writes.
async fn taken_over(stage: &Stage) -> anyhow::Result<()> {
    let is_ours = |moments: &[Moment]| {
        let live = moments.iter().rev().find(|moment| moment.of == CANARIES)?;
        live.object.pointer("/status/run").map(drop)
    };
    let found = stage.recorder.until(&stage.cast, PATIENCE, is_ours).await;
    found.context("the Canary is not taken over")
}
