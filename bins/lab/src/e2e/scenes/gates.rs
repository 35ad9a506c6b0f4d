//! Gates and rollback hooks: a closed gate holds the rollout where it is, a rollback hook ends it.

use serde_json::{Value, json};

use super::{
    super::{pace::LONG_INTERVAL, stage::Stage},
    rollout::INTERVAL,
    texts::{FIRST_STEP, INITIALISED, PROMOTED, TOLD_FIRST_STEP, TOLD_INITIALISED},
};

/// One hook of each of these types beside those of every scene, named as its type.
fn with(stage: &Stage, types: &[&str]) -> Value {
    let own = [("acceptance-test", "pre-rollout"), ("load-test", "rollout")];
    let hooks = own.into_iter().chain(types.iter().map(|kind| (*kind, *kind)));
    let hook = |(name, kind): (&str, &str)| {
        let url = stage.stand_in.hook(stage.namespace(), name);
        json!({"name": name, "type": kind, "url": url})
    };
    json!({"analysis": {"webhooks": hooks.map(hook).collect::<Vec<_>>()}})
}

/// From now on these hooks are answered with 403, and all others with 200.
fn refuse(stage: &Stage, hooks: &[&str]) {
    stage.script(|script| script.refused = hooks.iter().map(|&hook| hook.to_owned()).collect());
}

/// Each of the three gates is closed until it was reported.
pub async fn opened(stage: Stage) -> anyhow::Result<()> {
    let gates = ["confirm-rollout", "confirm-traffic-increase", "confirm-promotion"];
    refuse(&stage, &gates);
    stage.initialise(with(&stage, &gates)).await?;
    stage.push("6.0.1").await?;
    stage.event("Halt {} advancement waiting for approval confirm-rollout").await?;
    refuse(&stage, &["confirm-traffic-increase", "confirm-promotion"]);
    stage.event("Halt {} advancement waiting for traffic increase approval confirm-traffic-increase").await?;
    refuse(&stage, &["confirm-promotion"]);
    stage.event("Halt {} advancement waiting for promotion approval confirm-promotion").await?;
    refuse(&stage, &[]);
    stage.rests_in("Succeeded").await?;
    let story = PROMOTED
        .replace("status Progressing 0", "status Waiting 0\nstatus Progressing 0")
        .replace("status Promoting 50", "status WaitingPromotion 50\nstatus Promoting 50");
    stage.tells(&[INITIALISED, &story]).await?;
    let told = "
        Warning Halt {} advancement waiting for approval confirm-rollout
        Normal Confirm-rollout check confirm-rollout passed
        Normal New revision detected! Scaling up {}
        Normal Starting canary analysis for {}
        Normal Pre-rollout check acceptance-test passed
        Warning Halt {} advancement waiting for traffic increase approval confirm-traffic-increase
        Normal Confirm-traffic-increase check confirm-traffic-increase passed
        Normal Advance {} canary weight 25
        Normal Confirm-traffic-increase check confirm-traffic-increase passed
        Normal Advance {} canary weight 50
        Normal Confirm-traffic-increase check confirm-traffic-increase passed
        Warning Halt {} advancement waiting for promotion approval confirm-promotion
        Normal Confirm-promotion check confirm-promotion passed
        Normal Copying {} template spec to {primary}
        Normal Routing all traffic to primary
        Normal Promotion completed! Scaling down {}
    ";
    stage.events(&[TOLD_INITIALISED, told]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// A rollback hook passes at 25 %.
pub async fn taken_back(stage: Stage) -> anyhow::Result<()> {
    refuse(&stage, &["rollback"]);
    stage.first_step(with(&stage, &["rollback"])).await?;
    refuse(&stage, &[]);
    stage.rests_in("Failed").await?;
    let ended = "
        status Progressing 0 ending rolled-back
        route primary 100
        target 0 of 6.0.1
        status Failed 0
    ";
    stage.tells(&[INITIALISED, FIRST_STEP, ended]).await?;
    let first_step = TOLD_FIRST_STEP.replace(
        "Normal Starting",
        "Normal Rollback hook rollback not signaling a rollback\nNormal Starting",
    );
    let told = "
        Warning Rollback check rollback passed
        Warning Rolling back {} manual webhook invoked
        Warning Canary failed! Scaling down {}
    ";
    stage.events(&[TOLD_INITIALISED, &first_step, told]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}
