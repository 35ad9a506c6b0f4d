//! Blue/green beside the traffic: the new version is checked as often as said, then promoted or taken back.

use serde_json::json;

use super::{
    super::{stage::Stage, stand_in::Answer},
    crash,
    rollout::INTERVAL,
    texts::{INITIALISED, TOLD_INITIALISED},
};

const STARTED: &str = "
    target 0 of 6.0.1
    status Progressing 0
    target 2 of 6.0.1
    status Progressing 0 iteration 1
";

const TOLD_STARTED: &str = "
    Normal New revision detected! Scaling up {}
    Normal Starting canary analysis for {}
    Normal Pre-rollout check acceptance-test passed
    Normal Advance {} canary iteration 1/2
";

/// A promotion after two iterations.
pub const PROMOTED: &str = "
    target 0 of 6.0.1
    status Progressing 0
    target 2 of 6.0.1
    status Progressing 0 iteration 1
    status Progressing 0 iteration 2
    status Progressing 0 iteration 3
    status Promoting 0 iteration 3
    primary 2 of 6.0.1
    status Finalising 0 ending promoted
    target 0 of 6.0.1
    status Succeeded 0
";

/// What is reported about it.
pub const TOLD_PROMOTED: &str = "
    Normal New revision detected! Scaling up {}
    Normal Starting canary analysis for {}
    Normal Pre-rollout check acceptance-test passed
    Normal Advance {} canary iteration 1/2
    Normal Advance {} canary iteration 2/2
    Normal Copying {} template spec to {primary}
    Normal Promotion completed! Scaling down {}
";

pub async fn promoted(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

pub async fn killed(stage: Stage) -> anyhow::Result<()> {
    let lives = crash::unanswered(&stage);
    crash::survive(promoted(stage), lives).await
}

pub async fn rolled_back(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    // The first iteration asks for no metrics.
    stage.script(|script| script.metrics = Answer::Success("53.42"));
    stage.push("6.0.1").await?;
    stage.rests_in("Failed").await?;
    let ended = "
        status Progressing 0 iteration 1 failed 1
        status Progressing 0 iteration 1 failed 2 ending rolled-back
        target 0 of 6.0.1
        status Failed 0
    ";
    stage.tells(&[INITIALISED, STARTED, ended]).await?;
    let told = "
        Warning Halt {} advancement success rate 53.42% < 99%
        Warning Halt {} advancement success rate 53.42% < 99%
        Warning Rolling back {} failed checks threshold reached 2
        Warning Canary failed! Scaling down {}
    ";
    stage.events(&[TOLD_INITIALISED, TOLD_STARTED, told]).await?;
    stage.keeps_the_laws(INTERVAL)
}
