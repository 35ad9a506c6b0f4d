//! CRDs that come, and CRDs that are another's.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        api::{Api, DEFINITIONS},
        crds,
        stage::Stage,
    },
    rollout::{INITIALISED, INTERVAL, TOLD_INITIALISED},
};

pub async fn come_later(stage: Stage) -> anyhow::Result<()> {
    stage.apply(json!({})).await?;
    stage.line("primary 2 of 6.0.0").await?;
    let missing = "the cluster does not serve TraefikService of traefik.io/v1alpha1 or \
                   traefik.containo.us/v1alpha1; install the CRDs of Traefik, or choose another provider";
    stage.event(missing).await?;
    crds::install(&stage.api, &crds::traefik()?).await?;
    stage.rests_in("Initialized").await?;
    stage.tells(&[INITIALISED])?;
    stage.events(&[&format!("Warning {missing}"), TOLD_INITIALISED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// Fields of the status that the reference's CRD does not have.
const OURS: &[&str] = &[
    "drainUntil",
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
    let definition = crds::canary()?;
    let operator = stage.recipe.start()?;
    let done = without_our_fields(&stage, &definition).await;
    // Whatever came of it: the next suite wants the CRD as it was.
    restore(&stage.api, &definition).await?;
    done?;
    // What was held up goes on by itself.
    stage.rests_in("Initialized").await?;
    stage.tells(&[INITIALISED])?;
    operator.kill().await?;
    stage.keeps_the_laws(INTERVAL)
}

async fn without_our_fields(stage: &Stage, definition: &Value) -> anyhow::Result<()> {
    let mut reduced = definition.clone();
    let versions = reduced.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        let status = version.pointer_mut("/schema/openAPIV3Schema/properties/status/properties");
        let status = status.and_then(Value::as_object_mut).context("no status in the Canary's CRD")?;
        for field in OURS {
            ensure!(status.remove(*field).is_some(), "the CRD has no status.{field}");
        }
    }
    restore(&stage.api, &reduced).await?;
    stage.apply(json!({})).await?;
    // The two are watched apart: which is seen first says nothing.
    stage.line("status Initializing 0").await?;
    stage.event("updating canary {} status failed: …canaries.flagger.app…").await?;
    stage.tells(&["target 2 of 6.0.0", "status Initializing 0"])
}

/// Brings the Canary's CRD to this, and waits until the API server goes by it.
async fn restore(api: &Api, definition: &Value) -> anyhow::Result<()> {
    let versions = definition.pointer("/spec/versions").cloned().unwrap_or_default();
    api.merge(DEFINITIONS, ("", "canaries.flagger.app"), &json!({"spec": {"versions": versions}})).await?;
    api.served("canaries.flagger.app").await
}
