//! The deletion of a Canary with `revertOnDeletion`: the target takes over before anything goes.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::{
    super::{
        api::{CANARIES, DEPLOYMENTS, SERVICES},
        pace::LONG_INTERVAL,
        recorder::text,
        stage::Stage,
    },
    texts::{FIRST_STEP, INITIALISED, TOLD_FIRST_STEP, TOLD_INITIALISED},
};

/// Deleted at 25 %: the traffic goes back to the primary, then the user's apex to the target. The rest is collected.
pub async fn reverted(stage: Stage) -> anyhow::Result<()> {
    let apex = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "podinfo"},
        "spec": {"selector": {"app": "podinfo"}, "ports": [{"name": "http", "port": 80, "targetPort": 9898}]},
    });
    stage.api.create(SERVICES, stage.namespace(), &apex).await?;
    stage.first_step(json!({"revertOnDeletion": true})).await?;
    stage.event("Advance {} canary weight 25").await?;
    stage.delete_canary().await?;
    stage.line("primary 2 of 6.0.0, deleted").await?;
    for (of, name) in [(CANARIES, "podinfo"), (SERVICES, "podinfo-primary"), (DEPLOYMENTS, "podinfo-primary")]
    {
        gone(&stage, of, name).await?;
    }
    let (target, apex) = (
        stage.api.get(DEPLOYMENTS, stage.namespace(), "podinfo").await?.unwrap_or_default(),
        stage.api.get(SERVICES, stage.namespace(), "podinfo").await?.unwrap_or_default(),
    );
    ensure!(target.pointer("/spec/replicas") == Some(&json!(2)), "the target has lost its pods");
    ensure!(text(&apex, "/spec/selector/app") == "podinfo", "the apex does not select the target");
    let told = "
        Normal Terminating canary {}
        Normal {} takes all traffic again, without a canary
        Normal Terminated canary {}
    ";
    stage.events(&[TOLD_INITIALISED, TOLD_FIRST_STEP, told]).await?;
    let reverted = "
        status Terminating 0
        route primary 100
        service podinfo selects podinfo
        route primary 100, deleted
        status Terminated 0
    ";
    // What the garbage collector deletes comes in any order.
    let mut story = stage.story();
    story.truncate(story.iter().position(|line| line == "status Terminated 0").map_or(0, |at| at + 1));
    stage.is_story(&story, &["service podinfo selects podinfo", INITIALISED, FIRST_STEP, reverted])?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

/// Waits until the garbage collector has deleted an object.
async fn gone(stage: &Stage, of: super::super::api::Resource, name: &str) -> anyhow::Result<()> {
    const TRIES: u32 = 1_200;
    for _ in 0..TRIES {
        if stage.api.get(of, stage.namespace(), name).await?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{} {name} is still there", of.1)
}
