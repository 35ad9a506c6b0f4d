//! Config tracking: a changed ConfigMap or Secret is rolled out, and the primary's copies have what was promoted.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{CONFIG_MAPS, DEPLOYMENTS, Resource},
        manifests,
        recorder::text,
        stage::Stage,
        stand_in::Answer,
    },
    rollout::INTERVAL,
    texts::INITIALISED,
};

const SECRETS: Resource = ("/api/v1", "secrets");

/// The application with a ConfigMap in its environment and a Secret as a volume.
async fn application(stage: &Stage) -> anyhow::Result<()> {
    stage.before().await?;
    let named = |kind: &str, name: &str, data: Value| {
        let metadata = json!({"name": name});
        json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data})
    };
    let settings = named("ConfigMap", "settings", json!({"colour": "blue"}));
    stage.api.create(CONFIG_MAPS, stage.namespace(), &settings).await?;
    let key = named("Secret", "key", json!({"key": "b25l"}));
    stage.api.create(SECRETS, stage.namespace(), &key).await?;
    let mut target = manifests::deployment(&stage.cast, "6.0.0");
    let pods = json!({
        "containers": [{
            "name": "podinfod",
            "image": "stefanprodan/podinfo:6.0.0",
            "ports": [{"name": "http", "containerPort": 9898}],
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "volumeMounts": [{"name": "key", "mountPath": "/key"}],
        }],
        "volumes": [{"name": "key", "secret": {"secretName": "key"}}],
    });
    manifests::merge(&mut target, &json!({"spec": {"template": {"spec": pods}}}));
    stage.api.create(DEPLOYMENTS, stage.namespace(), &target).await
}

/// The primary's copy of an object has this content, and belongs to the Canary.
async fn copy_has(stage: &Stage, of: Resource, name: &str, field: &str, content: &str) -> anyhow::Result<()> {
    let copy = format!("{name}-primary");
    let live = stage.api.get(of, stage.namespace(), &copy).await?.with_context(|| format!("no {copy}"))?;
    let found = text(&live, &format!("/data/{field}"));
    ensure!(found == content, "{copy} has {found:?} instead of {content:?}");
    ensure!(text(&live, "/metadata/ownerReferences/0/kind") == "Canary", "{copy} has no owner");
    Ok(())
}

/// The ConfigMap is changed and promoted; then the Secret is changed and rolled back.
pub async fn rolled_out(stage: Stage) -> anyhow::Result<()> {
    application(&stage).await?;
    stage.canary(json!({})).await?;
    stage.rests_in("Initialized").await?;
    copy_has(&stage, CONFIG_MAPS, "settings", "colour", "blue").await?;
    copy_has(&stage, SECRETS, "key", "key", "b25l").await?;
    let names_copy = {
        let primary = stage.api.get(DEPLOYMENTS, stage.namespace(), "podinfo-primary").await?;
        let primary = primary.context("no primary")?;
        let at = "/spec/template/spec/containers/0/envFrom/0/configMapRef/name";
        text(&primary, at) == "settings-primary"
    };
    ensure!(names_copy, "the primary does not use the copy of the ConfigMap");
    stage.change(CONFIG_MAPS, "settings", &json!({"data": {"colour": "green"}})).await?;
    stage.line("route primary 75 canary 25").await?;
    copy_has(&stage, CONFIG_MAPS, "settings", "colour", "blue").await?;
    stage.rests_in("Succeeded").await?;
    copy_has(&stage, CONFIG_MAPS, "settings", "colour", "green").await?;
    // The first step asks for no metrics.
    stage.script(|script| script.metrics = Answer::Success("53.42"));
    stage.change(SECRETS, "key", &json!({"data": {"key": "dHdv"}})).await?;
    stage.rests_in("Failed").await?;
    copy_has(&stage, SECRETS, "key", "key", "b25l").await?;
    let first_step = "
        status Progressing 0
        target 2 of 6.0.0
        status Progressing 25
        route primary 75 canary 25
    ";
    let promoted = "
        status Progressing 50
        route primary 50 canary 50
        status Promoting 50
        status Finalising 0 ending promoted
        route primary 100
        target 0 of 6.0.0
        status Succeeded 0
    ";
    let rolled_back = "
        status Progressing 25 failed 1
        status Progressing 0 failed 2 ending rolled-back
        route primary 100
        target 0 of 6.0.0
        status Failed 0
    ";
    stage.tells(&[INITIALISED, first_step, promoted, first_step, rolled_back]).await?;
    stage.keeps_the_laws(INTERVAL)
}
