//! Versions that do not run.

use std::time::Duration;

use serde_json::json;

use super::{
    super::{api::CANARIES, cast::PODINFO, pace::LONG_INTERVAL, stage::Stage},
    texts::{
        FIRST_STEP, INITIALISED, PROMOTED, TOLD_DEADLINE, TOLD_FIRST_STEP, TOLD_INITIALISED, TOLD_PROMOTED,
    },
};

const LOOPS: &str = "Warning canary deployment {} not ready: …is in CrashLoopBackOff: container podinfod";

/// A short deadline for pods that do not become ready; those before had the long one, since they may be slow as well.
async fn soon_over(stage: &Stage) -> anyhow::Result<()> {
    stage.change(CANARIES, PODINFO, &json!({"spec": {"progressDeadlineSeconds": 20}})).await
}

pub async fn crashes(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    stage.crash_canary_pods().await?;
    soon_over(&stage).await?;
    stage.rests_in("Failed").await?;
    // The traffic goes back before a check counts as failed.
    stage
        .tells(&[
            INITIALISED,
            FIRST_STEP,
            "
        route primary 100
        status Progressing 0 failed 1
        status Progressing 0 failed 1 ending rolled-back
        target 0 of 6.0.1
        status Failed 0
        ",
        ])
        .await?;
    let taken = "Warning No pod of {} is ready, routing all traffic of {} to primary";
    stage.events(&[TOLD_INITIALISED, TOLD_FIRST_STEP, taken, LOOPS, TOLD_DEADLINE]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

pub async fn recovers(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    let before = stage.lines();
    stage.crash_canary_pods().await?;
    stage.line_after(before, "route primary 100").await?;
    stage.delete_canary_pods().await?;
    stage.rests_in("Succeeded").await?;
    let (begun, rest) = PROMOTED.split_once("route primary 75 canary 25\n").unwrap_or_default();
    // The failed check counts until the end.
    let rest: Vec<String> = rest.lines().map(failed_once).collect();
    let again = format!(
        "{begun}route primary 75 canary 25
         route primary 100
         status Progressing 0 failed 1
         status Progressing 25 failed 1
         route primary 75 canary 25
         {}",
        rest.join("\n")
    );
    stage.tells(&[INITIALISED, &again]).await?;
    let told = TOLD_PROMOTED.replace(
        "weight 25\n",
        "weight 25
         Warning No pod of {} is ready, routing all traffic of {} to primary
         Normal Advance {} canary weight 25\n",
    );
    stage.events(&[TOLD_INITIALISED, &told]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

/// A line of a story in a rollout with one failed check.
fn failed_once(line: &str) -> String {
    let line = line.trim();
    match line.strip_suffix(" ending promoted") {
        Some(status) => format!("{status} failed 1 ending promoted"),
        None if line.starts_with("status ") => format!("{line} failed 1"),
        None => line.to_owned(),
    }
}

pub async fn crashing_push(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    stage.push("crash-6.0.2").await?;
    soon_over(&stage).await?;
    stage.rests_in("Failed").await?;
    stage
        .tells(&[
            INITIALISED,
            FIRST_STEP,
            "
        target 2 of crash-6.0.2
        status Progressing 0
        route primary 100
        status Progressing 0 ending rolled-back
        target 0 of crash-6.0.2
        status Failed 0
        ",
        ])
        .await?;
    let again = "Normal New revision detected! Restarting analysis for {}";
    // Why they are not ready is known as soon as the first of them has crashed.
    let not_ready = "Warning canary deployment {} not ready: …";
    stage.events(&[TOLD_INITIALISED, TOLD_FIRST_STEP, again, not_ready, TOLD_DEADLINE]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

pub async fn never_ready(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({"progressDeadlineSeconds": 20})).await?;
    stage.push("broken-6.0.1").await?;
    stage.rests_in("Failed").await?;
    stage
        .tells(&[
            INITIALISED,
            "
        target 0 of broken-6.0.1
        status Progressing 0
        target 2 of broken-6.0.1
        status Progressing 0 ending rolled-back
        target 0 of broken-6.0.1
        status Failed 0
        ",
        ])
        .await?;
    let told = "
        Normal New revision detected! Scaling up {}
        Warning canary deployment {} not ready: waiting for rollout to finish: …
    ";
    stage.events(&[TOLD_INITIALISED, told, TOLD_DEADLINE]).await?;
    stage.keeps_the_laws(Duration::ZERO)
}
