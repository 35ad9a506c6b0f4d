//! Input that is wrong: one clear message on that Canary, once, and traffic where it was. The other scenes are the
//! neighbours that must not notice.

use serde_json::json;

use super::{
    super::{api::CANARIES, manifests, stage::Stage, stand_in::Answer},
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED, ROLLED_BACK, TOLD_FIRST_STEP, TOLD_INITIALISED, TOLD_PROMOTED},
};

const NO_VALUES: &str = "Halt advancement no values found for traefik metric request-success-rate probably {} is not \
                         receiving traffic: running query failed: no values found";

const NOT_FOUND: &str = r#"error: metrictemplate.flagger.app "nope" not found"#;

/// How a metric server's answer is reported.
const FAILED: &str = "Prometheus query failed: running query failed:";

const TOLD_END: &str = "
    Warning Rolling back {} failed checks threshold reached 2
    Warning Canary failed! Scaling down {}
";

pub async fn missing_template(stage: Stage) -> anyhow::Result<()> {
    let metric = json!({"name": "mine", "templateRef": {"name": "nope"}, "thresholdRange": {"max": 1}});
    stage.initialise(json!({"analysis": {"metrics": [metric]}})).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Failed").await?;
    stage.tells(&[INITIALISED, ROLLED_BACK]).await?;
    stage
        .events(&[
            &format!("Warning Error checking metric providers: metric template nope.{{ns}} {NOT_FOUND}"),
            "Normal Initialization done! {}",
            TOLD_FIRST_STEP,
            &format!("Warning Metric template nope.{{ns}} {NOT_FOUND}"),
            &format!("Warning Metric template nope.{{ns}} {NOT_FOUND}"),
            TOLD_END,
        ])
        .await
}

pub async fn unknown_provider(stage: Stage) -> anyhow::Result<()> {
    // The CRD takes it, because Flagger knows it.
    stage.apply(json!({"provider": "osm"})).await?;
    stage.event("invalid canary spec: …").await?;
    let clear = "Warning invalid canary spec: spec.provider: `osm` is not supported: …";
    stage.events(&[clear]).await?;
    stage.tells(&["target 2 of 6.0.0"]).await?;
    // Put right, it goes on.
    stage.canary(json!({})).await?;
    stage.rests_in("Initialized").await?;
    stage.tells(&[INITIALISED]).await
}

pub async fn missing_target(stage: Stage) -> anyhow::Result<()> {
    stage.canary(json!({})).await?;
    stage.event("deployment {} get query error: not found").await?;
    stage.events(&["Warning deployment {} get query error: not found"]).await?;
    stage.target().await?;
    stage.rests_in("Initialized").await?;
    stage.keeps_the_laws(INTERVAL)
}

pub async fn metrics_error(stage: Stage) -> anyhow::Result<()> {
    let answer = "error response: Status 500 Internal Server Error: out of memory";
    metrics(stage, Answer::Error, &format!("{FAILED} {answer}")).await
}

pub async fn metrics_page(stage: Stage) -> anyhow::Result<()> {
    let answer = "error unmarshaling result: …sign in first</html>'";
    metrics(stage, Answer::Page, &format!("{FAILED} {answer}")).await
}

pub async fn metrics_nan(stage: Stage) -> anyhow::Result<()> {
    metrics(stage, Answer::Value("NaN"), NO_VALUES).await
}

pub async fn metrics_nothing(stage: Stage) -> anyhow::Result<()> {
    metrics(stage, Answer::Nothing, NO_VALUES).await
}

pub async fn metrics_many(stage: Stage) -> anyhow::Result<()> {
    let answer = "query returned 2 series where one is needed, aggregate them";
    metrics(stage, Answer::Many, &format!("{FAILED} {answer}")).await
}

/// The first check fails with this message, as often as the threshold says, and the rollout is rolled back.
async fn metrics(stage: Stage, answer: Answer, message: &str) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    // The first step asks for no metrics.
    stage.script(|script| script.metrics = answer);
    stage.push("6.0.1").await?;
    stage.rests_in("Failed").await?;
    stage.tells(&[INITIALISED, ROLLED_BACK]).await?;
    stage
        .events(&[
            TOLD_INITIALISED,
            TOLD_FIRST_STEP,
            &format!("Warning {message}"),
            &format!("Warning {message}"),
            TOLD_END,
        ])
        .await?;
    stage.keeps_the_laws(INTERVAL)
}

/// The first Canary of a target goes on as if there were no second.
pub async fn second_canary(stage: Stage) -> anyhow::Result<()> {
    stage.initialise(json!({})).await?;
    let mut second = stage.manifest(&json!({}));
    manifests::merge(&mut second, &json!({"metadata": {"name": "podinfo-2"}}));
    stage.api.create(CANARIES, stage.namespace(), &second).await?;
    let clear = "invalid canary spec: spec.targetRef.name: is the target of Canary podinfo as well, …";
    stage.event(clear).await?;
    stage.push("6.0.1").await?;
    stage.line("status Succeeded 0").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, &format!("Warning {clear}"), TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// The Service would lead nowhere. No client is sent there.
pub async fn missing_port(stage: Stage) -> anyhow::Result<()> {
    stage.apply(json!({"service": {"targetPort": "nope"}})).await?;
    let put_right = stage.canary(json!({"service": {"targetPort": "http"}}));
    stage.told_until_right("…nope…", put_right).await
}
