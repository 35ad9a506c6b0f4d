//! A Knative Service: its Revisions are made by the controller of the testbed, under the CRDs of the API server.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{Resource, SERVICES},
        manifests::merge,
        recorder::{Moment, text},
        stage::Stage,
        stand_in::Answer,
    },
    rollout::INTERVAL,
};

const KNATIVE_SERVICES: Resource = ("/apis/serving.knative.dev/v1", "services");
/// How long Knative may take for a Revision.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

fn service(name: &str, tag: &str) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}, "spec": spec(tag),
    })
}

fn spec(tag: &str) -> Value {
    let image = format!("stefanprodan/podinfo:{tag}");
    let container = json!({"name": "podinfod", "image": image, "ports": [{"containerPort": 9898}]});
    json!({"template": {"spec": {"containers": [container]}}})
}

async fn push(stage: &Stage, tag: &str) -> anyhow::Result<()> {
    stage.change(KNATIVE_SERVICES, &stage.cast.target, &json!({"spec": spec(tag)})).await
}

/// Waits until the Service has something in its status.
async fn reports(stage: &Stage, at: &str, value: &str) -> anyhow::Result<()> {
    let said = |moments: &[Moment]| {
        let live = moments.iter().rev().find(|moment| moment.of == KNATIVE_SERVICES)?;
        (text(&live.object, at) == value).then_some(())
    };
    stage.recorder.until(&stage.cast, PATIENCE, said).await.with_context(|| format!("no {value} at {at}"))
}

/// The Revision of the primary has all traffic, by its name.
async fn is_primary(stage: &Stage, revision: &str) -> anyhow::Result<()> {
    let live = stage.route().await?;
    let named = live.pointer("/metadata/annotations/flagger.app~1primary-revision");
    ensure!(named == Some(&json!(revision)), "the primary is {named:?}, not {revision}");
    let traffic = json!([
        {"latestRevision": true, "percent": 0},
        {"revisionName": revision, "latestRevision": false, "percent": 100},
    ]);
    ensure!(live.pointer("/spec/traffic") == Some(&traffic), "{live}");
    Ok(())
}

/// A Revision is promoted, and the next one is rolled back; nothing is made for the Canary.
pub async fn revisions(stage: Stage) -> anyhow::Result<()> {
    let target = &stage.cast.target;
    let mut first = service(target, "6.0.0");
    let tag = json!([{"latestRevision": true, "percent": 100}, {"tag": "next", "latestRevision": true, "percent": 0}]);
    merge(&mut first, &json!({"spec": {"traffic": tag}}));
    stage.api.create(KNATIVE_SERVICES, stage.namespace(), &first).await?;
    reports(&stage, "/status/latestReadyRevisionName", &format!("{target}-00001")).await?;
    stage.canary(json!({})).await?;
    stage.rests_in("Initialized").await?;
    let before = stage.lines();
    push(&stage, "6.0.1").await?;
    stage.line_after(before, "route primary 75 canary 25").await?;
    stage.rests_in("Succeeded").await?;
    let untagged = json!({"spec": {"traffic": [
        {"latestRevision": true, "percent": 0},
        {"revisionName": format!("{target}-00002"), "latestRevision": false, "percent": 100},
    ]}});
    let live = stage.route().await?;
    let tags = live.pointer("/spec/traffic").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(tags == 3, "the tag of the user is gone: {live}");
    stage.change(KNATIVE_SERVICES, target, &untagged).await?;
    is_primary(&stage, &format!("{target}-00002")).await?;
    // The first step asks for no metrics.
    stage.script(|script| script.metrics = Answer::Success("53.42"));
    push(&stage, "6.0.2").await?;
    stage.rests_in("Failed").await?;
    is_primary(&stage, &format!("{target}-00002")).await?;
    for name in ["podinfo-primary", "podinfo-canary"] {
        let made = stage.api.get(SERVICES, stage.namespace(), name).await?;
        ensure!(made.is_none(), "Service {name} was made");
    }
    stage.keeps_the_laws(INTERVAL)
}
