//! CRDs that come and go, and CRDs that are another's.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{Api, DEFINITIONS},
        crds,
        pace::{LONG_INTERVAL, unhurried},
        stage::Stage,
    },
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED},
};

pub async fn come_and_go(stage: Stage) -> anyhow::Result<()> {
    let kind = stage.cast.system.route.as_ref().context("no route")?;
    let missing = format!("the cluster does not serve {}, or choose another provider", kind.missing);
    stage.target().await?;
    stage.canary(unhurried(json!({}))).await?;
    stage.line("primary 2 of 6.0.0").await?;
    stage.event(&missing).await?;
    let definition = [crds::router(kind.definition)?];
    crds::install(&stage.api, &definition).await?;
    stage.before().await?;
    stage.rests_in("Initialized").await?;
    stage.tells(&[INITIALISED]).await?;
    stage.events(&[&format!("Warning {missing}"), TOLD_INITIALISED]).await?;

    stage.push("6.0.1").await?;
    stage.line("route primary 75 canary 25").await?;
    stage.api.delete(DEFINITIONS, "", kind.definition).await?;
    stage.line("route primary 75 canary 25, deleted").await?;
    stage.api.gone(kind.definition).await?;
    stage.told_times(&missing, 2).await?;
    crds::install(&stage.api, &definition).await?;
    stage.before().await?;
    stage.rests_in("Succeeded").await?;
    let again = PROMOTED.replace(
        "route primary 75 canary 25",
        "route primary 75 canary 25
         route primary 75 canary 25, deleted
         route primary 75 canary 25",
    );
    stage.tells(&[INITIALISED, &again]).await?;
    stage.keeps_the_laws(LONG_INTERVAL)
}

/// Fields of the status that Flagger's CRD does not have.
const OURS: &[&str] = &[
    "drainUntil",
    "drainRestarts",
    "ending",
    "lastStepTime",
    "outbox",
    "postRollout",
    "primarySpec",
    "run",
    "wait",
    "withheldWeight",
];

pub async fn pruned(stage: Stage) -> anyhow::Result<()> {
    let mut reduced = crds::canary()?;
    let versions = reduced.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        let status = version.pointer_mut("/schema/openAPIV3Schema/properties/status/properties");
        let status = status.and_then(Value::as_object_mut).context("no status in the Canary's CRD")?;
        for field in OURS {
            ensure!(status.remove(*field).is_some(), "the CRD has no status.{field}");
        }
    }
    nothing_is_touched(stage, &reduced).await
}

/// The same under the CRD that Flagger installs.
pub async fn flaggers(stage: Stage) -> anyhow::Result<()> {
    let products = crds::Source::products()?.context("no CRDs of the products")?;
    let theirs = products.find("canaries.flagger.app")?.context("no CRD of Flagger")?;
    nothing_is_touched(stage, &theirs).await
}

async fn nothing_is_touched(stage: Stage, reduced: &Value) -> anyhow::Result<()> {
    let operator = stage.recipe.start()?;
    let done = without_our_fields(&stage, reduced).await;
    // Whatever came of it: the next suite wants the CRD as it was.
    restore(&stage.api, &crds::canary()?).await?;
    done?;
    // What was held up goes on by itself.
    stage.rests_in("Initialized").await?;
    stage.tells(&[INITIALISED]).await?;
    operator.kill().await?;
    stage.keeps_the_laws(INTERVAL)
}

async fn without_our_fields(stage: &Stage, reduced: &Value) -> anyhow::Result<()> {
    restore(&stage.api, reduced).await?;
    stage.apply(json!({})).await?;
    // The two are watched apart: which is seen first says nothing.
    stage.line("status Initializing 0").await?;
    stage.event("updating canary {} status failed: …canaries.flagger.app…").await?;
    stage.tells(&["target 2 of 6.0.0", "status Initializing 0"]).await
}

/// Brings the Canary's CRD to this, and waits until the API server goes by it.
async fn restore(api: &Api, definition: &Value) -> anyhow::Result<()> {
    let versions = definition.pointer("/spec/versions").cloned().unwrap_or_default();
    api.merge(DEFINITIONS, ("", "canaries.flagger.app"), &json!({"spec": {"versions": versions}})).await?;
    api.served("canaries.flagger.app").await
}
