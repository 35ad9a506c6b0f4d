//! Rollouts as users see them: promoted, rolled back, restarted, reverted.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use super::{
    super::{
        pace::{LONG_INTERVAL, unhurried},
        stage::Stage,
        stand_in::Answer,
    },
    texts::{
        FIRST_STEP, INITIALISED, PROMOTED, ROLLED_BACK, TOLD_FIRST_STEP, TOLD_INITIALISED, TOLD_PROMOTED,
        TOLD_ROLLED_BACK,
    },
};

/// The pace of most scenes.
pub const INTERVAL: Duration = Duration::from_secs(2);
pub async fn promoted(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    let called = stage.script(|script| script.called.clone());
    let want = ["acceptance-test Progressing", "load-test Progressing", "load-test Progressing"];
    ensure!(called == want, "the hooks that were called are {called:?}");
    stage.keeps_the_laws(INTERVAL)
}

pub async fn in_three_intervals(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({"analysis": {"interval": "10s"}})).await?;
    // A scale-up waits for the scale-down before it.
    stage.target_is_empty().await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    let took = stage.seconds("target 0 of 6.0.1", "status Succeeded 0").await?;
    let pods = stage.seconds("target 2 of 6.0.1", "status Progressing 25").await?
        + stage.seconds("primary 2 of 6.0.1", "status Finalising 0 ending promoted").await?;
    // Two steps and the drain; nothing but pods is waited for besides. How long the API server takes depends on the
    // machine, and is less than one more interval.
    let paced = took - pods;
    ensure!(paced < 39.7, "the rollout took {paced:.1} s and {pods:.1} s for pods to start");
    stage.keeps_the_laws(Duration::from_secs(10))
}

pub async fn rolled_back(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    // The first step asks for no metrics.
    stage.script(|script| script.metrics = Answer::Success("53.42"));
    stage.push("6.0.1").await?;
    stage.rests_in("Failed").await?;
    stage.tells(&[INITIALISED, ROLLED_BACK]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_ROLLED_BACK]).await?;
    stage.script(|script| script.metrics = Answer::Success("100"));
    stage.push("6.0.2").await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, ROLLED_BACK, &PROMOTED.replace("6.0.1", "6.0.2")]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_ROLLED_BACK, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

pub async fn restarted(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(unhurried(json!({"analysis": {"stepWeight": 20, "maxWeight": 40}}))).await?;
    stage.push("6.0.1").await?;
    stage.line("route primary 80 canary 20").await?;
    stage.push("6.0.2").await?;
    stage.rests_in("Succeeded").await?;
    stage
        .tells(&[
            INITIALISED,
            "
        target 0 of 6.0.1
        status Progressing 0
        target 2 of 6.0.1
        status Progressing 20
        route primary 80 canary 20
        target 2 of 6.0.2
        status Progressing 0
        route primary 100
        status Progressing 20
        route primary 80 canary 20
        status Progressing 40
        route primary 60 canary 40
        status Promoting 40
        primary 2 of 6.0.2
        status Finalising 0 ending promoted
        route primary 100
        target 0 of 6.0.2
        status Succeeded 0
        ",
        ])
        .await?;
    stage
        .events(&[
            TOLD_INITIALISED,
            "
            Normal New revision detected! Scaling up {}
            Normal Starting canary analysis for {}
            Normal Pre-rollout check acceptance-test passed
            Normal Advance {} canary weight 20
            Normal New revision detected! Restarting analysis for {}
            Normal Starting canary analysis for {}
            Normal Pre-rollout check acceptance-test passed
            Normal Advance {} canary weight 20
            Normal Advance {} canary weight 40
            Normal Copying {} template spec to {primary}
            Normal Routing all traffic to primary
            Normal Promotion completed! Scaling down {}
            ",
        ])
        .await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

pub async fn reverted(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    stage.push("6.0.0").await?;
    stage.rests_in("Succeeded").await?;
    stage
        .tells(&[
            INITIALISED,
            FIRST_STEP,
            "
        target 2 of 6.0.0
        status Progressing 0 ending reverted
        route primary 100
        target 0 of 6.0.0
        status Succeeded 0
        ",
        ])
        .await?;
    let told = "Normal {} is back at the revision of the primary, ending the rollout";
    stage.events(&[TOLD_INITIALISED, TOLD_FIRST_STEP, told]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}
